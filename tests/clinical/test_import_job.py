"""What an import job reports is read as the service writes it, and leniently."""

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from trilake.clinical.import_job import first_line_id, progress, read_line, start
from trilake.clinical.staging import Staged
from trilake.core.errors import ServiceError

# The form that the developer guide shows: two objects without a comma between them.
DOCUMENTED = (
    b'{"lineId":3, UpdateResourceResponse:{"jsonBlob":{"resourceType":"OperationOutcome","issue":[{"severity":"error",'
    b'"code":"processing","diagnostics":"1 validation error detected: Value null at \'id\'"}]}, "statusCode":400}, '
    b'{"exception":null}}'
)
AS_TEXT = (
    b'{"lineId": 7, "UpdateResourceResponse": {"jsonBlob": "{\\"issue\\": [{\\"diagnostics\\": \\"no id\\"}]}",'
    b' "statusCode": 400}}'
)


def test_the_documented_line_which_is_no_json_is_read() -> None:
    assert read_line(DOCUMENTED) == (3, "1 validation error detected: Value null at 'id'")


def test_an_outcome_given_as_text_is_read() -> None:
    assert read_line(AS_TEXT) == (7, "no id")


def test_a_line_without_line_id_is_none() -> None:
    assert read_line(b"\xff\x00") is None


@pytest.mark.parametrize(
    ("lines", "first"),
    [({"a": [(0, "")]}, 0), ({"a": [(3, "")]}, 1), ({"a": [(1, ""), (2, "")]}, None), ({}, None)],
)
def test_line_ids_tell_where_they_count_from(lines: dict[str, list[tuple[int, str]]], first: int | None) -> None:
    assert first_line_id(lines, {"a": 3}) == first


def test_progress_is_words() -> None:
    report = {"TotalNumberOfResourcesImported": 1200, "TotalNumberOfResourcesScanned": 1300}
    words = progress({"JobStatus": "IN_PROGRESS", "JobProgressReport": report}, 4000)
    assert words == "  HealthLake import job in progress: 1,200 of 4,000 resources"


class Busy:
    """A HealthLake client that is busy a few times before it takes a job."""

    def __init__(self, *codes: str) -> None:
        self.codes = list(codes)

    def start_fhir_import_job(self, **request: Any) -> dict[str, str]:
        if self.codes:
            raise ClientError({"Error": {"Code": self.codes.pop(0), "Message": "later"}}, "StartFHIRImportJob")
        return {"JobId": "job"}


def session_of(client: Busy) -> Any:
    settings = SimpleNamespace(
        core=SimpleNamespace(raw_bucket="raw", kms_key_arn="key"),
        clinical=SimpleNamespace(datastore_id="store", import_role_arn="role"),
    )
    return SimpleNamespace(settings=settings, client=lambda name: client)


STAGED = Staged("s3://raw/x/", "0" * 32, {"Patient-0001.ndjson": 1})


def test_a_busy_service_is_asked_again() -> None:
    client = Busy("ThrottlingException", "TooManyRequestsException")
    assert start(session_of(client), STAGED, pause=0.001) == "job"


def test_a_service_that_stays_busy_ends_in_an_error_with_a_next_step() -> None:
    with pytest.raises(ServiceError, match="too busy") as error:
        start(session_of(Busy(*["ThrottlingException"] * 5)), STAGED, pause=0.001, attempts=3)
    assert error.value.next_step


def test_a_refused_request_is_not_tried_again() -> None:
    client = Busy("AccessDeniedException", "AccessDeniedException")
    with pytest.raises(ServiceError, match="later"):
        start(session_of(client), STAGED, pause=0.001)
    assert len(client.codes) == 1

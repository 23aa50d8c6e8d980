"""What an import job reports is read as the service writes it, and leniently."""

import pytest

from trilake.clinical.import_job import first_line_id, progress, read_line

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

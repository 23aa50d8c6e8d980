"""HealthLake's FHIR endpoint: single resources over signed HTTP, and the rows they leave.

Reads and writes a LocalAws of the test. Make target: `test`. Example: `pytest tests/localaws/healthlake/test_rest.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.localaws.healthlake.conftest import Lake, a_patient, an_observation, make_role

Answer = tuple[int, Any]


@pytest.fixture
def fhir(lake: Lake) -> Callable[..., Answer]:
    """`fhir("GET", "Patient/p1")`: status and body; `keys` sign for someone other than the deployer."""

    def send(method: str, path: str, body: Any = None, keys: Credentials | None = None) -> Answer:
        url = f"{lake.aws.endpoint}/datastore/{lake.id}/r4/{path}"
        content = b"" if body is None else json.dumps(body).encode()
        own = lake.aws.credentials
        signed = AWSRequest(method, url, data=content, headers={"Content-Type": "application/fhir+json"})
        keys = keys or Credentials(own.access_key_id, own.secret_access_key)
        SigV4Auth(keys, "healthlake", "us-east-1").add_auth(signed)
        where = urlsplit(url)
        connection = HTTPConnection(where.hostname or "", where.port)
        connection.request(method, where.path, body=content, headers=dict(signed.headers))
        response = connection.getresponse()
        text = response.read()
        connection.close()
        return response.status, json.loads(text) if text else None

    return send


def test_resource_is_created_read_changed_and_deleted(lake: Lake, fhir: Callable[..., Answer]) -> None:
    assert fhir("GET", "Patient/p1")[0] == 404
    assert fhir("PUT", "Patient/p1", a_patient(name=[{"family": "Doe", "given": ["Ann"]}]))[0] == 201
    assert fhir("PUT", "Patient/p1", a_patient(birthDate="1971-01-01"))[0] == 200
    status, found = fhir("GET", "Patient/p1")
    assert (status, found["birthDate"], "name" in found) == (200, "1971-01-01", False)
    assert fhir("DELETE", "Patient/p1")[0] == 204
    assert fhir("DELETE", "Patient/p1")[0] == 204
    assert fhir("GET", "Patient/p1")[0] == 410
    rows = sorted(lake.rows("Patient"), key=lambda row: row["meta"]["lastupdated"])
    assert [row["birthdate"] for row in rows] == ["1970-05-01", "1971-01-01", None]
    marker = rows[-1]
    assert {name for name, value in marker.items() if value} == {"id", "meta"}
    assert {name for name, value in marker["meta"].items() if value} == {"lastupdated"}


def test_imported_resource_reads_as_it_was(lake: Lake, fhir: Callable[..., Answer]) -> None:
    given = an_observation(
        extension=[{"url": "http://x", "valueDecimal": 1.5}],
        _status={"extension": [{"url": "http://y", "valueCode": "a"}]},
        contained=[{"resourceType": "Organization", "id": "c", "name": "Clinic"}],
        component=[{"code": {"text": "part"}, "valueInteger": 3}],
    )
    lake.put("a.ndjson", given)
    lake.run()
    status, found = fhir("GET", "Observation/o1")
    assert status == 200
    assert found.pop("meta")["versionId"]
    assert found == given


def test_invalid_resources_are_refused(fhir: Callable[..., Answer]) -> None:
    for path, body in (
        ("Patient/p1", a_patient(gender="M")),
        ("Patient/p2", a_patient()),
        ("Observation/p1", a_patient()),
    ):
        status, outcome = fhir("PUT", path, body)
        assert (status, outcome["resourceType"]) == (400, "OperationOutcome")
    assert fhir("GET", "Patiant/p1")[0] == 404
    assert fhir("GET", "Patient")[0] == 400


def test_post_gives_an_id(fhir: Callable[..., Answer]) -> None:
    status, stored = fhir("POST", "Patient", a_patient())
    assert status == 201
    assert stored["id"] != "p1"
    assert fhir("GET", f"Patient/{stored['id']}")[0] == 200


def test_roles_need_the_fhir_action(lake: Lake, fhir: Callable[..., Answer]) -> None:
    fhir("PUT", "Patient/p1", a_patient())
    arn = lake.wait_active()["DatastoreArn"]
    statements = [{"Effect": "Allow", "Action": "healthlake:ReadResource", "Resource": arn}]
    role = make_role(lake.client("iam"), "reader", statements, "healthlake.amazonaws.com")
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
    }
    lake.client("iam").update_assume_role_policy(RoleName="reader", PolicyDocument=json.dumps(trust))
    session = lake.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    keys = Credentials(session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])
    assert fhir("GET", "Patient/p1", keys=keys)[0] == 200
    assert fhir("DELETE", "Patient/p1", keys=keys)[0] == 403

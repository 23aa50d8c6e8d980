"""HealthLake import jobs through boto3: rows, reports, counters, states, events.

Reads and writes a LocalAws of the test. Make target: `test`. Example: `pytest tests/localaws/healthlake`.
"""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.healthlake.imports import MAX_STARTS_A_SECOND, REFUSE_TAG
from tests.localaws.healthlake.conftest import BUCKET, KEY, Lake, a_patient, an_observation, make_role


def test_import_fills_one_table_per_type(lake: Lake) -> None:
    lake.put("Patient.ndjson", a_patient(), a_patient(id="p2"))
    lake.put("more/Observation.ndjson", an_observation())
    job = lake.run()
    assert job["JobStatus"] == "COMPLETED"
    assert sorted(row["id"] for row in lake.rows("Patient")) == ["p1", "p2"]
    assert lake.rows("Observation")[0]["valuequantity"]["value"] == 120.5
    report = job["JobProgressReport"]
    assert report["TotalNumberOfScannedFiles"] == report["TotalNumberOfImportedFiles"] == 2
    assert report["TotalNumberOfResourcesScanned"] == report["TotalNumberOfResourcesImported"] == 3
    assert [line["lineId"] for line in lake.output(job, "SUCCESS/Patient.ndjson")] == [1, 2]
    assert lake.output(job, "FAILURE/Patient.ndjson") == []


def test_one_bad_line_stops_no_other(lake: Lake) -> None:
    lake.put("a.ndjson", a_patient(), "{not json", a_patient(id="p2", gender="M"), "", an_observation(id=None))
    job = lake.run()
    assert job["JobStatus"] == "COMPLETED_WITH_ERRORS"
    failures = lake.output(job, "FAILURE/a.ndjson")
    assert [line["lineId"] for line in failures] == [2, 3, 5]
    response = failures[1]["UpdateResourceResponse"]
    assert response["statusCode"] == 400
    assert response["jsonBlob"]["resourceType"] == "OperationOutcome"
    assert response["jsonBlob"]["issue"][0]["location"] == ["Patient.gender"]
    assert "M" not in response["jsonBlob"]["issue"][0]["diagnostics"].split()
    [manifest] = lake.output(job, "manifest.json")
    counts = {name: manifest[name] for name in manifest if name.startswith("numberOf")}
    assert counts == {
        "numberOfScannedFiles": 1,
        "numberOfFilesImported": 1,
        "numberOfResourcesScanned": 4,
        "numberOfResourcesImportedSuccessfully": 1,
        "numberOfResourcesWithCustomerError": 3,
        "numberOfResourcesWithServerError": 0,
    }
    assert manifest["outputDataConfig"] == {
        "s3Uri": f"s3://{BUCKET}/out/{lake.id}-FHIR_IMPORT-{job['JobId']}/",
        "encryptionKeyID": KEY,
    }


def test_update_is_a_new_row_with_a_later_stamp(lake: Lake) -> None:
    lake.put("a.ndjson", a_patient(meta={"lastUpdated": "2001-01-01T00:00:00Z"}))
    lake.run()
    lake.put("a.ndjson", a_patient(birthDate="1971-05-01"), a_patient(birthDate="1972-05-01"))
    lake.run()
    rows = sorted(lake.rows("Patient"), key=lambda row: row["meta"]["lastupdated"])
    assert [row["birthdate"] for row in rows] == ["1970-05-01", "1971-05-01", "1972-05-01"]
    assert len({row["meta"]["versionid"] for row in rows}) == 3


def test_minimal_validation_takes_faulty_resources_and_names_them(lake: Lake) -> None:
    lake.put("a.ndjson", a_patient(gender="M", name="Ann", foo=1), an_observation(id="x y"))
    job = lake.run(ValidationLevel="minimal")
    assert job["JobStatus"] == "COMPLETED_WITH_ERRORS"
    [warned] = lake.output(job, "SUCCESS_WITH_SEARCH_VALIDATION_FAILURES/a.ndjson")
    severities = {issue["severity"] for issue in warned["UpdateResourceResponse"]["jsonBlob"]["issue"]}
    assert severities == {"warning"}
    [row] = lake.rows("Patient")
    assert row["gender"] == "M"
    assert not row["name"]
    assert [line["lineId"] for line in lake.output(job, "FAILURE/a.ndjson")] == [2]


@pytest.mark.parametrize("missing", ["s3:ListBucket", "s3:GetObject", "s3:PutObject", "kms:GenerateDataKey*"])
def test_role_without_a_permission_cannot_import(lake: Lake, missing: str) -> None:
    lake.put("a.ndjson", a_patient())
    allowed = {"s3:ListBucket", "s3:GetObject", "s3:PutObject", "kms:GenerateDataKey*"} - {missing}
    statements: list[dict[str, Any]] = [{"Effect": "Allow", "Action": sorted(allowed), "Resource": "*"}]
    role = make_role(lake.client("iam"), "narrow", statements, "healthlake.amazonaws.com")
    job = lake.run(DataAccessRoleArn=role)
    if missing == "s3:GetObject":
        assert job["JobStatus"] == "COMPLETED_WITH_ERRORS"
        assert job["JobProgressReport"]["TotalNumberOfFilesReadWithCustomerError"] == 1
    else:
        assert job["JobStatus"] == "FAILED"
        assert "not authorized to perform" in job["Message"]
        assert missing.rstrip("*") in job["Message"]


def test_role_must_trust_the_service(lake: Lake) -> None:
    lake.put("a.ndjson", a_patient())
    statements = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
    role = make_role(lake.client("iam"), "stranger", statements, "glue.amazonaws.com")
    assert "does not trust" in lake.run(DataAccessRoleArn=role)["Message"]
    nobody = "arn:aws:iam::123456789012:role/nobody"
    assert "does not exist" in lake.run(DataAccessRoleArn=nobody)["Message"]


def test_role_may_trust_the_service_for_one_data_store_only(lake: Lake) -> None:
    lake.put("a.ndjson", a_patient())
    iam = lake.client("iam")
    for datastore_id, status in (("0" * 32, "FAILED"), (lake.id, "COMPLETED")):
        arn = f"arn:aws:healthlake:us-east-1:123456789012:datastore/fhir/{datastore_id}"
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "healthlake.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {"ArnEquals": {"aws:SourceArn": arn}},
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.update_assume_role_policy(RoleName="import", PolicyDocument=document)
        assert lake.run()["JobStatus"] == status


def test_nothing_to_import_fails_the_job(lake: Lake) -> None:
    job = lake.run()
    assert job["JobStatus"] == "FAILED"
    assert "no files" in job["Message"]


def test_jobs_queue_and_run_in_order(lake: Lake) -> None:
    lake.put("a.ndjson", *[a_patient(id=f"p{number}") for number in range(3000)])
    ids = [lake.start(JobName=f"job{number}") for number in range(4)]
    jobs = [lake.wait(job_id) for job_id in ids]
    ends = [job["EndTime"] for job in jobs]
    assert ends == sorted(ends)
    listed = lake.healthlake.list_fhir_import_jobs(DatastoreId=lake.id, MaxResults=3)
    assert [job["JobName"] for job in listed["ImportJobPropertiesList"]] == ["job3", "job2", "job1"]
    rest = lake.healthlake.list_fhir_import_jobs(DatastoreId=lake.id, MaxResults=3, NextToken=listed["NextToken"])
    assert [job["JobName"] for job in rest["ImportJobPropertiesList"]] == ["job0"]


def test_queue_has_room_for_25(lake: Lake) -> None:
    lake.put("a.ndjson", *[a_patient(id=f"p{number}") for number in range(6000)])
    with pytest.raises(ClientError, match="25 import jobs") as caught:
        for _ in range(40):
            lake.start()
            time.sleep(1 / MAX_STARTS_A_SECOND)
    assert caught.value.response["Error"]["Code"] == "ThrottlingException"
    lake.s3.delete_object(Bucket=BUCKET, Key="in/a.ndjson")


def test_starts_that_come_too_fast_are_throttled(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("localaws.healthlake.imports.MAX_STARTS_A_SECOND", 2)
    lake.put("a.ndjson", a_patient())
    with pytest.raises(ClientError, match="Rate exceeded") as caught:
        for _ in range(10):
            lake.start()
    assert caught.value.response["Error"]["Code"] == "ThrottlingException"


def test_a_resource_may_ask_to_be_refused(lake: Lake) -> None:
    tag = dict(zip(("system", "code"), REFUSE_TAG, strict=True))
    lake.put("a.ndjson", a_patient(), a_patient(id="p2", meta={"tag": [tag]}))
    job = lake.run()
    assert job["JobStatus"] == "COMPLETED_WITH_ERRORS"
    assert [line["lineId"] for line in lake.output(job, "FAILURE/a.ndjson")] == [2]
    assert [row["id"] for row in lake.rows("Patient")] == ["p1"]


def test_same_token_starts_one_job(lake: Lake) -> None:
    lake.put("a.ndjson", a_patient())
    assert lake.start(ClientToken="once") == lake.start(ClientToken="once")


def test_job_states_become_events(lake: Lake) -> None:
    sqs = lake.client("sqs")
    queue = sqs.create_queue(QueueName="events")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events = lake.client("events")
    events.put_rule(Name="lake", EventPattern=json.dumps({"source": ["aws.healthlake"]}))
    events.put_targets(Rule="lake", Targets=[{"Id": "1", "Arn": arn}])
    lake.put("a.ndjson", a_patient())
    job = lake.run()
    seen = []
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            seen.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    assert {event["detail-type"] for event in seen} == {
        "Import Job Submitted",
        "Import Job In Progress",
        "Import Job Completed",
    }
    assert all(event["detail"]["jobId"] == job["JobId"] for event in seen)

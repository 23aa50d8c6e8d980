"""A HealthLake data store with a bucket and a role that may be used for imports.

Reads and writes a LocalAws of the test. Make target: `test`.
Example: `def test_it(lake): lake.put("a.ndjson", a_patient()); lake.run()`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.localaws.conforming import conforming

BUCKET = "raw-bucket"
KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
TERMINAL = {"COMPLETED", "COMPLETED_WITH_ERRORS", "FAILED"}


def a_patient(**changes: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1970-05-01", **changes}


def an_observation(**changes: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": "o1",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]},
        "subject": {"reference": "Patient/p1"},
        "valueQuantity": {"value": 120.5, "unit": "mm[Hg]"},
        **changes,
    }


def make_role(iam: Any, name: str, statements: list[dict[str, Any]], service: str) -> str:
    """A role that `service` may assume, with one inline policy; its ARN."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}],
    }
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    policy = {"Version": "2012-10-17", "Statement": statements}
    iam.put_role_policy(RoleName=name, PolicyName="data", PolicyDocument=json.dumps(policy))
    return arn


class Lake:
    """One data store and what an import into it needs."""

    def __init__(self, client: Callable[..., Any], aws: Any) -> None:
        self.aws = aws
        self.client = client
        self.healthlake = conforming(client("healthlake"))
        self.s3 = client("s3")
        self.s3.create_bucket(Bucket=BUCKET)
        statements = [
            {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{BUCKET}"},
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/in/*"},
            {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{BUCKET}/out/*"},
            {"Effect": "Allow", "Action": ["kms:GenerateDataKey*", "kms:DescribeKey"], "Resource": KEY},
        ]
        self.role = make_role(client("iam"), "import", statements, "healthlake.amazonaws.com")
        created = self.healthlake.create_fhir_datastore(DatastoreName="My Store-1", DatastoreTypeVersion="R4")
        self.id: str = created["DatastoreId"]
        self.wait_active()

    def wait_active(self) -> dict[str, Any]:
        for _ in range(200):
            found: dict[str, Any] = self.healthlake.describe_fhir_datastore(DatastoreId=self.id)["DatastoreProperties"]
            if found["DatastoreStatus"] == "ACTIVE":
                return found
            time.sleep(0.02)
        raise AssertionError("the data store did not become active")

    def put(self, name: str, *lines: dict[str, Any] | str) -> None:
        """Put one NDJSON object below the input prefix; a text is a line as it is."""
        texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        self.s3.put_object(Bucket=BUCKET, Key=f"in/{name}", Body="\n".join(texts).encode())

    def start(self, **changes: Any) -> str:
        params: dict[str, Any] = {
            "InputDataConfig": {"S3Uri": f"s3://{BUCKET}/in/"},
            "JobOutputDataConfig": {"S3Configuration": {"S3Uri": f"s3://{BUCKET}/out/", "KmsKeyId": KEY}},
            "DatastoreId": self.id,
            "DataAccessRoleArn": self.role,
            **changes,
        }
        job_id: str = self.healthlake.start_fhir_import_job(**params)["JobId"]
        return job_id

    def wait(self, job_id: str) -> dict[str, Any]:
        for _ in range(1500):
            answer = self.healthlake.describe_fhir_import_job(DatastoreId=self.id, JobId=job_id)
            job: dict[str, Any] = answer["ImportJobProperties"]
            if job["JobStatus"] in TERMINAL:
                return job
            time.sleep(0.02)
        raise AssertionError("the job did not end")

    def run(self, **changes: Any) -> dict[str, Any]:
        return self.wait(self.start(**changes))

    def output(self, job: dict[str, Any], name: str) -> list[dict[str, Any]]:
        """The lines of one report file; none when it is not there."""
        key = f"out/{self.id}-FHIR_IMPORT-{job['JobId']}/{name}"
        try:
            body = self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        except self.s3.exceptions.NoSuchKey:
            return []
        return [json.loads(line) for line in body.splitlines()]

    def rows(self, resource_type: str) -> list[dict[str, Any]]:
        catalog = self.aws.world.iceberg_catalog(self.aws.world.service_account_id)
        table = catalog.load_table((f"healthlake_{self.id}", resource_type.lower()))
        found: list[dict[str, Any]] = table.scan().to_arrow().to_pylist()
        return found


@pytest.fixture
def lake(client: Callable[..., Any], aws: Any) -> Lake:
    return Lake(client, aws)

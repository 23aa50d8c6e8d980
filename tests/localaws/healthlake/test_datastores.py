"""HealthLake data stores through boto3: life, names, link, tags, errors.

Reads and writes a LocalAws of the test. Make target: `test`. Example: `pytest tests/localaws/healthlake`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws import LocalAws
from tests.localaws.healthlake.conftest import Lake, a_patient


def test_link_leads_to_the_service_account(lake: Lake) -> None:
    databases = lake.client("glue").get_databases()["DatabaseList"]
    [link] = [database for database in databases if lake.id in database["Name"]]
    assert link["Name"] == f"my_store_1_{lake.id}_healthlake_view"
    assert link["TargetDatabase"] == {"CatalogId": "888888888888", "DatabaseName": f"healthlake_{lake.id}"}


def test_described_and_listed(lake: Lake) -> None:
    found = lake.wait_active()
    assert found["DatastoreArn"] == f"arn:aws:healthlake:us-east-1:123456789012:datastore/fhir/{lake.id}"
    assert found["DatastoreEndpoint"].endswith(f"/datastore/{lake.id}/r4/")
    active = lake.healthlake.list_fhir_datastores(Filter={"DatastoreStatus": "ACTIVE"})["DatastorePropertiesList"]
    assert [store["DatastoreId"] for store in active] == [lake.id]
    assert not lake.healthlake.list_fhir_datastores(Filter={"DatastoreName": "x"})["DatastorePropertiesList"]


def test_delete_leaves_nothing_behind(lake: Lake) -> None:
    lake.put("a.ndjson", a_patient())
    lake.run()
    assert lake.healthlake.delete_fhir_datastore(DatastoreId=lake.id)["DatastoreStatus"] == "DELETING"
    for _ in range(200):
        found = lake.healthlake.describe_fhir_datastore(DatastoreId=lake.id)["DatastoreProperties"]
        if found["DatastoreStatus"] == "DELETED":
            break
        time.sleep(0.02)
    assert found["DatastoreStatus"] == "DELETED"
    owner = lake.aws.world.service_account_id
    assert not lake.client("glue").get_databases()["DatabaseList"]
    assert not lake.aws.world.client("glue", owner).get_databases()["DatabaseList"]
    assert not lake.aws.world.client("s3", owner).list_buckets()["Buckets"]
    with pytest.raises(ClientError, match="DELETED"):
        lake.start()


def test_update_and_tags(lake: Lake) -> None:
    lake.healthlake.update_fhir_datastore(DatastoreId=lake.id, NlpConfiguration={"Status": "ENABLED"})
    assert lake.wait_active()["NlpConfiguration"] == {"Status": "ENABLED"}
    arn = lake.wait_active()["DatastoreArn"]
    lake.healthlake.tag_resource(ResourceARN=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    lake.healthlake.untag_resource(ResourceARN=arn, TagKeys=["a"])
    assert lake.healthlake.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "b", "Value": "2"}]


@pytest.mark.parametrize(
    ("encryption", "problem"),
    [
        ({"CmkType": "CUSTOMER_MANAGED_KMS_KEY"}, "KmsKeyId is required"),
        ({"CmkType": "CUSTOMER_MANAGED_KMS_KEY", "KmsKeyId": "1234"}, "cannot be used"),
    ],
)
def test_customer_key_must_be_there(client: Callable[..., Any], encryption: dict[str, str], problem: str) -> None:
    with pytest.raises(ClientError, match=problem) as caught:
        client("healthlake").create_fhir_datastore(
            DatastoreTypeVersion="R4", SseConfiguration={"KmsEncryptionConfig": encryption}
        )
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_unknown_ids_are_not_found(client: Callable[..., Any]) -> None:
    healthlake = client("healthlake")
    with pytest.raises(healthlake.exceptions.ResourceNotFoundException):
        healthlake.describe_fhir_datastore(DatastoreId="0" * 32)
    with pytest.raises(healthlake.exceptions.ResourceNotFoundException):
        healthlake.list_fhir_import_jobs(DatastoreId="0" * 32)


def test_store_and_rows_outlive_the_process(tmp_path: Path) -> None:
    with LocalAws(tmp_path / "kept") as aws:
        lake = Lake(aws.world.client, aws)
        lake.put("a.ndjson", a_patient())
        job_id = lake.run()["JobId"]
    with LocalAws(tmp_path / "kept") as aws:
        lake.aws = aws
        found = aws.world.client("healthlake").describe_fhir_import_job(DatastoreId=lake.id, JobId=job_id)
        assert found["ImportJobProperties"]["JobStatus"] == "COMPLETED"
        assert [row["id"] for row in lake.rows("Patient")] == ["p1"]

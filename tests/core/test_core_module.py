"""The room `core`, applied by the real Terraform into localaws: what boto3 and pyiceberg find there."""

import json

import pytest

from tests.core.applied import aws, client, terraform

__all__ = ["aws", "client"]


@terraform("core_module", scope="module", teardown=terraform.TEARDOWN_OFF)
def test_outputs_are_the_settings_of_core(core_module):
    settings = core_module.outputs["core"]["value"]
    assert settings["account_id"] == "123456789012"
    assert settings["code_prefix"] == f"s3://{settings['artifact_bucket']}/code"


@pytest.fixture
def settings(core_module):
    return core_module.outputs["core"]["value"]


@pytest.mark.parametrize("name", ["raw_bucket", "lake_bucket", "results_bucket", "artifact_bucket"])
def test_a_bucket_is_sealed(settings, client, name):
    bucket = {"Bucket": settings[name]}
    s3 = client("s3")
    (rule,) = s3.get_bucket_encryption(**bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {
        "SSEAlgorithm": "aws:kms",
        "KMSMasterKeyID": settings["kms_key_arn"],
    }
    assert all(s3.get_public_access_block(**bucket)["PublicAccessBlockConfiguration"].values())
    (statement,) = json.loads(s3.get_bucket_policy(**bucket)["Policy"])["Statement"]
    assert (statement["Effect"], statement["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_only_results_keep_no_versions(settings, client):
    names = ("raw_bucket", "lake_bucket", "results_bucket", "artifact_bucket")
    states = [client("s3").get_bucket_versioning(Bucket=settings[name]).get("Status") for name in names]
    assert states == ["Enabled", "Enabled", None, "Enabled"]


def test_the_key_rotates(settings, client):
    assert client("kms").get_key_rotation_status(KeyId=settings["kms_key_arn"])["KeyRotationEnabled"]


def test_the_pipeline_workgroup_binds_its_users(settings, client):
    configuration = client("athena").get_work_group(WorkGroup=settings["workgroup"])["WorkGroup"]["Configuration"]
    assert configuration["EnforceWorkGroupConfiguration"]
    assert configuration["ResultConfiguration"]["EncryptionConfiguration"]["KmsKey"] == settings["kms_key_arn"]


def test_the_lake_is_under_lake_formation(settings, client):
    arn = f"arn:aws:s3:::{settings['lake_bucket']}"
    registration = client("lakeformation").describe_resource(ResourceArn=arn)["ResourceInfo"]
    assert registration["RoleArn"].endswith("role/trilake-test-lake-access")


def test_the_ledger_is_an_iceberg_table(settings, aws):
    table = aws.world.iceberg_catalog().load_table((settings["operations_database"], "ingest_ledger"))
    assert "records_in" in table.schema().column_names

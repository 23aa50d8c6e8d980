"""Buckets, their configurations, objects and keys: made, seen again, changed, removed."""

import json

import pytest

TLS_ONLY = {
    "Sid": "Tls",
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": "arn:aws:s3:::part-files/*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [TLS_ONLY]})
KMS = [{"sse_algorithm": "aws:kms"}]
UPLOADS = {"filter": [{}], "abort_incomplete_multipart_upload": [{"days_after_initiation": 7}]}
REPLACED = {"filter": [{}], "noncurrent_version_expiration": [{"noncurrent_days": 30}]}
OLD = {"filter": [{"prefix": "queries/"}], "expiration": [{"days": 14}]}
PARTS = {
    "aws_s3_bucket_versioning": {"versioning_configuration": [{"status": "Enabled"}]},
    "aws_s3_bucket_public_access_block": {"block_public_acls": True, "ignore_public_acls": True},
    "aws_s3_bucket_policy": {"policy": POLICY},
    "aws_s3_bucket_ownership_controls": {"rule": [{"object_ownership": "BucketOwnerEnforced"}]},
    "aws_s3_bucket_notification": {"eventbridge": True},
    "aws_s3_bucket_server_side_encryption_configuration": {
        "rule": [{"bucket_key_enabled": True, "apply_server_side_encryption_by_default": KMS}]
    },
    "aws_s3_bucket_lifecycle_configuration": {
        "rule": [
            {"id": "uploads", "status": "Enabled", **UPLOADS},
            {"id": "old", "status": "Enabled", **OLD},
            {"id": "replaced", "status": "Enabled", **REPLACED},
        ]
    },
}


def test_a_bucket_is_made_tagged_and_removed_with_its_objects(bench, client):
    arguments = {"bucket": "raw-files", "force_destroy": True, "tags": {"project": "trilake"}}
    state = bench.create("aws_s3_bucket", **arguments)
    assert state["arn"] == "arn:aws:s3:::raw-files"
    assert client("s3").get_bucket_tagging(Bucket="raw-files")["TagSet"] == [{"Key": "project", "Value": "trilake"}]
    state = bench.update("aws_s3_bucket", state, **{**arguments, "tags": {"owner": "lab"}})
    client("s3").put_object(Bucket="raw-files", Key="a", Body=b"1")
    bench.delete("aws_s3_bucket", state)


def test_another_name_replaces_a_bucket(bench):
    state = bench.create("aws_s3_bucket", bucket="first-name")
    planned = bench.plan("aws_s3_bucket", state, bucket="other-name")
    assert planned.replace_paths == [("bucket",)]
    bench.delete("aws_s3_bucket", state)


def test_a_full_bucket_refuses_to_go_without_force(bench, client):
    state = bench.create("aws_s3_bucket", bucket="full-bucket")
    client("s3").put_object(Bucket="full-bucket", Key="a", Body=b"1")
    with pytest.raises(Exception, match="deleting aws_s3_bucket \\(full-bucket\\): BucketNotEmpty"):
        bench.delete("aws_s3_bucket", state)


@pytest.mark.parametrize("name", ["Upper-Case", "ab", "-leading", "192.168.0.1", "a..b"])
def test_a_bucket_name_that_s3_refuses_is_refused_in_validation(bench, name):
    resource = bench.resource("aws_s3_bucket")
    assert [problem.path for problem in resource.check(bench.config("aws_s3_bucket", {"bucket": name}))] == [
        ("bucket",)
    ]


@pytest.mark.parametrize("kind", PARTS)
def test_a_configuration_of_a_bucket_is_made_seen_again_and_removed(bench, kind):
    bucket = bench.create("aws_s3_bucket", bucket="part-files")
    state = bench.create(kind, bucket="part-files", **PARTS[kind])
    assert bench.plan(kind, state, bucket="other-files", **PARTS[kind]).replace_paths == [("bucket",)]
    resource = bench.resource(kind)
    resource.delete(bench.aws, state)
    bench.delete("aws_s3_bucket", bucket)


def test_drift_of_a_configuration_shows_and_is_mended(bench, client):
    bench.create("aws_s3_bucket", bucket="drift-files")
    arguments = {"bucket": "drift-files", "block_public_acls": True, "block_public_policy": True}
    state = bench.create("aws_s3_bucket_public_access_block", **arguments)
    client("s3").put_public_access_block(
        Bucket="drift-files", PublicAccessBlockConfiguration={"BlockPublicAcls": False, "BlockPublicPolicy": True}
    )
    fresh = bench.read("aws_s3_bucket_public_access_block", state)
    assert fresh["block_public_acls"] is False
    bench.update("aws_s3_bucket_public_access_block", fresh, **arguments)


def test_an_object_is_put_and_replaced_in_place(bench, client):
    bench.create("aws_s3_bucket", bucket="code-files")
    place = {"bucket": "code-files", "key": "jobs/load.py"}
    state = bench.create("aws_s3_object", **place, content="print(1)", content_type="text/x-python")
    state = bench.update("aws_s3_object", state, **place, content="print(2)", content_type="text/x-python")
    assert client("s3").get_object(Bucket="code-files", Key="jobs/load.py")["Body"].read() == b"print(2)"
    bench.delete("aws_s3_object", state)


def test_a_key_with_its_alias(bench, client):
    arguments = {"description": "lake", "enable_key_rotation": True, "deletion_window_in_days": 7, "tags": {"a": "b"}}
    key = bench.create("aws_kms_key", **arguments)
    assert client("kms").get_key_rotation_status(KeyId=key["key_id"])["KeyRotationEnabled"]
    alias = bench.create("aws_kms_alias", name="alias/lake", target_key_id=key["key_id"])
    assert alias["target_key_arn"] == key["arn"]
    key = bench.update("aws_kms_key", key, **{**arguments, "description": "the lake", "enable_key_rotation": False})
    bench.delete("aws_kms_alias", alias)
    bench.delete("aws_kms_key", key)
    assert client("kms").describe_key(KeyId=key["key_id"])["KeyMetadata"]["KeyState"] == "PendingDeletion"


def test_a_policy_that_means_the_same_is_no_change(bench):
    bench.create("aws_s3_bucket", bucket="policy-files")
    policy = json.loads(POLICY.replace("part-files", "policy-files"))
    state = bench.create("aws_s3_bucket_policy", bucket="policy-files", policy=json.dumps(policy))
    reordered = json.dumps({"Statement": policy["Statement"][0], "Version": policy["Version"]}, indent=4)
    assert bench.plan("aws_s3_bucket_policy", state, bucket="policy-files", policy=reordered).state == state

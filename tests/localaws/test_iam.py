"""Role policies bind assumed-role callers on every service.

Reads and writes temporary folders. Make target: `test`. Example: `pytest tests/localaws/test_iam.py`.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws import LocalAws
from localaws.connection import Credentials
from localaws.world import make_client
from tests.localaws.roles import ROOT, Client, a_bucket, a_role, allow, code_of, deny


@pytest.fixture
def bucket(client: Client) -> str:
    return a_bucket(client)


def test_a_role_reads_only_the_objects_it_is_allowed(client: Client, bucket: str) -> None:
    role = a_role(client, allow("s3:GetObject", f"arn:aws:s3:::{bucket}/open/*"))
    s3 = client("s3", role_arn=role)
    assert code_of(s3.get_object, Bucket=bucket, Key="open/a.txt") == "ok"
    assert code_of(s3.get_object, Bucket=bucket, Key="closed/b.txt") == "AccessDenied"
    assert code_of(s3.put_object, Bucket=bucket, Key="open/c.txt", Body=b"x") == "AccessDenied"
    assert code_of(s3.list_objects_v2, Bucket=bucket) == "AccessDenied"
    assert code_of(s3.create_multipart_upload, Bucket=bucket, Key="open/d") == "AccessDenied"
    assert code_of(s3.list_buckets) == "AccessDenied"


def test_a_copy_needs_both_ends(client: Client, bucket: str) -> None:
    role = a_role(client, allow("s3:PutObject", f"arn:aws:s3:::{bucket}/open/*"))
    s3 = client("s3", role_arn=role)
    source = {"Bucket": bucket, "Key": "closed/b.txt"}
    assert code_of(s3.copy_object, Bucket=bucket, Key="open/b.txt", CopySource=source) == "AccessDenied"


def test_a_batch_delete_is_checked_key_by_key(client: Client, bucket: str) -> None:
    role = a_role(client, allow("s3:DeleteObject", f"arn:aws:s3:::{bucket}/open/*"))
    s3 = client("s3", role_arn=role)
    both = {"Objects": [{"Key": "open/a.txt"}, {"Key": "closed/b.txt"}]}
    assert code_of(s3.delete_objects, Bucket=bucket, Delete=both) == "AccessDenied"
    assert code_of(s3.delete_objects, Bucket=bucket, Delete={"Objects": both["Objects"][:1]}) == "ok"


def test_a_deny_outweighs_an_allow(client: Client, bucket: str) -> None:
    role = a_role(client, allow("s3:*"), deny("s3:GetObject", "arn:aws:s3:::*/closed/*"))
    s3 = client("s3", role_arn=role)
    assert code_of(s3.get_object, Bucket=bucket, Key="open/a.txt") == "ok"
    assert code_of(s3.get_object, Bucket=bucket, Key="closed/b.txt") == "AccessDenied"


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"StringLike": {"s3:prefix": "open/*"}}, "ok"),
        ({"StringEquals": {"s3:prefix": "closed/"}}, "AccessDenied"),
        ({"BinaryEquals": {"s3:prefix": "open/"}}, "AccessDenied"),
        ({"StringEquals": {"aws:PrincipalAccount": "123456789012"}, "Bool": {"aws:SecureTransport": "true"}}, "ok"),
        ({"StringNotEquals": {"aws:PrincipalTag/team": "x"}}, "ok"),
    ],
)
def test_conditions_bind_an_allow(client: Client, bucket: str, condition: dict[str, Any], expected: str) -> None:
    role = a_role(client, allow("s3:ListBucket", Condition=condition))
    s3 = client("s3", role_arn=role)
    assert code_of(s3.list_objects_v2, Bucket=bucket, Prefix="open/") == expected


def test_an_unknown_condition_does_not_soften_a_deny(client: Client, bucket: str) -> None:
    role = a_role(client, allow("s3:*"), deny("s3:ListBucket", Condition={"BinaryEquals": {"s3:prefix": "x"}}))
    assert code_of(client("s3", role_arn=role).list_objects_v2, Bucket=bucket) == "AccessDenied"


def test_a_bucket_policy_denies_even_the_deployer(client: Client, bucket: str) -> None:
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/closed/*",
    }
    insecure = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": ["arn:aws:s3:::data-bucket", "arn:aws:s3:::data-bucket/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    client("s3").put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Statement": [statement, insecure]}))
    assert code_of(client("s3").get_object, Bucket=bucket, Key="open/a.txt") == "ok"
    assert code_of(client("s3").get_object, Bucket=bucket, Key="closed/b.txt") == "AccessDenied"


def test_another_accounts_bucket_needs_its_bucket_policy(aws: LocalAws, client: Client, bucket: str) -> None:
    theirs = aws.world.client("s3", aws.world.service_account_id)
    theirs.create_bucket(Bucket="their-bucket")
    theirs.put_object(Bucket="their-bucket", Key="k", Body=b"x")
    assert code_of(client("s3").get_object, Bucket="their-bucket", Key="k") == "AccessDenied"
    grant = {
        "Effect": "Allow",
        "Principal": {"AWS": ROOT},
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::their-bucket/*",
    }
    theirs.put_bucket_policy(Bucket="their-bucket", Policy=json.dumps({"Statement": [grant]}))
    assert code_of(client("s3").get_object, Bucket="their-bucket", Key="k") == "ok"


def test_an_encrypted_object_needs_its_key_too(client: Client, bucket: str) -> None:
    key = client("kms").create_key()["KeyMetadata"]["Arn"]
    s3 = client("s3")
    s3.put_object(Bucket=bucket, Key="sealed", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    without = a_role(client, allow("s3:*"), name="without-key")
    with_key = a_role(client, allow("s3:*"), allow("kms:Decrypt", key), name="with-key")
    assert code_of(client("s3", role_arn=without).get_object, Bucket=bucket, Key="sealed") == "AccessDenied"
    assert code_of(client("s3", role_arn=with_key).get_object, Bucket=bucket, Key="sealed") == "ok"


def test_json_query_and_rest_services_are_gated_in_their_own_words(client: Client) -> None:
    role = a_role(client, allow("glue:GetDatabase", "arn:aws:glue:us-east-1:123456789012:*"))
    client("glue").create_database(DatabaseInput={"Name": "d"})
    assert code_of(client("glue", role_arn=role).get_database, Name="d") == "ok"
    assert code_of(client("glue", role_arn=role).get_tables, DatabaseName="d") == "AccessDeniedException"
    assert code_of(client("iam", role_arn=role).list_roles) == "AccessDenied"
    assert code_of(client("lakeformation", role_arn=role).list_permissions) == "AccessDeniedException"
    assert code_of(client("healthlake", role_arn=role).list_fhir_datastores) == "AccessDeniedException"
    assert code_of(client("omics", role_arn=role).list_reference_stores) == "AccessDeniedException"
    assert code_of(client("sts", role_arn=role).get_caller_identity) == "ok"


def test_a_denial_names_who_what_and_why(client: Client) -> None:
    role = a_role(client)
    with pytest.raises(ClientError) as caught:
        client("athena", role_arn=role).start_query_execution(QueryString="SELECT 1", WorkGroup="w")
    assert caught.value.response["Error"]["Message"] == (
        "User: arn:aws:sts::123456789012:assumed-role/reader/test is not authorized to perform: "
        "athena:StartQueryExecution on resource: arn:aws:athena:us-east-1:123456789012:workgroup/w because "
        "no identity-based policy allows the athena:StartQueryExecution action"
    )


def test_glue_catalog_calls_need_catalog_database_and_table(client: Client) -> None:
    glue = client("glue")
    glue.create_database(DatabaseInput={"Name": "d"})
    for name in ("t", "u"):
        glue.create_table(DatabaseName="d", TableInput={"Name": name})
    base = "arn:aws:glue:us-east-1:123456789012:"
    role = a_role(client, allow("glue:GetTable", [f"{base}catalog", f"{base}database/d", f"{base}table/d/t"]))
    theirs = client("glue", role_arn=role)
    assert code_of(theirs.get_table, DatabaseName="d", Name="t") == "ok"
    assert code_of(theirs.get_table, DatabaseName="d", Name="u") == "AccessDeniedException"


def test_attached_policies_and_boundaries_count(client: Client, bucket: str) -> None:
    iam = client("iam")
    role = a_role(client)
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow("s3:*")]})
    policy = iam.create_policy(PolicyName="all-s3", PolicyDocument=document)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="reader", PolicyArn=policy)
    assert code_of(client("s3", role_arn=role).list_objects_v2, Bucket=bucket) == "ok"
    narrow = json.dumps({"Version": "2012-10-17", "Statement": [allow("s3:GetObject")]})
    limit = iam.create_policy(PolicyName="limit", PolicyDocument=narrow)["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName="reader", PermissionsBoundary=limit)
    assert code_of(client("s3", role_arn=role).list_objects_v2, Bucket=bucket) == "AccessDenied"
    assert code_of(client("s3", role_arn=role).get_object, Bucket=bucket, Key="open/a.txt") == "ok"


def test_aws_managed_policies_can_be_attached(client: Client) -> None:
    role = a_role(client)
    client("iam").attach_role_policy(RoleName="reader", PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    assert code_of(client("s3", role_arn=role).list_buckets) == "ok"
    assert code_of(client("s3", role_arn=role).create_bucket, Bucket="new-bucket") == "AccessDenied"


def test_a_session_policy_only_takes_away(aws: LocalAws, client: Client, bucket: str) -> None:
    role = a_role(client, allow("s3:*"))
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow("s3:GetObject")]})
    answer = client("sts").assume_role(RoleArn=role, RoleSessionName="test", Policy=document)["Credentials"]
    keys = Credentials(answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"])
    s3 = make_client("s3", aws.endpoint, keys)
    assert code_of(s3.get_object, Bucket=bucket, Key="open/a.txt") == "ok"
    assert code_of(s3.list_objects_v2, Bucket=bucket) == "AccessDenied"


def test_handing_a_role_to_a_service_needs_the_right_to(client: Client) -> None:
    worker = a_role(client, name="worker")
    maker = a_role(client, allow("glue:CreateJob"), name="maker")
    passer = a_role(client, allow("glue:CreateJob"), allow("iam:PassRole", worker), name="passer")
    job = {"Name": "j", "Role": worker, "Command": {"Name": "glueetl", "ScriptLocation": "s3://b/j.py"}}
    assert code_of(client("glue", role_arn=maker).create_job, **job) == "AccessDeniedException"
    assert code_of(client("glue", role_arn=passer).create_job, **job) == "ok"


def test_users_are_bound_by_their_own_and_their_groups_policies(aws: LocalAws, client: Client, bucket: str) -> None:
    iam = client("iam")
    iam.create_user(UserName="guest")
    iam.create_group(GroupName="readers")
    key = iam.create_access_key(UserName="guest")["AccessKey"]
    s3 = make_client("s3", aws.endpoint, Credentials(key["AccessKeyId"], key["SecretAccessKey"]))
    assert code_of(s3.list_objects_v2, Bucket=bucket) == "AccessDenied"
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow("s3:ListBucket")]})
    iam.put_group_policy(GroupName="readers", PolicyName="p", PolicyDocument=document)
    iam.add_user_to_group(GroupName="readers", UserName="guest")
    assert code_of(s3.list_objects_v2, Bucket=bucket) == "ok"
    iam.update_access_key(UserName="guest", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    assert code_of(s3.list_objects_v2, Bucket=bucket) == "InvalidAccessKeyId"

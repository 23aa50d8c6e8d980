"""Who a caller is, and who may become a role; requests that want to be taken for another get nothing.

Reads and writes temporary folders. Make target: `test`. Example: `pytest tests/localaws/test_callers.py`.
"""

from __future__ import annotations

import json

import pytest

from localaws import LocalAws
from localaws.connection import Credentials
from localaws.iam.trust import NotTrusted
from localaws.world import make_client
from tests.localaws.roles import Client, a_bucket, a_role, a_trust, allow, code_of, raw_status


@pytest.fixture
def bucket(client: Client) -> str:
    return a_bucket(client)


def test_the_trust_policy_decides_who_becomes_a_role(client: Client) -> None:
    a_role(client, name="for-glue", trust=a_trust({"Service": "glue.amazonaws.com"}))
    outsider = a_trust({"AWS": "arn:aws:iam::123456789012:role/other"})
    a_role(client, name="for-other", trust=outsider)
    external = a_trust(Condition={"StringEquals": {"sts:ExternalId": "42"}})
    a_role(client, name="external", trust=external)
    sts = client("sts")

    def assume(name: str, **more: str) -> str:
        return code_of(
            sts.assume_role, RoleArn=f"arn:aws:iam::123456789012:role/{name}", RoleSessionName="test", **more
        )

    assert assume("for-glue") == "AccessDenied"
    assert assume("for-other") == "AccessDenied"
    assert assume("external") == "AccessDenied"
    assert assume("external", ExternalId="42") == "ok"
    assert assume("nowhere") == "AccessDenied"


def test_a_role_needs_the_right_to_become_another(client: Client) -> None:
    target = a_role(client, name="target")
    poor = client("sts", role_arn=a_role(client, name="poor"))
    rich = client("sts", role_arn=a_role(client, allow("sts:AssumeRole", target), name="rich"))
    assert code_of(poor.assume_role, RoleArn=target, RoleSessionName="test") == "AccessDenied"
    assert code_of(rich.assume_role, RoleArn=target, RoleSessionName="test") == "ok"


def test_a_service_becomes_only_a_role_that_trusts_it(aws: LocalAws, client: Client, bucket: str) -> None:
    statement = allow("s3:GetObject", f"arn:aws:s3:::{bucket}/open/*")
    role = a_role(client, statement, trust=a_trust({"Service": "healthlake.amazonaws.com"}))
    s3 = aws.world.role_client("s3", role, "healthlake.amazonaws.com")
    assert code_of(s3.get_object, Bucket=bucket, Key="open/a.txt") == "ok"
    assert code_of(s3.get_object, Bucket=bucket, Key="closed/b.txt") == "AccessDenied"
    with pytest.raises(NotTrusted, match=r"does not trust omics\.amazonaws\.com"):
        aws.world.role_client("s3", role, "omics.amazonaws.com")


def test_unknown_keys_and_unsigned_requests_get_nothing(aws: LocalAws, bucket: str) -> None:
    stranger = Credentials("AKIAIOSFODNN7EXAMPLE", "x")
    assert code_of(make_client("s3", aws.endpoint, stranger).list_buckets) == "InvalidAccessKeyId"
    assert code_of(make_client("athena", aws.endpoint, stranger).list_work_groups) == "UnrecognizedClientException"
    assert code_of(make_client("sts", aws.endpoint, stranger).get_caller_identity) == "InvalidClientTokenId"
    for method, path in (("GET", f"/{bucket}/open/a.txt"), ("PUT", f"/{bucket}/n"), ("POST", "/moto-api/reset")):
        assert raw_status(aws, method, path, {}) == 403


def test_a_public_object_is_everyones(aws: LocalAws, client: Client, bucket: str) -> None:
    grant = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::*/open/*"}
    client("s3").put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Statement": [grant]}))
    assert raw_status(aws, "GET", f"/{bucket}/open/a.txt", {}) == 200
    assert raw_status(aws, "GET", f"/{bucket}/closed/b.txt", {}) == 403
    assert raw_status(aws, "GET", f"/{bucket}", {}) == 403


def test_nothing_but_the_signature_scope_chooses_service_bucket_or_account(
    aws: LocalAws, client: Client, bucket: str
) -> None:
    """A request that says one thing to the gate and another to the answering service is not answered."""
    role = a_role(client, allow("glue:GetDatabases"))
    keys = client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]["AccessKeyId"]
    scope = f"{keys}/20260101/us-east-1/{{}}/aws4_request"
    header = "AWS4-HMAC-SHA256 Credential={}, SignedHeaders=host, Signature=0"
    attempts: list[tuple[str, str, dict[str, str], str]] = [
        (
            "POST",
            "/?Action=DeleteDatabase",
            {"X-Amz-Target": "AWSGlue.GetDatabases"},
            header.format(scope.format("glue")),
        ),
        ("GET", f"/{bucket}/open/a.txt", {}, "AWS4-HMAC-SHA256 SignedHeaders=host, Credential=" + scope.format("sts")),
        ("GET", f"/{bucket}/open/a.txt?Action=GetCallerIdentity&X-Amz-Credential=" + scope.format("sts"), {}, ""),
        ("GET", "/open/a.txt", {"Host": f"{bucket}.s3.amazonaws.com"}, header.format(scope.format("s3"))),
        ("GET", "/", {"X-Moto-Account-Id": "888888888888"}, header.format(scope.format("s3"))),
    ]
    for method, path, headers, authorization in attempts:
        signed = {**headers, "Authorization": authorization} if authorization else headers
        assert raw_status(aws, method, path, signed) in {400, 403}, path


def test_a_query_belongs_to_its_workgroup_whoever_knows_its_id(client: Client) -> None:
    athena = client("athena")
    for name in ("one", "two"):
        place = {"OutputLocation": f"s3://results-{name}/"}
        athena.create_work_group(Name=name, Configuration={"ResultConfiguration": place})
    query = athena.start_query_execution(QueryString="SELECT 1", WorkGroup="one")["QueryExecutionId"]
    named = athena.create_named_query(Name="n", Database="d", QueryString="SELECT 1", WorkGroup="one")["NamedQueryId"]
    base = "arn:aws:athena:us-east-1:123456789012:workgroup/"
    for name, expected in (("one", "ok"), ("two", "AccessDeniedException")):
        theirs = client("athena", role_arn=a_role(client, allow("athena:*", base + name), name=f"of-{name}"))
        assert code_of(theirs.get_query_execution, QueryExecutionId=query) == expected
        assert code_of(theirs.batch_get_query_execution, QueryExecutionIds=[query]) == expected
        assert code_of(theirs.stop_query_execution, QueryExecutionId=query) == expected
        assert code_of(theirs.get_named_query, NamedQueryId=named) == expected
        assert code_of(theirs.list_query_executions, WorkGroup="one") == expected

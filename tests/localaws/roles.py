"""Builders of the IAM tests: roles, trust policies, statements, and calls whose outcome is a word.

Reads and writes nothing itself. Make target: `test`.
Example: `a_role(client, allow("s3:GetObject", "arn:aws:s3:::bucket/*"))`.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from localaws import LocalAws

ROOT = "arn:aws:iam::123456789012:root"
Client = Callable[..., Any]


def a_trust(principal: dict[str, str] | None = None, **statement: Any) -> str:
    allow = {"Effect": "Allow", "Principal": principal or {"AWS": ROOT}, "Action": "sts:AssumeRole", **statement}
    return json.dumps({"Version": "2012-10-17", "Statement": [allow]})


def a_role(client: Client, *statements: dict[str, Any], name: str = "reader", trust: str | None = None) -> str:
    iam = client("iam")
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust or a_trust())["Role"]["Arn"]
    if statements:
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=document)
    return arn


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def code_of(call: Callable[..., Any], **params: Any) -> str:
    """`ok`, or the error code of the call."""
    try:
        call(**params)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "ok"


def raw_status(aws: LocalAws, method: str, path: str, headers: dict[str, str]) -> int:
    """The status of a request that no SDK would send."""
    connection = http.client.HTTPConnection(aws.endpoint.removeprefix("http://"))
    connection.request(method, path, body="{}" if method == "POST" else None, headers=headers)
    status = connection.getresponse().status
    connection.close()
    return status


def a_bucket(client: Client) -> str:
    s3 = client("s3")
    s3.create_bucket(Bucket="data-bucket")
    for key in ("open/a.txt", "closed/b.txt"):
        s3.put_object(Bucket="data-bucket", Key=key, Body=b"x")
    return "data-bucket"

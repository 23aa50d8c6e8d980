"""Unsigned requests: reading an object that its bucket policy or its ACL opens to everyone, nothing else.

Reads moto's S3 backend; puts localaws' bucket policy evaluation in place of moto's, which knows no conditions.
Behind every make target that talks to localaws. Example: `check(request)` returns for a public object.
"""

from __future__ import annotations

from typing import Any

from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket

from localaws.iam import s3_actions
from localaws.iam.gate import find_bucket
from localaws.iam.policy import Call, Decision, Principal, decide
from localaws.request import WireRequest
from localaws.s3 import object_files

_ANYONE = Principal(frozenset())


def install() -> None:
    """moto asks the bucket once more after the gate has decided: the answer is yes."""

    def get_permission(bucket: FakeBucket, action: str, resource: str) -> Any:
        return PermissionResult.PERMITTED

    FakeBucket.get_permission = get_permission  # type: ignore[method-assign, assignment]


def is_public(request: WireRequest) -> bool:
    """Whether everyone may have what an unsigned request asks for."""
    if request.method not in {"GET", "HEAD"} or request.args or "x-amz-target" in request.headers:
        return False
    bucket_name, key = s3_actions.bucket_and_key(request)
    calls = s3_actions.calls_of(request)
    return bool(key) and all(_is_open(call, bucket_name, key) for call in calls)


def _is_open(call: Call, bucket_name: str, key: str) -> bool:
    bucket = find_bucket(call.resource)
    if bucket is None:
        return False
    context = {**call.context, "aws:SecureTransport": "true", "aws:SourceIp": "127.0.0.1"}
    asked = Call(call.action, call.resource, context=context)
    decision = decide([bucket.policy.decode()] if bucket.policy else [], asked, _ANYONE)
    if decision is Decision.SILENT:
        return _has_public_acl(bucket_name, key)
    return decision is Decision.ALLOW


def _has_public_acl(bucket_name: str, key: str) -> bool:
    try:
        acl = object_files.find_key(bucket_name, key).acl
    except KeyError:
        return False
    return acl is not None and bool(acl.public_read)

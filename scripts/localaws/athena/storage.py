"""Object storage on a caller's behalf: may they write there, what lies there, put and remove.

Reads and writes S3 as the service does, after asking IAM for the caller. Behind `make local-aws`.
Example: `require(caller, "s3:PutObject", "s3://bucket/prefix/")`
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from localaws.athena.errors import QueryError
from localaws.athena.icebergs import bucket_and_key
from localaws.iam import gate
from localaws.iam.policy import Call

if TYPE_CHECKING:
    from localaws.caller import Caller
    from localaws.world import World


def require(caller: Caller, action: str, location: str) -> None:
    """Nothing if IAM lets the caller do this to the objects there, else PERMISSION_DENIED."""
    bucket, key = bucket_and_key(location)
    if not bucket:
        raise QueryError("INVALID_TABLE_PROPERTY", f"Not a location: {location}")
    is_listing = action == "s3:ListBucket"
    resource = f"arn:aws:s3:::{bucket}" if is_listing else f"arn:aws:s3:::{bucket}/{key or '*'}"
    context = {"s3:prefix": key} if is_listing else {}
    try:
        gate.check(caller, [Call(action, resource, context=context)])
    except gate.AccessDenied as error:
        raise QueryError("PERMISSION_DENIED", f"Access denied when accessing {location}: {error}") from None


def require_write(caller: Caller, location: str) -> None:
    """The caller may put and remove objects under the location."""
    prefix = location.rstrip("/") + "/data"
    for action in ("s3:PutObject", "s3:DeleteObject"):
        require(caller, action, prefix)


def keys_under(world: World, location: str, limit: int | None = None) -> list[str]:
    """The keys of the objects under a location."""
    bucket, prefix = bucket_and_key(location)
    prefix = prefix.rstrip("/") + "/" if prefix else ""
    options: dict[str, Any] = {"PaginationConfig": {"MaxItems": limit}} if limit else {}
    try:
        pages = world.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, **options)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]
    except ClientError as error:
        raise QueryError("HIVE_METASTORE_ERROR", f"{location}: {error.response['Error']['Message']}") from None


def remove_under(world: World, location: str) -> None:
    """Delete every object under a location."""
    bucket, _ = bucket_and_key(location)
    keys = keys_under(world, location)
    for start in range(0, len(keys), 1000):
        objects = [{"Key": key} for key in keys[start : start + 1000]]
        world.client("s3").delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})

"""Buckets that a service of ours owns in its own account.

Reads and writes S3 through a client it is given. Behind `make deploy` and `make destroy`.
Example: `remove_bucket(world.client("s3", world.service_account_id), "healthlake-0123")`.
"""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError


def remove_bucket(s3: Any, bucket: str) -> None:
    """Delete an unversioned bucket with all its objects; one that is gone already is no error."""
    try:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            keys = [{"Key": item["Key"]} for item in page.get("Contents", [])]
            if keys:
                s3.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
        s3.delete_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise

"""What an import job may do in S3: everything goes through its data access role.

Reads objects under the role's permissions and writes reports with its keys. Behind `make ingest`.
Example: `JobAccess(world, role_arn, "healthlake.amazonaws.com", datastore_arn).objects("s3://raw-bucket/fhir/")`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from localaws.caller import resolve
from localaws.iam import gate
from localaws.iam.policy import Call
from localaws.iam.trust import NotTrusted, session_for_service
from localaws.world import make_client

if TYPE_CHECKING:
    from localaws.world import World


class JobRefused(Exception):
    """The role cannot be assumed, or may not do what the job needs; the message is for the job's owner."""


@dataclass(frozen=True)
class S3Object:
    """One object of a listing."""

    bucket: str
    key: str
    size: int


class JobAccess:
    """S3 as the data access role of one job sees it."""

    def __init__(self, world: World, role_arn: str, service: str, source_arn: str) -> None:
        """Open a session of the role for a service (`healthlake.amazonaws.com`) that acts for one of its data stores.

        JobRefused when the role is not there or does not trust the service for this data store.
        """
        self._world = world
        try:
            keys = session_for_service(role_arn, service, "import-job", source_arn)
        except NotTrusted as error:
            raise JobRefused(str(error)) from error
        self._caller = resolve(keys.access_key_id)
        self._s3 = make_client("s3", world.endpoint, keys)

    def objects(self, uri: str) -> Iterator[S3Object]:
        """The objects below an `s3://` prefix, in key order, folders left out."""
        bucket, prefix = split_uri(uri)
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        try:
            for page in pages:
                for item in page.get("Contents", []):
                    if not item["Key"].endswith("/"):
                        yield S3Object(bucket, item["Key"], item["Size"])
        except ClientError as error:
            raise JobRefused(f"Cannot list {uri}: {error.response['Error']['Message']}") from error

    def read(self, item: S3Object) -> Path:
        """The file with an object's bytes, read only; JobRefused when the role may not read it or it is gone."""
        call = Call("s3:GetObject", f"arn:aws:s3:::{item.bucket}/{item.key}")
        try:
            gate.check(self._caller, [call])
            return self._world.object_path(item.bucket, item.key)
        except gate.AccessDenied as error:
            raise JobRefused(str(error)) from error
        except KeyError as error:
            raise JobRefused(f"The object s3://{item.bucket}/{item.key} is gone.") from error

    def check_write(self, uri: str, kms_key_id: str | None = None) -> None:
        """Nothing when the role may write below an `s3://` address; JobRefused otherwise."""
        bucket, key = split_uri(uri)
        context: dict[str, str | list[str]] = {}
        if kms_key_id:
            context["s3:x-amz-server-side-encryption"] = "aws:kms"
            context["s3:x-amz-server-side-encryption-aws-kms-key-id"] = kms_key_id
        if gate.find_bucket(f"arn:aws:s3:::{bucket}") is None:
            raise JobRefused(f"The bucket {bucket} does not exist.")
        try:
            gate.check(self._caller, [Call("s3:PutObject", f"arn:aws:s3:::{bucket}/{key}", context=context)])
        except gate.AccessDenied as error:
            raise JobRefused(str(error)) from error

    def write(self, uri: str, path: Path, kms_key_id: str | None = None) -> None:
        """Put a file at an `s3://` address, under a KMS key if one is given."""
        bucket, key = split_uri(uri)
        extra = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key_id} if kms_key_id else {}
        try:
            with path.open("rb") as body:
                self._s3.put_object(Bucket=bucket, Key=key, Body=body, **extra)
        except ClientError as error:
            raise JobRefused(f"Cannot write {uri}: {error.response['Error']['Message']}") from error


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key (or prefix) of an `s3://` address."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key

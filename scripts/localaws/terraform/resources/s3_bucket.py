"""The S3 bucket itself. Its configurations are resources of their own (`s3_bucket_parts`).

Reads and writes S3. Make targets: deploy, plan, destroy.
Example: resource "aws_s3_bucket" "raw" { bucket = "trilake-local-raw" }
"""

import re
from typing import Any

from localaws.terraform.aws import Aws
from localaws.terraform.resource import Resource
from localaws.terraform.resources.tags import as_list, as_map, observed_tags, wanted_tags
from localaws.terraform.values import UNKNOWN, Problem, Values, is_empty

NAME = re.compile(r"(?!xn--|sthree-)(?!.*\.\.)(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
DELETE_BATCH = 1000
PARTS = (
    "acceleration_status",
    "acl",
    "cors_rule",
    "grant",
    "lifecycle_rule",
    "logging",
    "object_lock_configuration",
    "policy",
    "replication_configuration",
    "request_payer",
    "server_side_encryption_configuration",
    "versioning",
    "website",
)


class Bucket(Resource):
    """aws_s3_bucket."""

    type_name = "aws_s3_bucket"
    replaces = frozenset({"bucket", "bucket_prefix", "object_lock_enabled"})
    defaults = {"force_destroy": False, "object_lock_enabled": False}
    unheeded = frozenset({"bucket_namespace"})
    imported_as = ("bucket",)

    def check(self, config: Values) -> list[Problem]:
        name = config.get("bucket")
        problems = []
        if isinstance(name, str) and not NAME.fullmatch(name):
            rule = "3 to 63 lower-case letters, digits, dots and hyphens, beginning and ending with a letter or digit"
            problems.append(Problem("Invalid bucket name", f'"{name}" is not {rule}.', ("bucket",)))
        for part in PARTS:
            if config.get(part) is not UNKNOWN and not is_empty(config.get(part)):
                detail = f"Use the resource aws_s3_bucket_{part} (or its like) instead: the argument is deprecated."
                problems.append(Problem(f"{part} is not made on the laptop", detail, (part,)))
        return problems

    def create(self, aws: Aws, wanted: Values) -> str:
        name = wanted.get("bucket") or f"{wanted.get('bucket_prefix') or 'terraform-'}{_suffix()}"
        place = {} if aws.region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": aws.region}}
        lock = {"ObjectLockEnabledForBucket": True} if wanted.get("object_lock_enabled") else {}
        aws.client("s3").create_bucket(Bucket=name, **place, **lock)
        return str(name)

    def finish(self, aws: Aws, wanted: Values) -> None:
        _put_tags(aws, wanted["id"], wanted_tags(wanted))

    def read(self, aws: Aws, state: Values) -> Values | None:
        from botocore.exceptions import ClientError

        s3, name = aws.client("s3"), state["id"]
        s3.head_bucket(Bucket=name)
        try:
            tags = as_map(s3.get_bucket_tagging(Bucket=name)["TagSet"])
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchTagSet":
                raise
            tags = {}
        return {
            "bucket": name,
            "arn": f"arn:aws:s3:::{name}",
            "bucket_domain_name": f"{name}.s3.amazonaws.com",
            "bucket_regional_domain_name": f"{name}.s3.{aws.region}.amazonaws.com",
            "bucket_region": aws.region,
            "bucket_prefix": state.get("bucket_prefix") or "",
            "hosted_zone_id": "Z3AQBSTGFYJSTF",
            "object_lock_enabled": bool(state.get("object_lock_enabled")),
            **observed_tags(tags, state),
        }

    def update(self, aws: Aws, before: Values, wanted: Values) -> None:
        if wanted_tags(before) != wanted_tags(wanted):
            _put_tags(aws, wanted["id"], wanted_tags(wanted))

    def delete(self, aws: Aws, state: Values) -> None:
        if state.get("force_destroy"):
            empty_bucket(aws.client("s3"), state["id"])
        aws.client("s3").delete_bucket(Bucket=state["id"])


def _put_tags(aws: Aws, name: str, tags: dict[str, str]) -> None:
    s3 = aws.client("s3")
    if tags:
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": as_list(tags)})
    else:
        s3.delete_bucket_tagging(Bucket=name)


def empty_bucket(s3: Any, name: str) -> None:
    """Delete every version and every delete marker in a bucket."""
    # Always the first page anew: markers of a page that is being emptied point at what is gone.
    while found := first_versions(s3, name):
        for start in range(0, len(found), DELETE_BATCH):
            answer = s3.delete_objects(
                Bucket=name, Delete={"Objects": found[start : start + DELETE_BATCH], "Quiet": True}
            )
            if answer.get("Errors"):
                raise RuntimeError(f"{name} cannot be emptied: {answer['Errors'][0]['Code']}")


def first_versions(s3: Any, name: str) -> list[dict[str, str]]:
    page = s3.list_object_versions(Bucket=name)
    found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
    return [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in found]


def _suffix() -> str:
    import uuid

    return uuid.uuid4().hex[:26]


TYPES = {kind.type_name: kind for kind in (Bucket,)}

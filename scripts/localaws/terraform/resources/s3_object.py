"""An object in S3, from a file or from text.

Reads the source file; reads and writes S3. Make targets: deploy, plan, destroy.
Example: resource "aws_s3_object" "job" { bucket = "b", key = "code/job.py", source = "glue_jobs/job.py" }
"""

import base64
from pathlib import Path
from typing import Any

from localaws.terraform.aws import Aws
from localaws.terraform.resource import Resource
from localaws.terraform.resources.tags import as_list, as_map, observed_tags, wanted_tags
from localaws.terraform.values import Values

SAID = {
    "content_type": "ContentType",
    "content_encoding": "ContentEncoding",
    "content_language": "ContentLanguage",
    "content_disposition": "ContentDisposition",
    "cache_control": "CacheControl",
    "metadata": "Metadata",
    "storage_class": "StorageClass",
}
KEPT_SECRET = {"server_side_encryption": "ServerSideEncryption", "kms_key_id": "SSEKMSKeyId"}


class Object(Resource):
    """aws_s3_object."""

    type_name = "aws_s3_object"
    replaces = frozenset({"bucket", "key"})
    defaults = {"force_destroy": False}
    volatile = frozenset({"etag", "version_id"})
    unheeded = frozenset(
        {
            "acl",
            "bucket_key_enabled",
            "checksum_algorithm",
            "object_lock_legal_hold_status",
            "object_lock_mode",
            "object_lock_retain_until_date",
            "override_provider",
            "website_redirect",
        }
    )
    imported_as = ("bucket", "key")
    import_separator = "/"

    def create(self, aws: Aws, wanted: Values) -> str:
        self._put(aws, wanted)
        return str(wanted["key"])

    def update(self, aws: Aws, before: Values, wanted: Values) -> None:
        self._put(aws, wanted)

    def _put(self, aws: Aws, wanted: Values) -> None:
        options: dict[str, Any] = {
            member: wanted[name] for name, member in {**SAID, **KEPT_SECRET}.items() if wanted.get(name)
        }
        s3, place = aws.client("s3"), {"Bucket": wanted["bucket"], "Key": wanted["key"]}
        s3.put_object(**place, Body=_body(wanted), **options)
        if wanted_tags(wanted):
            s3.put_object_tagging(**place, Tagging={"TagSet": as_list(wanted_tags(wanted))})

    def read(self, aws: Aws, state: Values) -> Values | None:
        s3, place = aws.client("s3"), {"Bucket": state["bucket"], "Key": state["key"]}
        found = s3.head_object(**place)
        tags = as_map(s3.get_object_tagging(**place)["TagSet"])
        return {
            **{name: found[member] for name, member in {**SAID, **KEPT_SECRET}.items() if member in found},
            "id": state["key"],
            "arn": f"arn:aws:s3:::{state['bucket']}/{state['key']}",
            "etag": found["ETag"].strip('"'),
            "version_id": found.get("VersionId"),
            "storage_class": found.get("StorageClass", "STANDARD"),
            **observed_tags(tags, state),
        }

    def delete(self, aws: Aws, state: Values) -> None:
        s3 = aws.client("s3")
        pages = s3.get_paginator("list_object_versions").paginate(Bucket=state["bucket"], Prefix=state["key"])
        for page in pages:
            for item in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                if item["Key"] == state["key"]:
                    s3.delete_object(Bucket=state["bucket"], Key=item["Key"], VersionId=item["VersionId"])


def _body(wanted: Values) -> bytes:
    if wanted.get("source"):
        return Path(wanted["source"]).expanduser().read_bytes()
    if wanted.get("content_base64"):
        return base64.b64decode(wanted["content_base64"])
    return (wanted.get("content") or "").encode()


TYPES = {kind.type_name: kind for kind in (Object,)}

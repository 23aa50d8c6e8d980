"""Objects under a customer-managed key: reading one asks for the key too, and so does writing.

Reads moto's S3 and KMS backends. Behind every make target that talks to localaws.
Example: `s3:GetObject` on an SSE-KMS object needs `kms:Decrypt` on its key as well.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
"""

from __future__ import annotations

from typing import Any

from moto.s3.models import FakeBucket, s3_backends

from localaws.caller import REGION
from localaws.iam.policy import Call
from localaws.iam.resources import Place, kms_key_arn
from localaws.s3 import object_files

_READS = {"s3:GetObject", "s3:GetObjectVersion"}
_KEY_HEADER = "s3:x-amz-server-side-encryption-aws-kms-key-id"


def key_calls(call: Call) -> list[Call]:
    """The KMS calls that S3 makes in the caller's name for one object call."""
    bucket_name, _, key = call.resource.removeprefix("arn:aws:s3:::").partition("/")
    if not key or call.is_partial:
        return []
    if call.action in _READS:
        return _key_call("kms:Decrypt", call, _key_of_object(bucket_name, key))
    if call.action == "s3:PutObject":
        asked = call.context.get(_KEY_HEADER)
        named = asked if isinstance(asked, str) else _key_of_bucket(bucket_name)
        return _key_call("kms:GenerateDataKey", call, named)
    return []


def _key_call(action: str, call: Call, key_id: str | None) -> list[Call]:
    if not key_id:
        return []
    bucket_arn = call.resource.partition("/")[0]
    bucket_name = bucket_arn.removeprefix("arn:aws:s3:::")
    _, account_id = s3_backends.bucket_accounts[bucket_name]
    arn = kms_key_arn(Place("kms", REGION, account_id), key_id)
    via = {
        "kms:ViaService": f"s3.{REGION}.amazonaws.com",
        "kms:CallerAccount": account_id,
        "aws:ViaAWSService": "true",
        # What S3 binds the data key to: the object, or with a bucket key the bucket.
        "kms:EncryptionContext:aws:s3:arn": bucket_arn if _has_bucket_key(bucket_name) else call.resource,
    }
    return [Call(action, arn, context=via)]


def _has_bucket_key(bucket_name: str) -> bool:
    rule = _encryption_rule(bucket_name)
    return str((rule or {}).get("BucketKeyEnabled", "")).lower() == "true"


def _key_of_object(bucket_name: str, key: str) -> str | None:
    try:
        found = object_files.find_key(bucket_name, key)
    except KeyError:
        return None
    return found.kms_key_id if found.encryption in {"aws:kms", "aws:kms:dsse"} else None


def _key_of_bucket(bucket_name: str) -> str | None:
    """The customer-managed key of a bucket's default encryption."""
    rule = _encryption_rule(bucket_name)
    key: str | None = rule["ApplyServerSideEncryptionByDefault"].get("KMSMasterKeyID") if rule else None
    return key


def _encryption_rule(bucket_name: str) -> dict[str, Any] | None:
    where = s3_backends.bucket_accounts.get(bucket_name)
    bucket: FakeBucket | None = s3_backends[where[1]][where[0]].buckets.get(bucket_name) if where else None
    if bucket is None or not bucket.encryption:
        return None
    rule: Any = bucket.encryption["Rule"]
    found: dict[str, Any] = rule[0] if isinstance(rule, list) else rule
    return found

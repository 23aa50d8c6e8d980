"""S3 requests as IAM sees them: REST method, path and subresource -> actions on bucket and object ARNs.

Reads a request; writes nothing. Behind every make target that talks to localaws.
Example: a GET of `/raw-bucket/a.txt` is `s3:GetObject` on `arn:aws:s3:::raw-bucket/a.txt`.

Table: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
"""

from __future__ import annotations

from urllib.parse import parse_qs, unquote
from xml.etree import ElementTree

from localaws.iam.policy import Call
from localaws.request import WireRequest

# subresource -> what follows Get, Put or Delete in the action's name
_BUCKET_PARTS = {
    "accelerate": "AccelerateConfiguration",
    "acl": "BucketAcl",
    "analytics": "AnalyticsConfiguration",
    "cors": "BucketCORS",
    "encryption": "EncryptionConfiguration",
    "intelligent-tiering": "IntelligentTieringConfiguration",
    "inventory": "InventoryConfiguration",
    "lifecycle": "LifecycleConfiguration",
    "location": "BucketLocation",
    "logging": "BucketLogging",
    "metrics": "MetricsConfiguration",
    "notification": "BucketNotification",
    "object-lock": "BucketObjectLockConfiguration",
    "ownershipControls": "BucketOwnershipControls",
    "policy": "BucketPolicy",
    "policyStatus": "BucketPolicyStatus",
    "publicAccessBlock": "BucketPublicAccessBlock",
    "replication": "ReplicationConfiguration",
    "requestPayment": "BucketRequestPayment",
    "tagging": "BucketTagging",
    "versioning": "BucketVersioning",
    "website": "BucketWebsite",
}
_DELETED_BY_NAME = {"policy", "website"}
_OBJECT_PARTS = {
    "acl": "ObjectAcl",
    "tagging": "ObjectTagging",
    "retention": "ObjectRetention",
    "legal-hold": "ObjectLegalHold",
    "torrent": "ObjectTorrent",
}
_VERBS = {"GET": "Get", "HEAD": "Get", "PUT": "Put", "DELETE": "Delete", "POST": "Put"}


def bucket_and_key(request: WireRequest) -> tuple[str, str]:
    """Bucket and key of a path-style request, decoded; empty where the path has none."""
    bucket, _, key = request.raw_path[1:].partition("/")
    return unquote(bucket), unquote(key)


def calls_of(request: WireRequest) -> list[Call]:
    """What a request asks of S3; every call has to be allowed."""
    bucket, key = bucket_and_key(request)
    context = _context(request)
    if not bucket:
        return [Call("s3:ListAllMyBuckets", "*", context=context)]
    if key:
        return _object_calls(request, f"arn:aws:s3:::{bucket}/{key}", context)
    return _bucket_calls(request, f"arn:aws:s3:::{bucket}", context)


def _context(request: WireRequest) -> dict[str, str | list[str]]:
    found: dict[str, str | list[str]] = {
        f"s3:{name}": text for name, text in request.args.items() if name in {"prefix", "delimiter", "max-keys"}
    }
    for name, text in request.headers.items():
        if name.startswith("x-amz-"):
            found[f"s3:{name}"] = text
    if "versionId" in request.args:
        found["s3:VersionId"] = request.args["versionId"]
    return found


def _bucket_calls(request: WireRequest, arn: str, context: dict[str, str | list[str]]) -> list[Call]:
    args = request.args
    if request.method == "POST" and "delete" in args:
        return [Call("s3:DeleteObject", f"{arn}/{key}", context=context) for key in _keys_to_delete(request)]
    if request.method == "POST":
        return [Call("s3:PutObject", f"{arn}/*", is_partial=True, context=context)]
    part = next((part for part in _BUCKET_PARTS if part in args), None)
    if part is not None:
        return [Call(_bucket_action(request.method, part), arn, context=context)]
    if request.method in {"GET", "HEAD"}:
        if "uploads" in args:
            return [Call("s3:ListBucketMultipartUploads", arn, context=context)]
        name = "s3:ListBucketVersions" if "versions" in args else "s3:ListBucket"
        return [Call(name, arn, context=context)]
    return [Call("s3:CreateBucket" if request.method == "PUT" else "s3:DeleteBucket", arn, context=context)]


def _bucket_action(method: str, part: str) -> str:
    """Deleting a configuration asks for its Put right, except where S3 has a Delete action."""
    verb = _VERBS[method]
    if verb == "Delete" and part not in _DELETED_BY_NAME:
        verb = "Put"
    return f"s3:{verb}{_BUCKET_PARTS[part]}"


def _object_calls(request: WireRequest, arn: str, context: dict[str, str | list[str]]) -> list[Call]:
    args = request.args
    part = next((part for part in _OBJECT_PARTS if part in args), None)
    version = "Version" if "versionId" in args else ""
    if part is not None:
        name = _OBJECT_PARTS[part]
        name = name.replace("Object", "ObjectVersion") if version and part in {"acl", "tagging"} else name
        return [Call(f"s3:{_VERBS[request.method]}{name}", arn, context=context)]
    calls = [Call(_object_action(request.method, args, version), arn, context=context)]
    source = request.headers.get("x-amz-copy-source")
    if request.method == "PUT" and source:
        calls.append(_copy_source(source))
    return calls


def _object_action(method: str, args: dict[str, str], version: str) -> str:
    match method:
        case "GET" | "HEAD":
            return "s3:ListMultipartUploadParts" if "uploadId" in args else f"s3:GetObject{version}"
        case "DELETE":
            return "s3:AbortMultipartUpload" if "uploadId" in args else f"s3:DeleteObject{version}"
        case "POST" if "select" in args:
            return "s3:GetObject"
        case "POST" if "restore" in args:
            return "s3:RestoreObject"
    return "s3:PutObject"


def _copy_source(source: str) -> Call:
    path, _, query = source.partition("?")
    version = "Version" if "versionId" in parse_qs(query) else ""
    return Call(f"s3:GetObject{version}", f"arn:aws:s3:::{unquote(path).lstrip('/')}")


def _keys_to_delete(request: WireRequest) -> list[str]:
    root = ElementTree.fromstring(request.body)
    return [node.text or "" for node in root.iter() if node.tag.rpartition("}")[2] == "Key"]

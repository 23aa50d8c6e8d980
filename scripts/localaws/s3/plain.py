"""The requests that nearly all S3 traffic consists of: GET, HEAD, PUT of one object, PUT of one part, listings.

Reads and writes moto's S3 backend and object files. Behind every make target that moves data.
Example: `answer(request)` is None when the request wants more than that: then moto answers it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from moto.s3.models import FakeBucket, FakeTableStorageBucket, S3Backend, s3_backends
from moto.s3.utils import ARCHIVE_STORAGE_CLASSES

from localaws.iam.gate import find_bucket
from localaws.iam.s3_actions import bucket_and_key
from localaws.request import WireRequest
from localaws.s3 import chunked, listing
from localaws.s3.checksum import BadDigest, BodyCheck
from localaws.s3.object_files import CHUNK, ObjectBytes, ObjectKey, store
from localaws.wire import WireResponse

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_CONDITIONS = {"if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "origin"}
_KEPT_HEADERS = {
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
}
_MORE_THAN_A_PUT = re.compile(
    r"x-amz-(acl|grant-.*|tagging|copy-source.*|object-lock-.*|storage-class|website-.*|write-offset-bytes)|if-.*|origin"
)
_SSE = "x-amz-server-side-encryption"


def answer(request: WireRequest) -> WireResponse | None:
    """The answer to a plain request for an object; None for all others."""
    if request.method == "GET" and listing.is_listing(request):
        return _list(request)
    arguments = set(request.args) - {"x-id"}
    if request.method in {"GET", "HEAD"} and not arguments and not _CONDITIONS & request.headers.keys():
        return _read(request)
    if request.method == "PUT" and not any(_MORE_THAN_A_PUT.fullmatch(name) for name in request.headers):
        if not arguments:
            return _write(request)
        if arguments == {"partNumber", "uploadId"}:
            return _write_part(request)
    return None


def _list(request: WireRequest) -> WireResponse | None:
    name, key = bucket_and_key(request)
    bucket = find_bucket(f"arn:aws:s3:::{name}")
    if bucket is None or key or isinstance(bucket, FakeTableStorageBucket):
        return None
    return listing.answer(request, bucket)


def _find(request: WireRequest) -> tuple[S3Backend, FakeBucket, str] | None:
    name, key = bucket_and_key(request)
    where = s3_backends.bucket_accounts.get(name)
    if where is None or not key:
        return None
    partition, account_id = where
    backend = s3_backends[account_id][partition]
    bucket = backend.buckets.get(name)
    return (backend, bucket, key) if bucket is not None else None


def _read(request: WireRequest) -> WireResponse | None:
    found = _find(request)
    key = found[1].keys.get(found[2]) if found is not None else None
    if not isinstance(key, ObjectKey) or key.storage_class in ARCHIVE_STORAGE_CLASSES:
        return None
    asked = _asked_range(request, key.size)
    if asked is None:
        return None
    start, stop = asked
    is_whole = "range" not in request.headers
    headers = {**key.response_dict, **key.metadata, "Accept-Ranges": "bytes", "content-length": str(stop - start)}
    if key.version_id != "null":
        headers["x-amz-version-id"] = key.version_id
    if not is_whole:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{key.size}"
    elif request.headers.get("x-amz-checksum-mode") == "ENABLED":
        headers.update(_checksum_headers(key))
    if request.method == "HEAD":
        return WireResponse(200 if is_whole else 206, (), headers)
    content = key.content.part(start, stop)
    return WireResponse(200 if is_whole else 206, _blocks(content), headers)


def _blocks(content: ObjectBytes) -> bytes | ObjectBytes:
    """Small objects at once, larger ones block by block."""
    return bytes(content) if len(content) <= CHUNK else content


def _asked_range(request: WireRequest, size: int) -> tuple[int, int] | None:
    """First byte and the one after the last; None for a range that moto should judge."""
    text = request.headers.get("range")
    if text is None:
        return 0, size
    found = _RANGE.fullmatch(text)
    if found is None or not size:
        return None
    first, last = found.groups()
    if first:
        start, stop = int(first), min(int(last), size - 1) + 1 if last else size
    elif last:
        start, stop = max(0, size - int(last)), size
    else:
        return None
    return (start, stop) if start < stop else None


def _checksum_headers(key: ObjectKey) -> dict[str, str]:
    if not key.checksum_algorithm or not key.checksum_value:
        return {}
    value = f"{key.checksum_value}-{key.checksum_parts}" if key.checksum_type == "COMPOSITE" else key.checksum_value
    found = {f"x-amz-checksum-{key.checksum_algorithm.lower()}": value}
    return {**found, "x-amz-checksum-type": key.checksum_type} if key.checksum_type else found


def _write(request: WireRequest) -> WireResponse | None:
    found = _find(request)
    if found is None or found[1].object_lock_enabled:
        return None
    backend, bucket, name = found
    content, checksum = _stored(request)
    key = backend.put_object(
        bucket.name,
        name,
        content,  # type: ignore[arg-type]
        storage="STANDARD",
        encryption=request.headers.get(_SSE),
        kms_key_id=request.headers.get(f"{_SSE}-aws-kms-key-id"),
        bucket_key_enabled=request.headers.get(f"{_SSE}-bucket-key-enabled"),
        checksum_value=checksum[1] if checksum else None,
    )
    key.set_metadata(_metadata(request))
    key.set_acl(bucket.acl)
    if checksum:
        key.checksum_algorithm = checksum[0].upper()
    backend.tagger.delete_all_tags_for_resource(key.arn)
    return _written(key, checksum)


def _write_part(request: WireRequest) -> WireResponse | None:
    found = _find(request)
    upload = found[1].multiparts.get(request.args["uploadId"]) if found is not None else None
    number = request.args["partNumber"]
    if upload is None or not number.isdigit() or not 1 <= int(number) <= 10_000:
        return None
    content, checksum = _stored(request)
    key = upload.set_part(int(number), content)  # type: ignore[arg-type]
    return _written(key, checksum)


def _stored(request: WireRequest) -> tuple[ObjectBytes, tuple[str, str] | None]:
    """The body as a new object file, and the checksum that came with it; BadDigest when they do not match."""
    stream = request.environ["wsgi.input"]
    trailer: dict[str, str] = {}
    check = BodyCheck(request.headers)
    blocks: Iterator[bytes] = (
        chunked.decoded(stream, trailer) if chunked.is_chunked(request.headers) else chunked.plain(stream)
    )
    content = store.write(check.through(blocks))
    try:
        check.verify_md5(content.md5)
        return content, check.verify(trailer)
    except BadDigest:
        content.path.unlink()
        raise


def _metadata(request: WireRequest) -> dict[str, str]:
    spelled: dict[str, str] = request.environ.get("moto.preserved_header_names", {})
    names = {key[5:].replace("_", "-").lower(): name.lower() for key, name in spelled.items()}
    return {
        names.get(name, name).title() if name in _KEPT_HEADERS else names.get(name, name): text
        for name, text in request.headers.items()
        if name.startswith("x-amz-meta-") or name in _KEPT_HEADERS
    }


def _written(key: Any, checksum: tuple[str, str] | None) -> WireResponse:
    headers = {name: str(text) for name, text in key.response_dict.items() if name != "content-length"}
    if checksum:
        headers[f"x-amz-checksum-{checksum[0]}"] = checksum[1]
    return WireResponse(200, b"", headers)

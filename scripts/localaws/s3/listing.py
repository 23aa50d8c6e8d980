"""ListObjectsV2, page by page, quick on buckets with many objects and unharmed by writes meanwhile.

Reads moto's S3 backend. Behind every make target that moves data.
Example: `answer(request, bucket)` for `GET /raw-bucket?list-type=2&prefix=fhir/`.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote
from xml.sax.saxutils import escape

from moto.s3.models import FakeBucket

from localaws.request import WireRequest
from localaws.s3.object_files import ObjectKey
from localaws.wire import WireResponse

ARGUMENTS = {"list-type", "prefix", "delimiter", "max-keys", "continuation-token", "start-after", "encoding-type"}
_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_MOST = 1000


@dataclass
class _Page:
    keys: list[ObjectKey] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    last: str = ""
    is_truncated: bool = False

    def __len__(self) -> int:
        return len(self.keys) + len(self.folders)


def is_listing(request: WireRequest) -> bool:
    """Whether this is a ListObjectsV2 of the usual kind."""
    return request.args.get("list-type") == "2" and request.args.keys() <= ARGUMENTS


def answer(request: WireRequest, bucket: FakeBucket) -> WireResponse | None:
    """One page of a bucket's objects; None for arguments that moto should judge."""
    asked = request.args
    text = asked.get("max-keys", str(_MOST))
    token = asked.get("continuation-token")
    if not text.isdigit() or token == "":
        return None
    after = _from_token(token) if token else asked.get("start-after", "")
    if after is None:
        return None
    limit = min(int(text), _MOST)
    page = _page(bucket, asked.get("prefix", ""), asked.get("delimiter", ""), after, limit)
    return WireResponse(200, _xml(bucket.name, asked, page, limit).encode(), {"Content-Type": "application/xml"})


def _page(bucket: FakeBucket, prefix: str, delimiter: str, after: str, limit: int) -> _Page:
    page = _Page()
    folder = ""
    for name in _names(bucket, prefix, delimiter, after):
        if folder and name.startswith(folder):
            continue
        cut = name.find(delimiter, len(prefix)) if delimiter else -1
        key = bucket.keys.get(name)
        if not isinstance(key, ObjectKey):
            continue
        if len(page) == limit:
            page.is_truncated = limit > 0
            break
        if cut >= 0:
            folder = page.last = name[: cut + len(delimiter)]
            page.folders.append(folder)
        else:
            page.last = name
            page.keys.append(key)
    return page


def _names(bucket: FakeBucket, prefix: str, delimiter: str, after: str) -> Iterator[str]:
    """The names of a listing in order; after a common prefix comes what does not start with it."""
    is_folder = bool(delimiter) and after.startswith(prefix) and after.endswith(delimiter)
    for name in sorted(name for name in list(bucket.keys) if name.startswith(prefix) and name > after):
        if not (is_folder and name.startswith(after)):
            yield name


def _from_token(token: str) -> str | None:
    try:
        return base64.urlsafe_b64decode(token).decode()
    except ValueError:
        return None


def _xml(bucket: str, asked: dict[str, str], page: _Page, limit: int) -> str:
    is_url = asked.get("encoding-type") == "url"

    def shown(text: str) -> str:
        return quote(text) if is_url else escape(text)

    parts = [
        f'<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="{_NAMESPACE}"><Name>{bucket}</Name>',
        f"<Prefix>{shown(asked.get('prefix', ''))}</Prefix><MaxKeys>{limit}</MaxKeys><KeyCount>{len(page)}</KeyCount>",
        f"<IsTruncated>{str(page.is_truncated).lower()}</IsTruncated>",
    ]
    if "delimiter" in asked:
        parts.append(f"<Delimiter>{shown(asked['delimiter'])}</Delimiter>")
    if is_url:
        parts.append("<EncodingType>url</EncodingType>")
    if "continuation-token" in asked:
        parts.append(f"<ContinuationToken>{escape(asked['continuation-token'])}</ContinuationToken>")
    elif "start-after" in asked:
        parts.append(f"<StartAfter>{shown(asked['start-after'])}</StartAfter>")
    if page.is_truncated:
        parts.append(
            f"<NextContinuationToken>{base64.urlsafe_b64encode(page.last.encode()).decode()}</NextContinuationToken>"
        )
    parts += [
        f"<Contents><Key>{shown(key.name)}</Key><LastModified>{key.last_modified:%Y-%m-%dT%H:%M:%S}.000Z</LastModified>"
        f"<ETag>{escape(key.etag)}</ETag><Size>{key.size}</Size><StorageClass>{key.storage_class}</StorageClass>"
        "</Contents>"
        for key in page.keys
    ]
    parts += [f"<CommonPrefixes><Prefix>{shown(folder)}</Prefix></CommonPrefixes>" for folder in page.folders]
    return "".join([*parts, "</ListBucketResult>"])

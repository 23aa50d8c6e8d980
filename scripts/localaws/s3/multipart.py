"""Multipart uploads and copies without the object in memory: parts are joined file by file, copies share a file.

Reads and writes moto's S3 backend and object files. Behind every make target that moves data.
Example: `install()` puts these in the place of moto's own.
"""

from __future__ import annotations

import copy
import hashlib
import mmap
from collections.abc import Iterator
from typing import Any

import moto.s3.models as s3_models
from moto.s3.exceptions import EntityTooSmall, InvalidPart, MalformedXML
from moto.s3.models import FakeKey, FakeMultipart, S3Backend
from moto.s3.utils import compute_checksum
from moto.settings import S3_UPLOAD_PART_MIN_SIZE

from localaws.s3.object_files import ObjectBytes, ObjectKey, store

_ORIGINAL_COPY = S3Backend.copy_object
Checksum = tuple[str, str, int]


class ObjectMultipart(FakeMultipart):
    """moto's upload with its parts in files."""

    def complete(self, body: Iterator[tuple[int, str]]) -> tuple[Any, str, Checksum | None]:
        """The joined file, its ETag and its checksum; the parts become slices of it."""
        parts = self._wanted(list(body))
        joined = store.write(block for part in parts for block in part.content)
        digests = b"".join(bytes.fromhex(part.etag.strip('"')) for part in parts)
        checksum = self._checksum(parts, joined)
        start = 0
        for part in parts:
            part.content = joined.part(start, start + len(part.content))
            start += len(part.content)
        self.parts = {number: part for number, part in self.parts.items() if part in parts}
        etag = hashlib.md5(digests, usedforsecurity=False).hexdigest()
        return joined, f"{etag}-{len(parts)}", checksum

    def _wanted(self, listed: list[tuple[int, str]]) -> list[ObjectKey]:
        if not listed:
            raise MalformedXML
        found: list[ObjectKey] = []
        for number, etag in listed:
            part = self.parts.get(number)
            if not isinstance(part, ObjectKey) or part.etag.strip('"') != etag.strip('"'):
                raise InvalidPart()
            found.append(part)
        if any(part.size < S3_UPLOAD_PART_MIN_SIZE for part in found[:-1]):
            raise EntityTooSmall()
        return found

    def _checksum(self, parts: list[ObjectKey], joined: ObjectBytes) -> Checksum | None:
        """Type, value and number of parts, as the upload asked for; uploads that ask for none get CRC64NVME."""
        algorithm = self.metadata.get("x-amz-checksum-algorithm") or "CRC64NVME"
        kind = self.metadata.get("x-amz-checksum-type") or ("FULL_OBJECT" if algorithm == "CRC64NVME" else "COMPOSITE")
        if kind == "COMPOSITE":
            sums = b"".join(compute_checksum(part.value, algorithm, encode_base64=False) for part in parts)
            return kind, compute_checksum(sums, algorithm).decode(), len(parts)
        if not len(joined):
            return kind, compute_checksum(b"", algorithm).decode(), 1
        with joined.path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return kind, compute_checksum(content, algorithm).decode(), 1  # type: ignore[arg-type]


class _CopySource(ObjectKey):
    """An object whose bytes are handed on as the file they are in."""

    @property  # type: ignore[misc]
    def value(self) -> Any:
        return self.content


def _copy_object(self: S3Backend, src_key: FakeKey, *args: Any, **kwargs: Any) -> None:
    source = copy.copy(src_key)
    if isinstance(source, ObjectKey):
        source.__class__ = _CopySource
    _ORIGINAL_COPY(self, source, *args, **kwargs)


def install() -> None:
    """Make moto's S3 upload and copy this way from now on."""
    s3_models.FakeMultipart = ObjectMultipart  # type: ignore[misc]
    S3Backend.copy_object = _copy_object  # type: ignore[method-assign]

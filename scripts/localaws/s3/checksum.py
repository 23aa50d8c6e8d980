"""Checksums that come with a body, in a header or after its last chunk: checked while the bytes go by.

Pure over the blocks it is given. Behind every make target that moves data.
Example: `check = BodyCheck(headers); store.write(check.through(blocks)); check.verify(trailer)`.

CRC32 (what SDKs send by default), SHA-1 and SHA-256 are checked; CRC32C and CRC64NVME are kept as they came.
Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
"""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

_NAME = re.compile(r"x-amz-checksum-(crc32|crc32c|crc64nvme|sha1|sha256)")


class BadDigest(Exception):
    """The body is not the one that its checksum was made of."""


class BodyCheck:
    """One body's checksum: which algorithm, what was promised, what it is."""

    def __init__(self, headers: dict[str, str]) -> None:
        named = next((name for name in (*headers, headers.get("x-amz-trailer", "")) if _NAME.fullmatch(name)), None)
        self._header = named
        self.algorithm = named.removeprefix("x-amz-checksum-") if named else None
        self._promised = headers.get(named) if named else None
        self._hash: Any = hashlib.new(self.algorithm) if self.algorithm in {"sha1", "sha256"} else None
        self._crc = 0
        self._md5 = headers.get("content-md5")

    def through(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """The blocks as they are, seen on the way."""
        for block in blocks:
            if self.algorithm == "crc32":
                self._crc = zlib.crc32(block, self._crc)
            elif self._hash is not None:
                self._hash.update(block)
            yield block

    def verify(self, trailer: dict[str, str]) -> tuple[str, str] | None:
        """Algorithm and checksum of the body, once it has gone by; BadDigest when it is not what was promised."""
        promised = self._promised or trailer.get(self._header or "")
        if self.algorithm is None or promised is None:
            return None
        found = self._found()
        if found is not None and found != promised:
            raise BadDigest(f"The {self.algorithm.upper()} you specified did not match the calculated checksum.")
        return self.algorithm, promised

    def verify_md5(self, digest: str | None) -> None:
        """BadDigest when the body's MD5 (hexadecimal) is not the one that Content-MD5 promised."""
        if self._md5 is None or digest is None:
            return
        if base64.b64encode(bytes.fromhex(digest)).decode() != self._md5:
            raise BadDigest("The Content-MD5 you specified did not match what we received.")

    def _found(self) -> str | None:
        if self.algorithm == "crc32":
            return base64.b64encode(self._crc.to_bytes(4, "big")).decode()
        return base64.b64encode(self._hash.digest()).decode() if self._hash is not None else None

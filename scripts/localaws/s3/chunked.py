"""Bodies in S3's own chunks (`aws-chunked`): signed or not, with or without a checksum at the end.

Reads the stream it is given. Behind every make target that moves data.
Example: `b"".join(decoded(stream))`.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from localaws.s3.checksum import BadDigest

BLOCK = 1024 * 1024
_LINE = 64 * 1024


def is_chunked(headers: dict[str, str]) -> bool:
    """Whether a request's body is in S3's chunks."""
    return headers.get("x-amz-content-sha256", "").startswith("STREAMING-")


def plain(stream: Any) -> Iterator[bytes]:
    """The blocks of a body that is just bytes."""
    while block := stream.read(BLOCK):
        yield block


def _size(line: bytes) -> int:
    try:
        return int(line.split(b";", 1)[0], 16)
    except ValueError as error:
        raise BadDigest("The body is not in the chunks that its headers promise.") from error


def decoded(stream: Any, trailer: dict[str, str]) -> Iterator[bytes]:
    """The blocks of a chunked body; what follows the last chunk is put into `trailer`, names in lower case.

    BadDigest for a body that is not in chunks.
    """
    while size := _size(stream.readline(_LINE)):
        left = size
        while left:
            block = stream.read(min(BLOCK, left))
            if not block:
                raise ConnectionResetError("the client ended the connection within a chunk")
            left -= len(block)
            yield block
        stream.readline(_LINE)
    while line := stream.readline(_LINE).strip():
        name, _, text = line.decode("latin-1").partition(":")
        trailer[name.lower()] = text.strip()

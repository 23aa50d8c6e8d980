"""Request bodies off a socket: of a stated length, or in chunks; what nobody read is drained.

Reads the connection it is given. Behind every make target that talks to localaws.
Example: `LimitedBody(rfile, 10).read()`.
"""

from __future__ import annotations

import io
from abc import abstractmethod
from io import BufferedIOBase
from typing import Any

_BLOCK = 256 * 1024


class _Body(io.RawIOBase):
    def readable(self) -> bool:
        return True

    def drain(self) -> None:
        """Read and drop the rest, so that the next request on the connection starts where it should."""
        block = bytearray(_BLOCK)
        while self._next(memoryview(block)):
            pass

    def readinto(self, buffer: Any) -> int:
        return self._next(memoryview(buffer))

    def close(self) -> None:
        """The reader around a body closes it when it is dropped; draining still has to read."""

    @abstractmethod
    def _next(self, buffer: memoryview) -> int: ...


class LimitedBody(_Body):
    """A body of `Content-Length` bytes."""

    def __init__(self, source: BufferedIOBase, length: int) -> None:
        self._source = source
        self._left = length

    def _next(self, buffer: memoryview) -> int:
        wanted = min(len(buffer), self._left)
        if not wanted:
            return 0
        count: int = self._source.readinto(buffer[:wanted])
        if not count:
            raise ConnectionResetError("the client ended the connection within a request body")
        self._left -= count
        return count


class ChunkedBody(_Body):
    """A body of `Transfer-Encoding: chunked`."""

    def __init__(self, source: BufferedIOBase) -> None:
        self._source = source
        self._left = 0
        self._ended = False

    def _next(self, buffer: memoryview) -> int:
        if not self._left and not self._ended:
            self._read_size()
        if self._ended:
            return 0
        count: int = self._source.readinto(buffer[: min(len(buffer), self._left)])
        if not count:
            raise ConnectionResetError("the client ended the connection within a chunk")
        self._left -= count
        if not self._left:
            self._source.readline(_BLOCK)
        return count

    def _read_size(self) -> None:
        self._left = int(self._source.readline(_BLOCK).split(b";", 1)[0] or b"0", 16)
        if not self._left:
            self._ended = True
            while self._source.readline(_BLOCK).strip():
                continue

"""The head of an HTTP/1.1 request off a socket: request line and headers, strictly, without the mail parser's detours.

Reads the connection it is given. Behind every make target that talks to localaws.
Example: `headers = read_headers(rfile)`; BadHead, with a status, for a head that no client of ours sends.

Source: RFC 9112, sections 3 and 5. Folded header lines are refused, as it asks servers to.
"""

from __future__ import annotations

from collections.abc import ItemsView
from io import BufferedIOBase

LONGEST_LINE = 65_536
MOST_HEADERS = 200
VERSIONS = ("HTTP/1.1", "HTTP/1.0")


class BadHead(Exception):
    """A request that cannot be read; `status` is the answer's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Headers:
    """Headers in their order; one that comes twice is one, with a comma between."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}
        self._spelled: dict[str, str] = {}

    def add(self, name: str, value: str) -> None:
        key = name.lower()
        if key in self._spelled:
            name = self._spelled[key]
            value = f"{self._values[name]},{value}"
        self._spelled[key] = name
        self._values[name] = value

    def get(self, name: str, default: str | None = None) -> str | None:
        spelled = self._spelled.get(name.lower())
        return default if spelled is None else self._values[spelled]

    def items(self) -> ItemsView[str, str]:
        """Names as the client spells them, and values."""
        return self._values.items()


def request_line(line: bytes) -> tuple[str, str, str]:
    """Method, target and version; BadHead for anything else."""
    words = line.decode("latin-1").rstrip("\r\n").split()
    if len(words) != 3:
        raise BadHead(400, "The request line is not a method, a target and a version")
    method, target, version = words
    if version not in VERSIONS:
        raise BadHead(505, "HTTP/1.1 is spoken here")
    return method, "/" + target.lstrip("/") if target.startswith("//") else target, version


def read_headers(source: BufferedIOBase) -> Headers:
    """All headers up to the empty line."""
    found = Headers()
    for _ in range(MOST_HEADERS + 1):
        line = source.readline(LONGEST_LINE + 1)
        if len(line) > LONGEST_LINE:
            raise BadHead(431, "A header line is too long")
        if line in (b"\r\n", b"\n", b""):
            return found
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon or not name or name != name.strip():
            raise BadHead(400, "A header line is not a name, a colon and a value")
        found.add(name, value.strip())
    raise BadHead(431, "There are too many headers")

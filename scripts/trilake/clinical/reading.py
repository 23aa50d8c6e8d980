"""FHIR files to records: NDJSON lines, Bundle entries or one resource, each with its place in the file.

Reads plain or gzip files, line by line where they are NDJSON, so that a file of any size needs the memory of its
longest line. A byte order mark, CRLF and blank lines are passed over; what cannot be read is a record with a fault.

Example: [record.resource["id"] for record in read_records(Path("Patient.ndjson"))]
"""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

import orjson

from trilake.clinical.bundles import Names
from trilake.clinical.r4.primitives import json_type
from trilake.clinical.rules import Fault

LONGEST = 128 << 20
"""Bytes of the longest line or JSON document that is read into memory."""
HEAD = 1 << 16
BOM = b"\xef\xbb\xbf"


@dataclass(slots=True)
class Record:
    """One resource, or one piece of a file that should have been one.

    `line` counts from 1; `entry` is the 0-based position in a Bundle; `resource` is None when there is none to load,
    and then `faults` say why. `names` are those of all entries of its Bundle.
    """

    line: int | None
    entry: int | None
    data: bytes
    resource: dict[str, Any] | None
    faults: list[Fault] = field(default_factory=list)
    names: Names | None = None

    @property
    def label(self) -> str:
        """The record's part of an item id: its line, entry, both, or the whole file."""
        parts = [str(self.line) if self.line else "", f"e{self.entry}" if self.entry is not None else ""]
        return "-".join(part for part in parts if part) or "file"


def read_records(path: Path, *, longest: int = LONGEST) -> Iterator[Record]:
    """Every record of a file, in order. A damaged gzip ends in one record that says so."""
    with path.open("rb") as raw:
        is_gzip = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        stream = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if is_gzip else raw
        line = 0
        try:
            if is_ndjson(read_head(path, is_gzip)):
                for line, data in numbered_lines(stream, longest):
                    yield from line_records(line, data, longest)
            else:
                yield from document_records(stream, longest)
        except (EOFError, OSError, zlib.error) as error:
            found = f"{type(error).__name__} after line {line}" if line else type(error).__name__
            fault = Fault("FILE_UNREADABLE", "", found, "a whole file")
            yield Record(line + 1, None, b"", None, [fault])


def read_head(path: Path, is_gzip: bool) -> bytes:
    """The first bytes of the content, as far as a damaged gzip gives them."""
    with path.open("rb") as raw:
        if not is_gzip:
            return raw.read(HEAD)
        unpacker = zlib.decompressobj(wbits=31)
        try:
            return unpacker.decompress(raw.read(HEAD), HEAD)
        except zlib.error:
            return b""


def is_ndjson(head: bytes) -> bool:
    """Whether lines are records: the first line is whole JSON, or has no end in sight, or the second starts anew."""
    lines = [line for line in head.removeprefix(BOM).splitlines() if line.strip()]
    if len(lines) < 2:
        return True
    try:
        orjson.loads(lines[0])
        return True
    except orjson.JSONDecodeError:
        return lines[1].startswith(b"{") and lines[0].strip() != b"["


def numbered_lines(stream: BinaryIO, longest: int) -> Iterator[tuple[int, bytes | None]]:
    """(line number, stripped line) without blank lines; None for a line beyond `longest`, which is skipped over."""
    number = 0
    while line := stream.readline(longest + 1):
        number += 1
        if len(line) > longest and not line.endswith(b"\n"):
            while (rest := stream.readline(1 << 20)) and not rest.endswith(b"\n"):
                pass
            yield number, None
            continue
        stripped = (line.removeprefix(BOM) if number == 1 else line).strip()
        if stripped:
            yield number, stripped


def line_records(line: int, data: bytes | None, longest: int) -> Iterator[Record]:
    if data is None:
        fault = Fault("FHIR_TOO_LONG", "", f"more than {longest:,} bytes", f"at most {longest:,} bytes in a line")
        yield Record(line, None, b"", None, [fault])
        return
    try:
        yield from expand(orjson.loads(data), data, line)
    except orjson.JSONDecodeError as error:
        fault = Fault("FHIR_NOT_JSON", "", f"{error.msg} at column {error.colno}", "one JSON object")
        yield Record(line, None, data, None, [fault])


def document_records(stream: BinaryIO, longest: int) -> Iterator[Record]:
    data = stream.read(longest + 1)
    if len(data) > longest:
        fault = Fault("FHIR_TOO_LONG", "", f"more than {longest:,} bytes", f"at most {longest:,} bytes in a document")
        yield Record(None, None, b"", None, [fault])
        return
    try:
        yield from expand(orjson.loads(data.removeprefix(BOM)), data, None)
    except orjson.JSONDecodeError as error:
        fault = Fault("FHIR_NOT_JSON", "", f"{error.msg} at column {error.colno}", "one JSON object")
        yield Record(error.lineno, None, data, None, [fault])


def expand(value: Any, data: bytes, line: int | None) -> Iterator[Record]:
    """A parsed line or document as records: a Bundle's entries, else itself."""
    if not isinstance(value, dict):
        yield Record(line, None, data, None, [Fault("FHIR_NOT_OBJECT", "", json_type(value), "a JSON object")])
    elif value.get("resourceType") != "Bundle":
        yield Record(line, None, data, value)
    elif not isinstance(value.get("entry", []), list):
        fault = Fault("FHIR_WRONG_TYPE", "Bundle.entry", json_type(value["entry"]), "array")
        yield Record(line, None, data, None, [fault])
    else:
        names = Names(value.get("entry", []), is_history=value.get("type") == "history")
        for index, entry in enumerate(names.entries):
            yield entry_record(entry, index, names, line)


def entry_record(entry: Any, index: int, names: Names, line: int | None) -> Record:
    resource = entry.get("resource") if isinstance(entry, dict) else None
    if not isinstance(resource, dict):
        found = "no resource" if isinstance(entry, dict) and resource is None else json_type(resource or entry)
        fault = Fault("FHIR_ENTRY_EMPTY", f"Bundle.entry[{index}]", found, "a resource")
        return Record(line, index, orjson.dumps(entry), None, [fault])
    if resource.get("resourceType") == "Bundle":
        fault = Fault("FHIR_NESTED_BUNDLE", f"Bundle.entry[{index}]", "a Bundle", "a resource of another type")
        return Record(line, index, orjson.dumps(resource), None, [fault])
    return Record(line, index, b"", resource, names=names)

"""FHIR files to pieces of work: blocks of NDJSON lines, or one JSON document, each with its place in the file.

Reads plain or gzip files in blocks, so that a file of lines of any size needs the memory of a few blocks or of its
longest line. A byte order mark is passed over and UTF-16 is turned into UTF-8; what cannot be read is a broken piece.

Example: [piece.first_line for piece in read_pieces(Path("Patient.ndjson"))]
"""

import codecs
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import orjson
from msgspec import Struct

from fhir_r4.rules import Fault
from trilake.core.recognise import utf16_of

LONGEST = 128 << 20
"""Bytes of the longest line or JSON document that is read into memory."""
BLOCK = 2 << 20
"""Bytes of lines that are checked in one go."""
HEAD = 1 << 16
PACKED = 1 << 18
BOM = b"\xef\xbb\xbf"


class Piece(Struct, array_like=True):
    """Lines from `first_line` (from 1), a whole document where that is 0, or `faults` of what could not be read."""

    first_line: int
    data: bytes
    faults: list[Fault] = []

    @property
    def is_document(self) -> bool:
        return self.first_line == 0


def read_pieces(path: Path, *, longest: int = LONGEST, block: int = BLOCK) -> Iterator[Piece]:
    """The pieces of a file, in order. A damaged gzip ends in one broken piece that says so."""
    line = [0]
    with path.open("rb") as raw:
        is_gzip = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        size = min(block, longest)
        try:
            head = read_head(path, is_gzip)
            blocks = decoded(unpacked(raw, size) if is_gzip else iter(lambda: raw.read(size), b""), head)
            if is_ndjson(utf8(head)):
                yield from lines(blocks, line, longest)
            else:
                yield document(blocks, longest)
        except (EOFError, OSError, zlib.error, UnicodeDecodeError) as error:
            found = f"{type(error).__name__} after line {line[0]}" if line[0] else type(error).__name__
            yield Piece(line[0] + 1, b"", [Fault("FILE_UNREADABLE", "", found, "a whole file")])


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


def utf8(head: bytes) -> bytes:
    encoding = utf16_of(head)
    return head.decode(encoding, "ignore").encode() if encoding else head


def unpacked(raw: BinaryIO, block: int) -> Iterator[bytes]:
    """The content of a gzip of any number of members, to where it is damaged: then EOFError."""
    unpacker, packed = zlib.decompressobj(wbits=31), b""
    while packed or (packed := raw.read(PACKED)):
        try:
            data = unpacker.decompress(packed, block)
        except zlib.error:
            raise EOFError("damaged") from None
        packed = unpacker.unconsumed_tail
        yield data
        if unpacker.eof:
            packed = unpacker.unused_data.lstrip(b"\0")
            unpacker = zlib.decompressobj(wbits=31)
            if not packed and not (packed := raw.read(PACKED).lstrip(b"\0")):
                return
    raise EOFError


def decoded(blocks: Iterator[bytes], head: bytes) -> Iterator[bytes]:
    """The content in blocks of UTF-8, without its byte order mark."""
    encoding = utf16_of(head)
    decoder = codecs.getincrementaldecoder(encoding)() if encoding else None
    is_first = True
    for data in blocks:
        if decoder is not None:
            data = decoder.decode(data).encode("utf-8", "surrogatepass").removeprefix(BOM if is_first else b"")
        elif is_first:
            data = data.removeprefix(BOM)
        is_first = False
        yield data
    if decoder is not None:
        decoder.decode(b"", final=True)


def is_ndjson(head: bytes) -> bool:
    """Whether lines are records: the first line is whole JSON, or has no end in sight, or the second starts anew."""
    found = [line for line in head.removeprefix(BOM).splitlines() if line.strip()]
    if len(found) < 2:
        return True
    try:
        orjson.loads(found[0])
        return True
    except orjson.JSONDecodeError:
        return found[1].startswith(b"{") and found[0].strip() != b"["


def lines(blocks: Iterator[bytes], line: list[int], longest: int) -> Iterator[Piece]:
    """Blocks cut at line ends; `line` holds the number of the last line given. A line beyond `longest` is skipped."""
    held: list[bytes] = []
    n_held, is_skipping = 0, False
    for data in blocks:
        end = data.rfind(b"\n") + 1
        if not end:
            if n_held + len(data) > longest:
                held, n_held, is_skipping = [], 0, True
            elif not is_skipping:
                held.append(data)
                n_held += len(data)
            continue
        start = 0
        if is_skipping or n_held + data.find(b"\n") > longest:
            start = data.find(b"\n") + 1
            line[0] += 1
            yield too_long(line[0], longest)
            held, n_held, is_skipping = [], 0, False
        first, whole = line[0] + 1, b"".join([*held, data[start:end]])
        line[0] += whole.count(b"\n")
        if whole:
            yield Piece(first, whole)
        held, n_held = [data[end:]], len(data) - end
    if is_skipping:
        yield too_long(line[0] + 1, longest)
    elif rest := b"".join(held):
        line[0] += 1
        yield Piece(line[0], rest)


def too_long(line: int, longest: int) -> Piece:
    found, expected = f"more than {longest:,} bytes", f"at most {longest:,} bytes in a line"
    return Piece(line, b"", [Fault("FHIR_TOO_LONG", "", found, expected)])


def document(blocks: Iterator[bytes], longest: int) -> Piece:
    held: list[bytes] = []
    n_held = 0
    for data in blocks:
        held.append(data)
        n_held += len(data)
        if n_held > longest:
            found, expected = f"more than {longest:,} bytes", f"at most {longest:,} bytes in a document"
            return Piece(0, b"", [Fault("FHIR_TOO_LONG", "", found, expected)])
    return Piece(0, b"".join(held))

"""The bytes of a VCF, whatever it is packed in: plain text, gzip, BGZF or BCF, whole or from one offset to another.

Memory does not grow with the file: a file on disk or an object in S3 is read as a stream.

Example: for piece in unpacked(LocalSource(Path("a.vcf.gz"))): ...
"""

from __future__ import annotations

import tempfile
import warnings
import zlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

import pysam

PIECE = 1 << 20
# RFC 1952, section 2.3.1. BGZF begins so too, and BCF is BGZF within.
GZIP = b"\x1f\x8b"
# The empty block that ends a BGZF file (SAM specification, section 4.1.2).
BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
BGZF_START = bytes.fromhex("1f8b0804")  # Gzip with an extra field, which holds the block's size under `BC`.
# A block is 64 KB at most, packed and unpacked: BSIZE has 16 bits (SAM specification, section 4.1).
LARGEST_BLOCK = 1 << 16


class Unreadable(Exception):
    """The stream ends early or is damaged; the message says where, in words."""


class Source(Protocol):
    """A file that can be read from any offset."""

    @property
    def size(self) -> int: ...

    def open_at(self, offset: int) -> BinaryIO:
        """The bytes from an offset to the end; the caller closes it."""
        ...


@dataclass(frozen=True)
class LocalSource:
    """A file on disk."""

    path: Path

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    def open_at(self, offset: int) -> BinaryIO:
        file = self.path.open("rb")
        file.seek(offset)
        return file


@dataclass(frozen=True)
class S3Source:
    """An object in S3; only what is read is fetched."""

    s3: Any
    bucket: str
    key: str
    size: int

    def open_at(self, offset: int) -> BinaryIO:
        if offset >= self.size:
            return BytesIO()
        answer = self.s3.get_object(Bucket=self.bucket, Key=self.key, Range=f"bytes={offset}-")
        return cast(BinaryIO, answer["Body"])


@dataclass(frozen=True)
class Span:
    """A part of a file by offsets in it as it is packed; plain text and BGZF can be cut, other packings not."""

    start: int
    end: int


def head_of(source: Source, count: int = 64) -> bytes:
    with source.open_at(0) as file:
        return file.read(count)


def is_gzip(source: Source) -> bool:
    return head_of(source).startswith(GZIP)


def is_bgzf(source: Source) -> bool:
    return is_bgzf_head(head_of(source))


def is_bgzf_head(head: bytes) -> bool:
    return head.startswith(BGZF_START) and head[12:16] == b"BC\x02\x00"


def is_bcf(source: Source) -> bool:
    head = head_of(source, LARGEST_BLOCK)
    if not head.startswith(GZIP):
        return head.startswith(b"BCF")
    try:
        return zlib.decompressobj(wbits=31).decompress(head, 3) == b"BCF"
    except zlib.error:
        return False


def can_be_cut(source: Source) -> bool:
    """Whether parts of the file can be read alone."""
    return not is_bcf(source) and (is_bgzf(source) or not is_gzip(source))


def lacks_newline(source: Source) -> bool:
    """Whether a plain text ends without a line end, as one that was cut short does."""
    return not is_gzip(source) and not is_bcf(source) and last_bytes(source, 1) != b"\n"


def lacks_end_block(source: Source) -> bool:
    """Whether a BGZF file ends without its empty last block, as one that was cut between two blocks does."""
    return is_bgzf(source) and last_bytes(source, len(BGZF_END)) != BGZF_END


def last_bytes(source: Source, count: int) -> bytes:
    with source.open_at(max(0, source.size - count)) as file:
        return file.read()


def unpacked(source: Source, workers: int = 1) -> Iterator[bytes]:
    """The text in pieces. Unreadable where it breaks, after all that came whole."""
    if is_bcf(source):
        return bcf_text(source)
    if is_bgzf(source):
        return (piece for piece in bgzf_text(source, Span(0, source.size), workers) if piece is not None)
    return gzip_text(source) if is_gzip(source) else (piece for piece in plain_text(source) if piece is not None)


def unpacked_span(source: Source, span: Span, workers: int = 1) -> Iterator[bytes | None]:
    """The text of a part and of all that follows it, with None where the part ends. For what `can_be_cut` alone."""
    return bgzf_text(source, span, workers) if is_bgzf(source) else plain_text(source, span)


def plain_text(source: Source, span: Span | None = None) -> Iterator[bytes | None]:
    span = span or Span(0, source.size)
    with source.open_at(span.start) as file:
        left = span.end - span.start
        try:
            while piece := file.read(min(PIECE, left) if left > 0 else PIECE):
                yield piece
                left -= len(piece)
                if left == 0:
                    yield None
        except OSError as error:
            raise Unreadable from error


def gzip_text(source: Source) -> Iterator[bytes]:
    """All members of a gzip file one after the other; zeros may follow the last."""
    with source.open_at(0) as file:
        packed = file.read(PIECE)
        while packed:
            unpacker = zlib.decompressobj(wbits=31)
            while not unpacker.eof:
                if not packed:
                    raise Unreadable
                try:
                    yield unpacker.decompress(packed, 4 * PIECE)
                except zlib.error as error:
                    raise Unreadable from error
                # A megabyte of gzip can unpack to a gigabyte: no more than 4 MB are taken at a time.
                packed = unpacker.unconsumed_tail or (b"" if unpacker.eof else file.read(PIECE))
            packed = (unpacker.unused_data.lstrip(b"\0")) or file.read(PIECE).lstrip(b"\0")


def bgzf_text(source: Source, span: Span, workers: int) -> Iterator[bytes | None]:
    """The blocks of a BGZF file from the first that starts in a part, unpacked by several threads."""
    # zlib releases Python's lock, so threads unpack side by side; few groups wait, so memory stays small.
    with source.open_at(span.start) as file, ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[bytes] | None] = deque()
        for blocks in block_groups(file, span):
            waiting.append(pool.submit(inflate, blocks) if blocks else None)
            if len(waiting) > 2 * workers:
                yield from text_of(waiting.popleft())
        while waiting:
            yield from text_of(waiting.popleft())


def text_of(future: Future[bytes] | None) -> Iterator[bytes | None]:
    """What a group of blocks unpacks to; of a damaged one what came before the damage, then Unreadable."""
    if future is None:
        yield None
        return
    try:
        yield future.result()
    except DamagedBlock as error:
        yield error.before
        raise Unreadable from error


class DamagedBlock(Exception):
    """A block that does not unpack, with the text of those before it."""

    def __init__(self, before: bytes) -> None:
        super().__init__("damaged block")
        self.before = before


def inflate(blocks: list[bytes]) -> bytes:
    text: list[bytes] = []
    for block in blocks:
        # Not gzip.decompress: of a damaged block it would raise, and what came whole before it would be lost.
        unpacker = zlib.decompressobj(wbits=31)
        try:
            text.append(unpacker.decompress(block))
        except zlib.error as error:
            raise DamagedBlock(b"".join(text)) from error
        if not unpacker.eof:
            raise DamagedBlock(b"".join(text))
    return b"".join(text)


def block_groups(file: BinaryIO, span: Span) -> Iterator[list[bytes]]:
    """Some blocks at a time, none where the part ends; a rest that is no block is given as one, and does not unpack."""
    packed, place = file.read(PIECE), span.start
    at = 0 if span.start == 0 else block_start(packed)
    is_within = True
    while packed[at:]:
        blocks: list[bytes] = []
        while (size := block_size(packed, at)) and at + size <= len(packed):
            if is_within and place + at >= span.end:
                yield from [blocks, []] if blocks else [[]]
                blocks, is_within = [], False
            blocks.append(packed[at : at + size])
            at += size
        rest = packed[at:]
        more = file.read(PIECE)
        if not more and rest.strip(b"\0"):
            blocks.append(rest)
        if blocks:
            yield blocks
        if not more:
            return
        if len(rest) > LARGEST_BLOCK:
            # More bytes than a block can have and none among them: damaged, so it is handed on to fail.
            yield [rest]
            return
        place += at
        packed, at = rest + more, 0


def block_size(packed: bytes, at: int) -> int:
    """The size of the block that starts here; 0 when there is none, or too little of it."""
    head = packed[at : at + 18]
    return int.from_bytes(head[16:18], "little") + 1 if len(head) == 18 and is_bgzf_head(head) else 0


def block_start(packed: bytes) -> int:
    """Where the first block starts that another block, or the end, follows."""
    # The four bytes of a block's start can stand within packed data by chance; that another block starts where this
    # one would end cannot.
    at = packed.find(BGZF_START)
    while at >= 0:
        size = block_size(packed, at)
        if size and (at + size >= len(packed) or block_size(packed, at + size) or at + size + 18 > len(packed)):
            return at
        at = packed.find(BGZF_START, at + 1)
    return len(packed)


def bcf_text(source: Source) -> Iterator[bytes]:
    """BCF as the VCF lines that htslib prints for it."""
    # Through a file on disk, as htslib reads from paths; BCF is rare, and smaller than the VCF.
    with tempfile.TemporaryDirectory() as folder:
        path = source.path if isinstance(source, LocalSource) else download(source, Path(folder, "a.bcf"))
        try:
            with open_bcf(path) as file:
                yield str(file.header).encode("utf-8", "surrogateescape")
                for record in file:
                    yield str(record).encode("utf-8", "surrogateescape")
        except (OSError, ValueError) as error:
            raise Unreadable from error


def download(source: Source, path: Path) -> Path:
    with source.open_at(0) as file, path.open("wb") as target:
        while piece := file.read(PIECE):
            target.write(piece)
    return path


def open_bcf(path: Path) -> pysam.VariantFile:
    """Open, even when the last block is missing: what came whole is read, and `lacks_end_block` tells the rest."""
    verbosity = pysam.set_verbosity(0)  # Else htslib says on standard error that there is no index, which none needs.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return pysam.VariantFile(str(path), ignore_truncation=True)
    finally:
        pysam.set_verbosity(verbosity)

"""The lines of a VCF, whatever it is packed in: plain text, gzip, BGZF or BCF.

Reads one file as a stream; memory does not grow with it.

Example: for number, line in numbered_lines(Path("a.vcf.gz")): ...
"""

import gzip
import re
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

import pysam

LONGEST_LINE = 64 << 20
GZIP = b"\x1f\x8b"
BOM = "\ufeff"
WRONG_BYTE = re.compile("[\udc80-\udcff]")
# The empty block that ends a BGZF file (SAM specification, section 4.1.2).
BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


class Unreadable(Exception):
    """The stream ends early or is damaged; the message says where, in words."""


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """(line number from 1, line without its line end). Unreadable when the stream breaks.

    Bytes that are no UTF-8 stay in the text as lone surrogates: see `has_wrong_bytes`.
    """
    if is_bcf(path):
        yield from bcf_lines(path)
        return
    number = 0
    try:
        with open_bytes(path) as stream:
            while raw := stream.readline(LONGEST_LINE):
                number += 1
                yield number, decode(whole(raw, stream), number)
    except (OSError, EOFError, zlib.error) as error:
        raise Unreadable(f"the compressed data ends or breaks after line {number}") from error


def open_bytes(path: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path, "rb")) if is_gzip(path) else path.open("rb")


def whole(raw: bytes, stream: BinaryIO) -> bytes:
    """The line; of one that is too long its first column alone, which no rule takes for a record."""
    if len(raw) < LONGEST_LINE or raw.endswith(b"\n"):
        return raw
    while (rest := stream.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
        pass
    return raw[:1000].split(b"\t", 1)[0]


def decode(raw: bytes, number: int) -> str:
    text = raw.decode("utf-8", "surrogateescape").rstrip("\r\n")
    return text.removeprefix(BOM) if number == 1 else text


def has_wrong_bytes(text: str) -> bool:
    """Whether a decoded line held bytes that are no UTF-8."""
    return not text.isascii() and WRONG_BYTE.search(text) is not None


def readable(text: str) -> str:
    """The text with a replacement character for each wrong byte."""
    return WRONG_BYTE.sub("\ufffd", text)


def encode(text: str) -> bytes:
    """The bytes that a decoded line came from."""
    return text.encode("utf-8", "surrogateescape")


def is_bcf(path: Path) -> bool:
    with open_bytes(path) as stream:
        try:
            return stream.read(3) == b"BCF"
        except (OSError, EOFError, zlib.error):
            return False


def bcf_lines(path: Path) -> Iterator[tuple[int, str]]:
    """BCF as the VCF lines that htslib prints for it."""
    number = 0
    try:
        with open_bcf(path) as file:
            for number, line in enumerate(str(file.header).splitlines(), start=1):
                yield number, line
            for record in file:
                number += 1
                yield number, str(record).rstrip("\n")
    except (OSError, ValueError) as error:
        raise Unreadable(f"htslib cannot read the BCF beyond line {number} of its text") from error


def open_bcf(path: Path) -> pysam.VariantFile:
    """Open, even when the last block is missing: what came whole is read, and `lacks_end_block` tells the rest."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pysam.VariantFile(str(path), ignore_truncation=True)


def lacks_newline(path: Path) -> bool:
    """Whether a plain text ends without a line end, as one that was cut short does."""
    return not is_gzip(path) and not is_bcf(path) and last_bytes(path, 1) != b"\n"


def lacks_end_block(path: Path) -> bool:
    """Whether a BGZF file ends without its empty last block, as one that was cut between two blocks does."""
    with path.open("rb") as file:
        head = file.read(14)
    return head.startswith(GZIP) and head[12:14] == b"BC" and last_bytes(path, len(BGZF_END)) != BGZF_END


def is_gzip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == GZIP


def last_bytes(path: Path, count: int) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - count))
        return file.read()

"""The lines of a VCF, whatever it is packed in: plain text, gzip, BGZF or BCF.

Reads one file as a stream; memory does not grow with it.

Example: for number, line in numbered_lines(Path("a.vcf.gz")): ...
"""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

import pysam

LONGEST_LINE = 64 << 20


class Unreadable(Exception):
    """The stream ends early or is damaged; the message says where, in words."""


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """(line number from 1, line without its line end). Unreadable when the bytes are damaged or not text.

    A last line without a line end is given with a trailing newline missing: see `ends_with_newline`.
    """
    if is_bcf(path):
        yield from bcf_lines(path)
        return
    number = 0
    try:
        with open_bytes(path) as stream:
            while raw := stream.readline(LONGEST_LINE):
                number += 1
                yield number, decode(raw, number)
    except (OSError, EOFError, zlib.error) as error:
        raise Unreadable(f"the compressed data ends or breaks after line {number}") from error


def open_bytes(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        is_gzip = file.read(2) == b"\x1f\x8b"
    return cast(BinaryIO, gzip.open(path, "rb")) if is_gzip else path.open("rb")


def decode(raw: bytes, number: int) -> str:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(f"line {number} is not UTF-8 text") from error
    return text.removeprefix("\ufeff").rstrip("\r\n") if number == 1 else text.rstrip("\r\n")


def is_bcf(path: Path) -> bool:
    with open_bytes(path) as stream:
        try:
            return stream.read(3) == b"BCF"
        except (OSError, EOFError, zlib.error):
            return False


def bcf_lines(path: Path) -> Iterator[tuple[int, str]]:
    """BCF as the VCF lines that htslib prints for it."""
    try:
        with pysam.VariantFile(str(path)) as file:
            header = str(file.header).splitlines()
            yield from enumerate(header, start=1)
            for number, record in enumerate(file, start=len(header) + 1):
                yield number, str(record).rstrip("\n")
    except (OSError, ValueError) as error:
        raise Unreadable("htslib cannot read the BCF to its end") from error


def ends_with_newline(path: Path) -> bool:
    """Whether a plain text file ends in a line end; compressed files always pass."""
    with path.open("rb") as file:
        if file.read(2) == b"\x1f\x8b":
            return True
        file.seek(-1, 2)
        return file.read(1) == b"\n"

"""Reference genomes: FASTA files checked, indexed and read in pieces.

Example: `Fasta(path).bases("chr1", 100, 110)`.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

_SEQUENCE = re.compile(rb"[A-Za-z*.\-]*")
_GZIP = b"\x1f\x8b"


class FastaError(Exception):
    """The file is no FASTA; the message says at which line."""


@dataclass(frozen=True)
class Sequence:
    """One sequence as a .fai line has it: bases, offset of the first, bases and bytes of a full line."""

    name: str
    length: int
    offset: int
    line_bases: int
    line_bytes: int


def unpacked(source: Path, target: Path) -> Path:
    """The file itself, or its content at `target` when it is gzip."""
    with source.open("rb") as file:
        if file.read(2) != _GZIP:
            return source
    try:
        with gzip.open(source) as packed, target.open("wb") as plain:
            shutil.copyfileobj(packed, plain, 1 << 20)
    except (OSError, EOFError) as error:
        raise FastaError("The compressed file breaks off.") from error
    return target


def index_of(path: Path) -> dict[str, Sequence]:
    """The sequences by name; FastaError for what is none."""
    found: dict[str, Sequence] = {}
    name, length, offset, bases, width, place = "", 0, 0, 0, 0, 0
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            place += len(line)
            if line.startswith(b">"):
                if name:
                    found[name] = Sequence(name, length, offset, bases, width)
                words = line[1:].split()
                name = words[0].decode("utf-8", "replace") if words else ""
                if not name or name in found:
                    raise FastaError(f"Line {number} names no new sequence.")
                length, offset, bases, width = 0, place, 0, 0
                continue
            text = line.rstrip(b"\r\n")
            if not name or not _SEQUENCE.fullmatch(text):
                raise FastaError(f"Line {number} is not a sequence.")
            bases, width = (bases, width) if bases else (len(text), len(line))
            length += len(text)
    if not name:
        raise FastaError("The file holds no sequence.")
    return {**found, name: Sequence(name, length, offset, bases, width)}


def md5_of(path: Path) -> str:
    """MD5 over the bases in capitals, as references are told apart."""
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as lines:
        for line in lines:
            if not line.startswith(b">"):
                digest.update(line.strip().upper())
    return digest.hexdigest()


class Fasta:
    """A plain FASTA file read in pieces; lines of one sequence have one length, as .fai files ask for."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def index(self) -> dict[str, Sequence]:
        return index_of(self.path)

    def find(self, contig: str) -> str | None:
        """The reference's own name of a contig: as it is, or with or without `chr`, M as MT."""
        bare = contig[3:] if contig.lower().startswith("chr") else contig
        names = (contig, bare, f"chr{bare}", *(("MT", "chrM", "M") if bare in {"M", "MT"} else ()))
        return next((name for name in names if name in self.index), None)

    def bases(self, name: str, start: int, end: int) -> str:
        """The bases of [start, end), 0-based, in capitals, cut to the sequence."""
        sequence = self.index[name]
        start, end = max(start, 0), min(end, sequence.length)
        if start >= end:
            return ""
        with self.path.open("rb") as file:
            first = self._place(sequence, start)
            file.seek(first)
            raw = file.read(self._place(sequence, end - 1) + 1 - first)
        return raw.replace(b"\n", b"").replace(b"\r", b"").decode().upper()

    @staticmethod
    def _place(sequence: Sequence, base: int) -> int:
        lines, rest = divmod(base, sequence.line_bases)
        return sequence.offset + lines * sequence.line_bytes + rest

"""The reference sequence, read by place: what REF is held against, and what alleles are aligned on.

Reads a plain FASTA and its index (`.fai`, which is made where it is missing) on disk or in S3; holds some windows.

Example: Reference(LocalSource(Path("GRCh38.fa")), index).bases("1", 99, 103)  ->  "ACGT"
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from io import StringIO
from pathlib import Path

from botocore.exceptions import ClientError

from trilake.core.errors import InputError
from trilake.core.glue_job import bucket_and_key
from trilake.core.importer import IngestRun
from trilake.core.session import Session
from trilake.genomic.genome_build import contig_name
from trilake.genomic.source import LocalSource, S3Source, Source

WINDOW = 1 << 22
MOST_WINDOWS = 12


@dataclass(frozen=True)
class Contig:
    """A line of a FASTA index."""

    length: int
    offset: int
    line_bases: int
    line_bytes: int


def make_index(lines: Iterable[bytes]) -> str:
    """The text of the index (`samtools faidx`). ValueError where a sequence's lines are not of one length."""
    out, name, at = StringIO(), "", 0
    length = offset = bases = width = 0
    is_short = False
    for line in lines:
        at += len(line)
        if line.startswith(b">"):
            if name:
                out.write(f"{name}\t{length}\t{offset}\t{bases}\t{width}\n")
            name, length, offset, bases, width, is_short = line[1:].split()[0].decode(), 0, at, 0, 0, False
            continue
        text = len(line.rstrip(b"\r\n"))
        if is_short and text:
            raise ValueError(f"the sequence {name} has lines of several lengths")
        bases, width = bases or text, width or len(line)
        is_short = text != bases
        length += text
    if name:
        out.write(f"{name}\t{length}\t{offset}\t{bases}\t{width}\n")
    return out.getvalue()


def read_index(text: str) -> dict[str, Contig]:
    """The contigs of an index, under the one name that the store has for each."""
    rows = (line.split("\t") for line in text.splitlines() if line)
    return {contig_name(row[0]): Contig(*map(int, row[1:5])) for row in rows}


@dataclass
class Reference:
    """A FASTA by contig and place. Several threads may ask at once."""

    source: Source
    contigs: dict[str, Contig]
    _windows: OrderedDict[tuple[str, int], str] = field(default_factory=OrderedDict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def has(self, contig: str) -> bool:
        return contig in self.contigs

    def bases(self, contig: str, start: int, end: int) -> str:
        """Bases in capitals, 0-based half-open; fewer where the contig ends before."""
        start, end = max(start, 0), min(end, self.contigs[contig].length)
        parts = []
        while start < end:
            window = self._window(contig, start // WINDOW)
            first = start % WINDOW
            parts.append(window[first : first + end - start])
            start += len(parts[-1])
        return "".join(parts)

    def _window(self, contig: str, number: int) -> str:
        key = (contig, number)
        with self._guard:
            if key in self._windows:
                self._windows.move_to_end(key)
            else:
                self._windows[key] = self._read(self.contigs[contig], number * WINDOW)
                if len(self._windows) > MOST_WINDOWS:
                    self._windows.popitem(last=False)
            return self._windows[key]

    def _read(self, contig: Contig, start: int) -> str:
        end = min(start + WINDOW, contig.length)
        first, last = (
            contig.offset + at // contig.line_bases * contig.line_bytes + at % contig.line_bases for at in (start, end)
        )
        with self.source.open_at(first) as file:
            return file.read(last - first).translate(None, b"\r\n").decode("ascii").upper()


def local_reference(run: IngestRun) -> Reference | None:
    """The reference that the user gave; None without one."""
    return opened(run.reference) if run.reference else None


@lru_cache(maxsize=1)
def opened(path: Path) -> Reference:
    return Reference(LocalSource(path), read_index(index_of(path)))


def index_of(path: Path) -> str:
    """The index beside a FASTA, or one made from it. InputError for a file that cannot be indexed."""
    beside = Path(f"{path}.fai")
    if beside.exists() and beside.stat().st_mtime >= path.stat().st_mtime:
        return beside.read_text()
    with path.open("rb") as file:
        if file.read(1) != b">":
            raise InputError(f"{path.name} is no plain FASTA", next_step="bgzip -d, when it is compressed")
        file.seek(0)
        try:
            return make_index(file)
        except ValueError as error:
            raise InputError(f"{path.name}: {error}", next_step="samtools faidx tells where") from error


def stage_reference(session: Session, path: Path) -> str:
    """The FASTA's address in the raw bucket, where it is put once, with its index."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    s3, bucket = session.client("s3"), session.settings.core.raw_bucket
    key = f"genomic/reference/{digest}.fa"
    try:
        s3.head_object(Bucket=bucket, Key=f"{key}.fai")
    except ClientError:
        s3.upload_file(str(path), bucket, key)
        s3.put_object(Bucket=bucket, Key=f"{key}.fai", Body=index_of(path).encode())
    return f"s3://{bucket}/{key}"


def staged_reference(session: Session, uri: str) -> Reference:
    """The reference of a load, read where it lies."""
    s3 = session.client("s3")
    bucket, key = bucket_and_key(uri)
    size = s3.head_object(Bucket=bucket, Key=key)["ContentLength"]
    index = s3.get_object(Bucket=bucket, Key=f"{key}.fai")["Body"].read().decode()
    return Reference(S3Source(s3, bucket, key, size), read_index(index))

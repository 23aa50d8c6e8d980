"""A VCF as HealthOmics gets it: the lines that hold, as BGZF, its samples under names that tell nobody.

It is staged as s3://<raw>/genomic/healthomics/<content hash>.vcf.gz. HealthOmics makes file names of sample names, so
they must not be a patient's; and a name of its own for each content keeps what a file brought apart from what an
earlier one of the same sample brought.
Source: https://docs.aws.amazon.com/omics/latest/dev/analytics-query-data.html

Example: staged = stage(session, file, Path("work.vcf.gz"), refused={12}, largest=20 * 10**9)
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pysam

from trilake.core.importer import SourceFile
from trilake.core.session import Session
from trilake.genomic.header import encode
from trilake.genomic.source import LocalSource, Unreadable, unpacked
from trilake.genomic.stream import Block, Stream

PREFIX = "genomic/healthomics"
COLUMNS = "#CHROM"
N_FIXED = 9
PIECE_BYTES = 1 << 22


@dataclass(frozen=True)
class Staged:
    """Where a file was staged; an empty address when it is larger than an import takes."""

    uri: str


def stage(session: Session, file: SourceFile, target: Path, *, refused: set[int], largest: int) -> Staged:
    """Write the file's good lines to `target`, then to the raw bucket; memory is a few megabytes."""
    with pysam.BGZFile(str(target), "wb", None) as staged:
        for text in staged_text(file.path, file.sha256, refused):
            staged.write(text)
    try:
        if target.stat().st_size > largest:
            return Staged("")
        key = f"{PREFIX}/{file.sha256}.vcf.gz"
        session.client("s3").upload_file(str(target), session.settings.core.raw_bucket, key)
    finally:
        target.unlink()
    return Staged(f"s3://{session.settings.core.raw_bucket}/{key}")


def staged_text(path: Path, sha256: str, refused: set[int]) -> Iterator[bytes]:
    """The header, then the lines that were not refused, as far as the stream goes; every line with its end."""
    stream = Stream(unpacked(LocalSource(path)))
    try:
        for _, line in stream.lines():
            if line.startswith(COLUMNS):
                yield encode(f"{renamed(line, sha256)}\n")
                break
            yield encode(f"{line}\n")
        for block in stream.blocks(PIECE_BYTES):
            yield without_refused(block, refused)
    except Unreadable:
        return


def without_refused(block: Block, refused: set[int]) -> bytes:
    """A block without the lines that were refused, empty lines and carriage returns."""
    is_whole = refused.isdisjoint(range(block.first_line, block.first_line + block.n_lines))
    if is_whole and block.data.endswith(b"\n") and b"\n\n" not in block.data and b"\r" not in block.data:
        return block.data
    lines = enumerate(block.data.split(b"\n"), block.first_line)
    good = (line.rstrip(b"\r") for number, line in lines if number not in refused)
    return b"".join(line + b"\n" for line in good if line)


def renamed(line: str, sha256: str) -> str:
    columns = line.split("\t")
    names = stored_names(sha256, len(columns) - N_FIXED)
    return "\t".join([*columns[:N_FIXED], *names])


def stored_names(sha256: str, n_samples: int) -> list[str]:
    """The names of a file's samples in the store, in the file's order: the same whenever the same content comes."""
    return [f"s{hashlib.sha256(f'{sha256}:{number}'.encode()).hexdigest()[:24]}" for number in range(n_samples)]

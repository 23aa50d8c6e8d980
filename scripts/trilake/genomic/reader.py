"""The heart of the genomic room: a VCF file to Arrow record batches and the records that were refused.

Pure but for reading the file; the load job runs it under Spark and on a laptop alike. Memory is one batch.

Example:
    reading = open_vcf(Path("a.vcf.gz"), "a.vcf.gz", load_id="l", job_id="j", default_genome="GRCh38")
    for batch in reading.batches(): ...
    reading.counts, reading.refused
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from trilake.core.ledger import Reason
from trilake.genomic.header import VcfHeader, read_header
from trilake.genomic.record import VcfRecord, read_record
from trilake.genomic.shape import ANNOTATION, VARIANT, record_batch
from trilake.genomic.split import Origin, annotation_rows, variant_rows
from trilake.genomic.text import Unreadable, lacks_end_block, lacks_newline, numbered_lines

BATCH_ROWS = 8_192
MOST_WARNINGS = 20
RELEASE = re.compile(r"(20\d{2})-?(\d{2})-?(\d{2})")


@dataclass(frozen=True)
class Refused:
    """One data line that did not load, with why."""

    line: int
    text: str
    reasons: tuple[Reason, ...]


@dataclass
class Counts:
    """Data lines of a file: records_in = loaded + duplicate + refused. What follows a break is one refused record."""

    records_in: int = 0
    loaded: int = 0
    duplicate: int = 0
    refused: int = 0


@dataclass
class Reading:
    """One VCF being read. `faults` refuse the whole file; `warnings` do not; `refused` grows as batches are taken."""

    header: VcfHeader
    origin: Origin
    faults: list[Reason]
    warnings: list[Reason] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)
    _lines: Iterator[tuple[int, str]] = field(default_factory=lambda: iter(()))
    _place: tuple[str, int] = ("", 0)
    _contigs: set[str] = field(default_factory=set)
    _here: dict[tuple[Any, ...], str] = field(default_factory=dict)

    @property
    def is_annotation(self) -> bool:
        """Sites only, no samples: a table of what is known about alleles."""
        return not self.header.samples

    @property
    def schema(self) -> pa.Schema:
        return ANNOTATION if self.is_annotation else VARIANT

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Rows as Arrow, in file order. A stream that breaks ends the file: what came before is kept, with a fault."""
        rows, same = self._rows(), self.origin.columns
        while chunk := list(islice(rows, BATCH_ROWS)):
            yield record_batch(chunk, self.schema, same)

    def _rows(self) -> Iterator[dict[str, Any]]:
        make = annotation_rows if self.is_annotation else variant_rows
        for record in self._records():
            yield from make(record, self.header)

    def _records(self) -> Iterator[VcfRecord]:
        try:
            for number, text in self._lines:
                if text:
                    self.counts.records_in += 1
                    if (record := self._accepted(number, text)) is not None:
                        self.counts.loaded += 1
                        yield record
        except Unreadable as error:
            self.counts.records_in += 1
            self.counts.refused += 1
            self.faults.append(Reason("FILE_UNREADABLE", expected="a file that is whole", found=str(error)))
            self.warnings = [reason for reason in self.warnings if reason.code != "VCF_NO_END_BLOCK"]
        if not self.counts.records_in:
            self._warn(Reason("VCF_NO_RECORDS", expected="a record after the header", is_warning=True))

    def _accepted(self, number: int, text: str) -> VcfRecord | None:
        """The line's record; None when it is refused or a duplicate."""
        record, reasons = read_record(text, number, self.header)
        if reasons:
            self._warn(*(reason for reason in reasons if reason.is_warning))
        if record is None:
            self._refuse(number, text, reasons)
            return None
        self._watch_order(record)
        earlier = self._seen(record, text)
        if earlier is None:
            return record
        if earlier == text:
            self.counts.duplicate += 1
        else:
            reason = Reason("VCF_DUPLICATE", expected="each allele of a position once", line=number, path="ALT")
            self._refuse(number, text, [reason])
        return None

    def _refuse(self, number: int, text: str, reasons: list[Reason]) -> None:
        self.counts.refused += 1
        self.refused.append(Refused(number, text, tuple(reason for reason in reasons if not reason.is_warning)))

    def _warn(self, *reasons: Reason) -> None:
        self.warnings += reasons[: MOST_WARNINGS - len(self.warnings)]

    def _watch_order(self, record: VcfRecord) -> None:
        contig, position = self._place
        is_ordered = record.pos >= position if record.chrom == contig else record.chrom not in self._contigs
        if not is_ordered and not any(reason.code == "VCF_ORDER" for reason in self.warnings):
            expected = "records sorted by position within contiguous contigs"
            self._warn(Reason("VCF_ORDER", expected=expected, line=record.line, path="POS", is_warning=True))
        if (record.chrom, record.pos) != self._place:
            self._here.clear()
        self._place = (record.chrom, record.pos)
        self._contigs.add(record.chrom)

    def _seen(self, record: VcfRecord, text: str) -> str | None:
        """The earlier line at this position that has an allele of this record; symbolic alleles may repeat."""
        keys = [(record.ref.upper(), alt.upper()) for alt in record.alts or ["."] if not alt.startswith("<")]
        earlier = next((self._here[key] for key in keys if key in self._here), None)
        for key in keys:
            self._here.setdefault(key, text)
        return earlier


def open_vcf(path: Path, name: str, *, load_id: str, job_id: str, default_genome: str) -> Reading:
    """A VCF with its header read and judged. Never raises for what the file holds: see `Reading.faults`."""
    lines = numbered_lines(path)
    try:
        first = next(lines, None)
        if first is None:
            return Reading(
                VcfHeader(), Origin(name, load_id, job_id, default_genome), [Reason("FILE_EMPTY", "content")]
            )
        lines = chain([first], lines)
        header, reasons = read_header(lines)
    except Unreadable as error:
        fault = Reason("FILE_UNREADABLE", expected="a file that is whole", found=str(error))
        return Reading(VcfHeader(), Origin(name, load_id, job_id, default_genome), [fault])
    genome = header.reference_genome or default_genome
    origin = Origin(name, load_id, job_id, genome, release_of(header, name))
    faults = [reason for reason in reasons if not reason.is_warning]
    reading = Reading(header, origin, faults, [reason for reason in reasons if reason.is_warning], _lines=lines)
    if faults:
        return reading
    if header.reference_genome is None:
        reading._warn(assumed(default_genome))
    if lacks_newline(path):
        reading._warn(Reason("VCF_NO_NEWLINE", expected="a line end after the last line", is_warning=True))
    if lacks_end_block(path):
        reading._warn(Reason("VCF_NO_END_BLOCK", expected="the empty block that ends a BGZF file", is_warning=True))
    return reading


def assumed(genome: str) -> Reason:
    expected = f"##reference or ##contig lines that tell the build; {genome} is assumed"
    return Reason("VCF_BUILD_ASSUMED", expected=expected, is_warning=True)


def release_of(header: VcfHeader, name: str) -> str:
    """Release of an annotation file: its fileDate, else a date in its name, else empty, which sorts as the oldest."""
    for text in (header.file_date or "", name):
        if match := RELEASE.search(text):
            return "-".join(match.groups())
    return ""

"""The heart of the genomic room: a VCF file, or a part of one, to Arrow record batches and the records refused.

The load job runs it under Spark and on a laptop alike. Memory is some blocks, whatever the file's size.

Example:
    reading = open_vcf(Path("a.vcf.gz"), "a.vcf.gz", load_id="l", job_id="j", default_genome="GRCh38")
    for batch in reading.batches(): ...
    reading.counts, reading.refused
"""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from trilake.core.ledger import Reason, shape
from trilake.genomic.block import MOST_WARNINGS, Counts, OrderWatch, Parsed, Refused, Run, joined, parse_block
from trilake.genomic.header import VcfHeader, read_header
from trilake.genomic.reference import Reference
from trilake.genomic.source import (
    LocalSource,
    Source,
    Span,
    Unreadable,
    lacks_end_block,
    lacks_newline,
    unpacked,
    unpacked_span,
)
from trilake.genomic.split import Origin
from trilake.genomic.store_schema import ANNOTATION, VARIANT
from trilake.genomic.stream import Block, Stream, lines_of_span

__all__ = ["Counts", "Reading", "Refused", "open_source", "open_vcf"]
BLOCK_BYTES = 6 << 20
# A cell of many samples takes about 4 bytes of text (`0/0\t`) and becomes a row of 26 columns, so that a block of 6 MB
# would take gigabytes; this one holds some 130,000 cells.
BLOCK_BYTES_OF_MANY_SAMPLES = 1 << 19
MANY_SAMPLES = 8
MOST_WORKERS = 8
RELEASE = re.compile(r"(20\d{2})-?(\d{2})-?(\d{2})")


@dataclass
class Reading:
    """One VCF being read. `faults` refuse the whole file; `warnings` do not; `refused` grows as batches are taken.

    A part of a file (`is_part`) keeps its `runs`, so that the order can be told when all parts are read.
    """

    header: VcfHeader
    origin: Origin
    faults: list[Reason]
    warnings: list[Reason] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)
    workers: int = 1
    is_part: bool = False
    reference: Reference | None = None
    runs: list[Run] = field(default_factory=list)
    _stream: Stream | None = None
    _undeclared: set[tuple[str, str]] = field(default_factory=set)
    _order: OrderWatch = field(default_factory=OrderWatch)

    @property
    def is_annotation(self) -> bool:
        """Sites only, no samples: a table of what is known about alleles."""
        return not self.header.samples

    @property
    def schema(self) -> pa.Schema:
        return ANNOTATION if self.is_annotation else VARIANT

    @property
    def block_bytes(self) -> int:
        """Blocks whose rows take about as much memory whatever the number of samples."""
        return BLOCK_BYTES_OF_MANY_SAMPLES if self.n_samples > MANY_SAMPLES else BLOCK_BYTES

    @property
    def n_samples(self) -> int:
        return len(self.header.samples)

    def batches(self, *, is_exact: bool = False) -> Iterator[pa.RecordBatch]:
        """Rows as Arrow, in file order. A stream that breaks ends the file: what came before is kept, with a fault.

        `is_exact` reads every record one by one: slow, and the same.
        """
        if self._stream is None:
            return
        blocks = self._stream.blocks(self.block_bytes)
        parse = lambda block: parse_block(  # noqa: E731
            block, self.header, self.origin, reference=self.reference, is_exact=is_exact
        )
        try:
            for parsed in in_threads(parse, blocks, self.workers):
                self._take(parsed)
                if parsed.batch.num_rows:
                    yield parsed.batch
        except Unreadable as error:
            self.counts.records_in += 1
            self.counts.refused += 1
            self.faults.append(Reason("FILE_UNREADABLE", expected="a file that is whole", found=str(error)))
            # A file that breaks lacks its end too: told once is enough.
            self.warnings = [reason for reason in self.warnings if reason.code != "VCF_NO_END_BLOCK"]
        if not self.counts.records_in and not self.is_part:
            self._warn(Reason("VCF_NO_RECORDS", expected="a record after the header", is_warning=True))

    @property
    def n_lines(self) -> int:
        """How many lines were read so far, those of the header too."""
        return self._stream.n_lines if self._stream else self.header.n_lines

    def _take(self, parsed: Parsed) -> None:
        if self.is_part:
            self.runs = joined([*self.runs, *parsed.runs])
        self.counts.add(parsed.counts)
        self.refused += parsed.refused
        self._warn(*parsed.warnings)
        for (column, name), line in sorted(parsed.undeclared.items(), key=lambda item: item[1]):
            if (column, name) not in self._undeclared:
                self._undeclared.add((column, name))
                text = shape(name) if column == "CHROM" else name
                self._warn(Reason("VCF_UNDECLARED", "a declaration", text, line, column, is_warning=True))
        unordered = self._order.first_disorder(parsed.runs)
        if unordered is not None and not any(reason.code == "VCF_ORDER" for reason in self.warnings):
            self._warn(disorder(unordered))

    def _warn(self, *reasons: Reason) -> None:
        self.warnings += reasons[: MOST_WARNINGS - len(self.warnings)]


def in_threads(parse: Callable[[Block], Parsed], blocks: Iterator[Block], workers: int) -> Iterator[Parsed]:
    """`parse` of each block, in order; what `blocks` raises comes after the last. One block alone needs no threads."""
    # Arrow's kernels and numpy release Python's lock, so threads share the blocks of one file; processes would have to
    # copy every batch.
    first = next(blocks, None) if workers > 1 else None
    second, broken = None, None
    try:
        second = next(blocks, None)
    except Unreadable as error:
        broken = error
    if first is None or second is None:
        yield from map(parse, (block for block in (first, second) if block is not None))
        if broken:
            raise broken
        yield from map(parse, blocks)
        return
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[Parsed]] = deque([pool.submit(parse, first), pool.submit(parse, second)])
        try:
            for block in blocks:
                waiting.append(pool.submit(parse, block))
                # No more blocks are read ahead than threads are busy with: this is what bounds memory.
                if len(waiting) > workers + 1:
                    yield waiting.popleft().result()
        except Unreadable as error:
            broken = error
        yield from (future.result() for future in waiting)
    if broken:
        raise broken


def processors() -> int:
    """How many threads are worth it."""
    # A container or Glue worker may have fewer processors than the machine; where the system tells, those count.
    return min(MOST_WORKERS, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def open_vcf(
    path: Path,
    name: str,
    *,
    load_id: str,
    job_id: str,
    default_genome: str,
    workers: int | None = None,
    reference: Reference | None = None,
) -> Reading:
    """A VCF on disk with its header read and judged. Never raises for what the file holds: see `Reading.faults`."""
    origin = Origin(name, load_id, job_id, default_genome)
    return open_source(LocalSource(path), origin, workers=workers or processors(), reference=reference)


def open_source(
    source: Source,
    origin: Origin,
    *,
    workers: int = 1,
    span: Span | None = None,
    reference: Reference | None = None,
) -> Reading:
    """A VCF with its header read and judged; `origin` has the genome that is assumed when the header names none.

    With a `span` the records are those of a part, whose lines are counted from its own first.
    """
    if source.size == 0:
        return Reading(VcfHeader(), origin, [Reason("FILE_EMPTY", "content")])
    stream = Stream(unpacked(source, workers=workers))
    try:
        header, reasons = read_header(stream.lines())
    except Unreadable as error:
        fault = Reason("FILE_UNREADABLE", expected="a file that is whole", found=str(error))
        return Reading(VcfHeader(), origin, [fault])
    if not stream.n_lines:
        return Reading(VcfHeader(), origin, [Reason("FILE_EMPTY", "content")])
    genome = header.reference_genome or origin.reference_genome
    origin = Origin(origin.source_file, origin.load_id, origin.job_id, genome, release_of(header, origin.source_file))
    faults = [reason for reason in reasons if not reason.is_warning]
    reading = Reading(header, origin, faults, [reason for reason in reasons if reason.is_warning], workers=workers)
    if faults:
        return reading
    reading.reference = reference
    reading._stream = stream
    if span is not None:
        reading._stream = stream_of_span(source, span, stream, workers)
        reading.is_part = span != Span(0, source.size)
    if header.reference_genome is None:
        reading._warn(assumed(genome))
    if lacks_newline(source):
        reading._warn(Reason("VCF_NO_NEWLINE", expected="a line end after the last line", is_warning=True))
    if lacks_end_block(source):
        reading._warn(Reason("VCF_NO_END_BLOCK", expected="the empty block that ends a BGZF file", is_warning=True))
    return reading


def stream_of_span(source: Source, span: Span, whole: Stream, workers: int) -> Stream:
    """The part's lines, without the header's."""
    is_first = span.start == 0
    stream = Stream(lines_of_span(unpacked_span(source, span, workers), is_first=is_first))
    if is_first:
        for _ in islice(stream.lines(), whole.n_lines):
            pass
    return stream


def assumed(genome: str) -> Reason:
    expected = f"##reference or ##contig lines that tell the build; {genome} is assumed"
    return Reason("VCF_BUILD_ASSUMED", expected=expected, is_warning=True)


def release_of(header: VcfHeader, name: str) -> str:
    """Release of an annotation file: its fileDate, else a date in its name, else empty, which sorts as the oldest."""
    for text in (header.file_date or "", name):
        if match := RELEASE.search(text):
            return "-".join(match.groups())
    return ""


Report = dict[str, Any]


def report_of(reading: Reading) -> Report:
    """What became of a file's records, or of a part's: then with its lines, counted from its first, and runs."""
    file_report: Report = {
        "counts": asdict(reading.counts),
        "refused": [
            {"line": entry.line, "text": entry.text, "reasons": [asdict(reason) for reason in entry.reasons]}
            for entry in reading.refused
        ],
        "warnings": [asdict(reason) for reason in reading.warnings],
        "faults": [asdict(reason) for reason in reading.faults],
    }
    if reading.is_part:
        file_report |= {"n_lines": reading.n_lines, "runs": [asdict(run) for run in reading.runs]}
    return file_report


def merged(parts: list[Report]) -> Report:
    """The report of the file whose parts these are, in order. Lines are counted from the file's first again."""
    if len(parts) == 1:
        return parts[0]
    whole: Report = {"counts": {}, "refused": [], "warnings": [], "faults": []}
    n_lines, watch = 0, OrderWatch()
    for part in parts:
        for name, count in part["counts"].items():
            whole["counts"][name] = whole["counts"].get(name, 0) + count
        for refused in part["refused"]:
            reasons = [shifted(reason, n_lines) for reason in refused["reasons"]]
            whole["refused"].append({**refused, "line": refused["line"] + n_lines, "reasons": reasons})
        # What is wrong with the header or the end of the file every part tells, in lines of the file.
        own = [reason for reason in part["warnings"] if reason["code"] != "VCF_ORDER"]
        whole["warnings"] += [reason if is_of_file(reason) else shifted(reason, n_lines) for reason in own]
        whole["faults"] += part["faults"]
        runs = [Run(**run) for run in part["runs"]]
        line = watch.first_disorder(runs)
        if line is not None and not any(reason["code"] == "VCF_ORDER" for reason in whole["warnings"]):
            whole["warnings"].append(asdict(disorder(line + n_lines)))
        n_lines += part["n_lines"]
    whole["warnings"] = distinct(whole["warnings"])[:MOST_WARNINGS]
    return whole


def is_of_file(reason: dict[str, Any]) -> bool:
    return reason["code"] in ("VCF_HEADER", "VCF_BUILD", "VCF_BUILD_ASSUMED", "VCF_NO_NEWLINE", "VCF_NO_END_BLOCK")


def disorder(line: int) -> Reason:
    expected = "records sorted by position within contiguous contigs"
    return Reason("VCF_ORDER", expected=expected, line=line, path="POS", is_warning=True)


def shifted(reason: dict[str, Any], n_lines: int) -> dict[str, Any]:
    return {**reason, "line": None if reason["line"] is None else reason["line"] + n_lines}


def distinct(reasons: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The reasons but those that an earlier part told already; of an undeclared name, the first line counts."""
    firsts: dict[tuple[Any, ...], dict[str, Any]] = {}
    for reason in reasons:
        line = None if reason["code"] == "VCF_UNDECLARED" else reason["line"]
        firsts.setdefault((reason["code"], reason["path"], reason["found"], line), reason)
    return list(firsts.values())

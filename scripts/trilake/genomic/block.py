"""A block of VCF lines to Arrow: the common ones column by column, the odd ones one by one, in the order of the file.

This is what a laptop's threads and Spark's tasks both run.

Example: parsed = parse_block(Block(12, b"1\t100\t..."), header, origin); parsed.batch, parsed.refused
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from trilake.core.ledger import Reason
from trilake.genomic.genome_build import contig_name
from trilake.genomic.header import VcfHeader, decode
from trilake.genomic.normalise import differs, normalise_batch
from trilake.genomic.record import Name, VcfRecord, may_repeat, read_record, undeclared
from trilake.genomic.reference import Reference
from trilake.genomic.split import Origin, annotation_rows, variant_rows
from trilake.genomic.store_schema import ANNOTATION, VARIANT, record_batch
from trilake.genomic.stream import Block
from trilake.genomic.vector.lines import Vectorised, vectorised

MOST_WARNINGS = 20  # Of one file: a caller that breaks a rule breaks it in every line.


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

    def add(self, other: Counts) -> None:
        self.records_in += other.records_in
        self.loaded += other.loaded
        self.duplicate += other.duplicate
        self.refused += other.refused


@dataclass(frozen=True)
class Run:
    """Records of one contig that follow each other, with the line where the first stands.

    `disorder` is the line of the first that stands before its predecessor's position.
    """

    contig: str
    line: int
    first: int
    last: int
    disorder: int | None = None


@dataclass
class Parsed:
    """What became of a block. `warnings` are the first only; `runs` say in which order its records stand, `undeclared`
    which names that the header lacks they use, with the line of the first."""

    batch: pa.RecordBatch
    refused: list[Refused] = field(default_factory=list)
    warnings: list[Reason] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)
    runs: list[Run] = field(default_factory=list)
    undeclared: dict[Name, int] = field(default_factory=dict)


def parse_block(
    block: Block, header: VcfHeader, origin: Origin, *, reference: Reference | None = None, is_exact: bool = False
) -> Parsed:
    """The block's rows and refused records; with a `reference`, REF is held against it and alleles are normalised.

    `is_exact` reads every line one by one, with the same result.
    """
    data = block.data.replace(b"\r\n", b"\n") if b"\r" in block.data else block.data
    fast = Vectorised.nothing() if is_exact else vectorised(data, header, origin, reference)
    exact = Exact(header, block.first_line, reference)
    exact.read(lines_at(data, fast.odd))
    schema = VARIANT if header.samples else ANNOTATION
    parts = [*fast.parts, *exact_parts(exact, header, origin, schema)]
    n_loaded = len(fast.lines) + len(exact.records)
    n_refused = len(exact.refused)
    counts = Counts(n_loaded + n_refused + exact.n_duplicates, n_loaded, exact.n_duplicates, n_refused)
    runs = all_runs(fast, exact, block.first_line)
    names = exact.undeclared
    for name, line in fast.undeclared.items():
        names[name] = min(line + block.first_line, names.get(name, line + block.first_line))
    batch = in_order(parts, schema)
    if reference is not None:
        batch = normalise_batch(batch, reference)
    return Parsed(batch, exact.refused, exact.warnings, counts, runs, names)


# The exact way, and both ways put together again.


@dataclass
class Exact:
    """Lines read one by one: what `record` makes of them. Lines are numbers within the block."""

    header: VcfHeader
    first_line: int
    reference: Reference | None = None
    records: list[tuple[int, VcfRecord]] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    warnings: list[Reason] = field(default_factory=list)
    undeclared: dict[Name, int] = field(default_factory=dict)
    n_duplicates: int = 0
    _before: int = -1
    _place: tuple[str, int] = ("", 0)
    _line_of_allele: dict[tuple[str, str], str] = field(default_factory=dict)

    def read(self, lines: Iterable[tuple[int, bytes]]) -> None:
        for number, raw in lines:
            text = decode(raw)
            if number != self._before + 1:
                # Lines between were read the fast way, which is done for whole places only: another place begins.
                self._line_of_allele.clear()
            self._before = number
            if text:
                self._read(number, text)
            else:
                line, expected = self.first_line + number, "no empty lines; it is passed over"
                self._warn([Reason("VCF_COLUMNS", expected, "an empty line", line, "line", is_warning=True)])

    def _read(self, number: int, text: str) -> None:
        line = self.first_line + number
        record, reasons = read_record(text, line, self.header)
        self._warn([reason for reason in reasons if reason.is_warning])
        if record is None:
            self._refuse(line, text, reasons)
            return
        if self.reference is not None and is_mismatch(record, self.reference):
            expected = "the bases of the reference at this position"
            self._refuse(line, text, [Reason("VCF_REF_MISMATCH", expected, "other bases", line=line, path="REF")])
            return
        if (record.chrom, record.pos) != self._place:
            self._line_of_allele.clear()
            self._place = (record.chrom, record.pos)
        earlier = self._seen(record, text)
        if earlier is None:
            self.records.append((number, record))
            for name in undeclared(record, self.header):
                self.undeclared.setdefault(name, line)
        elif earlier == text:
            self.n_duplicates += 1
            self._warn([Reason("VCF_REPEATED", "each record once", line=line, path="line", is_warning=True)])
        else:
            reason = Reason("VCF_DUPLICATE", expected="each allele of a position once", line=line, path="ALT")
            self._refuse(line, text, [reason])

    def _warn(self, reasons: list[Reason]) -> None:
        self.warnings += reasons[: MOST_WARNINGS - len(self.warnings)]

    def _refuse(self, line: int, text: str, reasons: list[Reason]) -> None:
        self.refused.append(Refused(line, text, tuple(reason for reason in reasons if not reason.is_warning)))

    def _seen(self, record: VcfRecord, text: str) -> str | None:
        """The earlier line at this position that has an allele of this record."""
        keys = [(record.ref.upper(), alt.upper()) for alt in record.alts or ["."] if not may_repeat(alt)]
        earlier = next((self._line_of_allele[key] for key in keys if key in self._line_of_allele), None)
        for key in keys:
            self._line_of_allele.setdefault(key, text)
        return earlier


def is_mismatch(record: VcfRecord, reference: Reference) -> bool:
    contig, start = contig_name(record.chrom), max(record.pos - 1, 0)
    return reference.has(contig) and differs(record.ref, reference.bases(contig, start, start + len(record.ref)))


def lines_at(data: bytes, numbers: np.ndarray | None) -> Iterator[tuple[int, bytes]]:
    """The lines of these numbers, all of them for None."""
    if numbers is None:
        yield from enumerate(data.removesuffix(b"\n").split(b"\n"))
    elif len(numbers):
        lines = data.split(b"\n")
        yield from ((number, lines[number]) for number in numbers.tolist())


def exact_parts(
    exact: Exact, header: VcfHeader, origin: Origin, schema: pa.Schema
) -> list[tuple[np.ndarray, pa.RecordBatch]]:
    make = variant_rows if header.samples else annotation_rows
    rows: list[dict[str, Any]] = []
    lines: list[int] = []
    for number, record in exact.records:
        record_rows = list(make(record, header))
        rows += record_rows
        lines += [number] * len(record_rows)
    return [(np.array(lines), record_batch(rows, schema, origin.columns))] if rows else []


def in_order(parts: list[tuple[np.ndarray, pa.RecordBatch]], schema: pa.Schema) -> pa.RecordBatch:
    """The rows of all parts by the line that they come from."""
    if not parts:
        return empty(schema)
    if len(parts) == 1:
        return parts[0][1]
    order = np.argsort(np.concatenate([lines for lines, _ in parts]), kind="stable")
    arrays = [
        pa.concat_arrays([batch.column(number) for _, batch in parts]).take(pa.array(order))
        for number in range(len(schema))
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def empty(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.nulls(0, column.type) for column in schema], schema=schema)


def all_runs(fast: Vectorised, exact: Exact, first_line: int) -> list[Run]:
    """The runs of all accepted records, whichever way they were read."""
    names = list(fast.names)
    numbers = {name: number for number, name in enumerate(names)}
    contigs = []
    for _, record in exact.records:
        contigs.append(numbers.setdefault(record.chrom, len(numbers)))
    lines = np.concatenate([fast.lines, [number for number, _ in exact.records]]).astype(np.int64)
    codes = np.concatenate([fast.contigs, contigs]).astype(np.int64)
    positions = np.concatenate([fast.positions, [record.pos for _, record in exact.records]]).astype(np.int64)
    order = np.argsort(lines, kind="stable")
    return runs_of(lines[order] + first_line, codes[order], list(numbers), positions[order])


def runs_of(lines: np.ndarray, contigs: np.ndarray, names: list[str], positions: np.ndarray) -> list[Run]:
    """The runs of records at `lines`, whose contigs are numbers in `names`."""
    if not len(lines):
        return []
    starts = np.concatenate([[0], np.flatnonzero(contigs[1:] != contigs[:-1]) + 1])
    ends = np.append(starts[1:], len(lines))
    falls = np.flatnonzero(positions[1:] < positions[:-1]) + 1
    runs = []
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        within = falls[(falls > start) & (falls < end)] if len(falls) else falls
        runs.append(
            Run(
                names[contigs[start]],
                int(lines[start]),
                int(positions[start]),
                int(positions[end - 1]),
                int(lines[within[0]]) if len(within) else None,
            )
        )
    return runs


def joined(runs: list[Run]) -> list[Run]:
    """The runs, those that go on in order made one."""
    merged: list[Run] = []
    for run in runs:
        before = merged[-1] if merged else None
        if before and before.contig == run.contig and before.last <= run.first and before.disorder is None:
            merged[-1] = Run(run.contig, before.line, before.first, run.last, run.disorder)
        else:
            merged.append(run)
    return merged


@dataclass
class OrderWatch:
    """Follows the runs of a file in the order of its lines."""

    contig: str = ""
    position: int = 0
    contigs: set[str] = field(default_factory=set)

    def first_disorder(self, runs: Iterable[Run]) -> int | None:
        """The line of the first record among these that is out of order."""
        disorder = None
        for run in runs:
            is_ordered = run.first >= self.position if run.contig == self.contig else run.contig not in self.contigs
            if disorder is None:
                disorder = run.disorder if is_ordered else run.line
            self.contig, self.position = run.contig, run.last
            self.contigs.add(run.contig)
        return disorder

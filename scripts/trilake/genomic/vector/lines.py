"""The common VCF lines of a block, column by column; the numbers of the others, to be read one by one.

Text becomes columns by Arrow's CSV reader (one sample) or by splitting lines (several); `site` and
`sample` then check and convert whole columns, the lines grouped by FORMAT. Nothing here says what is wrong: a
line that is not certainly right is odd, and `record` tells what it is.

Example: fast = vectorised(data, header, origin); fast.parts, fast.odd
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv

from trilake.genomic.header import VcfHeader
from trilake.genomic.record import Name, undeclared_contig, undeclared_filters, undeclared_keys
from trilake.genomic.reference import Reference
from trilake.genomic.split import Origin
from trilake.genomic.store_schema import ANNOTATION, VARIANT
from trilake.genomic.values import layout_of
from trilake.genomic.vector.place import as_the_reference, with_neighbours
from trilake.genomic.vector.rows import SiteRows, places_within, site_rows
from trilake.genomic.vector.sample import Cells, read_cells, sample_rows, sound_lines
from trilake.genomic.vector.site import Columns, Site, read_site
from trilake.genomic.vector.tokens import coded, split

# Arrow's calls cost the same for one line as for a thousand: below this, one by one is quicker.
FEWEST_CELLS = 16
# Each FORMAT is a pass over its own columns; callers write one or two, merged files a handful.
MOST_FORMATS = 12
NAMES = ("chrom", "pos", "id", "ref", "alt", "qual", "filter", "info", "format", "cells")
PLAIN = bytes(range(0x21, 0x7F)) + b"\t\n"
TAB, NEWLINE = ord("\t"), ord("\n")
IS_PLAIN = np.isin(np.arange(256), list(PLAIN))
NO_NUMBERS = np.empty(0, np.int64)
Part = tuple[np.ndarray, pa.RecordBatch]


@dataclass
class Vectorised:
    """Rows of the lines that are common, with the line of each row; and the lines that are `odd` (None: all).

    `lines`, `contigs` (numbers in `names`) and `positions` are those of the common lines; `undeclared` are names
    that the header lacks, with the first line that has them.
    """

    parts: list[Part]
    odd: np.ndarray | None
    lines: np.ndarray
    contigs: np.ndarray
    names: list[str]
    positions: np.ndarray
    undeclared: dict[Name, int] = field(default_factory=dict)

    @classmethod
    def nothing(cls) -> Vectorised:
        return cls([], None, NO_NUMBERS, NO_NUMBERS, [], NO_NUMBERS)


@dataclass(frozen=True)
class Text:
    """Lines as columns: `lines` are their numbers in the block, `cells` the samples of all lines, `starts` where every
    line of the block starts, the regular ones and the others."""

    lines: np.ndarray
    columns: Columns
    cells: pa.StringArray | None
    starts: np.ndarray


def vectorised(data: bytes, header: VcfHeader, origin: Origin, reference: Reference | None = None) -> Vectorised:
    """The block's common lines as rows. A block of few lines is not worth it."""
    if data.count(b"\n") * max(1, len(header.samples)) < FEWEST_CELLS:
        return Vectorised.nothing()
    text = read_text(data, len(header.samples))
    if not len(text.lines):
        return Vectorised.nothing()
    site = read_site(text.columns, header)
    groups = formats_of(text.columns["format"], site) if header.samples else {"": np.ones(len(text.lines), bool)}
    cells = {form: cells_of(text, group, form, header) for form, group in groups.items()} if header.samples else {}
    for form, group in groups.items() if header.samples else ():
        # A line is all right or all odd: one bad sample sends the whole line to `record`.
        site.ok[group] &= sound_lines(cells[form], site.n_alts[group])
    codes, names = coded(text.columns["chrom"])
    positions = site.positions
    if reference is not None:
        site.ok &= as_the_reference(site, codes, names, reference)
    site.ok &= with_neighbours(data, text.starts, text.lines, site, codes, names)
    parts = [
        part for form, group in groups.items() for part in rows_of(text, site, group, cells.get(form), header, origin)
    ]
    odd = np.ones(len(text.starts), bool)
    odd[text.lines[site.ok]] = False
    lacking = {name: int(text.lines[row]) for name, row in names_undeclared(site, groups, header)}
    return Vectorised(
        parts, np.flatnonzero(odd), text.lines[site.ok], codes[site.ok], names, positions[site.ok], lacking
    )


def names_undeclared(site: Site, groups: dict[str, np.ndarray], header: VcfHeader) -> Iterator[tuple[Name, int]]:
    """(name, first common line that has it) of what the header lacks; the first line of a name comes last."""
    uses: list[tuple[Name, np.ndarray]] = []
    for column, names_of in (("chrom", undeclared_contig), ("filter", filter_names)):
        codes, distinct = coded(site.columns[column])
        for code, text in enumerate(distinct):
            uses += [(name, codes == code) for name in names_of(text, header)]
    for form, group in groups.items() if header.samples else ():
        uses += [(name, group) for name in undeclared_keys(form.split(":"), header)]
    for key, owners in site.undeclared.items():
        uses.append((("INFO", key), np.isin(np.arange(len(site.ok)), owners)))
    firsts = [(int(np.argmax(rows & site.ok)), name) for name, rows in uses if (rows & site.ok).any()]
    yield from ((name, row) for row, name in sorted(firsts, reverse=True))


def filter_names(text: str, header: VcfHeader) -> Iterator[Name]:
    return undeclared_filters(() if text == "." else text.split(";"), header)


def read_text(data: bytes, n_samples: int) -> Text:
    """The lines of printable ASCII that have the right number of columns, as columns."""
    n_columns = 9 + n_samples if n_samples else 8
    values = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(values == NEWLINE) + 1
    if not data.endswith(b"\n"):
        ends = np.append(ends, len(data))
    starts = np.concatenate([[0], ends[:-1]])
    tabs = np.searchsorted(np.flatnonzero(values == TAB), np.append(starts, len(data)))
    is_regular = np.diff(tabs) == n_columns - 1
    # `translate` looks at all bytes in one pass of C; only when it leaves some is it worth asking where they stand.
    if data.translate(None, PLAIN):
        strange = np.flatnonzero(~IS_PLAIN[values])
        is_regular[np.searchsorted(ends, strange, side="right")] = False
    lines = np.flatnonzero(is_regular)
    if not is_regular.all():
        data = values[np.repeat(is_regular, ends - starts)].tobytes()
    columns, cells = columns_of(data, n_samples) if len(lines) else ({}, None)
    return Text(lines, columns, cells, starts)


def columns_of(data: bytes, n_samples: int) -> tuple[Columns, pa.StringArray | None]:
    """(the columns before the samples, the samples of all lines one after the other)."""
    # Arrow's CSV reader wants a name and a builder for each column, which is slow from some samples on: there only the
    # nine site columns are cut, and the samples of all lines are split in one go.
    if n_samples > 1:
        lines = [line.split(b"\t", 9) for line in data.removesuffix(b"\n").split(b"\n")]
        *columns, rests = (list(column) for column in zip(*lines, strict=True))
        named = dict(zip(NAMES, (pa.array(column, pa.string()) for column in columns), strict=False))
        return named, split(pa.array([b"\t".join(rests)], pa.string()), b"\t").pieces
    names = list(NAMES[: 10 if n_samples else 8])
    table = csv.read_csv(
        pa.BufferReader(data),
        csv.ReadOptions(use_threads=False, block_size=len(data) + 1, column_names=names),
        csv.ParseOptions(delimiter="\t", quote_char=False, escape_char=False),
        csv.ConvertOptions(
            check_utf8=False, column_types=dict.fromkeys(names, pa.string()), null_values=[], strings_can_be_null=False
        ),
    )
    columns_by_name = {name: table.column(name).combine_chunks() for name in names}
    return columns_by_name, columns_by_name.pop("cells", None)


def formats_of(texts: pa.StringArray, site: Site) -> dict[str, np.ndarray]:
    """The lines of each FORMAT; those of the rarer ones, when there are many, are odd."""
    codes, forms = coded(texts)
    order = np.argsort(-np.bincount(codes, minlength=len(forms)), kind="stable")[:MOST_FORMATS]
    groups = {forms[code]: codes == code for code in order.tolist()}
    if len(forms) > MOST_FORMATS:
        site.ok &= np.isin(codes, order)
    return groups


def cells_of(text: Text, group: np.ndarray, form: str, header: VcfHeader) -> Cells:
    texts, n_samples = text.cells, len(header.samples)
    if texts is not None and not group.all():
        texts = texts.filter(pa.array(np.repeat(group, n_samples)))
    return read_cells(texts, layout_of(form, header), n_samples)


def rows_of(
    text: Text, site: Site, group: np.ndarray, cells: Cells | None, header: VcfHeader, origin: Origin
) -> list[Part]:
    """The rows of one FORMAT's lines, with their lines; none when no line is common."""
    chosen = group & site.ok
    if not chosen.any():
        return []
    is_kept = chosen[group]
    site = replace(site, ok=chosen).filter()
    rows = site_rows(site, header)
    columns, lines = rows.columns, rows.lines
    if cells is not None:
        site_row, sample, cell = crossed(site, rows, cells.n_samples)
        if cells.n_samples > 1:
            columns = {name: column.take(pa.array(site_row)) for name, column in columns.items()}
        lines = rows.lines[site_row]
        n_alts = site.n_alts[lines]
        columns |= sample_rows(cells.filter(is_kept), cell, rows.alleles[site_row], n_alts)
        columns["splitfrommultiallelic"] = pa.array(n_alts > 1)
        columns["sampleid"] = sample_names(header, sample)
    schema = VARIANT if header.samples else ANNOTATION
    same = origin.columns
    arrays = [
        pa.repeat(pa.scalar(same[column.name], column.type), len(lines))
        if column.name in same
        else columns[column.name]
        for column in schema
    ]
    return [(text.lines[chosen][lines], pa.RecordBatch.from_arrays(arrays, schema=schema))]


def crossed(site: Site, rows: SiteRows, n_samples: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(site row, sample, cell) of each row: line by line, sample by sample, allele by allele."""
    if n_samples == 1:
        return np.arange(len(rows.lines)), np.zeros(len(rows.lines), np.int64), rows.lines
    n_rows = np.maximum(site.n_alts, 1)
    line = np.repeat(np.arange(len(n_rows)), n_rows * n_samples)
    within = places_within(n_rows * n_samples)
    sample = within // n_rows[line]
    first = np.cumsum(n_rows) - n_rows
    return first[line] + within % n_rows[line], sample, line * n_samples + sample


def sample_names(header: VcfHeader, samples: np.ndarray) -> pa.StringArray:
    names = pa.array(header.samples, pa.string())
    return pa.repeat(names[0], len(samples)) if len(names) == 1 else names.take(pa.array(samples))

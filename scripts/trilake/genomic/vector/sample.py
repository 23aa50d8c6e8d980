"""The sample columns of many VCF lines of one FORMAT at once: checked, and cut down to one allele's values.

A cell is one sample of one line. What passes here `values.check_samples` would find nothing to say about, and
`split.sample_columns` would make the same of it.

Example: cells = read_cells(texts, layout, n_samples); cells.ok(n_alts)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trilake.genomic.genotype import Genotype, calls_of, read_genotype
from trilake.genomic.reserved import LOCAL, LOCAL_ALLELES, Field
from trilake.genomic.split import MOST_PLOIDY, places_of
from trilake.genomic.store_schema import TEXT_MAP
from trilake.genomic.structural import WATCHED_FORMAT
from trilake.genomic.values import SEPARATORS, Layout, plain
from trilake.genomic.vector.rows import cut_down, lists, offsets_of, places_within
from trilake.genomic.vector.tokens import Pieces, are_digits, coded, matches, split

WHOLE, REAL = r"-?\d{1,9}", r"[-+]?\d{1,15}(?:\.\d{0,30})?(?:[eE][-+]?\d{1,2})?"
LISTS = {"AD": ("R", WHOLE, pa.int32()), "PL": ("G", WHOLE, pa.int32()), "GL": ("G", REAL, pa.float64())}
LISTS["SPL"] = ("", WHOLE, pa.int32())
COLUMN_OF = {"AD": "alleledepths", "PL": "phredlikelihoods", "GL": "genotypelikelihoods", "SPL": "spl"}
SINGLES = {"DP": "depth", "GQ": "conditionalquality", "PS": "ps"}
UNKNOWN_PLOIDY = 0


@dataclass(frozen=True)
class Cells:
    """The samples of lines, line by line; `fields` are the colon-separated pieces of each."""

    layout: Layout
    n_samples: int
    fields: Pieces
    genotypes: list[Genotype | None]
    codes: np.ndarray

    @property
    def n(self) -> int:
        return len(self.fields.starts) - 1

    def filter(self, lines: np.ndarray) -> Cells:
        """The cells of some lines."""
        if lines.all():
            return self
        chosen = np.repeat(lines, self.n_samples)
        counts = self.fields.counts
        pieces = self.fields.pieces.filter(pa.array(np.repeat(chosen, counts)))
        starts = np.append(0, np.cumsum(counts[chosen]))
        return replace(self, fields=Pieces(pieces, starts), codes=self.codes[chosen])

    def field(self, number: int) -> tuple[pa.StringArray, np.ndarray]:
        """(texts of the cells that give a value other than a point, which cells those are)."""
        has_value = self.fields.counts > number
        places = self.fields.starts[:-1] + number
        texts = self.fields.pieces.take(pa.array(places if has_value.all() else places[has_value]))
        is_point = np.asarray(pc.equal(texts, ".").to_numpy(zero_copy_only=False))
        if is_point.any():
            has_value[has_value] = ~is_point
            texts = texts.filter(pa.array(~is_point))
        return texts, has_value


def read_cells(texts: pa.StringArray, layout: Layout, n_samples: int) -> Cells:
    fields = split(texts, b":")
    if not layout.has_genotype:
        return Cells(layout, n_samples, fields, [None], np.zeros(len(texts), np.int64))
    codes, distinct = coded(fields.pieces.take(pa.array(fields.starts[:-1])))
    known = [read_genotype(text) if has_usual_ends(text, layout) else None for text in distinct]
    return Cells(layout, n_samples, fields, known, codes)


def has_usual_ends(genotype: str, layout: Layout) -> bool:
    """Whether no separator stands after the genotype, and before it only where the version allows that."""
    return genotype[-1:] not in SEPARATORS and (layout.allows_prefix or genotype[:1] not in SEPARATORS)


def sound_lines(cells: Cells, n_alts: np.ndarray) -> np.ndarray:
    """Which lines have samples that are all right, has_value how many alternate alleles they have."""
    layout = cells.layout
    if layout.faults or layout.is_empty or WATCHED_FORMAT & set(layout.keys):
        return np.zeros(len(n_alts), bool)
    n_alts = np.repeat(n_alts, cells.n_samples)
    ok, is_local = local_cells(cells, n_alts)
    ok &= cells.fields.counts <= len(layout.keys)
    ploidies = np.full(cells.n, UNKNOWN_PLOIDY)
    if layout.has_genotype:
        # Asked of the few distinct genotypes of a file, then spread to its cells by their codes.
        highest = np.array([1 << 30 if call is None else max(call.indexes) for call in cells.genotypes])
        ok &= highest[cells.codes] <= n_alts
        ploidies = np.array([0 if call is None else call.ploidy or 0 for call in cells.genotypes])[cells.codes]
        ok &= ploidies < MOST_PLOIDY  # `kinds_of` packs alleles and ploidy into one number.
    for number, (key, rule) in enumerate(zip(layout.keys, layout.rules, strict=True)):
        if number or not layout.has_genotype:
            texts, has_value = cells.field(number)
            if rule is not None and rule.number in LOCAL:
                ok[has_value] &= sound_local(texts, key, rule, is_local[has_value], ploidies[has_value])
            else:
                ok[has_value] &= sound_texts(texts, key, rule, n_alts[has_value], ploidies[has_value])
    return np.asarray(ok.reshape(-1, cells.n_samples).all(axis=1)) if cells.n_samples > 1 else ok


def local_cells(cells: Cells, n_alts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(which cells may be read here as far as LAA goes, in which the one allele is the sample's).

    Those of lines with one alternate allele: then what is said of local alleles needs no cutting down.
    """
    layout, is_local = cells.layout, np.zeros(cells.n, bool)
    if not layout.is_local:
        return np.ones(cells.n, bool), is_local
    place = int(layout.has_genotype)
    if layout.keys[place : place + 1] != (LOCAL_ALLELES,):
        return is_local, is_local
    texts, has_value = cells.field(place)
    ok = n_alts == 1
    is_local[has_value] = np.asarray(pc.equal(texts, "1").to_numpy(zero_copy_only=False))
    ok[has_value] &= is_local[has_value]
    return ok, is_local


def sound_local(texts: pa.StringArray, key: str, rule: Field, is_local: np.ndarray, ploidies: np.ndarray) -> np.ndarray:
    """Values of the reference and, where it is local, the one allele."""
    good, number = np.zeros(len(texts), bool), LOCAL[rule.number]
    for chosen, asked in ((is_local, number), (~is_local, "1")):
        if chosen.any() and not (asked == "1" and number == "A"):
            subset = texts.filter(pa.array(chosen))
            good[chosen] = sound_texts(
                subset, key, Field(asked, rule.type), np.ones(len(subset), np.int64), ploidies[chosen]
            )
    return good


def sound_texts(
    texts: pa.StringArray, key: str, rule: Field | None, n_alts: np.ndarray, ploidies: np.ndarray
) -> np.ndarray:
    good = np.ones(len(texts), bool)
    is_whole = rule is not None and rule.type == "Integer"
    is_one_whole = is_whole and rule is not None and rule.number == "1"
    if is_one_whole and are_digits(texts, 9):
        return good
    if rule is not None:
        for kind, chosen in kinds_of(rule, n_alts, ploidies):
            subset = texts if chosen is None else texts.filter(pa.array(chosen))
            good[slice(None) if chosen is None else chosen] = matches(subset, plain(key, rule, *kind).pattern)
    if key in SINGLES and not is_one_whole:
        good &= matches(texts, WHOLE)
    elif key in LISTS and not (is_whole and LISTS[key][1] == WHOLE):
        item = rf"(?:\.|{LISTS[key][1]})"
        good &= matches(texts, f"{item}(?:,{item})*")
    return good


def kinds_of(
    rule: Field, n_alts: np.ndarray, ploidies: np.ndarray
) -> Iterator[tuple[tuple[int, int | None], np.ndarray | None]]:
    """((number of alternates, ploidy), which values are of it), as far as Number depends on them; None: all."""
    if rule.number not in ("A", "R", "G", "P") or not len(n_alts):
        yield (1, None), None
        return
    kinds = n_alts * MOST_PLOIDY + (ploidies if rule.number in ("G", "P") else 0)
    distinct = kinds[:1] if (kinds == kinds[0]).all() else np.flatnonzero(np.bincount(kinds))
    for kind in distinct.tolist():
        n, ploidy = divmod(kind, MOST_PLOIDY)
        yield (n, ploidy or None), None if len(distinct) == 1 else kinds == kind


def sample_rows(cells: Cells, cell_of: np.ndarray, alleles: np.ndarray, n_alts: np.ndarray) -> dict[str, pa.Array]:
    """The columns of rows that are one allele of one cell each, as `split.sample_columns` gives them."""
    columns = genotype_columns(cells, cell_of, alleles)
    is_split = len(cell_of) > cells.n or bool((n_alts > 1).any())
    places = {key: number for number, key in enumerate(cells.layout.keys)}
    for key, name in SINGLES.items():
        column = absent(cells.n, pa.int32())
        if key in places:
            texts, has_value = cells.field(places[key])
            column = spread(texts.cast(pa.int32()), has_value)
        columns[name] = column.take(pa.array(cell_of)) if is_split else column
    for key, (number, _, kind) in LISTS.items():
        name = COLUMN_OF[key]
        if key not in places:
            columns[name] = absent(len(cell_of), pa.list_(kind))
        else:
            columns[name] = value_lists(cells, places[key], number, kind, cell_of, alleles, n_alts)
    columns["information"] = information(cells, cell_of, alleles, n_alts)
    return columns


def absent(n: int, kind: pa.DataType) -> pa.Array:
    return pa.nulls(n, kind)


def spread(values: pa.Array, has_value: np.ndarray) -> pa.Array:
    """The values at the cells that give one, null at the others."""
    if has_value.all():
        return values
    return values.take(pa.array(np.cumsum(has_value) - 1, mask=~has_value))


def genotype_columns(cells: Cells, cell_of: np.ndarray, alleles: np.ndarray) -> dict[str, pa.Array]:
    known = cells.genotypes
    most = int(alleles.max(initial=0)) + 1
    calls = [None if call is None else calls_of(call, allele) for call in known for allele in range(most)]
    codes = cells.codes[cell_of]
    phased = pa.array([None if call is None else call.is_phased for call in known], pa.bool_())
    return {
        "calls": pa.array(calls, pa.list_(pa.int32())).take(pa.array(codes * most + alleles)),
        "phased": phased.take(pa.array(codes)),
    }


def value_lists(
    cells: Cells,
    place: int,
    number: str,
    kind: pa.DataType,
    cell_of: np.ndarray,
    alleles: np.ndarray,
    n_alts: np.ndarray,
) -> pa.ListArray:
    """Lists of numbers, cut down to one allele's where there are as many as `number` asks for."""
    texts, has_value = cells.field(place)
    pieces = split(texts, b",")
    is_point = pc.equal(pieces.pieces, ".")
    values = pieces.pieces
    if pc.any(is_point).as_py():
        values = pc.if_else(is_point, pa.scalar(None, pa.string()), values)
    values = values.cast(kind)
    counts = np.zeros(cells.n, np.int64)
    counts[has_value] = pieces.counts
    if len(cell_of) == cells.n and not (n_alts > 1).any():
        return lists(values, counts, has_value)
    starts = (np.cumsum(counts) - counts)[cell_of]
    at, counts = allele_places(starts, counts[cell_of], number, alleles, n_alts)
    return lists(values.take(pa.array(at)), counts, has_value[cell_of])


def allele_places(
    starts: np.ndarray, counts: np.ndarray, number: str, alleles: np.ndarray, n_alts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(where each row's values stand, how many it has): those of one allele in multi-allelic lines."""
    # Places depend on (number of values, allele, number of alleles) alone, of which a block has a handful.
    kinds = np.stack([counts, alleles, n_alts])[:, (n_alts > 1) & (counts > 0)] if number else np.empty((3, 0), int)
    wanted = {}
    for count, allele, n in np.unique(kinds, axis=1).T.tolist():
        places = places_of(number, count, allele, n)
        if places is not None:
            wanted[(count, allele, n)] = places
    new_counts = counts.copy()
    chosen: dict[tuple[int, ...], np.ndarray] = {}
    for (count, allele, n), places in wanted.items():
        rows = np.flatnonzero((counts == count) & (alleles == allele) & (n_alts == n))
        new_counts[rows] = len(places)
        chosen[tuple(places)] = np.concatenate([chosen.get(tuple(places), np.empty(0, int)), rows])
    at = np.repeat(starts, new_counts) + places_within(new_counts)
    first = np.cumsum(new_counts) - new_counts
    for mine, rows in chosen.items():
        for number_within, place in enumerate(mine):
            at[first[rows] + number_within] = starts[rows] + place
    return at, new_counts


def information(cells: Cells, cell_of: np.ndarray, alleles: np.ndarray, n_alts: np.ndarray) -> pa.MapArray:
    """The keys without a column of their own; points are left out."""
    places = {key: number for number, key in enumerate(cells.layout.keys)}
    others = cells.layout.others
    if not others:
        return absent(len(cell_of), TEXT_MAP)
    columns, valid = [], np.zeros((len(cell_of), len(others)), bool)
    for number, (key, rule) in enumerate(others):
        texts, has_value = cells.field(places[key])
        column = spread(texts, has_value).take(pa.array(cell_of))
        several = np.flatnonzero((n_alts > 1) & has_value[cell_of])
        column = cut_down(column, several, alleles[several], n_alts[several], rule)
        columns.append(column)
        valid[:, number] = pc.not_equal(column, ".").fill_null(False).to_numpy(zero_copy_only=False)
    rows, kinds = np.nonzero(valid)
    values = pa.concat_arrays(columns).take(pa.array(kinds * len(cell_of) + rows))
    keys = pa.array([key for key, _ in others], pa.string()).take(pa.array(kinds))
    counts = valid.sum(axis=1)
    return pa.MapArray.from_arrays(offsets_of(counts, counts > 0), keys, values, TEXT_MAP)

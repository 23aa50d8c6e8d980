"""Rows of the store from the site and sample columns of many VCF lines: one per line, sample and alternate allele.

The same rows as `split` makes of one record, made column by column.

Example: site_rows(site, header).columns["start"]
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trilake.genomic.genome_build import contig_name
from trilake.genomic.header import VcfHeader
from trilake.genomic.reserved import Field
from trilake.genomic.split import pick
from trilake.genomic.store_schema import TEXT_MAP
from trilake.genomic.values import rule_of_info
from trilake.genomic.vector.site import NO_END, Site, equals
from trilake.genomic.vector.tokens import bytes_of, coded, matches, split

LOWER = bytes(range(ord("a"), ord("z") + 1))


@dataclass(frozen=True)
class SiteRows:
    """One row per line and alternate allele: `lines` and `alleles` (0: none) say which; `columns` in Arrow."""

    lines: np.ndarray
    alleles: np.ndarray
    columns: dict[str, pa.Array]


def site_rows(site: Site, header: VcfHeader) -> SiteRows:
    """The columns that do not depend on a sample, as `split.shared_columns` gives them."""
    lines = np.repeat(np.arange(len(site.n_alts)), np.maximum(site.n_alts, 1))
    alleles = places_within(np.maximum(site.n_alts, 1)) + (site.n_alts[lines] > 0)
    starts = np.maximum(site.positions - 1, 0)
    lengths = np.diff(bytes_of(site.columns["ref"])[0])
    ends = np.where(site.ends == NO_END, starts + lengths, site.ends)
    by_line = {
        "contigname": contigs(site.columns["chrom"]),
        "start": pa.array(starts),
        "end": pa.array(ends),
        "names": singles(site.columns["id"], ~equals(site.columns["id"], ".")),
        "referenceallele": capitals(site.columns["ref"]),
        "qual": without_points(site.columns["qual"]).cast(pa.float64()),
        "filters": filters(site.columns["filter"]),
    }
    is_split = len(lines) > len(site.n_alts)
    columns = {name: column.take(pa.array(lines)) if is_split else column for name, column in by_line.items()}
    columns["alternatealleles"] = alternates(site, lines, alleles)
    columns["attributes"] = attributes(site, lines, alleles, header)
    return SiteRows(lines, alleles, columns)


def places_within(counts: np.ndarray) -> np.ndarray:
    """0, 1, ... within each group of `counts` rows."""
    starts = np.cumsum(counts) - counts
    return np.arange(int(counts.sum())) - np.repeat(starts, counts)


def contigs(texts: pa.StringArray) -> pa.StringArray:
    codes, distinct = coded(texts)
    return pa.array([contig_name(text) for text in distinct], pa.string()).take(pa.array(codes))


def filters(texts: pa.StringArray) -> pa.ListArray:
    codes, distinct = coded(texts)
    lists = [None if text == "." else text.split(";") for text in distinct]
    return pa.array(lists, pa.list_(pa.string())).take(pa.array(codes))


def without_points(texts: pa.StringArray) -> pa.StringArray:
    """Null for a point."""
    is_point = pc.equal(texts, ".")
    return pc.if_else(is_point, pa.scalar(None, pa.string()), texts) if pc.any(is_point).as_py() else texts


def singles(texts: pa.StringArray, is_present: np.ndarray) -> pa.ListArray:
    """A list of one text each, null where there is none."""
    if is_present.all():
        return pa.ListArray.from_arrays(pa.array(np.arange(len(texts) + 1, dtype=np.int32)), texts)
    return lists(texts.filter(pa.array(is_present)), is_present.astype(np.int32), is_present)


def lists(values: pa.Array, counts: np.ndarray, is_present: np.ndarray) -> pa.ListArray:
    """The values cut into lists of `counts`, null where there is none."""
    return pa.ListArray.from_arrays(offsets_of(counts, is_present), values)


def offsets_of(counts: np.ndarray, is_present: np.ndarray) -> pa.Int32Array:
    """Offsets of lists of `counts` values; a null offset is a null list."""
    offsets = np.zeros(len(counts) + 1, np.int32)
    np.cumsum(counts, out=offsets[1:])
    return pa.array(offsets, mask=np.append(~is_present, False)) if not is_present.all() else pa.array(offsets)


def capitals(texts: pa.StringArray) -> pa.StringArray:
    """Bases in capitals; symbolic alleles as they are."""
    data = bytes_of(texts)[1].tobytes()
    if len(data.translate(None, LOWER)) == len(data):
        return texts
    return pc.if_else(pa.array(matches(texts, "[A-Za-z]+")), pc.ascii_upper(texts), texts)


def alternates(site: Site, lines: np.ndarray, alleles: np.ndarray) -> pa.ListArray:
    pieces = capitals(site.alts.pieces)
    if len(pieces) != len(lines):
        raise ValueError(f"{len(pieces)} alleles for {len(lines)} rows")
    return singles(pieces, alleles > 0)


def attributes(site: Site, lines: np.ndarray, alleles: np.ndarray, header: VcfHeader) -> pa.MapArray:
    """INFO of each row's allele, as `split.info_of` gives it."""
    entries = site.entries
    has_info = ~equals(site.columns["info"], ".")
    is_kept = has_info[entries.owners]
    keys, values, owners = entries.keys, entries.values, entries.owners
    if not is_kept.all():
        chosen = pa.array(is_kept)
        keys, values, owners = keys.filter(chosen), values.filter(chosen), owners[is_kept]
    counts = np.bincount(owners, minlength=len(has_info))
    if len(lines) > len(has_info):
        starts = np.cumsum(counts) - counts
        counts = counts[lines]
        chosen_at = np.repeat(starts[lines], counts) + places_within(counts)
        allele_of, n_alts_of = np.repeat(alleles, counts), np.repeat(site.n_alts[lines], counts)
        keys, values = keys.take(pa.array(chosen_at)), values.take(pa.array(chosen_at))
        values = picked_by_key(keys, values, allele_of, n_alts_of, header)
    offsets = offsets_of(counts, has_info[lines])
    return pa.MapArray.from_arrays(offsets, keys, values, TEXT_MAP)


def picked_by_key(
    keys: pa.StringArray, values: pa.StringArray, alleles: np.ndarray, n_alts: np.ndarray, header: VcfHeader
) -> pa.StringArray:
    codes, distinct = coded(keys)
    for code, key in enumerate(distinct):
        rule = rule_of_info(key, header)
        chosen = np.flatnonzero((codes == code) & (n_alts > 1))
        values = cut_down(values, chosen, alleles[chosen], n_alts[chosen], rule)
    return values


def cut_down(
    values: pa.StringArray, chosen: np.ndarray, alleles: np.ndarray, n_alts: np.ndarray, rule: Field | None
) -> pa.StringArray:
    """The texts, those of multi-allelic lines cut down to the values of one allele."""
    if rule is None or rule.number not in ("A", "R", "G") or not len(chosen):
        return values
    texts = values.take(pa.array(chosen))
    # Number=G depends on ploidy, which INFO does not tell; it is rare there, so `pick` may take its time.
    if rule.number == "G":
        triples = zip(texts.to_pylist(), alleles.tolist(), n_alts.tolist(), strict=True)
        mine = pa.array([pick(text, rule, allele, n) for text, allele, n in triples], pa.string())
    else:
        mine = picked_texts(texts, alleles, n_alts, rule)
    # Arrow's arrays do not change: new values go behind the old ones, and one `take` picks for each row.
    order = np.arange(len(values))
    order[chosen] = len(values) + np.arange(len(chosen))
    return pa.concat_arrays([values, mine]).take(pa.array(order))


def picked_texts(texts: pa.StringArray, alleles: np.ndarray, n_alts: np.ndarray, rule: Field) -> pa.StringArray:
    """Number=A or R values cut down to one allele's; whole where there are not as many as Number asks for."""
    pieces = split(texts, b",")
    starts = pieces.starts[:-1]
    extra = int(rule.number == "R")
    fits = pieces.counts == n_alts + extra
    own = pieces.pieces.take(pa.array(np.where(fits, starts + alleles - 1 + extra, starts)))
    if extra:
        own = pc.binary_join_element_wise(pieces.pieces.take(pa.array(starts)), own, ",")
    return own if fits.all() else pc.if_else(pa.array(fits), own, texts)

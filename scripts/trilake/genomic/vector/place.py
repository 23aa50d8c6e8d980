"""Which common lines have to be read one by one after all: those that share their place with an odd or an equal one.

Whether a record is a duplicate depends on the others of its place, so all of them go the same way.

Example: keep = with_neighbours(data, starts, lines, site, codes, names)
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from trilake.genomic.genome_build import contig_name
from trilake.genomic.normalise import differs
from trilake.genomic.record import may_repeat
from trilake.genomic.reference import Reference
from trilake.genomic.vector.site import Site
from trilake.genomic.vector.tokens import bytes_of

# As many bases are fetched at once at most; and not for lines far apart (an exome), of which each is asked alone.
WIDEST = 1 << 26
PLAIN_BASES = np.frombuffer(b"ACGT", np.uint8)
TO_CAPITALS = np.frombuffer(bytes(range(256)).upper(), np.uint8)


def with_neighbours(
    data: bytes,
    starts: np.ndarray,
    lines: np.ndarray,
    site: Site,
    codes: np.ndarray,
    names: list[str],
) -> np.ndarray:
    """Which lines may stay common. `starts` are where all lines of the block start, `lines` which of them these are."""
    keep = np.ones(len(lines), bool)
    common = np.flatnonzero(site.ok)
    if not len(common):
        return keep
    # Contig and position as one number: positions have 31 bits.
    places = codes[common] * (1 << 32) + site.positions[common]
    is_new = np.append(True, places[1:] != places[:-1])
    runs = np.cumsum(is_new) - 1
    lengths = np.bincount(runs)
    sent_back = runs_with_equals(site, common, runs, lengths)
    if len(common) < len(starts):
        sent_back |= runs_beside_odd(data, starts, lines[common], places, runs, names)
    if sent_back:
        keep[common[np.isin(runs, list(sent_back))]] = False
    return keep


def as_the_reference(site: Site, codes: np.ndarray, names: list[str], reference: Reference) -> np.ndarray:
    """Which lines have a REF that the reference may have at their place; lines of contigs that it lacks all do."""
    good = np.ones(len(codes), bool)
    for code, name in enumerate(names):
        contig = contig_name(name)
        rows = np.flatnonzero((codes == code) & site.ok)
        if reference.has(contig) and len(rows):
            doubtful = rows[~are_single_and_equal(site, rows, contig, reference)]
            refs = site.columns["ref"].take(pa.array(doubtful)).to_pylist()
            starts = np.maximum(site.positions[doubtful] - 1, 0).tolist()
            texts = [reference.bases(contig, start, start + len(ref)) for start, ref in zip(starts, refs, strict=True)]
            good[doubtful] = [not differs(ref, bases) for ref, bases in zip(refs, texts, strict=True)]
    return good


def runs_with_equals(site: Site, common: np.ndarray, runs: np.ndarray, lengths: np.ndarray) -> set[int]:
    """Runs of lines of one place in which an allele stands twice."""
    together = np.flatnonzero(lengths[runs] > 1)
    if not len(together):
        return set()
    rows = pa.array(common[together])
    refs, alts = (site.columns[name].take(rows).to_pylist() for name in ("ref", "alt"))
    seen: set[tuple[int, str, str]] = set()
    repeated = set()
    for run, ref, texts in zip(runs[together].tolist(), refs, alts, strict=True):
        for alt in texts.upper().split(","):
            key = (run, ref.upper(), alt)
            if key in seen and not may_repeat(alt):
                repeated.add(run)
            seen.add(key)
    return repeated


def runs_beside_odd(
    data: bytes, starts: np.ndarray, lines: np.ndarray, places: np.ndarray, runs: np.ndarray, names: list[str]
) -> set[int]:
    """Runs that an odd line stands within, or beside at the same place."""
    numbers = {name: number for number, name in enumerate(names)}
    after = np.searchsorted(lines, odd := np.setdiff1d(np.arange(len(starts)), lines, assume_unique=True))
    touched = set()
    for start, after_it in zip(starts[odd].tolist(), after.tolist(), strict=True):
        chrom, _, rest = data[start : start + 400].partition(b"\t")
        text = rest.split(b"\t", 1)[0]
        number = numbers.get(chrom.decode("ascii", "replace"))
        code = number * (1 << 32) + int(text) if number is not None and text.isdigit() and len(text) < 11 else None
        beside = [at for at in (after_it - 1, after_it) if 0 <= at < len(lines)]
        touched |= {int(runs[at]) for at in beside if places[at] == code}
        if len(beside) == 2 and places[after_it - 1] == places[after_it]:
            touched.add(int(runs[after_it]))
    return touched


def are_single_and_equal(site: Site, rows: np.ndarray, contig: str, reference: Reference) -> np.ndarray:
    """Which lines have a REF of one base, certainly that of the reference: most of them, told in one go."""
    starts = np.maximum(site.positions[rows] - 1, 0)
    first, last = int(starts.min()), int(starts.max()) + 1
    if last - first > min(WIDEST, 10_000 * len(rows)):
        return np.zeros(len(rows), bool)
    text = np.frombuffer(reference.bases(contig, first, last).encode(), np.uint8)
    offsets, data = bytes_of(site.columns["ref"])
    refs = TO_CAPITALS[data[offsets[rows]]]
    inside = starts - first < len(text)
    bases = np.zeros(len(rows), np.uint8)
    bases[inside] = text[(starts - first)[inside]]
    single = offsets[rows + 1] - offsets[rows] == 1
    return single & (bases == refs) & np.isin(bases, PLAIN_BASES)

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
    here = codes[common] * (1 << 32) + site.positions[common]
    is_new = np.append(True, here[1:] != here[:-1])
    runs = np.cumsum(is_new) - 1
    lengths = np.bincount(runs)
    gone = runs_with_equals(site, common, runs, lengths)
    if len(common) < len(starts):
        gone |= runs_beside_odd(data, starts, lines[common], here, runs, names)
    if gone:
        keep[common[np.isin(runs, list(gone))]] = False
    return keep


def runs_with_equals(site: Site, common: np.ndarray, runs: np.ndarray, lengths: np.ndarray) -> set[int]:
    """Runs of lines of one place in which an allele stands twice."""
    together = np.flatnonzero(lengths[runs] > 1)
    if not len(together):
        return set()
    rows = pa.array(common[together])
    refs, alts = (site.columns[name].take(rows).to_pylist() for name in ("ref", "alt"))
    seen: set[tuple[int, str, str]] = set()
    found = set()
    for run, ref, texts in zip(runs[together].tolist(), refs, alts, strict=True):
        for alt in texts.upper().split(","):
            key = (run, ref.upper(), alt)
            if key in seen and not may_repeat(alt):
                found.add(run)
            seen.add(key)
    return found


def runs_beside_odd(
    data: bytes, starts: np.ndarray, lines: np.ndarray, here: np.ndarray, runs: np.ndarray, names: list[str]
) -> set[int]:
    """Runs that an odd line stands within, or beside at the same place."""
    numbers = {name: number for number, name in enumerate(names)}
    after = np.searchsorted(lines, odd := np.setdiff1d(np.arange(len(starts)), lines, assume_unique=True))
    found = set()
    for start, place in zip(starts[odd].tolist(), after.tolist(), strict=True):
        chrom, _, rest = data[start : start + 400].partition(b"\t")
        text = rest.split(b"\t", 1)[0]
        number = numbers.get(chrom.decode("ascii", "replace"))
        code = number * (1 << 32) + int(text) if number is not None and text.isdigit() and len(text) < 11 else None
        beside = [at for at in (place - 1, place) if 0 <= at < len(lines)]
        found |= {int(runs[at]) for at in beside if here[at] == code}
        if len(beside) == 2 and here[place - 1] == here[place]:
            found.add(int(runs[place]))
    return found


WIDEST = 1 << 26
PLAIN_BASES = np.frombuffer(b"ACGT", np.uint8)
TO_CAPITALS = np.frombuffer(bytes(range(256)).upper(), np.uint8)


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
            found = [reference.bases(contig, start, start + len(ref)) for start, ref in zip(starts, refs, strict=True)]
            good[doubtful] = [not differs(ref, bases) for ref, bases in zip(refs, found, strict=True)]
    return good


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
    found = np.zeros(len(rows), np.uint8)
    found[inside] = text[(starts - first)[inside]]
    single = offsets[rows + 1] - offsets[rows] == 1
    return single & (found == refs) & np.isin(found, PLAIN_BASES)

"""REF of many lines held against the reference sequence at once.

Pure but for the reference. Example: ok = as_the_reference(site, codes, names, reference)
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from trilake.genomic.builds import contig_name
from trilake.genomic.normalise import differs
from trilake.genomic.reference import Reference
from trilake.genomic.tokens import bytes_of
from trilake.genomic.vector_site import Site

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

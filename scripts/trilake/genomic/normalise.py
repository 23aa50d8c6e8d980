"""Alleles in their one form: as short as they can be, and as far to the left as the reference lets them go.

The same as `bcftools norm -f`. Source: Tan, Abecasis, Kang, Bioinformatics 2015.

Example: normalised(4, "AA", "A", lambda start, end: "GGAAAA"[start:end])  ->  (1, "GA", "G")
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trilake.genomic.reference import Reference
from trilake.genomic.vector.tokens import matches

Fetch = Callable[[int, int], str]
# Bases to the left are fetched so many at a time: most alleles move by less, those in long repeats ask again.
STEP = 100
AMBIGUOUS = set("RYSWKMBDHVN")


def normalised(start: int, ref: str, alt: str, fetch: Fetch) -> tuple[int, str, str]:
    """(start, REF, ALT) trimmed and moved to the left; `fetch` gives the reference from one place to another."""
    left, before = start, ""
    while ref and alt and ref[-1] == alt[-1]:
        # An allele that would become empty takes in the base before it, which is what moves it to the left.
        if min(len(ref), len(alt)) == 1:
            if start == 0:
                break
            if not before:
                left = max(0, start - STEP)
                before = fetch(left, start)
            ref, alt, before, start = before[-1] + ref, before[-1] + alt, before[:-1], start - 1
        ref, alt = ref[:-1], alt[:-1]
    n_shared = 0
    while n_shared < min(len(ref), len(alt)) - 1 and ref[n_shared] == alt[n_shared]:
        n_shared += 1
    return start + n_shared, ref[n_shared:], alt[n_shared:]


def normalise_batch(batch: pa.RecordBatch, reference: Reference) -> pa.RecordBatch:
    """Rows of the store with their alleles normalised; symbolic alleles, breakends and unknown contigs as they are."""
    chosen = rows_to_normalise(batch)
    if not len(chosen):
        return batch
    rows = pa.array(chosen)
    names = ("contigname", "start", "end", "referenceallele")
    contigs, starts, ends, refs = (batch.column(name).take(rows).to_pylist() for name in names)
    alts = [texts[0] for texts in batch.column("alternatealleles").take(rows).to_pylist()]
    alleles = []
    for contig, start, end, ref, alt in zip(contigs, starts, ends, refs, alts, strict=True):
        new_start, new_ref, new_alt = start, ref, alt
        if reference.has(contig):
            new_start, new_ref, new_alt = normalised(start, ref, alt, partial(reference.bases, contig))
        # An end that INFO END or SVLEN gave is not the allele's own, and stays where it was.
        is_own_end = end == start + len(ref)
        alleles.append((new_start, new_ref, new_alt, new_start + len(new_ref) if is_own_end else end))
    new_starts, new_refs, new_alts, new_ends = zip(*alleles, strict=True)
    columns = {
        "start": pa.array(new_starts, pa.int64()),
        "end": pa.array(new_ends, pa.int64()),
        "referenceallele": pa.array(new_refs, pa.string()),
        "alternatealleles": pa.array([[alt] for alt in new_alts], pa.list_(pa.string())),
    }
    # Only few rows change: their values are put behind the old column, and one `take` picks a value for each row.
    order = np.arange(batch.num_rows)
    order[chosen] = batch.num_rows + np.arange(len(chosen))
    places = pa.array(order)
    arrays = [
        pa.concat_arrays([batch.column(name), columns[name]]).take(places) if name in columns else batch.column(name)
        for name in batch.schema.names
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=batch.schema)


def rows_to_normalise(batch: pa.RecordBatch) -> np.ndarray:
    """The rows of which REF and ALT are bases, more than one of at least one of them."""
    alts = batch.column("alternatealleles")
    with_alt = np.flatnonzero(alts.is_valid().to_numpy(zero_copy_only=False))
    texts, refs = alts.flatten(), batch.column("referenceallele").take(pa.array(with_alt))
    longer = pc.or_(pc.greater(pc.binary_length(texts), 1), pc.greater(pc.binary_length(refs), 1))
    is_long = np.asarray(longer.to_numpy(zero_copy_only=False), bool)
    is_long[is_long] &= matches(texts.filter(pa.array(is_long)), "[ACGTN]+")
    return with_alt[is_long]


def differs(ref: str, bases: str) -> bool:
    """Whether REF is something else than the reference has there; its ambiguous bases, and REF's, may be anything."""
    return len(bases) < len(ref) or any(
        a != b and a not in AMBIGUOUS and b not in AMBIGUOUS for a, b in zip(ref.upper(), bases, strict=False)
    )

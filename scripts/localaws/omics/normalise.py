"""Left-alignment and trimming of one allele against the reference, as `runLeftNormalization` asks for.

Reads the reference. Behind `make ingest`. Source: Tan, Abecasis, Kang (2015), "Unified representation of variants".
Example: `normalised(fasta, "chr1", 99, "AAC", "AC")` is the deletion at its leftmost place.
"""

from __future__ import annotations

from typing import NamedTuple

from localaws.omics.fasta import Fasta

PIECE = 1_000


class Allele(NamedTuple):
    """0-based start, reference and alternate bases."""

    start: int
    ref: str
    alt: str


class WrongReference(Exception):
    """The contig is not in the reference, or the bases there are others."""


def normalised(fasta: Fasta, contig: str, start: int, ref: str, alt: str) -> Allele:
    """The allele with no base to spare, as far left as it goes; WrongReference when REF is not the reference's."""
    name = fasta.find(contig)
    if name is None:
        raise WrongReference(f"contig {contig} is not in the reference")
    if fasta.bases(name, start, start + len(ref)) != ref:
        raise WrongReference(f"REF at {contig}:{start + 1} differs from the reference")
    left = Before(fasta, name, start)
    while ref and alt and ref[-1] == alt[-1] and not (len(ref) == len(alt) == 1):
        ref, alt = ref[:-1], alt[:-1]
        if not ref or not alt:
            if left.place == 0:
                base = fasta.bases(name, len(ref), len(ref) + 1)
                return Allele(0, ref + base, alt + base)
            base = left.take()
            ref, alt = base + ref, base + alt
    n_same = next((n for n in range(min(len(ref), len(alt)) - 1) if ref[n] != alt[n]), min(len(ref), len(alt)) - 1)
    return Allele(left.place + n_same, ref[n_same:], alt[n_same:])


class Before:
    """The bases before a place, one after the other to the left, read in pieces."""

    def __init__(self, fasta: Fasta, name: str, place: int) -> None:
        self._fasta, self._name, self.place = fasta, name, place
        self._piece, self._from = "", place

    def take(self) -> str:
        self.place -= 1
        if self.place < self._from:
            self._from = max(0, self.place + 1 - PIECE)
            self._piece = self._fasta.bases(self._name, self._from, self.place + 1)
        return self._piece[self.place - self._from]

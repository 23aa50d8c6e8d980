"""Genotypes taken apart; each distinct text is read once, since a file holds millions of `0/1`.

Source: VCF 4.0 to 4.5, section 1.6.2 (4.4 allows a separator in front).

Example: read_genotype("0|2")  ->  Genotype(indexes=(0, 2), is_phased=True)
"""

from __future__ import annotations

import re
from functools import lru_cache
from math import comb
from typing import TYPE_CHECKING, NamedTuple

from trilake.core.ledger import shape
from trilake.genomic.reserved import LOCAL, LOCAL_ALLELES

if TYPE_CHECKING:
    from trilake.genomic.record import Faults
    from trilake.genomic.values import Layout

ALLELE = r"(?:0|[1-9]\d{0,5}|\.)"
FORM = re.compile(rf"[/|]?{ALLELE}(?:(?:[/|]{ALLELE})+[/|]?)?", flags=re.ASCII)
INDEX = re.compile(r"\d+|\.")
NO_CALL = -1
LOCAL_KEYS = {
    LOCAL_ALLELES: "",
    **dict.fromkeys(("LAD", "LADF", "LADR"), "R"),
    **dict.fromkeys(("LGL", "LGP", "LPL", "LPP"), "G"),
    "LEC": "A",
}
"""Which values of all alleles a local one stands for."""


class Genotype(NamedTuple):
    """Allele indexes in order, NO_CALL for a point."""

    indexes: tuple[int, ...]
    is_phased: bool

    @property
    def ploidy(self) -> int | None:
        """None for a single point, which callers write whatever the ploidy."""
        return None if self.indexes == (NO_CALL,) else len(self.indexes)


@lru_cache(maxsize=10_000)
def read_genotype(text: str) -> Genotype | None:
    """The genotype; None when the text is none."""
    if not FORM.fullmatch(text):
        return None
    indexes = tuple(NO_CALL if index == "." else int(index) for index in INDEX.findall(text))
    return Genotype(indexes, "|" in text and "/" not in text)


@lru_cache(maxsize=10_000)
def calls_of(genotype: Genotype, allele: int) -> list[int]:
    """As a variant store has it: -1 no call, 0 reference, 1 this allele, 2 another alternate."""
    return [index if index <= 0 else 1 if index == allele else 2 for index in genotype.indexes]


# Local alleles: a sample of a large cohort has few of a site's alleles, and lists its values for those alone (LAA,
# VCF 4.5; callers wrote such keys before, each as it liked).


@lru_cache(maxsize=10_000)
def local_alleles(text: str | None) -> list[int]:
    """Indexes into ALT from 1; none for a point, which means the reference alone. 0 for what is no index."""
    if text in (None, "", "."):
        return []
    return [int(item) if item.isascii() and item.isdigit() else 0 for item in str(text).split(",")]


def local_count(number: str, layout: Layout, values: list[str], ploidy: int | None) -> int | None:
    """How many values LA, LR or LG asks of a sample; None when that cannot be told."""
    n_local = len(local_alleles(value_of(LOCAL_ALLELES, layout, values)))
    if LOCAL[number] == "G":
        return None if ploidy is None else comb(n_local + ploidy, ploidy)
    return n_local + (LOCAL[number] == "R")


def check_local(layout: Layout, number: int, values: list[str], n_alts: int, faults: Faults) -> None:
    """LAA lists alleles of the record, each once, right after GT. Before 4.5 it is what a caller makes of it."""
    path, is_warning = f"sample {number}/{LOCAL_ALLELES}", layout.version < "4.5"
    if LOCAL_ALLELES not in layout.keys:
        faults.add("VCF_FORMAT", "FORMAT", f"no {LOCAL_ALLELES}", f"{LOCAL_ALLELES} beside local alleles")
        return
    if layout.keys.index(LOCAL_ALLELES) != int(layout.has_genotype) and not is_warning:
        faults.add("VCF_FORMAT", "FORMAT", "other keys before it", f"{LOCAL_ALLELES} right after GT", is_warning=True)
    alleles = local_alleles(value_of(LOCAL_ALLELES, layout, values))
    if len(set(alleles)) < len(alleles) or not all(0 < allele <= n_alts for allele in alleles):
        listed = shape(value_of(LOCAL_ALLELES, layout, values) or "")
        faults.add("VCF_SAMPLE", path, listed, f"numbers of 1 to {n_alts}, each once", is_warning=is_warning)


def value_of(key: str, layout: Layout, values: list[str]) -> str | None:
    place = layout.keys.index(key) if key in layout.keys else len(values)
    return values[place] if place < len(values) else None

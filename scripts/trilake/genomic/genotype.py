"""Genotypes taken apart; each distinct text is read once, since a file holds millions of `0/1`.

Pure. Source: VCF 4.0 to 4.5, section 1.6.2 (4.4 allows a separator in front).

Example: read_genotype("0|2")  ->  Genotype(indexes=(0, 2), is_phased=True)
"""

import re
from functools import lru_cache
from typing import NamedTuple

ALLELE = r"(?:0|[1-9]\d{0,5}|\.)"
FORM = re.compile(rf"[/|]?{ALLELE}(?:(?:[/|]{ALLELE})+[/|]?)?", flags=re.ASCII)
INDEX = re.compile(r"\d+|\.")
NO_CALL = -1


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

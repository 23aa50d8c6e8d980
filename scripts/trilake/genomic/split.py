"""One VCF record to rows of the store: one per alternate allele (and sample), per-allele values picked right.

Splitting follows `bcftools norm -m -any`: Number=A and Number=R values keep this allele's, Number=G values those
of the genotypes of reference and this allele (three of a diploid sample, two of a haploid one), `calls` say 0
reference, 1 this allele, 2 another alternate, -1 no call.

Example: rows = variant_rows(record, header, origin)
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import comb
from typing import Any

from trilake.genomic.genome_build import contig_name
from trilake.genomic.genotype import LOCAL_KEYS, calls_of, local_alleles, read_genotype
from trilake.genomic.header import VcfHeader
from trilake.genomic.record import VcfRecord
from trilake.genomic.reserved import LOCAL_ALLELES, Field
from trilake.genomic.structural import structural_length
from trilake.genomic.values import INTEGER, LARGEST, Layout, rule_of_info

MOST_PLOIDY = 12
WHOLE = re.compile(rf"(?:\.|{INTEGER.pattern})(?:,(?:\.|{INTEGER.pattern}))*", flags=re.ASCII)


@dataclass(frozen=True)
class Origin:
    """Where rows come from; the same for all rows of a file."""

    source_file: str
    load_id: str
    job_id: str
    reference_genome: str
    release: str = ""

    @property
    def columns(self) -> dict[str, str | None]:
        """The columns that are the same in all rows; those of them that a table has go into it."""
        return {
            "importjobid": self.job_id,
            "annotations": None,
            "reference_genome": self.reference_genome,
            "release": self.release,
            "source_file": self.source_file,
            "load_id": self.load_id,
        }


def place(record: VcfRecord, version: str, index: int) -> tuple[int, int]:
    """(start, end) of one allele, 0-based half-open: INFO END gives the end of symbolic alleles and reference blocks.

    Since 4.4 END is that of the longest allele, so SVLEN of an allele's own counts before it; earlier only without END.
    """
    start = max(record.pos - 1, 0)
    end, length = integer(record.info.get("END")), structural_length(record, index)
    if end is None or end < record.pos:
        end = None
    if length is not None and (end is None or version >= "4.4"):
        return start, min(record.pos + length, LARGEST)
    return start, start + len(record.ref) if end is None else end


def alleles(record: VcfRecord) -> list[tuple[int, list[str] | None]]:
    """(index, its allele) of each row: index 0 and no allele for a reference-only record."""
    if not record.alts:
        return [(0, None)]
    return [(index, [in_capitals(alt)]) for index, alt in enumerate(record.alts, start=1)]


def in_capitals(allele: str) -> str:
    """Bases in capitals, as the specification takes either case for the same base; other alleles as they are."""
    return allele.upper() if allele.isalpha() else allele


def variant_rows(record: VcfRecord, header: VcfHeader) -> Iterator[dict[str, Any]]:
    """Rows in the shape `shape.VARIANT`, but for what Origin gives: sample by sample, allele by allele."""
    n_alts = len(record.alts)
    by_allele = [(index, shared_columns(record, header, index, allele)) for index, allele in alleles(record)]
    for sample, text in zip(header.samples, record.samples, strict=True):
        values = dict(zip(record.layout.keys, text.split(":"), strict=False))
        for index, shared in by_allele:
            own = sample_columns(values, index, n_alts, record.layout)
            if allele_is_block(shared) and (length := integer(values.get("LEN"))):
                own["end"] = shared["start"] + length
            yield {**shared, "sampleid": sample, "splitfrommultiallelic": n_alts > 1, **own}


def allele_is_block(shared: dict[str, Any]) -> bool:
    """Whether a row is a reference block, whose length each sample may tell for itself (LEN, VCF 4.5)."""
    return shared["alternatealleles"] in (["<*>"], ["<NON_REF>"])


def annotation_rows(record: VcfRecord, header: VcfHeader) -> Iterator[dict[str, Any]]:
    """Rows in the shape `shape.ANNOTATION`, but for what Origin gives, of a sites-only record: one per allele."""
    for index, allele in alleles(record):
        yield shared_columns(record, header, index, allele)


def shared_columns(record: VcfRecord, header: VcfHeader, index: int, allele: list[str] | None) -> dict[str, Any]:
    """The columns of one allele that do not depend on a sample."""
    start, end = place(record, header.version, index)
    return {
        "contigname": contig_name(record.chrom),
        "start": start,
        "end": end,
        "names": record.ids or None,
        "referenceallele": in_capitals(record.ref),
        "alternatealleles": allele,
        "qual": record.qual,
        "filters": record.filters,
        "attributes": info_of(record, header, index),
    }


def info_of(record: VcfRecord, header: VcfHeader, index: int) -> list[tuple[str, str]] | None:
    """INFO for one allele as map entries; a flag's value is `true`."""
    if not record.info:
        return None
    n_alts = len(record.alts)
    if n_alts < 2:
        return [(key, "true" if value is None else value) for key, value in record.info.items()]
    return [
        (key, "true" if value is None else pick(value, rule_of_info(key, header), index, n_alts))
        for key, value in record.info.items()
    ]


def own_value(key: str, text: str, values: dict[str, str], index: int) -> str:
    """A local-allele value cut down to the reference and one allele, which LAA then calls 1; of an allele that is not
    local to the sample, what is said of the reference alone."""
    number, local = LOCAL_KEYS.get(key), local_alleles(values.get(LOCAL_ALLELES))
    if number is None or text == ".":
        return text
    is_local = index in local
    if key == LOCAL_ALLELES:
        return "1" if is_local else "."
    if not is_local:
        return "." if number == "A" else text.split(",")[0]
    return pick(text, Field(number, "String"), local.index(index) + 1, len(local))


def pick(value: str, rule: Field | None, index: int, n_alts: int) -> str:
    """The part of a value that belongs to one allele."""
    if rule is None or rule.number not in ("A", "R", "G") or n_alts < 2:
        return value
    values = value.split(",")
    places = places_of(rule.number, len(values), index, n_alts)
    return value if places is None else ",".join(values[place] for place in places)


@lru_cache(maxsize=10_000)
def places_of(number: str, n_values: int, index: int, n_alts: int) -> list[int] | None:
    """Where the values of one allele stand among those of all; None when they are not as many as Number asks for.

    The ploidy of Number=G follows from the count, since no two ploidies give the same.
    """
    if number == "A":
        return [index - 1] if n_values == n_alts else None
    if number == "R":
        return [0, index] if n_values == n_alts + 1 else None
    ploidy = next((ploidy for ploidy in range(1, MOST_PLOIDY) if comb(n_alts + ploidy, ploidy) >= n_values), 0)
    if not ploidy or comb(n_alts + ploidy, ploidy) != n_values:
        return None
    return [place_of_genotype(ploidy, copies, index) for copies in range(ploidy + 1)]


def place_of_genotype(ploidy: int, copies: int, index: int) -> int:
    """Where the genotype of `copies` of allele `index`, the others reference, stands (VCF 4.3, section 1.6.2)."""
    return sum(comb(index + place - 1, place) for place in range(ploidy - copies + 1, ploidy + 1))


def sample_columns(values: dict[str, str], index: int, n_alts: int, layout: Layout) -> dict[str, Any]:
    """The sample's columns for one allele."""
    genotype = read_genotype(values.get("GT", ""))
    mine = ((key, pick(values.get(key, "."), rule, index, n_alts)) for key, rule in layout.others)
    if layout.is_local and n_alts > 1:
        mine = ((key, own_value(key, text, values, index)) for key, text in mine)
    others = [entry for entry in mine if entry[1] != "."] + misfits(values, layout)
    return {
        "phased": None if genotype is None else genotype.is_phased,
        "calls": None if genotype is None else calls_of(genotype, index),
        "alleledepths": picked(integers(values.get("AD")), "R", index, n_alts),
        "depth": integer(values.get("DP")),
        "conditionalquality": integer(values.get("GQ")),
        "genotypelikelihoods": picked(numbers(values.get("GL")), "G", index, n_alts),
        "phredlikelihoods": picked(integers(values.get("PL")), "G", index, n_alts),
        "spl": integers(values.get("SPL")),
        "ps": integer(values.get("PS")),
        "information": others or None,
    }


def misfits(values: dict[str, str], layout: Layout) -> list[tuple[str, str]]:
    """What its column of whole numbers cannot hold (GQ=49.5, PS=10211_C_T), as it stands in the file."""
    return [(key, values[key]) for key in layout.whole if not WHOLE.fullmatch(values.get(key, "."))]


def picked(values: list[Any] | None, number: str, index: int, n_alts: int) -> list[Any] | None:
    """The values of one allele, as `pick` takes them from text."""
    if values is None or n_alts < 2:
        return values
    places = places_of(number, len(values), index, n_alts)
    return values if places is None else [values[place] for place in places]


def integer(text: str | None) -> int | None:
    """A whole number of 32 bits; callers that write 12.0 for 12 are read, anything else is missing."""
    if text is None or text in (".", ""):
        return None
    try:
        found = int(text) if INTEGER.fullmatch(text) else int(float(text))
    except (ValueError, OverflowError):
        return None
    return found if abs(found) <= LARGEST else None


def integers(text: str | None) -> list[int] | list[int | None] | None:
    if text is None or text in (".", ""):
        return None
    try:
        found = [int(item) for item in text.split(",")]
    except ValueError:
        return [integer(item) for item in text.split(",")]
    return found if max(found) <= LARGEST and min(found) >= -LARGEST else [integer(item) for item in text.split(",")]


def numbers(text: str | None) -> list[float | None] | None:
    return None if text is None or text in (".", "") else [number(item) for item in text.split(",")]


def number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None

"""One VCF record to rows of the store: one per alternate allele (and sample), per-allele values picked right.

Pure. Splitting follows `bcftools norm -m -any`: Number=A and Number=R values keep this allele's, genotype
likelihoods keep the three genotypes of reference and this allele, `calls` say 0 reference, 1 this allele, 2 another
alternate, -1 no call.

Example: rows = variant_rows(record, header, origin)
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from trilake.genomic.header import VcfHeader
from trilake.genomic.record import VcfRecord
from trilake.genomic.reserved import FORMAT, INFO, Field

CALLS = re.compile(r"\d+|\.")
NAMED = {"GT", "AD", "DP", "GQ", "GL", "PL", "PS", "SPL"}
MITOCHONDRION = {"M": "MT"}


@dataclass(frozen=True)
class Origin:
    """Where rows come from; the same for all rows of a file."""

    source_file: str
    load_id: str
    job_id: str
    reference_genome: str
    release: str = ""


def contig_name(chrom: str) -> str:
    """One name per chromosome: without `chr`, M as MT."""
    bare = chrom[3:] if chrom[:3].lower() == "chr" and len(chrom) > 3 else chrom
    return MITOCHONDRION.get(bare, bare)


def place(record: VcfRecord) -> tuple[int, int]:
    """(start, end), 0-based half-open; INFO END gives the end of symbolic and reference-block records."""
    start = max(record.pos - 1, 0)
    end = record.info.get("END")
    if end and end.isdigit() and int(end) >= record.pos:
        return start, int(end)
    return start, start + len(record.ref)


def alleles(record: VcfRecord) -> list[tuple[int, str | None]]:
    """(index, allele) of each row: index 0 and no allele for a reference-only record."""
    return [(0, None)] if not record.alts else list(enumerate(record.alts, start=1))


def variant_rows(record: VcfRecord, header: VcfHeader, origin: Origin) -> Iterator[dict[str, Any]]:
    """Rows in the shape `shape.VARIANT`: sample by sample, allele by allele."""
    start, end = place(record)
    shared = {
        "importjobid": origin.job_id,
        "contigname": contig_name(record.chrom),
        "start": start,
        "end": end,
        "names": record.ids or None,
        "referenceallele": record.ref,
        "qual": record.qual,
        "filters": record.filters,
        "splitfrommultiallelic": len(record.alts) > 1,
        "annotations": None,
        "reference_genome": origin.reference_genome,
        "source_file": origin.source_file,
        "load_id": origin.load_id,
    }
    by_allele = {index: info_of(record, header, index) for index, _ in alleles(record)}
    for sample, text in zip(header.samples, record.samples, strict=True):
        values = dict(zip(record.format, text.split(":"), strict=False))
        for index, allele in alleles(record):
            yield shared | {
                "sampleid": sample,
                "alternatealleles": None if allele is None else [allele],
                "attributes": by_allele[index],
                **sample_values(values, index, len(record.alts), header),
            }


def annotation_rows(record: VcfRecord, header: VcfHeader, origin: Origin) -> Iterator[dict[str, Any]]:
    """Rows in the shape `shape.ANNOTATION` of a sites-only record: one per allele."""
    start, end = place(record)
    for index, allele in alleles(record):
        yield {
            "contigname": contig_name(record.chrom),
            "start": start,
            "end": end,
            "names": record.ids or None,
            "referenceallele": record.ref,
            "alternatealleles": None if allele is None else [allele],
            "attributes": info_of(record, header, index),
            "reference_genome": origin.reference_genome,
            "release": origin.release,
            "source_file": origin.source_file,
            "load_id": origin.load_id,
        }


def info_of(record: VcfRecord, header: VcfHeader, index: int) -> list[tuple[str, str | None]] | None:
    """INFO for one allele as map entries; a flag's value is `true`."""
    if not record.info:
        return None
    entries: list[tuple[str, str | None]] = []
    for key, value in record.info.items():
        rule = header.info.get(key) or INFO.get(key)
        entries.append((key, "true" if value is None else pick(value, rule, index, len(record.alts))))
    return entries


def pick(value: str, rule: Field | None, index: int, n_alts: int) -> str:
    """The part of a value that belongs to one allele."""
    if rule is None or rule.number not in ("A", "R") or n_alts < 2:
        return value
    values = value.split(",")
    if rule.number == "A" and len(values) == n_alts:
        return values[index - 1]
    if rule.number == "R" and len(values) == n_alts + 1:
        return f"{values[0]},{values[index]}"
    return value


def sample_values(values: dict[str, str], index: int, n_alts: int, header: VcfHeader) -> dict[str, Any]:
    """The sample's columns for one allele."""
    genotype = values.get("GT")
    rest = [
        (key, pick(value, header.format.get(key) or FORMAT.get(key), index, n_alts))
        for key, value in values.items()
        if key not in NAMED and value != "."
    ]
    depths = integers(values.get("AD"))
    return {
        "phased": None if genotype is None else is_phased(genotype),
        "calls": None if genotype is None else calls_of(genotype, index),
        "alleledepths": allele_depths(depths, index, n_alts),
        "depth": integer(values.get("DP")),
        "conditionalquality": integer(values.get("GQ")),
        "genotypelikelihoods": likelihoods(numbers(values.get("GL")), index, n_alts),
        "phredlikelihoods": likelihoods(integers(values.get("PL")), index, n_alts),
        "spl": integers(values.get("SPL")),
        "ps": integer(values.get("PS")),
        "information": rest or None,
    }


def is_phased(genotype: str) -> bool:
    return "|" in genotype and "/" not in genotype


def calls_of(genotype: str, index: int) -> list[int]:
    """-1 no call, 0 reference, 1 this allele, 2 another alternate."""
    return [
        -1 if call == "." else 0 if call == "0" else 1 if int(call) == index else 2 for call in CALLS.findall(genotype)
    ]


def allele_depths(depths: list[int | None] | None, index: int, n_alts: int) -> list[int | None] | None:
    if depths is None or len(depths) != n_alts + 1 or n_alts < 2:
        return depths
    return [depths[0], depths[index]]


def likelihoods(values: list[Any] | None, index: int, n_alts: int) -> list[Any] | None:
    """Diploid likelihoods of (ref, ref), (ref, this), (this, this); other ploidies are kept whole.

    Genotype (j, k), j <= k, stands at k(k+1)/2 + j (VCF 4.3, section 1.6.2).
    """
    n_diploid = (n_alts + 1) * (n_alts + 2) // 2
    if values is None or n_alts < 2 or len(values) != n_diploid:
        return values
    return [values[0], values[index * (index + 1) // 2], values[index * (index + 1) // 2 + index]]


def integer(text: str | None) -> int | None:
    """A whole number; callers that write 12.0 for 12 are read, anything else is missing."""
    if text in (None, ".", ""):
        return None
    try:
        return int(float(text or ""))
    except (ValueError, OverflowError):
        return None


def integers(text: str | None) -> list[int | None] | None:
    return None if text in (None, ".", "") else [integer(item) for item in (text or "").split(",")]


def numbers(text: str | None) -> list[float | None] | None:
    return None if text in (None, ".", "") else [number(item) for item in (text or "").split(",")]


def number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None

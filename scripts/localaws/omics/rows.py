"""VCF records as rows of the tables that Athena sees: one per sample and alternate allele, or per allele alone.

Example: `list(variant_rows(record, header, Options(job_id="...")))`.

Columns and types are those that AWS's own loader for these tables declares. What AWS does not publish is chosen here:
a call of another alternate allele is 2, a flag's value is `true`, INFO keeps END, values that are points are left out
of `information`, an allele whose REF is not the reference's is not normalised.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from localaws.omics.fasta import Fasta
from localaws.omics.files import PER_ALLELE, Record, Row, VcfError, VcfHeader, of_allele

PIECE = 1_000
_BASES = re.compile(r"[A-Za-z]+")
_INDEX = re.compile(r"\d+|\.")
_OWN_COLUMNS = {"GT", "AD", "DP", "GQ", "GL", "PL", "PS", "SPL"}
LARGEST = 2**31 - 1
_LISTS = {"consequence", "existing_variation", "flags"}
_RANKS = {"exon": "/", "intron": "/"}
_CHANGES = {"amino_acids": "/", "codons": "/"}
VEP_TEXTS = [
    "allele",
    "impact",
    "symbol",
    "gene",
    "feature_type",
    "feature",
    "biotype",
    "hgvsc",
    "hgvsp",
    "cdna_position",
    "cds_position",
    "protein_position",
    "distance",
    "strand",
    "symbol_source",
    "hgnc_id",
]


@dataclass
class Options:
    """What a job was asked for; `fasta` is there when alleles are to be normalised, `vep` names an INFO key."""

    job_id: str = ""
    fasta: Fasta | None = None
    vep: str | None = None
    parts: list[str] = field(default_factory=list)
    ignores_qual: bool = False
    ignores_filter: bool = False


def variant_rows(record: Record, header: VcfHeader, options: Options) -> Iterator[Row]:
    """Rows of the variant table, sample by sample and allele by allele."""
    shared = list(_shared(record, header, options))
    n_alts = len(record.alts)
    for sample, text in zip(header.samples, record.samples, strict=True):
        values = dict(zip(record.keys, text.split(":"), strict=False))
        for index, row in shared:
            own = _sample(values, index, n_alts, header, record)
            yield {"importjobid": options.job_id, **row, "sampleid": sample, **own}


def annotation_rows(record: Record, header: VcfHeader, options: Options) -> Iterator[Row]:
    """Rows of a VCF annotation table, allele by allele."""
    for _, row in _shared(record, header, options):
        yield row


def _shared(record: Record, header: VcfHeader, options: Options) -> Iterator[tuple[int, Row]]:
    n_alts = len(record.alts)
    for index, alt in enumerate(record.alts, 1) if record.alts else [(0, None)]:
        start, end, ref, allele = _place(record, alt, options.fasta)
        row = {
            "contigname": record.chrom,
            "start": start,
            "end": end,
            "names": record.ids or None,
            "referenceallele": ref,
            "alternatealleles": None if allele is None else [allele],
            "qual": None if options.ignores_qual else record.qual,
            "filters": None if options.ignores_filter else record.filters,
            "splitfrommultiallelic": n_alts > 1,
            "attributes": _attributes(record, header, index) or None,
        }
        if options.vep:
            row["annotations"] = _annotations(record.info.get(options.vep), options.parts)
        yield index, row


def _place(record: Record, alt: str | None, fasta: Fasta | None) -> tuple[int, int, str, str | None]:
    start, ref = max(record.pos - 1, 0), record.ref.upper()
    if alt is None or not _BASES.fullmatch(alt):
        return start, record.end, ref, alt
    alt = alt.upper()
    if fasta is None:
        return start, record.end, ref, alt
    try:
        allele = normalised(fasta, record.chrom, start, ref, alt)
    except WrongReference:
        return start, record.end, ref, alt
    return allele.start, allele.start + len(allele.ref), allele.ref, allele.alt


def _attributes(record: Record, header: VcfHeader, index: int) -> list[tuple[str, str]]:
    n_alts = len(record.alts)
    return [
        (key, "true" if value is None else of_allele(value, _number(header.info, key), index, n_alts))
        for key, value in record.info.items()
    ]


def _number(declared: dict[str, str], key: str) -> str | None:
    return declared.get(key) or PER_ALLELE.get(key)


def _sample(values: dict[str, str], index: int, n_alts: int, header: VcfHeader, record: Record) -> Row:
    genotype = values.get("GT", "")
    calls = _calls(genotype, index, n_alts, record.line) if genotype else None
    others = (
        (key, of_allele(values.get(key, "."), _number(header.format, key), index, n_alts))
        for key in record.keys
        if key not in _OWN_COLUMNS
    )
    return {
        "phased": None if calls is None else "|" in genotype and "/" not in genotype,
        "calls": calls,
        "alleledepths": _depths(_integers(values.get("AD")), index, n_alts),
        "depth": _integer(values.get("DP")),
        "conditionalquality": _integer(values.get("GQ")),
        "genotypelikelihoods": _likelihoods(_numbers(values.get("GL")), index, n_alts),
        "phredlikelihoods": _likelihoods(_integers(values.get("PL")), index, n_alts),
        "spl": _integers(values.get("SPL")),
        "ps": _integer(values.get("PS")),
        "information": [(key, value) for key, value in others if value != "."] or None,
    }


def _calls(text: str, index: int, n_alts: int, line: int) -> list[int]:
    """-1 no call, 0 reference, 1 this allele, 2 another alternate."""
    calls = [-1 if item == "." else int(item) for item in _INDEX.findall(text)]
    if not calls or max(calls) > n_alts:
        raise VcfError(f"Line {line} has a genotype that names no allele of it.")
    return [item if item <= 0 else 1 if item == index else 2 for item in calls]


def _depths(values: list[Any] | None, index: int, n_alts: int) -> list[Any] | None:
    return [values[0], values[index]] if values and n_alts > 1 and len(values) == n_alts + 1 else values


def _likelihoods(values: list[Any] | None, index: int, n_alts: int) -> list[Any] | None:
    """Of a diploid split record the three of reference and this allele: (j, k) stands at k(k+1)/2 + j."""
    if not values or n_alts < 2 or len(values) != (n_alts + 1) * (n_alts + 2) // 2:
        return values
    first = index * (index + 1) // 2
    return [values[0], values[first], values[first + index]]


def _integer(text: str | None) -> int | None:
    number = _number_of(text)
    return None if number is None or abs(number) > LARGEST else int(number)


def _integers(text: str | None) -> list[int | None] | None:
    return None if text is None or text in {".", ""} else [_integer(item) for item in text.split(",")]


def _numbers(text: str | None) -> list[float | None] | None:
    return None if text is None or text in {".", ""} else [_number_of(item) for item in text.split(",")]


def _number_of(text: str | None) -> float | None:
    try:
        number = None if text is None else float(text)
    except ValueError:
        return None
    return number if number is not None and math.isfinite(number) else None


def _annotations(text: str | None, parts: list[str]) -> Row | None:
    """VEP's consequences as the struct that the table has for them; what has no member goes to `extras`."""
    if not text:
        return None
    names = [name.lower() for name in parts]
    return {"vep": [_consequence(dict(zip(names, item.split("|"), strict=False))) for item in text.split(",")]}


def _consequence(values: dict[str, str]) -> Row:
    consequence: Row = {name: values.get(name) or None for name in VEP_TEXTS}
    consequence |= {name: [item for item in values.get(name, "").split("&") if item] or None for name in _LISTS}
    consequence |= {name: _pair(values.get(name), "rank", "total") for name in _RANKS}
    consequence |= {name: _pair(values.get(name), "reference", "variant") for name in _CHANGES}
    extras = [(name, value) for name, value in values.items() if name not in consequence and value]
    return {**consequence, "extras": extras or None}


def _pair(text: str | None, first: str, second: str) -> Row | None:
    if not text:
        return None
    before, _, after = text.partition("/")
    return {first: before, second: after or None}


# Normalisation, as `runLeftNormalization` asks for it (Tan, Abecasis, Kang 2015, "Unified representation of variants").
# Not shared with trilake.genomic.normalise: the laptop's AWS must not agree with the lake because it is the lake.


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

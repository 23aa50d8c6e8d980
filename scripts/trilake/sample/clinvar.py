"""A ClinVar-like annotation: sites-only VCFs of most panel alleles and of some that no sample has, in two releases.

Layout as ClinVar's GRCh38 release (one allele a row, contigs without `chr`, ID is the variation id, RS without `rs`,
several genes, words of significance, conditions and consequences in one value). Variation ids, significance, conditions
and consequences are invented. From the first release to the second some alleles are reclassified, some are new, some
withdrawn.

Reads the panel; writes annotation/clinvar_*.vcf.gz. Example: records()[0].gene
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from trilake.sample.genome import NOTICE, contig_lines, write_bgzf
from trilake.sample.panel import CONTIGS, GENES, SITES

EARLIER, RELEASE = "2025-12-01", "2026-06-01"
RELEASES = (EARLIER, RELEASE)
FIRST_VARIATION_ID = 990000001
N_UNSEEN = 40
"""Annotated alleles that are not on the panel."""
EVERY_RECLASSIFIED, EVERY_NEW = 9, 11
"""Of the alleles of the newest release, each so-many-th had another significance, or was not there, in the earlier."""
N_WITHDRAWN = 2
"""Alleles of the panel that only the earlier release has."""

_REVIEW = (
    "criteria_provided,_single_submitter",
    "criteria_provided,_multiple_submitters,_no_conflicts",
    "reviewed_by_expert_panel",
)
_GENE_IDS = {
    "APOE": 348, "LPA": 4018, "CDKN2B-AS1": 100048912, "ZPR1": 8882, "PCSK9": 255738, "F5": 2153, "F2": 2147,
    "AGT": 183, "AGTR1": 185, "CYP4A11": 1579, "LDLR": 3949, "MYH7": 4625, "MYBPC3": 4607, "SCN5A": 6331,
    "KCNQ1": 3784, "KCNH2": 3757, "LMNA": 4000, "FBN1": 2200, "BRCA2": 675, "BRCA1": 672, "APOB": 338, "TTN": 7273,
    "PSEN1": 5663, "PSEN2": 5664, "APP": 351, "CYP2C19": 1557, "CYP2C9": 1559, "TREM2": 54209, "SLCO1B1": 10599,
    "VKORC1": 79001, "HFE": 3077, "NOS3": 4846, "ACE": 1636, "MTHFR": 4524, "DMD": 1756, "LPL": 4023, "CETP": 1071,
    "ALB": 213, "HMGCR": 3156, "EEF1A2": 1917, "CYP2D6": 1565, "MC4R": 4160, "MT-RNR2": 4550,
}  # fmt: skip
_ACCESSIONS = {
    "1": 11, "2": 12, "3": 12, "4": 12, "5": 10, "6": 12, "7": 14, "8": 11, "9": 12, "10": 11, "11": 10, "12": 12,
    "13": 11, "14": 9, "15": 10, "16": 10, "17": 11, "18": 10, "19": 10, "20": 11, "21": 9, "22": 11, "X": 11, "Y": 10,
}  # fmt: skip
"""Versions of the RefSeq sequences of GRCh38."""
_NEIGHBOURS = {"BRCA1": "NBR2:10230", "APOE": "TOMM40:10452"}
_CONFLICTING = "Conflicting_classifications_of_pathogenicity"
_FORMS = {
    "Pathogenic": "Pathogenic/Likely_pathogenic",
    "Uncertain_significance": _CONFLICTING,
    "drug_response": "association|drug_response",
    "Benign": "Benign/Likely_benign",
}
"""What every fourth invented significance reads like instead: the forms that a real release is full of."""
_DECLARATIONS = (
    '##INFO=<ID=CLNDISDB,Number=.,Type=String,Description="database:identifier of each disease">',
    '##INFO=<ID=CLNHGVS,Number=.,Type=String,Description="genomic HGVS">',
    '##INFO=<ID=CLNSIGCONF,Number=.,Type=String,Description="conflicting classifications, with their counts">',
    '##INFO=<ID=MC,Number=.,Type=String,Description="Sequence Ontology id|molecular consequence">',
    '##INFO=<ID=ORIGIN,Number=.,Type=String,Description="allele origin: 1 germline, 2 somatic, 4 inherited">',
    '##INFO=<ID=ALLELEID,Number=1,Type=Integer,Description="the ClinVar Allele ID">',
    '##INFO=<ID=CLNDN,Number=.,Type=String,Description="preferred disease name">',
    '##INFO=<ID=CLNREVSTAT,Number=.,Type=String,Description="review status">',
    '##INFO=<ID=CLNSIG,Number=.,Type=String,Description="aggregate germline classification">',
    '##INFO=<ID=CLNVC,Number=1,Type=String,Description="variant type">',
    '##INFO=<ID=GENEINFO,Number=1,Type=String,Description="gene symbol:gene id">',
    '##INFO=<ID=RS,Number=.,Type=String,Description="dbSNP ID (i.e. rs number)">',
)


@dataclass(frozen=True)
class Annotation:
    """One annotated allele."""

    contig: str
    position: int
    ref: str
    alt: str
    gene: str
    significance: str
    condition: str
    rs_id: str | None
    is_on_panel: bool

    @property
    def is_known(self) -> bool:
        """Classified as something else than uncertain."""
        return self.significance not in ("Uncertain_significance", _CONFLICTING)

    @property
    def variant_id(self) -> str:
        return f"{self.contig}-{self.position}-{self.ref}-{self.alt}"


@cache
def records(release: str = RELEASE) -> tuple[Annotation, ...]:
    """All alleles of a release, in file order."""
    newest = _in_file_order(_on_panel() + _unseen())
    if release == RELEASE:
        return newest
    before = [
        _before(record) if place % EVERY_RECLASSIFIED == 1 else record
        for place, record in enumerate(newest)
        if place % EVERY_NEW != EVERY_NEW - 1
    ]
    return _in_file_order(before + _withdrawn())


@cache
def annotated_on_panel() -> frozenset[str]:
    """Variant ids that are sequenced, and annotated in some release."""
    return frozenset(record.variant_id for release in RELEASES for record in records(release) if record.is_on_panel)


def n_records() -> int:
    """Annotated alleles of all releases."""
    return sum(len(records(release)) for release in RELEASES)


def write_releases(folder: Path) -> list[Path]:
    """Every release in a file of its own; the files."""
    folder.mkdir(exist_ok=True)
    paths = [folder / f"clinvar_{release.replace('-', '')}.vcf.gz" for release in RELEASES]
    for path, release in zip(paths, RELEASES, strict=True):
        rows = ["\t".join(_row(record)) for record in records(release)]
        write_bgzf(path, "\n".join([*_header(release), *rows, ""]))
    return paths


def _in_file_order(annotations: Iterable[Annotation]) -> tuple[Annotation, ...]:
    order = {contig: i for i, contig in enumerate(CONTIGS)}
    return tuple(sorted(annotations, key=lambda record: (order[record.contig], record.position, record.alt)))


def _before(record: Annotation) -> Annotation:
    """The allele as the earlier release had it."""
    return replace(record, significance="Uncertain_significance" if record.is_known else "not_provided")


def _withdrawn() -> list[Annotation]:
    sites = [site for site in SITES if site.alts and None in site.significance][:N_WITHDRAWN]
    return [
        Annotation(
            site.contig, site.position, site.ref, alt, site.gene, "Likely_pathogenic", "not_provided", None, True
        )
        for site in sites
        for alt, significance in zip(site.alts, site.significance, strict=True)
        if significance is None
    ]


def _on_panel() -> list[Annotation]:
    annotations = [
        Annotation(site.contig, site.position, site.ref, alt, site.gene, significance, site.condition, site.rs_id, True)
        for site in SITES
        for alt, significance in zip(site.alts, site.significance, strict=True)
        if significance
    ]
    return [
        replace(record, significance=_FORMS.get(record.significance, record.significance))
        if place % 4 == 0 and record.rs_id is None
        else record
        for place, record in enumerate(annotations)
    ]


def _unseen() -> list[Annotation]:
    rng = np.random.default_rng(20260601)
    taken = {(site.contig, site.position) for site in SITES}
    annotations: list[Annotation] = []
    while len(annotations) < N_UNSEEN:
        gene, contig, first, last = GENES[int(rng.integers(len(GENES)))]
        position = int(rng.integers(first, last))
        ref, alt = (str(base) for base in rng.choice(list("ACGT"), size=2, replace=False))
        significance = str(rng.choice(["Pathogenic", "Likely_pathogenic", "Benign", "Uncertain_significance"]))
        if (contig, position) not in taken:
            taken.add((contig, position))
            annotations.append(Annotation(contig, position, ref, alt, gene, significance, "not_provided", None, False))
    return annotations


def _header(release: str) -> list[str]:
    return [
        "##fileformat=VCFv4.1",
        f"##fileDate={release}",
        "##source=ClinVar",
        "##reference=GRCh38",
        '##ID=<Description="ClinVar Variation ID">',
        f"##synthetic={NOTICE}; significance is invented",
        *contig_lines(has_prefix=False),
        *_DECLARATIONS,
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO",
    ]


@cache
def _number(variant_id: str) -> int:
    """The allele's place among all that any release has: its variation id does not change between releases."""
    every = {record.variant_id for release in RELEASES for record in records(release)}
    return sorted(every).index(variant_id)


def _row(record: Annotation) -> tuple[str, ...]:
    i = _number(record.variant_id)
    kind, ontology, consequence = _kind(record)
    genes = f"{record.gene}:{_GENE_IDS[record.gene]}"
    info = [
        f"ALLELEID={FIRST_VARIATION_ID + 5000 + i}",
        f"CLNDISDB={'MedGen:C3661900' if record.condition == 'not_provided' else f'MedGen:CN{900000 + i},OMIM:{i}'}",
        f"CLNDN={record.condition}" + ("|not_provided" if i % 7 == 0 else ""),
        f"CLNHGVS={_hgvs(record)}",
        f"CLNREVSTAT={_review(record, i)}",
        f"CLNSIG={record.significance}",
        f"CLNVC={kind}",
        f"GENEINFO={genes}|{_NEIGHBOURS[record.gene]}" if record.gene in _NEIGHBOURS else f"GENEINFO={genes}",
        f"MC={ontology}|{consequence}",
        f"ORIGIN={1 if i % 5 else 5}",
    ]
    if record.significance == _CONFLICTING:
        info.append("CLNSIGCONF=Likely_pathogenic(1)|Uncertain_significance(2)")
    if record.rs_id:
        info.append(f"RS={record.rs_id.removeprefix('rs')}")
    position, variation_id = str(record.position), str(FIRST_VARIATION_ID + i)
    return (record.contig, position, variation_id, record.ref, record.alt, ".", ".", ";".join(info))


def _review(record: Annotation, i: int) -> str:
    return "criteria_provided,_conflicting_classifications" if record.significance == _CONFLICTING else _REVIEW[i % 3]


def _hgvs(record: Annotation) -> str:
    sequence = (
        "NC_012920.1:m."
        if record.contig == "MT"
        else f"NC_{['X', 'Y'].index(record.contig) + 23 if record.contig in 'XY' else int(record.contig):06d}."
        f"{_ACCESSIONS[record.contig]}:g."
    )
    if len(record.ref) == len(record.alt) == 1:
        return f"{sequence}{record.position}{record.ref}>{record.alt}"
    return f"{sequence}{record.position}_{record.position + len(record.ref) - 1}delins{record.alt}"


def _kind(record: Annotation) -> tuple[str, str, str]:
    """(variant type, Sequence Ontology id, consequence)"""
    if len(record.ref) == len(record.alt):
        return "single_nucleotide_variant", "SO:0001583", "missense_variant"
    if len(record.ref) > len(record.alt):
        return "Deletion", "SO:0001822", "inframe_deletion"
    return "Insertion", "SO:0001821", "inframe_insertion"

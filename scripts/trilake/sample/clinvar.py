"""A ClinVar-like annotation: a sites-only VCF of most panel alleles and of some that no sample has.

Layout as ClinVar's GRCh38 release (one allele a row, contigs without `chr`, ID is the variation id, RS without `rs`).
Variation ids and significance are invented.

Reads the panel; writes annotation/clinvar_20260601.vcf.gz. Make target: sample. Example: records()[0].gene
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from trilake.sample.panel import CONTIGS, GENES, SITES
from trilake.sample.vcf import NOTICE, contig_lines, write_bgzf

RELEASE = "2026-06-01"
FILE_NAME = f"clinvar_{RELEASE.replace('-', '')}.vcf.gz"
FIRST_VARIATION_ID = 990000001
N_UNSEEN = 40
"""Annotated alleles that are not on the panel."""

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
_DECLARATIONS = (
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
    def variant_id(self) -> str:
        return f"{self.contig}-{self.position}-{self.ref}-{self.alt}"


@cache
def records() -> tuple[Annotation, ...]:
    """All annotated alleles in file order."""
    order = {contig: i for i, contig in enumerate(CONTIGS)}
    found = _on_panel() + _unseen()
    return tuple(sorted(found, key=lambda record: (order[record.contig], record.position, record.alt)))


@cache
def annotated_on_panel() -> frozenset[str]:
    """Variant ids that are both sequenced and annotated."""
    return frozenset(record.variant_id for record in records() if record.is_on_panel)


def write_annotation(path: Path) -> None:
    """The whole release."""
    rows = ["\t".join(_row(i, record)) for i, record in enumerate(records())]
    write_bgzf(path, "\n".join([*_header(), *rows, ""]))


def _on_panel() -> list[Annotation]:
    return [
        Annotation(site.contig, site.position, site.ref, alt, site.gene, significance, site.condition, site.rs_id, True)
        for site in SITES
        for alt, significance in zip(site.alts, site.significance, strict=True)
        if significance
    ]


def _unseen() -> list[Annotation]:
    rng = np.random.default_rng(20260601)
    taken = {(site.contig, site.position) for site in SITES}
    found: list[Annotation] = []
    while len(found) < N_UNSEEN:
        gene, contig, first, last = GENES[int(rng.integers(len(GENES)))]
        position = int(rng.integers(first, last))
        ref, alt = (str(base) for base in rng.choice(list("ACGT"), size=2, replace=False))
        significance = str(rng.choice(["Pathogenic", "Likely_pathogenic", "Benign", "Uncertain_significance"]))
        if (contig, position) not in taken:
            taken.add((contig, position))
            found.append(Annotation(contig, position, ref, alt, gene, significance, "not_provided", None, False))
    return found


def _header() -> list[str]:
    return [
        "##fileformat=VCFv4.1",
        f"##fileDate={RELEASE}",
        "##source=ClinVar",
        "##reference=GRCh38",
        '##ID=<Description="ClinVar Variation ID">',
        f"##synthetic={NOTICE}; significance is invented",
        *contig_lines(has_prefix=False),
        *_DECLARATIONS,
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO",
    ]


def _row(i: int, record: Annotation) -> tuple[str, ...]:
    info = [
        f"ALLELEID={FIRST_VARIATION_ID + 5000 + i}",
        f"CLNDN={record.condition}",
        f"CLNREVSTAT={_REVIEW[i % len(_REVIEW)]}",
        f"CLNSIG={record.significance}",
        f"CLNVC={_kind(record)}",
        f"GENEINFO={record.gene}:{_GENE_IDS[record.gene]}",
    ]
    if record.rs_id:
        info.append(f"RS={record.rs_id.removeprefix('rs')}")
    position, variation_id = str(record.position), str(FIRST_VARIATION_ID + i)
    return (record.contig, position, variation_id, record.ref, record.alt, ".", ".", ";".join(info))


def _kind(record: Annotation) -> str:
    if len(record.ref) == len(record.alt):
        return "single_nucleotide_variant"
    return "Deletion" if len(record.ref) > len(record.alt) else "Insertion"

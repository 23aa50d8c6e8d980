"""The sequencing panel: 13 known markers and null sites, on GRCh38, the same for every seed.

Marker positions are public (dbSNP, GRCh38, 1-based). Null sites lie inside real genes, but their positions, alleles,
frequencies and significance are invented and move no outcome. Significance is synthetic throughout.

Example: [site.gene for site in SITES if site.rs_id]
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

CONTIGS: dict[str, int] = {
    "1": 248956422, "2": 242193529, "3": 198295559, "4": 190214555, "5": 181538259, "6": 170805979,
    "7": 159345973, "8": 145138636, "9": 138394717, "10": 133797422, "11": 135086622, "12": 133275309,
    "13": 114364328, "14": 107043718, "15": 101991189, "16": 90338345, "17": 83257441, "18": 80373285,
    "19": 58617616, "20": 64444167, "21": 46709983, "22": 50818468, "X": 156040895, "Y": 57227415, "MT": 16569,
}  # fmt: skip
"""GRCh38 contigs and their lengths, in file order."""


@dataclass(frozen=True)
class Site:
    """One row of the panel. `alts` is empty for a reference-only block, which then reaches `end`."""

    contig: str
    position: int
    ref: str
    alts: tuple[str, ...]
    frequencies: tuple[float, ...]
    gene: str
    rs_id: str | None = None
    significance: tuple[str | None, ...] = ()
    condition: str = "not_provided"
    end: int | None = None

    def variant_id(self, alt: str) -> str:
        """contig-position-ref-alt, 1-based, without `chr`."""
        return f"{self.contig}-{self.position}-{self.ref}-{alt}"


def _marker(contig: str, position: int, change: str, rs_id: str, frequency: float, *about: str) -> Site:
    ref, alt = change.split(">")
    gene, significance, condition = about
    return Site(contig, position, ref, (alt,), (frequency,), gene, rs_id, (significance,), condition)


MARKERS: tuple[Site, ...] = (
    _marker("19", 44908684, "T>C", "rs429358", 0.15, "APOE", "risk_factor", "Alzheimer_disease"),
    _marker("19", 44908822, "C>T", "rs7412", 0.08, "APOE", "protective", "Alzheimer_disease"),
    _marker("6", 160589086, "A>G", "rs10455872", 0.08, "LPA", "risk_factor", "Coronary_artery_disease"),
    _marker("6", 160540105, "T>C", "rs3798220", 0.03, "LPA", "risk_factor", "Coronary_artery_disease"),
    _marker("9", 22124478, "A>G", "rs10757278", 0.48, "CDKN2B-AS1", "association", "Coronary_artery_disease"),
    _marker("9", 22125504, "G>C", "rs1333049", 0.48, "CDKN2B-AS1", "association", "Coronary_artery_disease"),
    _marker("11", 116778201, "G>C", "rs964184", 0.15, "ZPR1", "association", "Hypertriglyceridemia"),
    _marker("1", 55039974, "G>T", "rs11591147", 0.03, "PCSK9", "protective", "Hypercholesterolemia"),
    _marker("1", 169549811, "C>T", "rs6025", 0.05, "F5", "Pathogenic", "Thrombophilia_due_to_factor_V_Leiden"),
    _marker("11", 46739505, "G>A", "rs1799963", 0.03, "F2", "Pathogenic", "Prothrombin-related_thrombophilia"),
    _marker("1", 230710048, "A>G", "rs699", 0.42, "AGT", "risk_factor", "Hypertension"),
    _marker("3", 148742201, "A>C", "rs5186", 0.28, "AGTR1", "association", "Hypertension"),
    _marker("1", 46932824, "A>G", "rs1126742", 0.12, "CYP4A11", "association", "Hypertension"),
)
"""The markers that move a trait or an outcome; the effect allele is always the alternate one."""

FREQUENCIES: dict[str, float] = {site.rs_id: site.frequencies[0] for site in MARKERS if site.rs_id}

GENES: tuple[tuple[str, str, int, int], ...] = (
    ("LDLR", "19", 11089463, 11133820), ("MYH7", "14", 23412740, 23435660), ("MYBPC3", "11", 47331406, 47352702),
    ("SCN5A", "3", 38548062, 38649687), ("KCNQ1", "11", 2444684, 2849105), ("KCNH2", "7", 150944961, 150978321),
    ("LMNA", "1", 156082573, 156140089), ("FBN1", "15", 48408313, 48645709), ("BRCA2", "13", 32315086, 32400268),
    ("BRCA1", "17", 43044295, 43125364), ("APOB", "2", 21001429, 21044073), ("TTN", "2", 178525989, 178807423),
    ("PSEN1", "14", 73136418, 73223691), ("PSEN2", "1", 226870616, 226896098), ("APP", "21", 25880550, 26171128),
    ("CYP2C19", "10", 94762681, 94853205), ("CYP2C9", "10", 94938658, 94990091), ("TREM2", "6", 41158506, 41163186),
    ("SLCO1B1", "12", 21131194, 21239796), ("VKORC1", "16", 31090842, 31095517), ("HFE", "6", 26087281, 26098343),
    ("NOS3", "7", 150991056, 151014588), ("ACE", "17", 63477061, 63498373), ("MTHFR", "1", 11785723, 11806455),
    ("DMD", "X", 31119222, 33211550),
)  # fmt: skip
_PER_GENE = 5
_SIGNIFICANCE = {
    "Benign": 0.30, "Likely_benign": 0.24, "Uncertain_significance": 0.24,
    "Pathogenic": 0.07, "Likely_pathogenic": 0.05, "drug_response": 0.10,
}  # fmt: skip
_SHARE_ANNOTATED = 0.6

_SPECIAL: tuple[Site, ...] = (
    Site("8", 19956018, "A", ("C", "T"), (0.20, 0.10), "LPL", None, ("Benign", "Uncertain_significance")),
    Site("16", 56959412, "CT", ("C",), (0.18,), "CETP", None, ("Likely_benign",)),
    Site("4", 73404300, "GAAT", ("G",), (0.06,), "ALB", None, (None,)),
    Site("5", 75341000, "T", ("TAG",), (0.12,), "HMGCR", None, ("drug_response",)),
    Site("20", 63401200, "C", ("CA",), (0.09,), "EEF1A2", None, (None,)),
    Site("22", 42126611, "C", ("G",), (0.35,), "CYP2D6", None, ("drug_response",)),
    Site("18", 60371600, "A", ("G",), (0.22,), "MC4R", None, ("Benign",)),
    Site("MT", 3010, "G", ("A",), (0.25,), "MT-RNR2", None, ("Benign",)),
    Site("2", 21006000, "C", (), (), "APOB", None, (), end=21006099),
)
"""Multi-allelic, deletions, insertions, a mitochondrial site and a reference-only block."""


@cache
def _null_sites() -> tuple[Site, ...]:
    """Five single-base sites a gene, drawn once and for all."""
    # One seed for all samples: what is on a sequencer's panel does not depend on who is sequenced.
    rng = np.random.default_rng(20190101)
    sites = []
    for gene, contig, first, last in GENES:
        positions = first + np.sort(rng.choice(last - first, size=_PER_GENE, replace=False))
        for position in positions:
            ref, alt = rng.choice(list("ACGT"), size=2, replace=False)
            frequency = round(float(0.01 + 0.45 * rng.beta(0.8, 1.6)), 3)
            significance = str(rng.choice(list(_SIGNIFICANCE), p=list(_SIGNIFICANCE.values())))
            known = rng.random() < _SHARE_ANNOTATED
            sites.append(
                Site(contig, int(position), str(ref), (str(alt),), (frequency,), gene, None,
                     (significance if known else None,))
            )  # fmt: skip
    return tuple(sites)


def _in_file_order(sites: tuple[Site, ...]) -> tuple[Site, ...]:
    order = {contig: i for i, contig in enumerate(CONTIGS)}
    return tuple(sorted(sites, key=lambda site: (order[site.contig], site.position)))


SITES: tuple[Site, ...] = _in_file_order(MARKERS + _null_sites() + _SPECIAL)
"""All rows of a sample's VCF, in file order."""

N_ALTERNATES = sum(len(site.alts) for site in SITES)
N_ROWS_AFTER_SPLIT = sum(max(1, len(site.alts)) for site in SITES)

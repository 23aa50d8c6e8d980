"""Latent people: what is true of a person before anything is written, and which of it moves which outcome, by how much.

Every outcome is one logistic model over standardised features (mean 0, SD 1; alleles count copies); nothing else links
a patient's data to the label. `appendicitis` has no terms: it is the control that no model may predict. The effects are
written, not estimated from data, and modest on purpose (odds ratios 1.1 to 1.5 an allele, about 3 for APOE e4; image
volumes 0.3 to 0.7 SD). Synthetic: no clinical evidence.

Example: draw(np.random.default_rng(1), 50).features["sbp"]; OUTCOMES["stroke"].terms["sbp"]
"""

from dataclasses import dataclass, field
from datetime import date
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trilake.sample.panel import FREQUENCIES

INDEX_DATE = date(2019, 1, 1)
"""Features lie before this day, onsets of new cases after it."""
DATA_END = date(2026, 6, 30)
"""The last day that any file knows of."""
SHARE_PREVALENT = 0.08
"""Share of cases whose onset lies before the index date, whatever their features."""

SNOMED = "http://snomed.info/sct"

CLINICAL = ("age", "is_male", "is_south", "smoked_before", "smokes", "bmi", "sbp", "ldl", "hba1c")
GENOMIC = (
    "rs429358", "rs7412", "rs10455872", "rs3798220", "rs10757278", "rs1333049", "rs964184", "rs11591147",
    "rs6025", "rs1799963", "rs699", "rs5186", "rs1126742",
)  # fmt: skip
IMAGING = ("ventricle", "brain")
MODALITIES: dict[str, tuple[str, ...]] = {"clinical": CLINICAL, "genomic": GENOMIC, "imaging": IMAGING}

SCALES: dict[str, tuple[float, float, str]] = {
    "age": (66.0, 9.0, "year at the index date"),
    "bmi": (28.0, 4.5, "kg/m2"),
    "sbp": (134.0, 16.0, "mm[Hg]"),
    "ldl": (128.0, 32.0, "mg/dL"),
    "hba1c": (5.8, 0.55, "%"),
    "ventricle": (42.0, 15.0, "mL"),
    "brain": (1130.0, 75.0, "mL"),
}
"""Mean, standard deviation and unit of each standardised feature."""

TRAIT_EFFECTS: dict[str, dict[str, float]] = {
    "sbp": {"age": 0.35, "bmi": 0.20, "rs699": 0.08, "rs5186": 0.08, "rs1126742": 0.08},
    "ldl": {"bmi": 0.15, "rs429358": 0.20, "rs7412": -0.25, "rs964184": 0.15, "rs11591147": -0.60},
    "hba1c": {"bmi": 0.35},
    "ventricle": {"age": 0.45},
    "brain": {"age": -0.45},
}
"""What moves a trait, in SD of the trait per unit of the cause (SD, or allele)."""


@dataclass(frozen=True)
class Outcome:
    """One label: its code, its log odds per unit of each latent feature, and the intercept that sets its rate."""

    name: str
    code: str
    display: str
    prevalence: float
    intercept: float
    terms: dict[str, float] = field(default_factory=dict)
    codes_2019: tuple[str, str] | None = None

    @property
    def value_set(self) -> list[str]:
        """Every code under which the chart may hold this outcome."""
        return [self.code, *([self.codes_2019[0]] if self.codes_2019 else [])]


_OUTCOMES = (
    Outcome(
        "hypertension", "59621000", "Essential hypertension (disorder)", 0.38, -1.098,
        {
            "age": 0.45, "is_male": 0.10, "is_south": 0.25, "bmi": 0.35, "sbp": 0.75,
            "rs699": log(1.20), "rs5186": log(1.20), "rs1126742": log(1.25), "brain": -0.15,
        },
        codes_2019=("38341003", "Hypertension"),
    ),
    Outcome(
        "coronary_heart_disease", "53741008", "Coronary arteriosclerosis (disorder)", 0.33, -1.902,
        {
            "age": 0.45, "is_male": 0.40, "is_south": 0.25, "smoked_before": 0.25, "smokes": 0.60,
            "bmi": 0.15, "sbp": 0.30, "ldl": 0.40, "hba1c": 0.15, "rs10757278": log(1.45), "rs10455872": log(1.50),
            "rs3798220": log(1.50), "rs964184": log(1.30), "rs11591147": -log(1.50), "brain": -0.45,
        },
    ),
    Outcome(
        "stroke", "230690007", "Cerebrovascular accident (disorder)", 0.28, -1.548,
        {
            "age": 0.50, "is_south": 0.25, "smokes": 0.45, "sbp": 0.45, "hba1c": 0.10, "rs6025": log(1.40),
            "rs1799963": log(1.40), "rs10757278": log(1.15), "brain": -0.35, "ventricle": 0.15,
        },
    ),
    Outcome(
        "alzheimers_disease", "26929004", "Alzheimer's disease (disorder)", 0.30, -1.499,
        {
            "age": 0.55, "is_south": 0.25, "hba1c": 0.10, "rs429358": log(3.0), "rs7412": -log(1.40),
            "ventricle": 0.65, "brain": -0.30,
        },
    ),
    Outcome("appendicitis", "74400008", "Appendicitis (disorder)", 0.28, -0.9445),
)  # fmt: skip

OUTCOMES: dict[str, Outcome] = {outcome.name: outcome for outcome in _OUTCOMES}


def describe() -> dict[str, Any]:
    """Everything above as one JSON object, for the truth folder."""
    return {
        "notice": "Synthetic data with written effects: not clinical evidence.",
        "index_date": INDEX_DATE.isoformat(),
        "data_end": DATA_END.isoformat(),
        "share_of_cases_before_index": SHARE_PREVALENT,
        "features": {name: list(features) for name, features in MODALITIES.items()},
        "scales": {name: {"mean": m, "sd": sd, "unit": unit} for name, (m, sd, unit) in SCALES.items()},
        "trait_effects_sd": TRAIT_EFFECTS,
        "outcomes": {
            outcome.name: {
                "code_system": SNOMED,
                "codes": outcome.value_set,
                "prevalence": outcome.prevalence,
                "intercept": outcome.intercept,
                "log_odds": outcome.terms,
                "is_control": not outcome.terms,
            }
            for outcome in OUTCOMES.values()
        },
    }


Floats = NDArray[np.float64]
Haplotypes = NDArray[np.int8]

# The isoforms of APOE are haplotypes of two markers: e2 is the alternate allele of rs7412, e4 that of rs429358, e3 has
# neither. Drawn apart, some people would have both on one chromosome, which hardly exists.
APOE_HAPLOTYPES = {"e2": 0.08, "e3": 0.77, "e4": 0.15}
NINE_P21_SWITCH = 0.04
"""Chance that the two 9p21 markers differ on one haplotype."""


@dataclass(frozen=True)
class Latent:
    """One shard of people: features by name, the two alleles of each marker that matters, outcomes by name."""

    features: dict[str, Floats]
    haplotypes: Haplotypes
    probabilities: dict[str, Floats]
    labels: dict[str, NDArray[np.bool_]]


def draw(rng: np.random.Generator, n: int) -> Latent:
    """`n` latent people."""
    haplotypes = _draw_haplotypes(rng, n)
    features = _draw_features(rng, n, haplotypes)
    probabilities = {name: probability(outcome, features) for name, outcome in OUTCOMES.items()}
    labels = {name: rng.random(n) < p for name, p in probabilities.items()}
    return Latent(features, haplotypes, probabilities, labels)


def probability(outcome: Outcome, features: dict[str, Floats]) -> Floats:
    """The true probability of the outcome, one per person."""
    n = len(features["age"])
    log_odds = np.full(n, outcome.intercept)
    for name, effect in outcome.terms.items():
        log_odds += effect * features[name]
    result: Floats = 1.0 / (1.0 + np.exp(-log_odds))
    return result


def _draw_haplotypes(rng: np.random.Generator, n: int) -> Haplotypes:
    """Alternate alleles on each of two haplotypes: person x marker (order of GENOMIC) x 2."""
    frequencies = np.array([FREQUENCIES[name] for name in GENOMIC])
    haplotypes = (rng.random((n, len(GENOMIC), 2)) < frequencies[None, :, None]).astype(np.int8)
    u = rng.random((n, 2))
    haplotypes[:, GENOMIC.index("rs7412")] = u < APOE_HAPLOTYPES["e2"]
    haplotypes[:, GENOMIC.index("rs429358")] = u >= 1.0 - APOE_HAPLOTYPES["e4"]
    switched = rng.random((n, 2)) < NINE_P21_SWITCH
    haplotypes[:, GENOMIC.index("rs1333049")] = haplotypes[:, GENOMIC.index("rs10757278")] ^ switched
    return haplotypes


def _draw_features(rng: np.random.Generator, n: int, haplotypes: Haplotypes) -> dict[str, Floats]:
    features: dict[str, Floats] = {
        name: haplotypes[:, i].sum(axis=1).astype(np.float64) for i, name in enumerate(GENOMIC)
    }
    features["age"] = np.clip(rng.standard_normal(n), -2.4, 2.4)
    features["is_male"] = (rng.random(n) < 0.5).astype(np.float64)
    features["is_south"] = (rng.random(n) < 0.45).astype(np.float64)
    smoking = rng.random(n)
    features["smoked_before"] = ((smoking >= 0.50) & (smoking < 0.80)).astype(np.float64)
    features["smokes"] = (smoking >= 0.80).astype(np.float64)
    features["bmi"] = np.clip(rng.standard_normal(n), -2.2, 3.2)
    for trait, causes in TRAIT_EFFECTS.items():
        features[trait] = _draw_trait(rng, features, causes)
    features["ventricle"] = np.clip(features["ventricle"], -2.0, 3.5)
    features["brain"] = np.clip(features["brain"], -3.0, 3.0)
    return features


def _draw_trait(rng: np.random.Generator, features: dict[str, Floats], causes: dict[str, float]) -> Floats:
    """The sum of the causes' effects plus what is left of a variance of about one: standardised whatever its causes."""
    explained = np.zeros(len(features["age"]))
    variance = 0.0
    for name, effect in causes.items():
        mean, spread = _moments(name)
        explained += effect * (features[name] - mean)
        variance += (effect * spread) ** 2
    result: Floats = explained + np.sqrt(max(0.05, 1.0 - variance)) * rng.standard_normal(len(explained))
    return result


def _moments(name: str) -> tuple[float, float]:
    if name not in FREQUENCIES:
        return 0.0, 1.0
    # An allele count in Hardy-Weinberg proportions is binomial of two draws.
    frequency = FREQUENCIES[name]
    return 2 * frequency, float(np.sqrt(2 * frequency * (1 - frequency)))

"""Latent people: traits, alleles that matter, image volumes and outcomes, drawn for a whole shard at once.

A draw is a pure function of its random generator. Standardised features have mean 0 and SD 1; alleles count copies.

Reads and writes nothing. Make target: sample. Example: draw(np.random.default_rng(1), 50).features["sbp"]
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trilake.sample.effects import GENOMIC, OUTCOMES, TRAIT_EFFECTS, Outcome
from trilake.sample.panel import FREQUENCIES

Floats = NDArray[np.float64]
Haplotypes = NDArray[np.int8]

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
    """The sum of the causes' effects plus what is left of a variance of about one."""
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
    frequency = FREQUENCIES[name]
    return 2 * frequency, float(np.sqrt(2 * frequency * (1 - frequency)))

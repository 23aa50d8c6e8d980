"""The best possible AUC of each outcome, from each set of modalities: what no honest model can beat.

A large population is drawn from the same latent model. The score of a modality set is the expected log odds given
its features (linear in this model, so least squares finds it); cases and controls are weighted by the true
probabilities, so no label noise enters.

Reads and writes nothing. Make target: sample. Example: bayes_auc()["stroke"]["all"]
"""

from functools import cache
from itertools import combinations

import numpy as np

from trilake.sample.effects import MODALITIES, OUTCOMES
from trilake.sample.latent import Floats, Latent, draw

N_PEOPLE = 100_000
_SEED = 411


@cache
def bayes_auc() -> dict[str, dict[str, float]]:
    """Outcome -> modality set (`clinical`, `clinical+genomic`, ..., `all`) -> AUC to three digits."""
    people = draw(np.random.default_rng(_SEED), N_PEOPLE)
    return {name: {label: round(_auc_of(people, name, names), 3) for label, names in _sets()} for name in OUTCOMES}


def auc(score: Floats, probability: Floats) -> float:
    """Chance that a random case outscores a random control, each person being a case with `probability`; ties half."""
    _, group = np.unique(np.round(score, 9), return_inverse=True)
    cases = np.bincount(group, weights=probability)
    controls = np.bincount(group, weights=1.0 - probability)
    below = np.cumsum(controls) - controls
    return float((cases * (below + controls / 2)).sum() / (cases.sum() * controls.sum()))


def _sets() -> list[tuple[str, tuple[str, ...]]]:
    names = list(MODALITIES)
    chosen = [group for size in range(1, len(names) + 1) for group in combinations(names, size)]
    return [("all" if len(group) == len(names) else "+".join(group), group) for group in chosen]


def _auc_of(people: Latent, outcome: str, modalities: tuple[str, ...]) -> float:
    columns = [people.features[name] for modality in modalities for name in MODALITIES[modality]]
    matrix = np.column_stack([np.ones(N_PEOPLE), *columns])
    probability = people.probabilities[outcome]
    log_odds = np.log(probability / (1.0 - probability))
    weights, *_ = np.linalg.lstsq(matrix, log_odds, rcond=None)
    return auc(matrix @ weights, probability)

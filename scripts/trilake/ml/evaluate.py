"""How well a model ranks and predicts people it was not fitted on, with intervals, against the share of cases.

Repeated stratified folds by patient. AUC counts case-control pairs that one model scored: scores of different folds
are not compared with each other, which would pull a useless model below 0.5. Intervals are percentiles over patients
drawn with replacement, the same draws for every set of features. Pure; the seed decides everything.

Example: result = evaluate(values, labels, folds, settings)
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from trilake.ml.audit import Fold
from trilake.ml.study import Evaluation

Floats = NDArray[np.float64]
LEVEL = (2.5, 97.5)
TIE = 1e-12


@dataclass(frozen=True)
class Interval:
    """An estimate and its 95 % bootstrap interval."""

    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        return {"value": round(self.value, 4), "low": round(self.low, 4), "high": round(self.high, 4)}


@dataclass(frozen=True)
class Scores:
    """What the folds gave: pairs won and pairs compared (case x control), loss of model and baseline by patient."""

    won: Floats
    compared: Floats
    loss: Floats
    baseline_loss: Floats
    probability: Floats


@dataclass(frozen=True)
class Result:
    """`gain` is the baseline's Brier score less the model's."""

    auc: Interval
    brier: Interval
    baseline_brier: float
    gain: Interval
    scores: Scores

    @property
    def beats_guessing(self) -> bool:
        """Ranks better than chance beyond the interval, and predicts better than the share of cases."""
        return self.auc.low > 0.5 and self.gain.value > 0


def make_folds(labels: pd.Series, settings: Evaluation) -> list[Fold]:
    """Train and test positions, stratified by outcome, one row being one patient."""
    maker = RepeatedStratifiedKFold(n_splits=settings.folds, n_repeats=settings.repeats, random_state=settings.seed)
    return list(maker.split(np.zeros(len(labels)), labels.to_numpy()))


def make_pipeline(settings: Evaluation) -> Pipeline:
    """Medians for what is missing (flags are columns of their own), one scale, logistic regression with a penalty."""
    return Pipeline(
        [
            ("impute", SimpleImputer(strategy="median", keep_empty_features=True)),
            ("scale", StandardScaler()),
            ("model", LogisticRegression(C=settings.strength, max_iter=1000)),
        ]
    )


def evaluate(values: pd.DataFrame, labels: pd.Series, folds: Sequence[Fold], settings: Evaluation) -> Result:
    """The held-out performance of one set of features."""
    truth = labels.to_numpy()
    scores = held_out(values.to_numpy(), truth, folds, settings)
    draws = resamples(len(truth), settings)
    return Result(
        auc=interval(area(scores, truth, np.ones((1, len(truth))))[0], area(scores, truth, draws)),
        brier=interval(float(scores.loss.mean()), mean_under(scores.loss, draws)),
        baseline_brier=float(scores.baseline_loss.mean()),
        gain=interval(
            float((scores.baseline_loss - scores.loss).mean()), mean_under(scores.baseline_loss - scores.loss, draws)
        ),
        scores=scores,
    )


def held_out(values: Floats, truth: NDArray[np.int64], folds: Sequence[Fold], settings: Evaluation) -> Scores:
    n = len(truth)
    won, compared = np.zeros((n, n)), np.zeros((n, n))
    loss, baseline, probability = np.zeros(n), np.zeros(n), np.zeros(n)
    for train, test in folds:
        model = make_pipeline(settings).fit(values[train], truth[train])
        score = model.predict_proba(values[test])[:, 1]
        # The AUC is the share of case-control pairs that are ranked rightly, ties half (Mann-Whitney U).
        apart = score[:, None] - score[None, :]
        won[np.ix_(test, test)] += (apart > TIE) + 0.5 * (np.abs(apart) <= TIE)
        compared[np.ix_(test, test)] += 1
        loss[test] += (score - truth[test]) ** 2
        baseline[test] += (truth[train].mean() - truth[test]) ** 2
        probability[test] += score
    pairs = np.ix_(truth == 1, truth == 0)
    repeats = settings.repeats
    return Scores(won[pairs], compared[pairs], loss / repeats, baseline / repeats, probability / repeats)


def resamples(n: int, settings: Evaluation) -> Floats:
    """How often each patient is drawn: resamples x patients."""
    rng = np.random.default_rng(settings.seed)
    drawn = rng.integers(0, n, size=(settings.resamples, n))
    return np.stack([np.bincount(row, minlength=n) for row in drawn]).astype(np.float64)


def area(scores: Scores, truth: NDArray[np.int64], draws: Floats) -> Floats:
    """AUC of each draw; draws without a comparable pair are left out."""
    cases, others = draws[:, truth == 1], draws[:, truth == 0]
    # A drawn patient counts as often as it was drawn, so a pair counts the product; einsum sums over all pairs at once.
    won = np.einsum("bi,ij,bj->b", cases, scores.won, others, optimize=True)
    compared = np.einsum("bi,ij,bj->b", cases, scores.compared, others, optimize=True)
    areas: Floats = won[compared > 0] / compared[compared > 0]
    return areas


def mean_under(values: Floats, draws: Floats) -> Floats:
    means: Floats = draws @ values / draws.sum(axis=1)
    return means


def interval(value: float, drawn: Floats) -> Interval:
    low, high = np.percentile(drawn, LEVEL)
    return Interval(float(value), float(low), float(high))


def difference(one: Result, other: Result, truth: NDArray[np.int64], settings: Evaluation) -> Interval:
    """AUC of `one` less that of `other` on the same draws."""
    draws = resamples(len(truth), settings)
    apart = area(one.scores, truth, draws) - area(other.scores, truth, draws)
    return interval(one.auc.value - other.auc.value, apart)

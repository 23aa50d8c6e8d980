"""The report card: what was predicted, in whom, from what, how well, and the plain sentence that follows. Pure.

Every claim is computed from the held-out results. Counts below the minimum cell size are not in it.

Example: card["sentence"]  ->  "No better than guessing: AUC 0.51 (0.39 to 0.63), ..."
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from trilake.cohort.attrition import Step, releasable
from trilake.core.disclosure import is_enough, is_safe
from trilake.ml.audit import Verdict
from trilake.ml.evaluate import Interval, Result, area, difference, interval, resamples
from trilake.ml.matrix import Matrix, is_flag
from trilake.ml.study import Study

ALL = "all"
BETTER, NO_BETTER = "better than guessing", "no better than guessing"
NEVER = 1e9
"""No penalty worth the name, for the calibration line."""


@dataclass(frozen=True)
class Trained:
    """Everything that a run of a study gave. `people` has one row a modelled patient, in the order of `labels`."""

    study: Study
    people: pd.DataFrame
    labels: pd.Series
    steps: list[Step]
    matrix: Matrix
    verdicts: Sequence[Verdict]
    results: dict[str, Result]
    pipeline: Pipeline

    @property
    def truth(self) -> NDArray[np.int64]:
        found: NDArray[np.int64] = self.labels.to_numpy()
        return found


def make_card(trained: Trained) -> dict[str, Any]:
    """The card as one JSON-ready object; who made it when, and from which lock, is added by `train`."""
    study, headline = trained.study, trained.results[ALL]
    return {
        "study": study.name,
        "description": study.description,
        "sentence": sentence(headline),
        "verdict": verdict(headline),
        "outcome": study.outcome.model_dump(mode="json"),
        "time": {
            "index_date": study.index_date.isoformat(),
            "look_back_years": study.look_back_years,
            "blackout_years": study.blackout_years,
            "at_risk_until": study.at_risk_until.isoformat(),
            "follow_up_years": study.follow_up_years,
        },
        "attrition": [step.as_dict() for step in releasable(trained.steps)],
        "n_patients": len(trained.labels),
        "n_cases": int(trained.truth.sum()),
        "audit": [one.as_dict() for one in trained.verdicts],
        "features": features(trained),
        "evaluation": study.evaluation.model_dump(mode="json"),
        "results": {name: as_dict(result) for name, result in trained.results.items()},
        "gain_over": gain_over(trained),
        "calibration": calibration(headline, trained.truth),
        "subgroups": subgroups(trained),
    }


def verdict(result: Result) -> str:
    return BETTER if result.beats_guessing else NO_BETTER


def sentence(result: Result) -> str:
    """The verdict in words, with the numbers and the reason."""
    numbers = (
        f"AUC {result.auc.value:.2f} ({result.auc.low:.2f} to {result.auc.high:.2f}), "
        f"Brier score {result.brier.value:.3f} against {result.baseline_brier:.3f} for the share of cases"
    )
    if result.beats_guessing:
        return f"Better than guessing: {numbers}."
    if result.auc.high < 0.5:
        reason = "it ranks worse than chance"
    elif result.auc.low <= 0.5:
        reason = "the interval of the AUC includes 0.5"
    else:
        reason = "it ranks, but its probabilities are no better than the share of cases"
    return f"No better than guessing: {numbers}; {reason}."


def as_dict(result: Result) -> dict[str, Any]:
    return {
        "auc": result.auc.as_dict(),
        "brier": result.brier.as_dict(),
        "baseline_brier": round(result.baseline_brier, 4),
        "gain_in_brier": result.gain.as_dict(),
        "verdict": verdict(result),
        "sentence": sentence(result),
    }


def features(trained: Trained) -> list[dict[str, Any]]:
    """Each column: share of patients measured (None where a small group would follow) and weight per SD."""
    weights = trained.pipeline.named_steps["model"].coef_[0]
    n = len(trained.labels)
    found = []
    for name, weight in zip(trained.matrix.values.columns, weights, strict=True):
        n_measured = int(trained.matrix.values[name].notna().sum())
        share = None if is_flag(name) or not is_safe(n_measured, n - n_measured) else round(n_measured / n, 3)
        found.append({"feature": name, "share_measured": share, "weight": round(float(weight), 3)})
    return found


def gain_over(trained: Trained) -> dict[str, dict[str, float]]:
    """AUC of all modalities less that of each one alone, on the same draws."""
    whole = trained.results[ALL]
    return {
        name: difference(whole, result, trained.truth, trained.study.evaluation).as_dict()
        for name, result in trained.results.items()
        if name != ALL
    }


def calibration(result: Result, truth: NDArray[np.int64]) -> dict[str, float]:
    """Mean predicted and observed, and the line from predicted to observed log odds (1 is right, below 1 too bold)."""
    predicted = np.clip(result.scores.probability, 1e-6, 1 - 1e-6)
    log_odds = np.log(predicted / (1 - predicted)).reshape(-1, 1)
    line = LogisticRegression(C=NEVER, max_iter=1000).fit(log_odds, truth)
    return {
        "mean_predicted": round(float(predicted.mean()), 4),
        "observed": round(float(truth.mean()), 4),
        "slope": round(float(line.coef_[0][0]), 3),
        "intercept": round(float(line.intercept_[0]), 3),
    }


def subgroups(trained: Trained) -> list[dict[str, Any]]:
    """AUC within each gender and site that has enough cases and enough others; else that it has too few."""
    found = []
    for column in ("gender", "site_id"):
        for value in sorted(trained.people[column].dropna().unique()):
            member = (trained.people[column] == value).fillna(False).to_numpy(bool)
            n_cases = int(trained.truth[member].sum())
            has_enough = is_enough(min(n_cases, int(member.sum()) - n_cases))
            auc = within(trained, member).as_dict() if has_enough else None
            found.append({"group": f"{column} {value}", "auc": auc})
    return found


def within(trained: Trained, member: NDArray[np.bool_]) -> Interval:
    """AUC of the whole model among some of the patients."""
    scores, settings = trained.results[ALL].scores, trained.study.evaluation
    only = member.astype(float)[None, :]
    drawn = area(scores, trained.truth, resamples(len(trained.truth), settings) * only)
    return interval(area(scores, trained.truth, only)[0], drawn)

"""The report card: what was predicted, in whom, from what, how well, and the plain sentence that follows.

Every claim is computed from the held-out results; counts that may not be disclosed are not in it. As Markdown it is
for people, and for the pull request that brings a model.

Example: make_card(trained)["sentence"]  ->  "No better than guessing: AUC 0.51 (0.39 to 0.63), ..."
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
from trilake.core.disclosure import is_enough, is_safe, minimum_cell
from trilake.ml.audit import Verdict
from trilake.ml.evaluate import Interval, Result, area, difference, interval, resamples
from trilake.ml.features import Matrix, is_flag
from trilake.ml.study import Study

Card = dict[str, Any]
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
        labels: NDArray[np.int64] = self.labels.to_numpy()
        return labels


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
        "audit": [check.as_dict() for check in trained.verdicts],
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
    columns = []
    for name, weight in zip(trained.matrix.values.columns, weights, strict=True):
        n_measured = int(trained.matrix.values[name].notna().sum())
        share = None if is_flag(name) or not is_safe(n_measured, n - n_measured) else round(n_measured / n, 3)
        columns.append({"feature": name, "share_measured": share, "weight": round(float(weight), 3)})
    return columns


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
    # Mean, and slope and intercept of a logistic line (Cox 1958): log odds of 0 and 1 have no end, hence the clip.
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
    groups = []
    for column in ("gender", "site_id"):
        for value in sorted(trained.people[column].dropna().unique()):
            member = (trained.people[column] == value).fillna(False).to_numpy(bool)
            n_cases = int(trained.truth[member].sum())
            has_enough = is_enough(min(n_cases, int(member.sum()) - n_cases))
            auc = within(trained, member).as_dict() if has_enough else None
            groups.append({"group": f"{column} {value}", "auc": auc})
    return groups


def within(trained: Trained, member: NDArray[np.bool_]) -> Interval:
    """AUC of the whole model among some of the patients."""
    scores, settings = trained.results[ALL].scores, trained.study.evaluation
    only = member.astype(float)[None, :]
    drawn = area(scores, trained.truth, resamples(len(trained.truth), settings) * only)
    return interval(area(scores, trained.truth, only)[0], drawn)


def as_markdown(card: Card) -> str:
    """The whole card."""
    parts = [
        f"# {card['study']}",
        f"**{card['sentence']}**",
        f"> {card['notice']}",
        card["description"],
        f"Made {card['made_at']} as {card['persona']}, from lock `{card['lock']['lock_id'][:12]}`, "
        f"code `{card['lock']['code_commit'][:12]}`, seed {card['evaluation']['seed']}.",
        "## Who",
        who(card),
        "## How well, on patients that the model was not fitted on",
        how_well(card),
        "## What it uses",
        uses(card),
        "## Leakage audit",
        table(
            ["question", "verdict", "found"],
            [[check["check"], "passed" if check["passed"] else "FAILED", check["found"]] for check in card["audit"]],
        ),
        "## Limits",
        "\n".join(f"- {line}" for line in limits(card)),
    ]
    return "\n\n".join(parts) + "\n"


def who(card: Card) -> str:
    time = card["time"]
    codes = "; ".join(f"{part['system']} {', '.join(part['codes'])}" for part in card["outcome"]["value_set"])
    lines = [
        f"Outcome: a {' or '.join(card['outcome']['verification'])} condition with {codes} "
        f"(value set of {card['outcome']['value_set_version']}), first dated from {risk_start(card)} "
        f"and before {time['at_risk_until']}.",
        f"Index date {time['index_date']}; years of features before it: {time['look_back_years']}; of blackout after "
        f"it: {time['blackout_years']}; into the time at risk that controls were seen: {time['follow_up_years']}.",
        table(
            ["step", "patients", "those who stay have"],
            [[step["name"], shown(step), step["description"]] for step in card["attrition"]],
        ),
        f"{card['n_patients']} patients, {card['n_cases']} cases "
        f"({card['n_cases'] / card['n_patients']:.0%}: what a model that knows nothing would say of everyone).",
    ]
    return "\n\n".join(lines)


def risk_start(card: Card) -> str:
    year = int(card["time"]["index_date"][:4]) + card["time"]["blackout_years"]
    return f"{year}-01-01"


def shown(step: dict[str, Any]) -> str:
    return str(step["suppressed"] if step["n"] is None else step["n"])


def how_well(card: Card) -> str:
    rows = [
        [
            name,
            range_of(result["auc"], 2),
            range_of(result["brier"], 3),
            f"{result['baseline_brier']:.3f}",
            result["verdict"],
        ]
        for name, result in card["results"].items()
    ]
    calibration = card["calibration"]
    gains = "; ".join(f"over {name} alone {range_of(gain, 2)}" for name, gain in card["gain_over"].items())
    groups = [
        [group["group"], range_of(group["auc"], 2) if group["auc"] else f"fewer than {minimum_cell()} cases or others"]
        for group in card["subgroups"]
    ]
    return "\n\n".join(
        [
            table(["features", "AUC", "Brier score", "baseline", "verdict"], rows),
            f"Gain in AUC of all modalities: {gains}.",
            f"Calibration: {calibration['mean_predicted']:.1%} predicted on average, "
            f"{calibration['observed']:.1%} observed; slope {calibration['slope']:.2f} (1 is right, below 1 too bold).",
            table(["subgroup", "AUC"], groups),
        ]
    )


def uses(card: Card) -> str:
    rows = [
        [
            column["feature"],
            "" if column["share_measured"] is None else f"{column['share_measured']:.0%}",
            f"{column['weight']:+.2f}",
        ]
        for column in card["features"]
    ]
    return table(["feature", "measured in", "weight per SD"], rows)


def limits(card: Card) -> list[str]:
    settings = card["evaluation"]
    return [
        card["notice"],
        f"Logistic regression with a penalty (C = {settings['strength']:g}) chosen in the study file, "
        f"{settings['folds']} folds stratified by outcome, {settings['repeats']} times, by patient.",
        "Intervals come from drawing patients again, not from fitting again: they leave out the chance in the fit.",
        "Times are years. A germline allele counts from birth, a scan and a measurement from the year they were made.",
        "What was not measured is filled with the median, and a column says of whom a whole kind of data is missing.",
        "Tested on patients of the same lake only.",
    ]


def range_of(interval: dict[str, float], digits: int) -> str:
    # + 0.0 turns the -0.0 that rounding may leave into 0.0.
    value, low, high = (f"{round(interval[name], digits) + 0.0:.{digits}f}" for name in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *[[cell.replace("|", "\\|") for cell in row] for row in rows]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)

"""The leakage audit: six questions about features and folds; a single "no" stops the run.

Example: failed = [verdict for verdict in audit(study, rows, matrix, labels, folds) if not verdict.passed]
"""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from trilake.core.errors import InputError
from trilake.ml.features import Matrix
from trilake.ml.study import Study

NEAR_PERFECT = 0.95
LEAST_TO_JUDGE = 10
"""A feature measured in fewer patients of either class is not judged alone."""
ID_WORDS = re.compile(r"(^|[_:])(id|uid|uuid|mrn|ssn|accession|identifier)($|[_:])")
Fold = tuple[NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True)
class Verdict:
    """One question of the audit. `found` says what was looked at, or what is wrong."""

    check: str
    passed: bool
    found: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def audit(study: Study, rows: pd.DataFrame, matrix: Matrix, labels: pd.Series, folds: Sequence[Fold]) -> list[Verdict]:
    """All verdicts, in a fixed order."""
    return [
        before_index(study, rows),
        not_the_outcome(study, rows),
        not_near_perfect(matrix, labels),
        not_an_identifier(matrix),
        one_row_a_patient(labels),
        folds_apart(labels, folds),
    ]


def require(verdicts: Sequence[Verdict]) -> None:
    """InputError lists every failed check."""
    failed = [f"  {verdict.check}: {verdict.found}" for verdict in verdicts if not verdict.passed]
    if failed:
        raise InputError(
            "The leakage audit failed; no model was made:\n" + "\n".join(failed),
            next_step="take these features out of the study file",
        )


def before_index(study: Study, rows: pd.DataFrame) -> Verdict:
    is_late = rows["event_year"].isna() | (rows["event_year"] >= study.index_year)
    names = sorted(rows.loc[is_late.fillna(True).to_numpy(bool), "feature"].unique())
    late = f"{', '.join(names)}: dated {study.index_year} or later, or not dated" if names else ""
    return Verdict("feature before index date", not names, late or f"{len(rows):,} rows, all before {study.index_year}")


def not_the_outcome(study: Study, rows: pd.DataFrame) -> Verdict:
    own = {(part.system, code) for part in study.outcome.value_set for code in part.codes}
    treated = {(part.system, code) for part in study.outcome.treatments for code in part.codes}
    clinical = study.features.clinical
    records = [*clinical.conditions, *clinical.medications]
    used = {(feature.system, code): feature.name for feature in records for code in feature.codes}
    used |= {(feature.system, feature.code): feature.name for feature in clinical.measurements}
    used |= {(feature.system, feature.code): feature.name for feature in clinical.answers}
    coded = rows[rows["code"].notna()]
    used |= {
        (str(system), str(code)): str(name)
        for system, code, name in zip(coded["code_system"], coded["code"], coded["feature"], strict=True)
    }
    bad = sorted(
        f"{name} uses {code} of the outcome's {'value set' if (system, code) in own else 'treatments'}"
        for (system, code), name in used.items()
        if (system, code) in own | treated
    )
    return Verdict(
        "nothing of the outcome or its treatments", not bad, "; ".join(bad) or f"{len(used)} codes looked at"
    )


def not_near_perfect(matrix: Matrix, labels: pd.Series) -> Verdict:
    strong = []
    for name in matrix.values:
        column = matrix.values[name]
        for words, values in ((name, column), (f"whether {name} was measured", column.notna().astype(float))):
            power = separation(values, labels)
            if power is not None and power >= NEAR_PERFECT:
                strong.append(f"{words} alone separates cases from others (AUC {power:.2f})")
    return Verdict(
        "no near-perfect feature", not strong, "; ".join(strong) or f"{matrix.values.shape[1]} below {NEAR_PERFECT}"
    )


def separation(values: pd.Series, labels: pd.Series) -> float | None:
    """AUC of one feature in the better direction; None with too few patients measured to judge."""
    known = values.notna().to_numpy()
    truth = labels.to_numpy()[known]
    if min(int((truth == 1).sum()), int((truth == 0).sum())) < LEAST_TO_JUDGE:
        return None
    area = float(roc_auc_score(truth, values.to_numpy()[known]))
    return max(area, 1 - area)


def not_an_identifier(matrix: Matrix) -> Verdict:
    named = [name for name in matrix.values if ID_WORDS.search(name.lower())]
    counted = [name for name in matrix.values if name not in named and counts_like_an_id(matrix.values[name].dropna())]
    bad = [f"{name} is named like an identifier" for name in named]
    bad += [f"{name} is a whole number, different for everyone" for name in counted]
    return Verdict("no identifier among features", not bad, "; ".join(bad) or f"{matrix.values.shape[1]} columns")


def counts_like_an_id(values: pd.Series) -> bool:
    is_whole = bool(np.all(np.mod(values, 1) == 0))
    return len(values) >= 2 * LEAST_TO_JUDGE and is_whole and values.nunique() == len(values)


def one_row_a_patient(labels: pd.Series) -> Verdict:
    doubled = int(labels.index.duplicated().sum())
    return Verdict("one row a patient", doubled == 0, f"{doubled or len(labels)} patients{' twice' if doubled else ''}")


def folds_apart(labels: pd.Series, folds: Sequence[Fold]) -> Verdict:
    shared = sum(bool(set(labels.index[train]) & set(labels.index[test])) for train, test in folds)
    said = f"{shared} folds share patients" if shared else f"{len(folds)} folds"
    return Verdict("no patient in train and test", shared == 0, said)

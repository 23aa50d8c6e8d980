"""The leakage audit: what passes, and each way to fail."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from trilake.cohort.definition import CODE_SYSTEMS
from trilake.core.errors import InputError
from trilake.ml.audit import Verdict, audit, require
from trilake.ml.evaluate import make_folds
from trilake.ml.features import COLUMNS, Matrix
from trilake.ml.study import Study

N = 60
Tamper = Callable[[pd.DataFrame, pd.DataFrame, pd.Series], None]


def failed(study: Study, tamper: Tamper | None = None, *, folds_share: bool = False) -> list[Verdict]:
    rng = np.random.default_rng(1)
    labels = pd.Series(rng.integers(0, 2, N), index=[f"p{number}" for number in range(N)])
    values = pd.DataFrame({"clinical:age": rng.normal(size=N).round(1)}, index=labels.index)
    rows = pd.DataFrame(
        [["p1", "clinical", "systolic", 140.0, 2018, CODE_SYSTEMS["LOINC"], "8480-6"]], columns=COLUMNS
    ).astype({"event_year": "Int64"})
    if tamper:
        tamper(rows, values, labels)
    matrix = Matrix(values, {"clinical": list(values.columns)})
    folds = make_folds(labels, study.evaluation)
    if folds_share:
        folds[0] = (np.arange(N), folds[0][1])
    return [one for one in audit(study, rows, matrix, labels, folds) if not one.passed]


def test_features_before_the_index_date_pass(study: Study) -> None:
    assert failed(study) == []


def set_year(rows: pd.DataFrame, values: pd.DataFrame, labels: pd.Series) -> None:
    rows.loc[0, "event_year"] = 2019


def drop_year(rows: pd.DataFrame, values: pd.DataFrame, labels: pd.Series) -> None:
    rows.loc[0, "event_year"] = pd.NA


def use_own_code(rows: pd.DataFrame, values: pd.DataFrame, labels: pd.Series) -> None:
    rows.loc[0, ["code_system", "code"]] = [CODE_SYSTEMS["SNOMED"], "26929004"]


def use_treatment(rows: pd.DataFrame, values: pd.DataFrame, labels: pd.Series) -> None:
    rows.loc[0, ["code_system", "code"]] = [CODE_SYSTEMS["RXNORM"], "997223"]


def add_label(rows: pd.DataFrame, values: pd.DataFrame, labels: pd.Series) -> None:
    values["clinical:score"] = labels * 2.0 + 0.5


def add_reversed_label(rows: pd.DataFrame, values: pd.DataFrame, labels: pd.Series) -> None:
    values["clinical:score"] = -1.0 * labels


def measure_cases_only(rows: pd.DataFrame, values: pd.DataFrame, labels: pd.Series) -> None:
    values["clinical:level"] = np.where(labels == 1, 1.0, np.nan)


def add_number(rows: pd.DataFrame, values: pd.DataFrame, labels: pd.Series) -> None:
    values["clinical:ticket"] = np.random.default_rng(2).permutation(N) * 1.0


def add_named(rows: pd.DataFrame, values: pd.DataFrame, labels: pd.Series) -> None:
    values["imaging:study_uid"] = 1.0


def double_patient(rows: pd.DataFrame, values: pd.DataFrame, labels: pd.Series) -> None:
    labels.index = pd.Index(["p0", "p0", *labels.index[2:]])


@pytest.mark.parametrize(
    ("tamper", "check", "words"),
    [
        (set_year, "feature before index date", "systolic"),
        (drop_year, "feature before index date", "not dated"),
        (use_own_code, "nothing of the outcome or its treatments", "26929004 of the outcome's value set"),
        (use_treatment, "nothing of the outcome or its treatments", "997223 of the outcome's treatments"),
        (add_label, "no near-perfect feature", "clinical:score alone separates"),
        (add_reversed_label, "no near-perfect feature", "clinical:score alone separates"),
        (measure_cases_only, "no near-perfect feature", "whether clinical:level was measured"),
        (add_number, "no identifier among features", "clinical:ticket is a whole number"),
        (add_named, "no identifier among features", "imaging:study_uid is named"),
        (double_patient, "one row a patient", "1 patients twice"),
    ],
)
def test_a_leak_is_found_and_named(study: Study, tamper: Tamper, check: str, words: str) -> None:
    verdict = next(one for one in failed(study, tamper) if one.check == check)
    assert words in verdict.found
    with pytest.raises(InputError, match="audit failed"):
        require([verdict])


def test_folds_that_share_a_patient_are_found(study: Study) -> None:
    assert [one.check for one in failed(study, folds_share=True)] == ["no patient in train and test"]


def test_a_study_that_names_its_own_treatment_fails_even_when_nobody_has_it(study: Study) -> None:
    content = study.model_dump()
    content["features"]["clinical"]["medications"] = [{"name": "donepezil", "system": "RXNORM", "codes": ["997223"]}]
    (verdict,) = failed(Study.model_validate(content))
    assert "donepezil uses 997223" in verdict.found

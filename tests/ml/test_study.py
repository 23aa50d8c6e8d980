"""Study files, outcome tables and feature tables: pure parts on plain rows."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from trilake.core.contract import load_contract
from trilake.core.errors import InputError
from trilake.ml.features import feature_matrix
from trilake.ml.outcome import attrition, labelled, outcome_table
from trilake.ml.study import STUDIES, Study, load_study
from trilake.ml.train import tables_of

FILES = sorted(STUDIES.glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_example_holds_and_uses_all_three_kinds_of_data(path: Path) -> None:
    study = load_study(path)
    assert study.name == path.stem
    assert study.modalities == ["clinical", "genomic", "imaging"]
    assert set(tables_of(study)) <= set(load_contract())


def test_there_is_a_control() -> None:
    assert "appendicitis" in {path.stem for path in FILES}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("index_date: 2019-01-01", "index_date: 2019-03-01", "expected a 1 January"),
        ("at_risk_until: 2027-01-01", "at_risk_until: 2020-01-01", "leaves no year after 2020"),
        ("variants: [rs429358, rs7412]", "variants: [APOE]", "features.genomic.variants.0"),
        ("folds: 5", "folds: 1", "evaluation.folds"),
        ('unit: "%"', 'units: "%"', "no such field"),
    ],
)
def test_a_fault_is_told_with_its_line(tmp_path: Path, old: str, new: str, words: str) -> None:
    text = (STUDIES / "alzheimers_disease.yaml").read_text()
    assert old in text
    path = tmp_path / "study.yaml"
    path.write_text(text.replace(old, new))
    with pytest.raises(InputError, match=r"line \d+") as error:
        load_study(path)
    assert words in error.value.message


def a_person(**values: Any) -> dict[str, Any]:
    row = {"birth_year": 1950, "gender": "female", "site_id": "north", "n_before": 2, "last_year": 2024}
    return row | {"first_onset_year": None, "n_undated": None} | values


@pytest.mark.parametrize(
    ("person", "status"),
    [
        (a_person(), "control"),
        (a_person(first_onset_year=2020, n_undated=0), "case"),
        (a_person(first_onset_year=2026, n_undated=1), "case"),
        (a_person(first_onset_year=2021, last_year=2020), "case"),
        (a_person(first_onset_year=2018), "prevalent"),
        (a_person(first_onset_year=2019), "in_blackout"),
        (a_person(n_undated=1), "undated"),
        (a_person(first_onset_year=2027), "control"),
        # No record of the disease in someone who was not seen again is not a healthy person.
        (a_person(last_year=2020), "not_followed"),
        (a_person(last_year=2021), "control"),
        (a_person(last_year=None, n_before=None), "not_observed"),
        (a_person(n_before=0, first_onset_year=2021), "not_observed"),
    ],
)
def test_a_person_is_a_case_a_control_or_cannot_be_said(study: Study, person: dict[str, Any], status: str) -> None:
    table = outcome_table(pd.DataFrame([person | {"patient_id": "p"}]), study)
    assert table["status"].tolist() == [status]


def test_attrition_ends_with_those_who_are_modelled(study: Study) -> None:
    people = [a_person(), a_person(first_onset_year=2018), a_person(first_onset_year=2022), a_person(n_before=0)]
    table = outcome_table(pd.DataFrame(people).assign(patient_id=list("dcba")), study)
    assert [step.n for step in attrition(table)] == [4, 3, 2, 2, 2, 2]
    assert labelled(table).to_dict() == {"b": 1, "d": 0}


def a_row(patient: str, feature: str, value: float, year: int, modality: str = "clinical") -> dict[str, Any]:
    return {"patient_id": patient, "modality": modality, "feature": feature, "value": value, "event_year": year}


def test_the_latest_year_counts_and_nobody_is_lost() -> None:
    rows = [
        a_row("a", "ldl", 100.0, 2016),
        a_row("a", "ldl", 140.0, 2018),
        a_row("b", "ldl", 90.0, 2017),
        a_row("a", "rs1", 1.0, 1950, "genomic"),
        a_row("stranger", "ldl", 1.0, 2017),
    ]
    matrix = feature_matrix(pd.DataFrame(rows), ["b", "a", "c"], ["clinical", "genomic"])
    assert list(matrix.values.index) == ["b", "a", "c"]
    assert matrix.values["clinical:ldl"].tolist()[:2] == [90.0, 140.0]
    assert matrix.values["clinical:ldl"].isna().tolist() == [False, False, True]
    assert matrix.values["clinical:not_measured"].tolist() == [0.0, 0.0, 1.0]
    assert matrix.values["genomic:not_measured"].tolist() == [1.0, 0.0, 1.0]
    assert matrix.columns["genomic"] == ["genomic:rs1", "genomic:not_measured"]


def test_a_kind_of_data_that_everyone_has_needs_no_flag() -> None:
    rows = pd.DataFrame([a_row("a", "age", 60.0, 1950), a_row("b", "age", 50.0, 1960)])
    assert feature_matrix(rows, ["a", "b"], ["clinical"]).columns == {"clinical": ["clinical:age"]}

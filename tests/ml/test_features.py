"""Feature rows out of a small lake: only what is dated before the index date, each with its year and code."""

import pandas as pd
import pytest

from tests.cohort.builders import (
    ICD10,
    LOCAL,
    LOINC,
    NDC,
    RXNORM,
    SNOMED,
    a_coding,
    a_condition,
    a_dosage,
    a_feature,
    a_medication,
    a_patient,
    a_study,
    an_encounter,
    an_observation,
    put,
)
from trilake.core.session import Session
from trilake.ml.features import read_features
from trilake.ml.outcome import read_people
from trilake.ml.study import Study

DIABETES, ALZHEIMERS = "44054006", "26929004"


@pytest.fixture(scope="module")
def filled(lake: Session) -> Session:
    put(lake, "clinical.patient", a_patient("ann", birth_year=1948), a_patient("bob", gender="unknown"))
    put(
        lake,
        "clinical.encounter",
        an_encounter("ann", start_year=2016),
        an_encounter("ann", encounter_id="later", start_year=2024),
        an_encounter("bob", start_year=2018),
    )
    put(
        lake,
        "clinical.condition",
        a_condition("ann", DIABETES, onset_year=2017),
        a_condition("bob", DIABETES, onset_year=2021),
        a_condition("bob", DIABETES, onset_year=2017, verification_status="refuted"),
        a_condition("ann", ALZHEIMERS, onset_year=2022),
        a_condition("ann", ALZHEIMERS, onset_year=None),
        a_condition("bob", ALZHEIMERS, onset_year=2020, verification_status="refuted"),
    )
    put(
        lake,
        "clinical.medication_request",
        a_medication("ann", "312961", authored_year=2023),
        a_medication("bob", "312961", authored_year=2018),
    )
    put(
        lake,
        "clinical.observation",
        an_observation("ann", 140.0, effective_year=2018),
        an_observation("ann", 150.0, effective_year=2018),
        an_observation("ann", 190.0, effective_year=2020),
        an_observation("ann", 100.0, effective_year=2015),
        an_observation("ann", 10.0, value_unit="kPa"),
        an_observation("bob", code="72166-2", value_code="449868002"),
        an_observation("ann", code="72166-2", value_code="266919005", effective_year=2018),
    )
    put(lake, "genomic.dosage", a_dosage("ann", 1), a_dosage("bob", None), a_dosage(None, 2))
    put(
        lake,
        "imaging.study",
        a_study("ann", "1.1", study_year=2018),
        a_study("ann", "1.2", study_year=2023),
        a_study("bob", "1.3", study_year=2018, modality="CT"),
    )
    put(
        lake,
        "imaging.radiomics",
        a_feature("ann", "1.1", 40.0),
        a_feature("ann", "1.2", 80.0),
        a_feature("bob", "1.3", 50.0),
    )
    return lake


@pytest.fixture(scope="module")
def further(filled: Session) -> Session:
    """A patient whose every record has a code of another system first."""
    diabetes = a_condition("eve", "E11.9", code_system=ICD10, onset_year=2017)
    alzheimers = a_condition("eve", "G30.9", code_system=ICD10, onset_year=2022)
    statin = a_medication("eve", "0093-1048", code_system=NDC, authored_year=2018)
    systolic = an_observation("eve", 150.0, code="SYS", code_system=LOCAL, effective_year=2018)
    smokes = an_observation("eve", code="SMOKES", code_system=LOCAL, value_code="Y", effective_year=2018)
    put(filled, "clinical.patient", a_patient("eve", birth_year=1948))
    put(filled, "clinical.encounter", an_encounter("eve"))
    put(filled, "clinical.condition", diabetes, alzheimers)
    put(filled, "clinical.medication_request", statin)
    put(filled, "clinical.observation", systolic, smokes)
    put(
        filled,
        "clinical.coding",
        a_coding(diabetes, "code", DIABETES, SNOMED),
        a_coding(alzheimers, "code", ALZHEIMERS, SNOMED),
        a_coding(statin, "medication", "312961", RXNORM),
        a_coding(systolic, "code", "8480-6", LOINC),
        a_coding(smokes, "code", "72166-2", LOINC),
        a_coding(smokes, "value", "449868002", SNOMED),
    )
    return filled


def rows_of(rows: pd.DataFrame, patient: str) -> dict[tuple[str, int], float]:
    mine = rows[rows["patient_id"] == patient]
    return {
        (feature, int(year)): float(value)
        for feature, year, value in zip(mine["feature"], mine["event_year"], mine["value"], strict=True)
    }


def test_feature_rows_hold_what_was_known_before_the_index_date(filled: Session, study: Study) -> None:
    rows = read_features(filled, study)
    assert rows_of(rows, "ann") == {
        ("age", 1948): 70.0,
        ("is_male", 1948): 0.0,
        ("systolic", 2018): 145.0,
        ("smokes", 2018): 0.0,
        ("diabetes", 2017): 1.0,
        ("statin", 2016): 0.0,
        ("rs429358", 1948): 1.0,
        ("dark_interior_volume", 2018): 40.0,
    }
    assert rows_of(rows, "bob") == {
        ("age", 1950): 68.0,
        ("smokes", 2017): 1.0,
        ("diabetes", 2018): 0.0,
        ("statin", 2018): 1.0,
    }
    assert (rows["event_year"] < study.index_year).all()


def test_people_have_their_first_onset_and_what_is_undated(filled: Session, study: Study) -> None:
    people = read_people(filled, study).set_index("patient_id")
    assert len(people) == 2
    assert people.loc["ann", ["n_before", "last_year", "first_onset_year", "n_undated"]].tolist() == [1, 2024, 2022, 1]
    assert people.loc["bob", ["first_onset_year", "n_undated"]].isna().all()


def test_any_coding_makes_a_case_and_a_feature(further: Session, study: Study) -> None:
    people = read_people(further, study).set_index("patient_id")
    assert people.loc["eve", ["first_onset_year", "n_undated"]].tolist() == [2022, 0]
    rows = rows_of(read_features(further, study), "eve")
    assert {name: rows[name, 2018] for name in ("systolic", "smokes", "statin")} == {
        "systolic": 150.0, "smokes": 1.0, "statin": 1.0
    }  # fmt: skip
    assert rows["diabetes", 2017] == 1.0

"""Each predicate's three answers (yes, no, not assessable) on plain rows, run on localaws' Athena."""

from datetime import date, datetime
from typing import Any

import pytest

from tests.cohort.builders import (
    ICD10,
    LOCAL,
    LOINC,
    NDC,
    RXNORM,
    SNOMED,
    a_charted_study,
    a_coding,
    a_condition,
    a_dosage,
    a_feature,
    a_medication,
    a_patient,
    a_series,
    a_study,
    an_annotation,
    an_encounter,
    an_observation,
    put,
)
from trilake.cohort.compiler import assessed
from trilake.cohort.definition import Definition
from trilake.core.athena import run
from trilake.core.session import Session

E4, F5, F2, F2_OLD = "19-44908684-T-C", "1-169549811-C-T", "11-46739505-G-A", "11-46739506-C-T"
HALF, WORDS = "1-2000-A-C", ["likely_pathogenic", "pathogenic"]
PATIENTS = ("ann", "bob", "cyd", "dan", "eve")
NEW_YEAR, JUNE = date(2019, 1, 1), date(2019, 6, 1)


@pytest.fixture(scope="module")
def filled(lake: Session) -> Session:
    """Five patients; eve has a name and nothing else. Orphan samples and studies belong to nobody."""
    put(
        lake,
        "clinical.patient",
        a_patient("ann", birth_year=1948, birth_date=date(1948, 3, 1)),
        a_patient("bob", birth_year=1960, gender="male", birth_date=date(1960, 6, 2)),
        a_patient("cyd", birth_year=None, gender="unknown"),
        a_patient("dan", gender=None),
        a_patient("eve"),
    )
    put(lake, "clinical.encounter", *(an_encounter(name) for name in ("ann", "bob", "cyd")))
    put(
        lake,
        "clinical.condition",
        a_condition("ann", onset_year=2017, onset_at=datetime(2017, 5, 1)),
        a_condition("ann", onset_year=2021, onset_at=datetime(2021, 5, 1)),
        a_condition("bob", verification_status="refuted", onset_year=2017),
        a_condition("bob", code="59621000", onset_year=2017),
        a_condition("cyd"),
        a_condition("dan", onset_year=2019),
    )
    put(
        lake,
        "clinical.medication_request",
        a_medication("ann", authored_year=2018),
        a_medication("bob", authored_year=2018, status="cancelled"),
    )
    put(
        lake,
        "clinical.observation",
        an_observation("ann", 150.0),
        an_observation("ann", 120.0),
        an_observation("bob", 120.0),
        an_observation("bob", 190.0, effective_year=2022),
        an_observation("bob", 180.0, status="entered-in-error"),
        an_observation("cyd", 20.0, value_unit="kPa"),
        an_observation("dan", None),
        an_observation("dan", 170.0, effective_year=None),
        an_observation("ann", code="72166-2", value_code="449868002"),
        an_observation("bob", code="72166-2", value_code="266919005"),
        an_observation("dan", code="72166-2", value_number=1.0),
    )
    put_further_codings(lake)
    put(
        lake,
        "genomic.dosage",
        a_dosage("ann", 2),
        a_dosage("bob", 0),
        a_dosage("cyd", None),
        a_dosage("ann", 0, F5, rs_id="rs6025", gene="F5"),
        a_dosage("ann", 1, F2, rs_id=None, gene="F2"),
        a_dosage("bob", 0, F5, rs_id="rs6025", gene="F5"),
        a_dosage("bob", 0, F2, rs_id=None, gene="F2"),
        a_dosage("dan", 0, F5, rs_id="rs6025", gene="F5"),
        a_dosage("bob", 2, F2_OLD, rs_id=None, gene="F2"),
        a_dosage("ann", None, HALF, rs_id=None, gene="G", call_status="half_call", n_alt_at_least=1),
        a_dosage("bob", None, HALF, rs_id=None, gene="G", call_status="half_call", n_alt_at_least=0),
        a_dosage("dan", 0, HALF, rs_id=None, gene="G"),
        a_dosage(None, 2, sample_id="orphan"),
    )
    put(
        lake,
        "genomic.annotation",
        an_annotation(E4, "APOE", "risk_factor"),
        an_annotation(F5, "F5", "Pathogenic"),
        an_annotation(F2, "F2", "Pathogenic"),
        an_annotation(F2_OLD, "F2", "Pathogenic", release="2020-01-01"),
        an_annotation(F2_OLD, "F2", "Benign"),
        an_annotation("1-169549999-C-T", "F5", "Pathogenic"),
        an_annotation(HALF, "G", "Likely_pathogenic/Pathogenic", genes=["G", "H"], significances=WORDS),
    )
    put(
        lake,
        "imaging.study",
        a_study("ann", "1.1", study_date=date(2017, 2, 1)),
        a_study("ann", "1.2", study_year=2022, modality="CT,MR"),
        a_study("bob", "1.3", study_year=2022),
        a_study("dan", "1.4", study_year=None, modality="CT"),
        a_study(None, "1.5"),
    )
    put(lake, "imaging.series", a_series("ann", "1.1", field_strength=3.0), a_series("bob", "1.3"))
    put(lake, "clinical.imaging_study", a_charted_study("ann"), a_charted_study("cyd"), a_charted_study("bob", "CT"))
    put(
        lake,
        "imaging.radiomics",
        a_feature("ann", "1.1", 30.0),
        a_feature("ann", "1.2", 60.0),
        a_feature("bob", "1.3", 70.0),
        a_feature("dan", "1.4", None),
        a_feature(None, "1.5", 90.0),
    )
    return lake


def put_further_codings(lake: Session) -> None:
    """Facts whose first coding is of another system; bob's condition in error and cyd's draft must stay out."""
    hypertension = a_condition("bob", "I10", code_system=ICD10, onset_year=2017)
    mistaken = a_condition("cyd", "I10", code_system=ICD10, verification_status="entered-in-error")
    tablets = a_medication("ann", "0093-1048", code_system=NDC, authored_year=2018)
    draft = a_medication("cyd", "0093-1048", code_system=NDC, status="draft")
    referred = a_medication("bob", "0093-1048", code_system=NDC, medication_id="m1")
    glucose = an_observation("cyd", 150.0, code="GLU", code_system=LOCAL, value_unit="mg/dL")
    panel = an_observation("dan", 90.0, code="PANEL", code_system=LOCAL, component_index=2, value_unit="mg/dL")
    colour = an_observation("bob", code="COLOUR", code_system=LOCAL, value_code="R", value_code_system=LOCAL)
    shade = an_observation("ann", code="COLOUR", code_system=LOCAL, value_code="B", value_code_system=LOCAL)
    put(lake, "clinical.condition", hypertension, mistaken)
    put(lake, "clinical.medication_request", tablets, draft, referred)
    put(lake, "clinical.medication", {"medication_id": "m1", "coding_index": 2, "code_system": RXNORM, "code": "29046"})
    put(lake, "clinical.observation", glucose, panel, colour, shade)
    put(
        lake,
        "clinical.coding",
        a_coding(hypertension, "code", "59621000", SNOMED),
        a_coding(hypertension, "code", "38341003", SNOMED, coding_index=3),
        a_coding(mistaken, "code", "38341003", SNOMED),
        a_coding(tablets, "medication", "29046", RXNORM),
        a_coding(draft, "medication", "29046", RXNORM),
        a_coding(glucose, "code", "2339-0", LOINC),
        a_coding(panel, "component.code", "2339-0", LOINC, element_index=2),
        a_coding(panel, "component.code", "8867-4", LOINC, element_index=1),
        a_coding(colour, "value", "371240000", SNOMED),
        a_coding(shade, "code", "5778-6", LOINC),
        a_coding(colour, "code", "5778-6", LOINC),
    )


def answers(session: Session, predicate: dict[str, Any]) -> dict[str, bool | None]:
    criterion = {"name": "it", "include": predicate}
    definition = Definition.model_validate({"name": "a", "description": "b", "criteria": [criterion]})
    rows = run(session, f"{assessed(definition)} SELECT patient_id, c_1 FROM assessed").rows
    assert len(rows) == len(PATIENTS), "one row a patient"
    return dict(sorted((row[0], row[1]) for row in rows))


ALZHEIMERS = {"codes": ["26929004"]}
RAISED = {"code": "8480-6", "at_least": 140, "unit": "mm[Hg]"}
YES, NO, UNKNOWN = True, False, None


@pytest.mark.parametrize(
    ("predicate", "expected"),
    [
        # A chart that does not mention it says no; refuted is no; a patient without any chart is not assessable.
        ({"condition": ALZHEIMERS}, (YES, NO, YES, YES, UNKNOWN)),
        ({"condition": ALZHEIMERS | {"verification": ["confirmed", "refuted"]}}, (YES, YES, YES, YES, UNKNOWN)),
        ({"condition": ALZHEIMERS | {"system": "ICD10CM"}}, (NO, NO, NO, NO, UNKNOWN)),
        # An onset without a date decides nothing; a bound on 1 January is decided by the year alone.
        ({"condition": ALZHEIMERS | {"before": NEW_YEAR}}, (YES, NO, UNKNOWN, NO, UNKNOWN)),
        ({"condition": ALZHEIMERS | {"since": NEW_YEAR}}, (YES, NO, UNKNOWN, YES, UNKNOWN)),
        ({"condition": ALZHEIMERS | {"before": JUNE}}, (YES, NO, UNKNOWN, UNKNOWN, UNKNOWN)),
        ({"condition": ALZHEIMERS | {"since": date(2018, 1, 1), "before": NEW_YEAR}}, (NO, NO, UNKNOWN, NO, UNKNOWN)),
        ({"medication": {"codes": ["314076"]}}, (YES, NO, NO, NO, UNKNOWN)),
        ({"medication": {"codes": ["314076"], "since": NEW_YEAR}}, (NO, NO, NO, NO, UNKNOWN)),
        # Any coding of a fact counts, whichever comes first; status, component and unit hold for it as for the first.
        ({"condition": {"codes": ["38341003"]}}, (NO, YES, NO, NO, UNKNOWN)),
        ({"condition": {"codes": ["38341003"], "system": "ICD10CM"}}, (NO, NO, NO, NO, UNKNOWN)),
        ({"condition": {"codes": ["I10"], "system": "ICD10CM", "since": NEW_YEAR}}, (NO, NO, NO, NO, UNKNOWN)),
        ({"medication": {"codes": ["29046"]}}, (YES, YES, NO, NO, UNKNOWN)),
        (
            {"observation": {"code": "2339-0", "at_least": 100, "unit": "mg/dL"}},
            (UNKNOWN, UNKNOWN, YES, NO, UNKNOWN),
        ),
        (
            {"observation": {"code": "8867-4", "at_least": 1, "unit": "mg/dL"}},
            (UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN),
        ),
        ({"observation": {"code": "5778-6", "value_codes": ["371240000"]}}, (NO, YES, UNKNOWN, UNKNOWN, UNKNOWN)),
        # Another unit, no value or another time is not measured, which is not no.
        ({"observation": RAISED}, (YES, YES, UNKNOWN, YES, UNKNOWN)),
        ({"observation": RAISED | {"before": NEW_YEAR}}, (YES, NO, UNKNOWN, UNKNOWN, UNKNOWN)),
        ({"observation": RAISED | {"since": date(2023, 1, 1)}}, (UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN)),
        ({"observation": {"code": "72166-2", "value_codes": ["449868002"]}}, (YES, NO, UNKNOWN, UNKNOWN, UNKNOWN)),
        ({"age": {"at": NEW_YEAR, "at_least": 60}}, (YES, NO, UNKNOWN, YES, YES)),
        ({"age": {"at": date(2025, 6, 2), "at_least": 65, "below": 66}}, (NO, YES, UNKNOWN, UNKNOWN, UNKNOWN)),
        ({"age": {"at": date(2025, 6, 1), "at_least": 65}}, (YES, NO, UNKNOWN, UNKNOWN, UNKNOWN)),
        ({"sex": "female"}, (YES, NO, UNKNOWN, UNKNOWN, YES)),
        ({"sequenced": True}, (YES, YES, YES, YES, NO)),
        # No call and no row are not assessable; reference calls are no.
        ({"variant": {"rs_id": "rs429358"}}, (YES, NO, UNKNOWN, UNKNOWN, UNKNOWN)),
        ({"variant": {"variant_id": E4, "copies": 2}}, (YES, NO, UNKNOWN, UNKNOWN, UNKNOWN)),
        # The newest release decides what is pathogenic; one allele of two not seen leaves it open.
        (
            {"variant": {"genes": ["F5", "F2"], "clinical_significance": ["Pathogenic"]}},
            (YES, NO, UNKNOWN, UNKNOWN, UNKNOWN),
        ),
        ({"variant": {"genes": ["F5"]}}, (NO, NO, UNKNOWN, NO, UNKNOWN)),
        ({"variant": {"variant_id": HALF}}, (YES, UNKNOWN, UNKNOWN, NO, UNKNOWN)),
        ({"variant": {"variant_id": HALF, "copies": 2}}, (UNKNOWN, UNKNOWN, UNKNOWN, NO, UNKNOWN)),
        (
            {"variant": {"genes": ["H"], "clinical_significance": ["Pathogenic"]}},
            (YES, UNKNOWN, UNKNOWN, NO, UNKNOWN),
        ),
        # No study in the store is no, unless the chart knows of one that the store does not hold.
        ({"study": {"modality": "MR"}}, (YES, YES, UNKNOWN, NO, NO)),
        ({"study": {"modality": "MR", "before": NEW_YEAR}}, (YES, NO, UNKNOWN, NO, NO)),
        ({"study": {"modality": "MR", "at_least": 2}}, (YES, NO, NO, NO, NO)),
        ({"study": {"modality": "CT"}}, (YES, UNKNOWN, NO, YES, NO)),
        ({"study": {"modality": "CT", "before": NEW_YEAR}}, (NO, UNKNOWN, NO, UNKNOWN, NO)),
        ({"study": {"modality": "MR", "field_strength": 3.0}}, (YES, NO, UNKNOWN, NO, NO)),
        (
            {"radiomics": {"feature": "dark_interior_volume", "above": 50, "unit": "mL"}},
            (YES, YES, UNKNOWN, UNKNOWN, UNKNOWN),
        ),
        (
            {"radiomics": {"feature": "dark_interior_volume", "above": 50, "unit": "mL", "before": NEW_YEAR}},
            (NO, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN),
        ),
        # One yes is enough; a no and an unknown are unknown.
        ({"any_of": [{"sex": "female"}, {"condition": ALZHEIMERS}]}, (YES, NO, YES, YES, YES)),
        ({"any_of": [{"sex": "male"}, {"sequenced": True}]}, (YES, YES, YES, YES, NO)),
        ({"any_of": [{"sex": "male"}, {"variant": {"rs_id": "rs429358"}}]}, (YES, YES, UNKNOWN, UNKNOWN, UNKNOWN)),
    ],
    ids=str,
)
def test_a_predicate_holds_does_not_hold_or_cannot_be_assessed(
    filled: Session, predicate: dict[str, Any], expected: tuple[bool | None, ...]
) -> None:
    assert answers(filled, predicate) == dict(zip(PATIENTS, expected, strict=True))

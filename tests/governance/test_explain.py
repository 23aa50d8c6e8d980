"""Why a column is seen or not, and who could see a patient, by the policy that we ship."""

import pyarrow as pa
import pytest
from click.testing import CliRunner

from trilake.core.errors import InputError
from trilake.core.lakehouse.iceberg import append, open_table
from trilake.core.session import Session
from trilake.governance.explain import explain, explain_column, explain_patient, patient_in_words
from trilake.governance.policy import load_access


def a_patient(patient_id: str, **values: object) -> dict[str, object]:
    return {
        "patient_id": patient_id,
        "site_id": "north",
        "consent_research": True,
        "consent_genomic": True,
        "consent_imaging": True,
    } | values


PATIENTS = [
    a_patient("north-consents"),
    a_patient("south-withdrew", site_id="south", consent_research=False, consent_genomic=False, consent_imaging=False),
    a_patient("nowhere", site_id=None),
]


@pytest.fixture(scope="module")
def with_patients(lake: Session) -> Session:
    schema = open_table(lake, "clinical.patient").schema().as_arrow()
    rows = [{name: row.get(name) for name in schema.names} for row in PATIENTS]
    append(lake, "clinical.patient", pa.Table.from_pylist(rows, schema=schema))
    return lake


@pytest.mark.parametrize(
    ("persona", "column", "visible", "words"),
    [
        ("clinician", "clinical.patient.mrn", True, "gives clinician ID, QI, CL, TX on clinical.patient"),
        ("clinician", "clinical.patient.mrn", True, "for rows where site_id = 'north'"),
        ("bioinformatician", "genomic.annotation.gene", True, "for all rows"),
        ("data_scientist", "clinical.patient.mrn", False, "class ID (direct identifier)"),
        ("data_scientist", "clinical.patient.mrn", False, "ID is not among them"),
        ("radiologist", "genomic.variant.calls", False, "are on other tables"),
        ("platform_engineer", "genomic.variant.calls", False, "it has no grants"),
    ],
)
def test_why(persona: str, column: str, visible: bool, words: str) -> None:
    explanation = explain_column(persona, column)
    assert explanation["visible"] is visible
    assert words in explanation["reason"]


def test_the_line_named_is_the_grant_in_the_file() -> None:
    from trilake.core.paths import ACCESS_POLICY

    line = explain_column("radiologist", "imaging.instance.frame_ids")["line"]
    assert ACCESS_POLICY.read_text().splitlines()[line - 1].strip() == "- tables: [imaging.*]"


@pytest.mark.parametrize(
    ("persona", "column"),
    [("surgeon", "clinical.patient.mrn"), ("clinician", "clinical.people.mrn"), ("clinician", "clinical.patient.name")],
)
def test_unknown_names_are_answered_with_the_known_ones(persona: str, column: str) -> None:
    with pytest.raises(InputError, match="There are:|It has:"):
        explain_column(persona, column)


def test_explanation_and_matrix_agree_on_every_column() -> None:
    from trilake.core.contract import load_contract

    for persona, tables in load_access().items():
        for table in load_contract().values():
            seen = tables[table.path].columns if table.path in tables else ()
            for column in table.columns:
                assert explain_column(persona, f"{table.path}.{column.name}")["visible"] is (column.name in seen)


def test_who_could_see_a_patient_who_agreed(with_patients: Session) -> None:
    explanation = explain_patient(with_patients, "north-consents", only=None)
    assert explanation["row_keys"]["site_id"] == "north"
    assert "clinical.patient" in explanation["personas"]["clinician"]["tables"]
    assert "genomic.variant" in explanation["personas"]["bioinformatician"]["tables"]
    assert explanation["personas"]["platform_engineer"] == {"tables": [], "hidden": []}


def test_who_could_see_a_patient_who_withdrew(with_patients: Session) -> None:
    personas = explain_patient(with_patients, "south-withdrew", only=None)["personas"]
    for persona in ("clinician", "bioinformatician", "radiologist", "data_scientist"):
        assert personas[persona]["tables"] == []
        assert personas[persona]["hidden"]
    assert personas["data_steward"]["tables"] == ["clinical.consent", "cohort.discordance", "linkage.link"]


def test_a_rule_that_is_unknown_hides(with_patients: Session) -> None:
    """site_id = 'north' is NULL for a patient of no site: Lake Formation shows only rows where a rule is true."""
    explanation = explain_patient(with_patients, "nowhere", only="clinician")
    assert list(explanation["personas"]) == ["clinician"]
    assert explanation["personas"]["clinician"]["tables"] == []
    assert "clinician could see rows in: no table" in patient_in_words(explanation)


@pytest.mark.parametrize("patient", ["nobody", "x' OR '1' = '1"])
def test_an_id_that_no_patient_has(with_patients: Session, patient: str) -> None:
    with pytest.raises(InputError, match="No patient|is no patient id"):
        explain_patient(with_patients, patient, only=None)


@pytest.mark.parametrize("words", [[], ["--column", "clinical.patient.mrn"], ["--column", "a.b.c", "--patient", "1"]])
def test_a_question_is_either_about_a_column_or_a_patient(words: list[str]) -> None:
    assert CliRunner().invoke(explain, words).exit_code == 2

"""The rules for SQL files: the repository's own hold, and each broken rule is named with its file."""

import shutil
from pathlib import Path

import pytest

from trilake.core.paths import SQL
from trilake.core.sql import load_relations
from trilake.operations.check_sql import faults_of_sql

HEADER = "-- What.\n-- One row per patient.\n-- Who.\n"
BROKEN = {
    "SELECT patient_id FROM clinical.patient\n": "comment lines on top",
    HEADER + "SELECT FROM WHERE\n": "does not parse",
    HEADER + "SELECT * FROM clinical.patient\n": "SELECT *",
    HEADER + "SELECT patient.* FROM clinical.patient\n": "SELECT *",
    HEADER + "DELETE FROM clinical.patient\n": "not a SELECT",
    HEADER + "SELECT a FROM clinical.nothing\n": "reads clinical.nothing",
    HEADER + "SELECT id FROM healthlake.pateint\n": "reads healthlake.pateint",
    HEADER + "SELECT id FROM elsewhere.patient\n": "reads elsewhere.patient",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of sql/ to break."""
    shutil.copytree(SQL, tmp_path / "sql")
    return tmp_path / "sql"


def test_the_repositorys_files_hold() -> None:
    assert faults_of_sql() == []


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_view_is_named(folder: Path, text: str) -> None:
    (folder / "clinical/views/broken.sql").write_text(text)
    (fault,) = faults_of_sql(folder)
    assert fault.startswith("sql/clinical/views/broken.sql: ") or "sql/clinical/views/broken.sql" in fault
    assert BROKEN[text] in fault


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("AS birth_year", "AS born", "missing ['birth_year'], not in it ['born']"),
        ("AS integer) AS birth_year", "AS varchar) AS birth_year", "birth_year is VARCHAR, the contract has INT"),
        ("    current_patient.mrn.value AS mrn,\n", "", "missing ['mrn']"),
    ],
)
def test_a_table_that_leaves_the_contract_is_named(folder: Path, old: str, new: str, words: str) -> None:
    path = folder / "clinical/tables/patient.sql"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    assert words in "\n".join(faults_of_sql(folder))


MISFITS = [
    (
        "clinical",
        "{table: healthlake.specimen,",
        "{table: healthlake.encounter,",
        "clinical.specimen: the contract names",
    ),
    ("clinical", "healthlake.consent: nobody", "healthlake.account: nobody", "clinical.patient: the contract names"),
    ("clinical", "healthlake.medication: only", "clinical.site: only", "cannot be missing: it is governed"),
    ("cohort", "  patient_timeline:\n", "  timeline:\n", "a view that no SQL file makes"),
    ("cohort", "flag: sees_dosages", "flag: sees_genes", "no TRUE AS sees_genes"),
    ("cohort", "{table: clinical.imaging_study,", "{table: clinical.site,", "cohort.coverage: the contract names"),
    ("genomic", "integer_division, places: 2", "integer_division", "in 2 places, the contract allows 1"),
]


def test_every_setting_of_the_contract_that_does_not_fit_the_sql_is_named(folder: Path) -> None:
    for room, old, new, _ in MISFITS:
        path = folder / room / "contract.yaml"
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new, 1))
    faults = "\n".join(faults_of_sql(folder))
    assert [words for *_, words in MISFITS if words not in faults] == []


def test_a_contract_table_without_its_file_is_named(folder: Path) -> None:
    (folder / "clinical/tables/procedure.sql").unlink()
    assert any(
        fault.startswith("clinical.procedure: the contract has it filled by SQL") for fault in faults_of_sql(folder)
    )


def test_a_circle_is_named(folder: Path) -> None:
    (folder / "clinical/views/one.sql").write_text(HEADER + "SELECT patient_id FROM clinical.two\n")
    (folder / "clinical/views/two.sql").write_text(HEADER + "SELECT patient_id FROM clinical.one\n")
    (fault,) = faults_of_sql(folder)
    assert "circle" in fault and "clinical.one" in fault


def test_every_file_says_its_grain() -> None:
    for relation in load_relations().values():
        assert any("one row per" in line.lower() for line in relation.header[:4]), relation.name

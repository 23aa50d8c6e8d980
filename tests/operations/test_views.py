"""`trilake views` over the sample's charts: tables and views filled, nothing lost or multiplied, no empty column."""

from pathlib import Path

import orjson
import pytest

from tests.clinical.builders import a_condition, a_patient, ndjson
from tests.lake import a_run
from trilake.core.athena import run
from trilake.core.contract import load_contract
from trilake.core.session import Session
from trilake.core.sql import load_relations
from trilake.operations.ingest import ingest_paths
from trilake.operations.refresh import Built, refresh
from trilake.sample.generate import Plan, generate

CLINICAL = sorted(name for name in load_relations() if name.startswith("clinical."))


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sample") / "data"
    generate(Plan(7, 100, "tiny", out), workers=1, say=str)
    return out


@pytest.fixture(scope="module")
def charts(lake: Session, sample: Path) -> Session:
    """A lake that holds the sample's charts."""
    ingest_paths(lake, a_run(lake), [str(sample / "fhir")], modalities=("clinical",))
    return lake


@pytest.fixture(scope="module")
def built(charts: Session) -> Built:
    return refresh(charts, say=str)


def test_every_table_has_the_rows_that_the_truth_says(built: Built, sample: Path) -> None:
    truth = orjson.loads((sample.with_name("data.truth") / "counts.json").read_bytes())["governed_rows"]
    tables = [name for name in CLINICAL if load_relations()[name].kind == "table"]
    assert {name: built.rows[name] for name in tables} == {name: truth[name] for name in tables}


def test_what_reads_comes_after_what_it_reads(built: Built) -> None:
    relations = load_relations()
    for name in built.order:
        for read in relations[name].reads & set(relations):
            assert built.order.index(read) < built.order.index(name)


def test_what_has_no_source_yet_is_left_and_named(built: Built) -> None:
    assert "genomic_store.variant does not exist yet" in built.skipped["genomic.variant"]
    assert "genomic.variant" not in built.rows


@pytest.mark.parametrize("name", CLINICAL)
def test_no_column_is_empty_on_the_sample(charts: Session, built: Built, name: str) -> None:
    columns = run(charts, f"SELECT * FROM {name} LIMIT 1").columns
    counts = ", ".join(f'count("{column}") AS "{column}"' for column in columns)
    (row,) = run(charts, f"SELECT {counts} FROM {name}").records()
    assert {column for column, n in row.items() if n == 0} == set()


@pytest.mark.parametrize("name", [name for name in CLINICAL if load_relations()[name].kind == "table"])
def test_columns_have_the_contracts_types(charts: Session, built: Built, name: str) -> None:
    types = {"string": "varchar", "int": "integer"}
    answer = run(charts, f"SELECT * FROM {name} LIMIT 1")
    expected = [(column.name, types.get(column.type, column.type)) for column in load_contract()[name].columns]
    assert list(zip(answer.columns, answer.types, strict=True)) == expected


def test_views_carry_their_description(charts: Session, built: Built) -> None:
    table = charts.client("glue").get_table(DatabaseName="test_clinical", Name="problem_list")["Table"]
    assert table["Description"].startswith("Each patient's problems by code")


def test_a_later_version_updates_its_row_and_nothing_else(charts: Session, built: Built, tmp_path: Path) -> None:
    (patient,) = run(charts, "SELECT min(patient_id) AS one FROM clinical.patient").rows[0]
    before = run(charts, "SELECT patient_id, gender FROM clinical.patient").records()
    (tmp_path / "new").write_bytes(
        ndjson(a_patient(patient, gender="unknown"), a_condition("added", f"Patient/{patient}"))
    )
    ingest_paths(charts, a_run(charts), [str(tmp_path)], modalities=("clinical",))
    again = refresh(charts, say=str)
    after = run(charts, "SELECT patient_id, gender FROM clinical.patient").records()
    changed = [row for row in after if row not in before]
    assert changed == [{"patient_id": patient, "gender": "unknown"}]
    assert len(after) == len(before)
    assert again.rows["clinical.condition"] == built.rows["clinical.condition"] + 1

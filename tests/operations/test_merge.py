"""The MERGE law: whatever a table holds, after the merge it holds what the SELECT says, and nothing moves twice."""

import pytest

from tests.contract import a_column, a_table
from tests.sql.cases import comparable
from trilake.core.athena import run, run_athena
from trilake.core.contract import load_contract
from trilake.core.lakehouse.iceberg import open_table
from trilake.core.session import Session
from trilake.operations.filling import count_statement, merge_statement
from trilake.operations.refresh import add_columns

TARGET = '"test_clinical"."consent"'
TABLE = load_contract()["clinical.consent"]
Rows = list[dict[str, str | None]]

STATES: list[Rows] = [
    [],
    [{"consent_id": "a", "status": "active"}, {"consent_id": "b", "status": None}],
    [{"consent_id": "a", "status": "active"}, {"consent_id": "b", "status": "inactive"}],
    [{"consent_id": "b", "status": None}, {"consent_id": "c", "status": "it's"}],
    [{"consent_id": "c", "status": "it's"}],
    [],
]


def select_of(rows: Rows) -> str:
    """The rows as a SELECT of the contract's columns."""
    names = [column.name for column in TABLE.columns]
    types = {"string": "varchar", "timestamp": "timestamp(6)", "boolean": "boolean", "int": "integer"}
    values = [
        "("
        + ", ".join(
            "NULL" if row.get(name) is None else "'" + str(row[name]).replace("'", "''") + "'" for name in names
        )
        + ")"
        for row in rows
    ]
    casts = ", ".join(f"cast({column.name} AS {types[column.type]}) AS {column.name}" for column in TABLE.columns)
    body = ", ".join(values) or "(" + ", ".join("NULL" for _ in names) + ")"
    return f"SELECT {casts} FROM (VALUES {body}) AS given ({', '.join(names)})" + ("" if rows else " WHERE FALSE")


def held(session: Session) -> Rows:
    return run(session, "SELECT consent_id, status FROM clinical.consent").records()


def test_the_table_follows_its_select_through_any_change(lake: Session) -> None:
    for rows in STATES:
        run_athena(lake, merge_statement(TABLE, TARGET, select_of(rows)))
        assert comparable(held(lake), ["consent_id", "status"]) == comparable(rows, ["consent_id", "status"])


def test_a_second_merge_writes_no_data(lake: Session) -> None:
    statement = merge_statement(TABLE, TARGET, select_of(STATES[1]))
    run_athena(lake, statement)
    files = {task.file.file_path for task in open_table(lake, "clinical.consent").scan().plan_files()}
    run_athena(lake, statement)
    assert {task.file.file_path for task in open_table(lake, "clinical.consent").scan().plan_files()} == files


def test_rows_that_share_a_key_are_counted(lake: Session) -> None:
    twice = [{"consent_id": "x", "status": "one"}, {"consent_id": "x", "status": "two"}]
    run_athena(lake, merge_statement(TABLE, TARGET, select_of(twice)))
    assert run_athena(lake, count_statement(TABLE, TARGET)).records() == [{"n_rows": 2, "n_shared_keys": 1}]
    run_athena(lake, f"DELETE FROM {TARGET}")


@pytest.mark.parametrize("n_keys", [1, 2])
def test_a_table_that_is_all_key_is_never_updated(n_keys: int) -> None:
    names = ("a", "b")[:n_keys]
    table = a_table("clinical.t", key=names, columns=[a_column(name) for name in names])
    assert "UPDATE" not in merge_statement(table, "t", "SELECT 1")


def test_a_column_that_is_new_in_the_contract_is_added(lake: Session) -> None:
    table = load_contract()["clinical.document"]
    grown = table.model_copy(update={"columns": (*table.columns, a_column("n_pages", type="int"))})
    assert add_columns(lake, table) == []
    assert add_columns(lake, grown) == ["n_pages"]
    assert add_columns(lake, grown) == []
    assert run(lake, "SELECT n_pages FROM clinical.document").rows == []

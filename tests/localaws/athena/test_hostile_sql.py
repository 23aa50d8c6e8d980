"""Hostile SQL as a persona: no secret anywhere, and nothing that the permitted part of the tables would not say too.

Run: `python -m pytest tests/localaws/athena/test_hostile_sql.py`
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from localaws import LocalAws

from .hostile import MARK, Stage
from .hostile_statements import AS_MIRRORED, REFUSED, SCHEMA_QUESTIONS, SCHEMA_WORDS


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with LocalAws(tmp_path_factory.mktemp("local")) as aws:
        hostile_stage = Stage(aws.world)
        hostile_stage.views()
        yield hostile_stage


@pytest.mark.parametrize("sql", AS_MIRRORED)
def test_the_answer_is_that_of_the_permitted_part(stage: Stage, sql: str) -> None:
    answer, expected = stage.ask(sql), stage.mirrored(sql)
    text = (answer.everything + answer.reason).replace(f"{MARK}%", "")
    assert MARK not in text and "987654" not in text
    is_ordered = "ORDER BY" in re.sub(r"\([^()]*(\([^()]*\)[^()]*)*\)", "", sql)
    assert answer.comparable(is_ordered) == expected.comparable(is_ordered)


@pytest.mark.parametrize(("sql", "code"), REFUSED.items())
def test_refused(stage: Stage, sql: str, code: str) -> None:
    answer = stage.ask(sql)
    assert answer.state in {"FAILED", "REFUSED"}, answer.rows
    assert answer.reason.startswith(code) or answer.state == "REFUSED"
    assert MARK not in answer.everything + answer.reason
    assert "GENERIC_INTERNAL_ERROR" not in answer.reason


@pytest.mark.parametrize("sql", SCHEMA_QUESTIONS)
def test_no_hidden_name_is_told(stage: Stage, sql: str) -> None:
    answer = stage.ask(sql)
    text = f"{answer.rows} {answer.header} {answer.reason}"
    for word in SCHEMA_WORDS:
        assert word not in text or word in sql
    for sign in (".parquet", "s3://lake", "site_id", "read_parquet", "__t"):
        assert sign not in text
    assert MARK not in answer.everything


@pytest.mark.parametrize("database", ["secret", "mirrored", "nowhere"])
def test_what_is_forbidden_reads_as_what_is_missing(stage: Stage, database: str) -> None:
    answer = stage.ask(f"SELECT * FROM {database}.forbidden")
    reason = f"TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.{database}.forbidden' does not exist"
    assert answer.reason.startswith(reason)


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE {}",
        "DROP TABLE IF EXISTS {}",
        "DROP VIEW {}",
        "DROP VIEW IF EXISTS {}",
        "DESCRIBE {}",
        "SHOW COLUMNS IN {}",
        "SHOW CREATE TABLE {}",
        "SHOW CREATE VIEW {}",
        "SHOW TBLPROPERTIES {}",
        "SHOW PARTITIONS {}",
        "INSERT INTO {} SELECT 1",
        "DELETE FROM {}",
        "UPDATE {} SET a = 1",
        "MERGE INTO {} t USING (SELECT 1 AS a) s ON t.a = s.a WHEN MATCHED THEN DELETE",
        "ALTER TABLE {} ADD COLUMNS (a int)",
        "ALTER TABLE {} SET TBLPROPERTIES ('a' = 'b')",
        "OPTIMIZE {} REWRITE DATA USING BIN_PACK",
        "VACUUM {}",
        "MSCK REPAIR TABLE {}",
        "SELECT 1 FROM {}",
        "EXPLAIN SELECT 1 FROM {}",
        "CREATE TABLE clinical.copy_of WITH (format = 'PARQUET') AS SELECT * FROM {}",
    ],
)
def test_no_statement_tells_forbidden_from_missing(stage: Stage, sql: str) -> None:
    forbidden, missing = (stage.ask(sql.format(name)) for name in ("secret.forbidden", "secret.forbiddex"))
    assert forbidden.reason == missing.reason.replace("forbiddex", "forbidden")
    assert (forbidden.state, forbidden.rows) == (missing.state, missing.rows)


@pytest.mark.parametrize("sql", ["DROP DATABASE {}", "DROP DATABASE IF EXISTS {}", "SHOW TABLES IN {}"])
def test_no_statement_tells_a_forbidden_database_from_a_missing_one(stage: Stage, sql: str) -> None:
    forbidden, missing = (stage.ask(sql.format(name)) for name in ("secret", "sekret"))
    assert forbidden.reason == missing.reason.replace("sekret", "secret")
    assert (forbidden.state, forbidden.rows) == (missing.state, missing.rows)


def test_a_prepared_statement_sees_no_more(stage: Stage) -> None:
    stage.ask("PREPARE q FROM SELECT family_name FROM patient WHERE birth_year = ?")
    answer = stage.ask("EXECUTE q USING 1950")
    assert answer.reason.startswith("COLUMN_NOT_FOUND") and MARK not in answer.everything


def test_the_permitted_part_is_really_there(stage: Stage) -> None:
    answer = stage.ask("SELECT * FROM patient ORDER BY patient_id")
    assert answer.state == "SUCCEEDED" and len(answer.rows) == 13
    assert answer.header == ("patient_id", "birth_year", "gender", "score", "codes")


def test_a_view_over_open_tables_answers(stage: Stage) -> None:
    answer = stage.ask("SELECT * FROM open_view ORDER BY code")
    assert answer.rows[1:] == (("c1", "one"), ("c2", "two"))


def test_time_travel_and_metadata_of_an_open_table_answer(stage: Stage) -> None:
    assert stage.ask("SELECT * FROM annotation FOR TIMESTAMP AS OF current_timestamp").state == "SUCCEEDED"
    assert stage.ask('SELECT snapshot_id FROM "annotation$snapshots"').state == "SUCCEEDED"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT timestamp '2000-01-01 00:00:00' - birth_year * interval '2' year FROM patient",
        "SELECT ARRAY[date_add('day', -500 * birth_year, date '2000-01-01')] FROM patient",
    ],
)
def test_times_that_no_calendar_has_are_refused_without_their_value(
    stage: Stage, sql: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = stage.ask(sql)
    assert answer.reason == "NUMERIC_VALUE_OUT_OF_RANGE: A date or time of the result is outside of the years 1 to 9999"
    assert not caplog.text

"""What a query can never reach, even with the translator out of the way.

Example: `python -m pytest tests/localaws/athena/test_safety.py`
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlglot import exp

from localaws.athena.embedded.calls import function_names
from localaws.athena.embedded.compiler import HANDLERS, Compiler
from localaws.athena.embedded.engine import Database, Embedded, translated
from localaws.athena.embedded.scope import Scope
from localaws.athena.engine import Query, Work
from localaws.athena.errors import QueryError
from localaws.athena.parser import parse_query

# Same name in both and harmless, or Trino's meaning under a name that DuckDB has too.
SHARED = function_names()


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    folder = tmp_path_factory.mktemp("objects")
    (folder / "inside.csv").write_text("a\n1\n")
    locked = Database(folder)
    yield locked
    locked.close()


def test_every_other_function_of_duckdb_is_unknown() -> None:
    names = [row[0] for row in duckdb.sql("SELECT DISTINCT function_name FROM duckdb_functions()").fetchall()]
    others = sorted({name for name in names if name.isidentifier()} - SHARED)
    assert len(others) > 300
    for name in others:
        for sql in (f"SELECT {name}()", f"SELECT {name}(1)", f"SELECT * FROM {name}('x')", f"SELECT \"{name}\"('x')"):
            with pytest.raises(QueryError):
                compile_only(sql)


def compile_only(sql: str) -> None:
    Compiler({}, datetime.now(UTC)).query(parse_query(sql), Scope())


@pytest.mark.parametrize(
    "name", ["read_text", "read_csv", "read_parquet", "read_json", "glob", "getenv", "query", "error"]
)
def test_these_are_on_no_list(name: str) -> None:
    assert name not in SHARED


def test_tables_are_only_those_that_were_handed_in(tmp_path: Path) -> None:
    for name in ("duckdb_settings", "pg_tables", "sqlite_master", "information_schema.tables", "__t0", f"{tmp_path}/x"):
        with pytest.raises(QueryError, match="TABLE_NOT_FOUND"):
            compile_only("SELECT * FROM " + ".".join('"' + part + '"' for part in name.split(".")))


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM glob('/etc/*')",
        "COPY (SELECT 1) TO '/tmp/athena-safety.csv'",
        "ATTACH '/tmp/athena-safety.db'",
        "SET enable_external_access = true",
        "SET allowed_directories = ['/']",
        "SET memory_limit = '100GB'",
        "SET python_enable_replacements = true",
        "INSTALL httpfs",
        "LOAD httpfs",
        "PRAGMA enable_profiling",
    ],
)
def test_the_locked_database_refuses(database: Database, statement: str) -> None:
    cursor = database.cursor()
    with pytest.raises(duckdb.Error):
        cursor.execute(statement).fetchall()
    cursor.close()


def test_python_variables_are_no_tables(database: Database) -> None:
    secret_frame = duckdb.sql("SELECT 42 AS a").to_arrow_table()
    assert secret_frame.num_rows == 1
    cursor = database.cursor()
    with pytest.raises(duckdb.Error):
        cursor.execute("SELECT * FROM secret_frame").fetchall()
    cursor.close()


def test_one_query_leaves_nothing_for_the_next(database: Database) -> None:
    first, second = database.cursor(), database.cursor()
    first.execute('CREATE TEMP VIEW "__t0" AS SELECT 1 AS a')
    with pytest.raises(duckdb.Error):
        second.execute('SELECT * FROM "__t0"')
    first.close()
    second.close()


@pytest.mark.parametrize(
    "error",
    [
        duckdb.IOException('Cannot open file "/secret/place/abc": No such file'),
        duckdb.ConversionException(
            "Could not convert string 'Jane Doe' to INT32\n\nLINE 1: SELECT CAST('Jane Doe' AS INT)"
        ),
        duckdb.InvalidInputException("Malformed JSON at byte 3 of input: Jane Doe /secret/place"),
        duckdb.BinderException('Referenced column "Jane Doe" not found in /secret/place'),
        duckdb.Error("anything with Jane Doe and /secret/place"),
    ],
)
def test_errors_show_neither_values_nor_files(error: duckdb.Error) -> None:
    shown = str(translated(error))
    assert "Jane" not in shown and "/secret" not in shown and "LINE" not in shown


def test_messages_of_failing_rows_carry_no_values(database: Database, tmp_path: Path) -> None:
    engine = Embedded(None, tmp_path)  # type: ignore[arg-type]
    for sql in (
        "SELECT CAST(x AS integer) FROM (VALUES 'Jane Doe') t(x)",
        "SELECT date_parse(x, '%Y') FROM (VALUES 'Jane Doe') t(x)",
        "SELECT json_parse(x) FROM (VALUES 'Jane Doe') t(x)",
        "SELECT from_iso8601_timestamp(x) FROM (VALUES 'Jane Doe') t(x)",
        "SELECT from_base(x, 10) FROM (VALUES 'Jane Doe') t(x)",
        "SELECT from_base64(x) FROM (VALUES 'Jane Doe!') t(x)",
        "SELECT from_hex(x) FROM (VALUES 'Jane Doe') t(x)",
        "SELECT regexp_like('a', x) FROM (VALUES '(Jane') t(x)",
    ):
        with pytest.raises(QueryError) as caught, engine.run(Query(parse_query(sql)), Work()) as result:
            list(result.batches)
        assert "Jane" not in caught.value.reason, sql
        assert not caught.value.reason.startswith("GENERIC_INTERNAL_ERROR"), sql
    engine.close()


def test_no_handler_for_what_writes_or_runs() -> None:
    for kind in (exp.Command, exp.Create, exp.Insert, exp.Copy, exp.Set, exp.Pragma, exp.Attach, exp.Drop, exp.Table):
        assert kind not in HANDLERS


@given(some.text(max_size=60))
def test_any_text_is_a_query_or_refused(text: str) -> None:
    with suppress(QueryError):
        compile_only(text)


@given(some.text(max_size=20), some.text(max_size=20))
def test_texts_stay_texts(first: str, second: str) -> None:
    """Whatever stands in a literal or an alias comes back, and never becomes SQL."""
    literal = "'" + first.replace("'", "''") + "'"
    if "\x00" in first + second or not second.strip():
        return
    alias = '"' + second.replace('"', '""') + '"'
    compiler_sql = f"SELECT {literal} AS {alias}"
    try:
        tree = parse_query(compiler_sql)
    except QueryError:
        return
    compiled = Compiler({}, datetime.now(UTC)).query(tree, Scope())
    assert duckdb.sql(compiled.sql).fetchall() == [(first,)]
    assert compiled.fields[0].name == second.lower()

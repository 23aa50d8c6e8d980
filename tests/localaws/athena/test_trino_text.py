"""What Trino is handed and what comes back, without a Trino: texts, places, values, errors, whole statements."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
import yaml
from sqlglot import exp
from trino.exceptions import TrinoUserError

from localaws.athena.errors import QueryError
from localaws.athena.parser import parse_query, parse_statement
from localaws.athena.statements.changes import carrier, restored
from localaws.athena.trino.failures import translated
from localaws.athena.trino.text import Text, written
from localaws.athena.trino.values import array_of, zone_of
from localaws.athena.types import parse_type

from .test_sql_cases import FOLDER

CASES = [case["sql"] for path in sorted(FOLDER.glob("*.yaml")) for case in yaml.safe_load(path.read_text())]


def test_what_is_written_reads_back_or_is_refused() -> None:
    refused = []
    for sql in CASES:
        try:
            tree = parse_query(sql)
        except QueryError:
            continue
        try:
            assert parse_statement(written(tree).sql) == tree
        except QueryError as error:
            assert error.code == "NOT_SUPPORTED"
            refused.append(sql)
    assert len(refused) < 5, refused


def test_places_lead_back_to_the_users_text() -> None:
    tree = parse_query("SELECT\n  a,\n  lower(p.nothing)\nFROM p")
    text = written(tree)
    at = text.sql.index("p.nothing") + 1
    assert text.place(at) == (3, 9)
    assert text.place(text.sql.index("lower") + 1) == (3, 3)


def an_error(name: str, message: str) -> TrinoUserError:
    return TrinoUserError({"errorName": name, "errorType": "USER_ERROR", "message": message, "errorCode": 1}, "q")


def test_errors_on_the_text_keep_their_words_and_get_the_users_place() -> None:
    text = Text("SELECT nothing FROM t", {8: (2, 5)})
    error = translated(an_error("COLUMN_NOT_FOUND", "line 1:8: Column 'nothing' cannot be resolved"), text, "")
    assert str(error).startswith("COLUMN_NOT_FOUND: line 2:5: Column 'nothing' cannot be resolved or requester")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("INVALID_CAST_ARGUMENT", "Cannot cast 'Ada Lovelace' to INT"),
        ("INVALID_FUNCTION_ARGUMENT", 'Invalid format: "Ada Lovelace"'),
        ("INVALID_FUNCTION_ARGUMENT", "Key not present in map: Ada Lovelace"),
        ("INVALID_FUNCTION_ARGUMENT", "Cannot convert value to JSON: 'Ada Lovelace'"),
        ("NUMERIC_VALUE_OUT_OF_RANGE", "bigint addition overflow: Ada + Lovelace"),
        ("SOMETHING_NEW", "Ada Lovelace is not welcome"),
        ("GENERIC_USER_ERROR", "Ada Lovelace"),
    ],
)
def test_errors_on_rows_never_quote_them(name: str, message: str) -> None:
    error = translated(an_error(name, message), Text("SELECT 1", {}), "")
    assert isinstance(error, QueryError)
    assert "Ada" not in error.reason and "Lovelace" not in error.reason


@pytest.mark.parametrize(
    ("kind", "sent", "expected"),
    [
        ("bigint", [1, None], [1, None]),
        ("double", [1.5, "NaN", "Infinity", None], [1.5, "nan", float("inf"), None]),
        ("decimal(5,2)", ["1.50", None], [Decimal("1.50"), None]),
        ("varbinary", ["AP8=", None], [b"\x00\xff", None]),
        ("date", ["2020-02-29", None], [date(2020, 2, 29), None]),
        ("date", ["1969-12-31", "0001-01-01"], [date(1969, 12, 31), date(1, 1, 1)]),
        ("time(3)", ["10:00:00.123"], [time(10, 0, 0, 123000)]),
        ("timestamp(9)", ["2020-01-01 00:00:00.123456789"], [datetime(2020, 1, 1, 0, 0, 0, 123456)]),
        ("array(integer)", [[1, None], None, []], [[1, None], None, []]),
        ("map(bigint, varchar)", [{"7": "a"}, None], [[(7, "a")], None]),
        ("map(unknown, unknown)", [{}], [[]]),
        ("row(a integer, b array(varchar))", [[1, ["x"]], None], [{"a": 1, "b": ["x"]}, None]),
        ("row(integer, varchar)", [[1, "x"]], [{"field0": 1, "field1": "x"}]),
        ("unknown", [None], [None]),
    ],
)
def test_values_become_arrow(kind: str, sent: list[Any], expected: list[Any]) -> None:
    values = array_of(sent, parse_type(kind)).to_pylist()
    assert ["nan" if item != item else item for item in values] == expected


def test_moments_keep_their_instant_and_a_zone_that_all_share() -> None:
    kind = parse_type("timestamp(3) with time zone")
    sent = ["2020-06-01 00:00:00.000 Europe/Berlin", "2020-01-01 00:00:00.000 Europe/Berlin", None]
    moments = [item and item.astimezone(UTC) for item in array_of(sent, kind).to_pylist()]
    assert moments == [datetime(2020, 5, 31, 22, tzinfo=UTC), datetime(2019, 12, 31, 23, tzinfo=UTC), None]
    assert zone_of(sent, kind) == "Europe/Berlin"
    assert zone_of([*sent, "2020-01-01 00:00:00.000 +02:00"], kind) is None
    assert zone_of(["2020-01-01 00:00:00.000 UTC"], kind) is None
    assert array_of(["2020-01-01 00:00:00.000 -02:30"], kind)[0].as_py() == datetime(2020, 1, 1, 2, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "sql",
    [
        "MERGE INTO db.t AS a USING (SELECT id FROM s WHERE x > 1) AS b ON a.id = b.id AND a.k IN (SELECT k FROM s) "
        "WHEN MATCHED AND b.id = 1 THEN DELETE WHEN MATCHED THEN UPDATE SET n = b.id + 1, k = upper(a.k) "
        "WHEN NOT MATCHED THEN INSERT (id, k) VALUES (b.id, 'x')",
        "MERGE INTO t USING s ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id)",
        "UPDATE t SET a = (SELECT max(a) FROM s), b = t.b || 'x' WHERE id > 3",
        "DELETE FROM t WHERE id IN (SELECT id FROM s)",
        "DELETE FROM t",
    ],
)
def test_a_statement_comes_back_from_the_authoriser_whole(sql: str) -> None:
    tree = parse_statement(sql)
    carried = carrier(tree)
    for node in carried.find_all(exp.Literal):
        if node.this == "x":
            node.replace(exp.Literal.string("authorised"))
    statement = restored(tree, carried)
    expected = sql.replace("'x'", "'authorised'")
    target = parse_statement(expected)
    name = target.this.copy()
    statement.set("this", name)
    assert statement.sql(dialect="trino").replace(" ", "") == target.sql(dialect="trino").replace(" ", "")


def test_dates_of_any_year_and_times_of_the_calendar():
    days = array_of(["-0738-02-03", None, "+29379-01-26"], parse_type("date"))
    assert days.cast("int32").to_pylist() == [-989_043, None, 10_010_957]
    for text in ("-0738-02-03 00:00:00.000", "+29379-01-26 00:00:00.000"):
        with pytest.raises(OverflowError):
            array_of([text], parse_type("timestamp(3)"))

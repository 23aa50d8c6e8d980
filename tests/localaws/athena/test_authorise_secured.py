"""The derived table of a permitted part: its text, its fence, and that the fence holds in the engine.

Run: `python -m pytest tests/localaws/athena/test_authorise_secured.py`
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from localaws.athena.parser import AthenaSql
from localaws.athena.rewriter import FENCE, derived
from localaws.lakeformation.expression import ExpressionError
from localaws.lakeformation.rules import Access, Rule

TYPES = {"id": "string", "name": "string", "year": "int", "site": "string"}


def access(*rules: Rule) -> Access:
    return Access(frozenset({"SELECT"}), rules, tuple(TYPES))


def text(*rules: Rule) -> str:
    return AthenaSql().generate(derived("__t0", access(*rules), TYPES))


def duck(*rules: Rule) -> str:
    return derived("__t0", access(*rules), TYPES).sql(dialect="duckdb")


def test_columns_alone_need_no_fence() -> None:
    assert text(Rule(frozenset({"year", "id"}))) == 'SELECT "id", "year" FROM "__t0"'


def test_a_row_rule_stands_under_a_fence() -> None:
    sql = text(Rule(frozenset({"id"}), row_filter="site = 'a' OR year > 3"))
    assert sql == f"""SELECT "id" FROM "__t0" WHERE "site" = 'a' OR "year" > 3 OFFSET 0 LIMIT {FENCE}"""


def test_cells_of_several_rules() -> None:
    first = Rule(frozenset({"id", "name"}), row_filter="site = 'a'")
    other = Rule(frozenset({"id", "year"}), row_filter="year > 3")
    assert text(first, other) == (
        """SELECT "id", CASE WHEN "site" = 'a' THEN "name" END AS "name", """
        """CASE WHEN "year" > 3 THEN "year" END AS "year" FROM "__t0" """
        f"""WHERE ("site" = 'a') OR ("year" > 3) OFFSET 0 LIMIT {FENCE}"""
    )


def test_a_rule_is_checked_again_before_it_is_written() -> None:
    with pytest.raises(ExpressionError):
        text(Rule(frozenset({"id"}), row_filter="1 = 1 OR site = 'a'"))


@pytest.mark.parametrize("kind", ["TABLE", "parquet", "arrow"])
@pytest.mark.parametrize(
    "rule", ["site = 'north'", "site LIKE '%orth'", "NOT (site <> 'north')", "site = 'north' OR year = 3"]
)
def test_the_engine_keeps_the_callers_work_above_the_fence(rule: str, kind: str, tmp_path: Path) -> None:
    connection = duckdb.connect()
    connection.execute(
        "CREATE TABLE rows AS SELECT CASE WHEN i % 3 = 0 THEN i::VARCHAR ELSE 'HIDDEN' || i END AS id, "
        "'n' AS name, i AS year, CASE WHEN i % 3 = 0 THEN 'north' ELSE 'south' END AS site FROM range(60000) AS t(i)"
    )
    match kind:
        case "TABLE":
            connection.execute("ALTER TABLE rows RENAME TO __t0")
        case "parquet":
            file = tmp_path / "rows.parquet"
            connection.execute(f"COPY rows TO '{file}'; CREATE VIEW __t0 AS FROM read_parquet('{file}')")
        case "arrow":
            connection.register("__t0", connection.sql("FROM rows").to_arrow_table())
    inner = duck(Rule(frozenset({"id"}), row_filter=rule))
    plan = connection.execute(f"EXPLAIN SELECT count(*) FROM ({inner}) AS p WHERE id = '77'").fetchall()[0][1]
    limit, mine, theirs = plan.index("Limit"), plan.index("77"), plan.rindex("site")
    assert mine < limit < theirs
    for work in ("CAST(id AS INTEGER) >= 0", "1 / CAST(id AS INTEGER) < 9", "CAST(id AS INTEGER) IN (SELECT 1)"):
        if "year" not in rule:
            assert connection.execute(f"SELECT count(*) >= 0 FROM ({inner}) AS p WHERE {work}").fetchone() == (True,)

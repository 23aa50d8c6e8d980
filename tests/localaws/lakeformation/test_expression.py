"""Row expressions: what Lake Formation's grammar allows, what it refuses, and that checking changes no meaning.

Run: `python -m pytest tests/localaws/lakeformation/test_expression.py`
"""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localaws.lakeformation.expression import ExpressionError, columns_of, parse

COLUMNS = {
    "site_id": "string",
    "consent": "boolean",
    "birth_year": "int",
    "ratio": "double",
    "cost": "decimal(10,2)",
    "born": "date",
    "codes": "array<string>",
    "name": "struct<family:string>",
}

REFUSED = [
    "consent",
    "consent = 1",
    "true",
    "1 = 1",
    "upper(site_id) = 'A'",
    "site_id = birth_year",
    "site_id = 'a' || 'b'",
    "born = '2020-01-01'",
    "born IS NULL",
    "codes IS NOT NULL",
    "name.family = 'x'",
    '"name"."family" = \'x\'',
    "site_id IN (SELECT 'a')",
    "site_id IN ('a', NULL)",
    "EXISTS (SELECT 1)",
    "site_id = 'a' OR 1 = 1",
    "site_id LIKE ANY ('a', 'b')",
    "site_id LIKE 'a' ESCAPE '!'",
    "birth_year LIKE '1%'",
    "birth_year = '1970'",
    "site_id = 3",
    "site_id IS TRUE",
    "site_id = 'a' -- or not",
    "site_id = 'a' /* all */",
    "site_id = 'a'; DELETE FROM t",
    "unknown = 'a'",
    "birth_year IS DISTINCT FROM 3",
    "CASE WHEN consent = true THEN true END",
    "birth_year + 1 = 3",
    "birth_year = 1 + 1",
    "CAST(birth_year AS varchar) = '3'",
    "site_id =",
    "",
]


@pytest.mark.parametrize("expression", REFUSED)
def test_refused(expression: str) -> None:
    with pytest.raises(ExpressionError):
        parse(expression, COLUMNS)


def test_a_partition_column_is_not_tested_for_null() -> None:
    with pytest.raises(ExpressionError, match="partition column"):
        parse("site_id IS NULL", COLUMNS, frozenset({"site_id"}))


def test_length_is_bounded() -> None:
    fits = "site_id = '" + "a" * 2035 + "'"
    assert len(fits) == 2047
    parse(fits, COLUMNS)
    with pytest.raises(ExpressionError, match="2047"):
        parse(fits.replace("a'", "aa'"), COLUMNS)


def test_columns_of_gives_lower_case_names() -> None:
    assert columns_of("\"Site_ID\" = 'a' AND NOT consent = true") == {"site_id", "consent"}


text = st.sampled_from(["a", "ab", "it''s", "%", ""])
leaf = st.one_of(
    st.builds("site_id {} '{}'".format, st.sampled_from(["=", "<>", "!=", "<", ">", "<=", ">="]), text),
    st.builds("site_id {} '{}'".format, st.sampled_from(["LIKE", "NOT LIKE"]), st.sampled_from(["a%", "%", "_"])),
    st.builds("site_id {} ('a', '{}')".format, st.sampled_from(["IN", "NOT IN"]), text),
    st.builds("birth_year {} {} AND 5".format, st.sampled_from(["BETWEEN", "NOT BETWEEN"]), st.integers(-3, 4)),
    st.builds("birth_year {} {}".format, st.sampled_from(["=", "<>", "<", ">="]), st.integers(-3, 6)),
    st.builds("{} {}".format, st.sampled_from(["site_id", "consent"]), st.sampled_from(["IS NULL", "IS NOT NULL"])),
    st.builds("consent {} {}".format, st.sampled_from(["=", "<>"]), st.sampled_from(["true", "FALSE"])),
)
condition = st.recursive(
    leaf,
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["AND", "OR"]), inner),
        st.builds("{} {} {}".format, inner, st.sampled_from(["AND", "OR"]), inner),
        st.builds("NOT ({})".format, inner),
        st.builds("NOT {}".format, leaf),
    ),
    max_leaves=6,
)
DUCKDB = duckdb.connect()
ROWS = """(VALUES ('a', true, 1), ('ab', false, 2), ('b', NULL, NULL), (NULL, true, 5), ('it''s', false, -3),
           ('', NULL, 4), ('%', true, 6)) AS t(site_id, consent, birth_year)"""


@settings(max_examples=300, deadline=None)
@given(condition)
def test_the_checked_tree_keeps_the_same_rows(expression: str) -> None:
    checked = parse(expression, COLUMNS).sql(dialect="duckdb")
    rows = [
        DUCKDB.execute(f"SELECT * FROM {ROWS} WHERE {rule} ORDER BY ALL").fetchall() for rule in (expression, checked)
    ]
    assert rows[0] == rows[1]

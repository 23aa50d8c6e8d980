"""Each trap is found where it is, and not where it is not."""

from pathlib import Path

import pytest

from trilake.core.contract import AllowedTrap
from trilake.operations.sql_traps import RULES, faults_of_traps, traps_in_text, unallowed

TYPES = {"n_alt": "int", "n_alleles": "int", "birth_date": "date", "value_number": "double", "issued": "string"}
PAIRS = [
    ("integer_division", "SELECT n_alt / n_alleles FROM t", "SELECT CAST(n_alt AS double) / n_alleles FROM t"),
    ("integer_division", "SELECT 3 / 2", "SELECT 3 / 2.0"),
    ("integer_division", "SELECT count(*) / nullif(count(x), 0) FROM t", "SELECT value_number / 2 FROM t"),
    ("integer_division", "SELECT n_alt / 10 FROM t", "SELECT n_alt / 10 * 10 FROM t"),
    ("date_trunc_of_date", "SELECT date_trunc('month', birth_date) FROM t", "SELECT date_trunc('month', at) FROM t"),
    (
        "date_trunc_of_date",
        "SELECT date_trunc('year', CAST(at AS date)) FROM t",
        "SELECT CAST(date_trunc('year', birth_date) AS date) FROM t",
    ),
    ("null_order", "SELECT x FROM t ORDER BY x DESC LIMIT 3", "SELECT x FROM t ORDER BY x DESC NULLS LAST LIMIT 3"),
    (
        "null_order",
        "SELECT row_number() OVER (ORDER BY at DESC, t_id) FROM t",
        "SELECT row_number() OVER (ORDER BY at DESC NULLS FIRST, t_id) FROM t",
    ),
    ("null_order", "SELECT array_agg(x ORDER BY y DESC) FROM t", "SELECT x FROM t ORDER BY x DESC"),
    ("approximate", "SELECT approx_percentile(x, 0.5) FROM t", "SELECT count(DISTINCT x) FROM t"),
    ("regex_dialect", "SELECT regexp_like(x, 'a(?=b)') FROM t", "SELECT regexp_like(x, '(?:a|b)[0-9]+') FROM t"),
    ("regex_dialect", r"SELECT regexp_replace(x, '(a)\1') FROM t", r"SELECT regexp_replace(x, '\d+$') FROM t"),
    ("text_to_time", "SELECT CAST(issued AS timestamp) FROM t", "SELECT from_iso8601_timestamp(issued) FROM t"),
    ("text_to_time", "SELECT TRY_CAST(substr(x, 1, 10) AS date) FROM t", "SELECT CAST(at AS date) FROM t"),
    ("text_to_time", "SELECT CAST(a || b AS timestamp(6)) FROM t", "SELECT DATE '2020-01-01', TIMESTAMP '2020-01-01'"),
    ("array_bounds", "SELECT names[1] FROM t", "SELECT element_at(names, 1) FROM t"),
    ("array_bounds", "SELECT scores['a'] FROM t", "SELECT split(x, '/')[1] FROM t"),
    ("array_order", "SELECT array_agg(x) FROM t", "SELECT array_agg(x ORDER BY y) FROM t"),
    ("array_order", "SELECT array_join(array_agg(DISTINCT x), ',') FROM t", "SELECT array_sort(array_agg(x)) FROM t"),
    (
        "array_order",
        "SELECT array_agg(x) FILTER (WHERE x > 1) FROM t",
        "SELECT array_sort(array_distinct(array_agg(x) FILTER (WHERE x > 1))) FROM t",
    ),
    ("ties", "SELECT row_number() OVER (ORDER BY at) FROM t", "SELECT row_number() OVER (ORDER BY at, t_id) FROM t"),
    ("ties", "SELECT row_number() OVER (PARTITION BY a) FROM t", "SELECT rank() OVER (ORDER BY at) FROM t"),
    ("any_row", "SELECT arbitrary(x) FROM t", "SELECT max(x) FROM t"),
    ("limit_without_order", "SELECT x FROM t LIMIT 5", "SELECT x FROM t ORDER BY x LIMIT 5"),
    ("double_as_text", "SELECT CAST(value_number AS varchar) FROM t", "SELECT CAST(n_alt AS varchar) FROM t"),
    (
        "outer_unnest",
        "SELECT 1 FROM t WHERE EXISTS (SELECT 1 FROM UNNEST(t.names) AS u (name) WHERE name = 'a')",
        "SELECT 1 FROM t CROSS JOIN UNNEST(t.names) AS u (name)",
    ),
    (
        "window_filter",
        "SELECT sum(x) FILTER (WHERE y) OVER (ORDER BY t_id) FROM t",
        "SELECT sum(x) FILTER (WHERE y) FROM t",
    ),
    ("map_order", "SELECT map_keys(m) FROM t", "SELECT array_sort(map_keys(m)) FROM t"),
    ("null_in_list", "SELECT x IN (1, NULL) FROM t", "SELECT x IN (1, 2) OR x IS NULL FROM t"),
]


def names(sql: str) -> set[str]:
    return {trap.name for trap in traps_in_text(sql, TYPES)}


@pytest.mark.parametrize(("name", "bad", "good"), PAIRS)
def test_a_trap_is_named_and_its_mended_form_is_not(name: str, bad: str, good: str) -> None:
    assert name in names(bad)
    assert name not in names(good)


def test_every_trap_has_a_pair() -> None:
    assert set(RULES) == {name for name, _, _ in PAIRS}


def test_a_trap_has_its_line() -> None:
    (trap,) = traps_in_text("SELECT\n    a,\n    n_alt / n_alleles AS ratio\nFROM t", TYPES)
    assert (trap.line, trap.name) == (3, "integer_division")


def test_the_contract_allows_a_trap_in_as_many_places_as_there_are() -> None:
    traps = traps_in_text("SELECT n_alt / n_alleles AS a,\n    3 / 2 AS b FROM t", TYPES)
    allowed = AllowedTrap(trap="integer_division", reason="whole numbers are meant", places=2)
    assert list(unallowed(traps, [allowed])) == []
    assert list(unallowed(traps, [])) == [(trap.line, str(trap)) for trap in traps]
    ((line, words),) = unallowed(traps, [allowed.model_copy(update={"places": 1})])
    assert line == 2 and "in 2 places, the contract allows 1" in words
    ((_, words),) = unallowed([], [allowed])
    assert "in 0 places" in words


def test_what_the_contract_allows_is_a_trap_that_exists() -> None:
    ((_, words),) = unallowed([], [AllowedTrap(trap="nonsense", reason="because")])
    assert "no such trap" in words


def test_the_sql_of_a_yaml_file_is_read_too(tmp_path: Path) -> None:
    page = tmp_path / "dashboard" / "pages" / "one.yaml"
    page.parent.mkdir(parents=True)
    (tmp_path / "core").mkdir()
    (tmp_path / "core" / "row_keys.yaml").write_text("[]")
    page.write_text(
        "panels:\n  - kind: tile\n    sql: >-\n      SELECT approx_distinct(x) AS value FROM clinical.patient\n"
    )
    (fault,) = faults_of_traps(tmp_path)
    assert "dashboard/pages/one.yaml:4: approximate" in fault

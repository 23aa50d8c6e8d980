"""The rule by which two engines' answers are the same: what it takes for equal, and what it does not."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from localaws.athena.engine import ResultColumn
from localaws.athena.parser import parse_query
from localaws.athena.types import parse_type
from verify.comparison import Answer, differences, ordered_outputs, same

NOON = datetime(2020, 1, 1, 12, tzinfo=UTC)
BERLIN = NOON.astimezone(timezone(timedelta(hours=1)))
SAME = [
    ("double", 0.1 + 0.2, 0.3),
    ("double", float("nan"), float("nan")),
    ("double", 0.0, -0.0),
    ("real", 1.0, 1.000001),
    ("timestamp(3) with time zone", NOON, BERLIN),
    ("map(varchar, bigint)", [("a", 1), ("b", None)], [("b", None), ("a", 1)]),
    ("row(a double, b varchar)", {"a": 1.0, "b": "x"}, {"field0": 1.0 + 1e-15, "field1": "x"}),
    ("json", '{"a": 1, "b": 2}', '{"b":2,"a":1}'),
    ("interval day to second", timedelta(days=1, seconds=1), (0, 1, 1_000_000_000)),
    ("decimal(5,2)", Decimal("1.50"), Decimal("1.50")),
    ("array(varchar)", ["a", None], ["a", None]),
]
OTHER = [
    ("double", 0.3, 0.3000001),
    ("double", float("nan"), 1.0),
    ("double", None, 0.0),
    ("bigint", 1, 2),
    ("varchar", "a", "a "),
    ("varchar", "", None),
    ("decimal(5,2)", Decimal("1.27"), Decimal("1.28")),
    ("timestamp(6)", datetime(2020, 1, 1, 0, 0, 0, 1), datetime(2020, 1, 1)),
    ("timestamp(3) with time zone", NOON, NOON + timedelta(hours=1)),
    ("array(varchar)", ["a", "b"], ["b", "a"]),
    ("array(varchar)", [], None),
    ("map(varchar, bigint)", [("a", 1)], [("a", 2)]),
    ("map(varchar, bigint)", [("a", 1)], [("a", 1), ("b", 1)]),
    ("json", "1.5", "1.50"),
    ("row(a bigint)", {"a": None}, None),
]


@pytest.mark.parametrize(("kind", "one", "other"), SAME)
def test_the_same(kind: str, one: Any, other: Any) -> None:
    assert same(parse_type(kind), one, other)


@pytest.mark.parametrize(("kind", "one", "other"), OTHER)
def test_not_the_same(kind: str, one: Any, other: Any) -> None:
    assert not same(parse_type(kind), one, other)


def answer(*rows: tuple[Any, ...], name: str = "a", kind: str = "bigint") -> Answer:
    columns = (ResultColumn(name, parse_type(kind)), ResultColumn("b", parse_type("varchar")))
    return Answer(columns, rows)


def test_rows_come_in_any_order_and_as_often() -> None:
    assert differences(answer((1, "x"), (2, "y")), answer((2, "y"), (1, "x"))) == []
    assert differences(answer((1, "x"), (1, "x"), (2, "y")), answer((1, "x"), (2, "y"), (2, "y")))
    assert differences(answer((1, "x")), answer((1, "x"), (1, "x"))) == ["rows: 1 against 2"]


def test_an_order_that_was_asked_for_is_held_ties_may_change_places() -> None:
    one, tied, other = answer((1, "x"), (1, "y"), (2, "z")), answer((1, "y"), (1, "x"), (2, "z")), answer((2, "z"))
    assert differences(one, tied, ordered_by=(0,)) == []
    moved = answer((2, "z"), (1, "x"), (1, "y"))
    assert differences(one, moved) == []
    assert differences(one, moved, ordered_by=(0,))[0].startswith("order: in row 1")
    assert differences(one, other)


def test_names_and_types_count_the_length_of_a_text_does_not() -> None:
    assert differences(answer((1, "x"), name="A"), answer((1, "x")))
    assert differences(answer((1, "x"), kind="integer"), answer((1, "x")))
    assert differences(answer(("1", "x"), kind="varchar(3)"), answer(("1", "x"), kind="varchar")) == []


def test_two_failures_agree_one_alone_does_not() -> None:
    assert differences(Answer(error="A: x"), Answer(error="B: y")) == []
    assert differences(Answer(error="A: x"), answer((1, "x"))) == ["only one fails: A: x"]


def test_what_the_outermost_order_names() -> None:
    assert ordered_outputs(parse_query("SELECT a, b AS c FROM t ORDER BY c DESC, 1")) == (1, 0)
    assert ordered_outputs(parse_query("SELECT a FROM t ORDER BY a + 1, a")) == ()
    assert ordered_outputs(parse_query("SELECT a FROM (SELECT a FROM t ORDER BY a) AS s")) == ()

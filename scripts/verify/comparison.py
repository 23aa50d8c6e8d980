"""When two engines' answers are the same: the one rule, for every query that `make verify` asks twice.

Reads and writes nothing.

- **Columns**: as many, with the same names and types, in order. The length of a varchar is not compared: Athena's
  tables know none, and it changes no value.
- **Rows**: the same rows, as often, in any order. Where the outermost query has an ORDER BY, the columns that it orders
  by are also compared row for row in the order that came; rows that tie may change places.
- **Numbers**: integers, decimals, texts, dates, booleans and bytes are equal or not. `double` and `real` are equal when
  they are the same, both NaN, or differ by no more than DOUBLE_ERROR and REAL_ERROR of the larger one: two engines add
  and take logarithms in different orders. A zero's sign is not compared.
- **Times**: to the microsecond. A `timestamp with time zone` is compared as an instant: an engine shows it in the zone
  that it likes.
- **Maps** are compared without the order of their keys; arrays and rows in order, field by place.
- **JSON** is compared as a value, numbers as they are written: the order of an object's keys says nothing.
- **Failures**: two that fail agree; what they say is not compared. One that fails alone is a difference.

Example: differences(Answer(...), Answer(...))  ->  ["row 3: ..."]
"""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlglot import exp

from localaws.athena.engine import ResultColumn
from localaws.athena.types import Type, trino_text

DOUBLE_ERROR, REAL_ERROR = 1e-11, 1e-5
ABSOLUTE_ERROR = 1e-12
MICROSECONDS = timedelta(microseconds=1)
SHOWN = 3
"""Differing rows that are told of."""


@dataclass(frozen=True)
class Answer:
    """What an engine said: its columns and rows, or the error it failed with."""

    columns: tuple[ResultColumn, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    error: str = ""


def differences(one: Answer, other: Answer, ordered_by: Sequence[int] = ()) -> list[str]:
    """A line for each difference; none when the answers are the same. `ordered_by` are places of output columns."""
    if one.error or other.error:
        return [] if one.error and other.error else [f"only one fails: {one.error or other.error}"]
    heads = [[f"{column.name} {type_text(column.type)}" for column in answer.columns] for answer in (one, other)]
    if heads[0] != heads[1]:
        return [f"columns: {', '.join(heads[0])} against {', '.join(heads[1])}"]
    if len(one.rows) != len(other.rows):
        return [f"rows: {len(one.rows)} against {len(other.rows)}"]
    types = [column.type for column in one.columns]
    return [*_unequal_rows(types, one, other), *_unequal_order(types, one, other, ordered_by)][: SHOWN + 1]


def _unequal_rows(types: Sequence[Type], one: Answer, other: Answer) -> Iterator[str]:
    left = sorted(one.rows, key=lambda row: _sort_key(types, row))
    right = sorted(other.rows, key=lambda row: _sort_key(types, row))
    unmatched = [row for row in right if row is not None]
    lonely = []
    for place, row in enumerate(left):
        if place < len(right) and same_row(types, row, right[place]):
            unmatched[place] = None  # type: ignore[call-overload]
        else:
            lonely.append(row)
    rest = [row for row in unmatched if row is not None]
    for row in lonely:
        match = next((place for place, candidate in enumerate(rest) if same_row(types, row, candidate)), None)
        if match is None:
            nearest = rest[0] if rest else None
            yield f"row {row!r} against {nearest!r}"
        else:
            rest.pop(match)


def _unequal_order(types: Sequence[Type], one: Answer, other: Answer, ordered_by: Sequence[int]) -> Iterator[str]:
    for number, (row, other_row) in enumerate(zip(one.rows, other.rows, strict=True)):
        for place in ordered_by:
            if not same(types[place], row[place], other_row[place]):
                yield f"order: in row {number + 1}, column {place + 1}, {row[place]!r} against {other_row[place]!r}"
                return


def ordered_outputs(tree: exp.Expr) -> tuple[int, ...]:
    """The places of the output columns that the outermost ORDER BY names; stops at a term that is none."""
    order, places = tree.args.get("order"), list[int]()
    outputs = tree.selects if isinstance(tree, exp.Query) else []
    names = [item.alias_or_name.lower() for item in outputs]
    for term in order.expressions if order else []:
        node = term.this
        if isinstance(node, exp.Literal) and not node.is_string:
            places.append(int(node.name) - 1)
        elif isinstance(node, exp.Column) and names.count(node.name.lower()) == 1:
            places.append(names.index(node.name.lower()))
        else:
            break
    return tuple(places)


def type_text(type_: Type) -> str:
    """A type as it is compared: the lengths of texts left out."""
    return trino_text(_unbounded(type_))


def _unbounded(type_: Type) -> Type:
    numbers = () if type_.name in ("varchar", "char") else type_.numbers
    return Type(type_.name, numbers, tuple(_unbounded(item) for item in type_.elements), type_.fields)


def same_row(types: Sequence[Type], one: Sequence[Any], other: Sequence[Any]) -> bool:
    """Whether two rows are equal by the rule, value by value."""
    return all(same(kind, left, right) for kind, left, right in zip(types, one, other, strict=True))


def same(kind: Type, one: Any, other: Any) -> bool:
    """Whether two values of a type are equal by the rule."""
    if one is None or other is None:
        return one is None and other is None
    if kind.name in ("double", "real"):
        return _near(float(one), float(other), REAL_ERROR if kind.name == "real" else DOUBLE_ERROR)
    if kind.name == "array":
        return len(one) == len(other) and all(same(kind.elements[0], *pair) for pair in zip(one, other, strict=True))
    if kind.name == "row":
        return same_row(kind.elements, _fields(one), _fields(other))
    if kind.name == "map":
        return _same_map(kind, one, other)
    return bool(plain(kind, one) == plain(kind, other))


def _same_map(kind: Type, one: Any, other: Any) -> bool:
    left, right = ([*side.items()] if isinstance(side, dict) else [*side] for side in (one, other))
    if len(left) != len(right):
        return False
    sides = (sorted(side, key=lambda item: _key(kind.elements[0], item[0])) for side in (left, right))
    return all(same_row(kind.elements, *pair) for pair in zip(*sides, strict=True))


def _near(one: float, other: float, error: float) -> bool:
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    return one == other or math.isclose(one, other, rel_tol=error, abs_tol=ABSOLUTE_ERROR)


def _fields(value: Any) -> Sequence[Any]:
    return tuple(value.values()) if isinstance(value, dict) else tuple(value)


def plain(kind: Type, value: Any) -> Any:
    """A scalar as it is compared."""
    if kind.name == "timestamp with time zone" and isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None)
    if kind.name == "json":
        return _json(value)
    if kind.name == "interval day to second":
        return value // MICROSECONDS if isinstance(value, timedelta) else value[1] * 86_400_000_000 + value[2] // 1000
    return tuple(value) if isinstance(value, list) else value


def _json(value: str) -> Any:
    try:
        return json.dumps(json.loads(value, parse_float=str, parse_int=str), sort_keys=True)
    except ValueError:
        return value


def _sort_key(types: Sequence[Type], row: Sequence[Any]) -> tuple[str, ...]:
    return tuple(_key(kind, value) for kind, value in zip(types, row, strict=True))


def _key(kind: Type, value: Any) -> str:
    """A text that is the same for equal values; nearly equal doubles mostly share one."""
    if value is None:
        return ""
    if kind.name in ("double", "real"):
        return f"{float(value) + 0.0:.{4 if kind.name == 'real' else 8}g}"
    if kind.name == "array":
        return str([_key(kind.elements[0], item) for item in value])
    if kind.name == "row":
        return str(_sort_key(kind.elements, _fields(value)))
    if kind.name == "map":
        pairs = value.items() if isinstance(value, dict) else value
        return str(sorted(_sort_key(kind.elements, pair) for pair in pairs))
    return repr(plain(kind, value))

"""UNNEST: which columns an array or a map spreads into.

Reads and writes nothing. Behind `make local-aws`.
Example: an `array(row(a, b))` spreads into the columns a and b, a map into key and value, arrays side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlglot import exp

from localaws.athena.embedded.typed import Typed, member, row_names
from localaws.athena.errors import QueryError
from localaws.athena.types import Type, trino_text


class Spread(NamedTuple):
    """What to select (`u0`, `u1`, …), and the columns as texts over the relation `{r}`."""

    selected: list[str]
    columns: list[tuple[str | None, str, Type]]


def unnest_columns(items: Sequence[Typed], *, keep_empty: bool, with_ordinality: bool, node: exp.Expr) -> Spread:
    """The spread of these arrays and maps side by side; the shorter ones are filled with NULL."""
    selected: list[str] = []
    columns: list[tuple[str | None, str, Type]] = []
    lists = [_as_list(item, node) for item in items]
    longest = _longest(lists)
    for index, (item, sql) in enumerate(zip(items, lists, strict=True)):
        selected.append(f"unnest({_padded(sql, longest) if keep_empty else sql})")
        columns += _columns(f"{{r}}.u{index}", item.type)
    if with_ordinality:
        numbers = f"range(1, {longest} + 1)"
        selected.append(f"unnest({_padded(numbers, longest) if keep_empty else numbers})")
    return Spread(selected, columns)


def _as_list(item: Typed, node: exp.Expr) -> str:
    if item.type.name == "map":
        return f"map_entries({item.sql})"
    if item.type.name != "array":
        raise QueryError("TYPE_MISMATCH", f"Cannot unnest type: {trino_text(item.type)}", node)
    return item.sql


def _longest(lists: Sequence[str]) -> str:
    lengths = [f"coalesce(len({sql}), 0)" for sql in lists]
    return lengths[0] if len(lengths) == 1 else f"greatest({', '.join(lengths)})"


def _padded(sql: str, longest: str) -> str:
    """One empty row where there is nothing to spread."""
    return f"CASE WHEN {longest} > 0 THEN {sql} ELSE [NULL] END"


def _columns(sql: str, found: Type) -> list[tuple[str | None, str, Type]]:
    if found.name == "map":
        return [(None, f"({sql}).key", found.elements[0]), (None, f"({sql}).value", found.elements[1])]
    element = found.elements[0]
    if element.name != "row":
        return [(None, sql, element)]
    places = zip(element.fields, row_names(element), element.elements, strict=True)
    return [(name or None, member(sql, duck_name), item) for name, duck_name, item in places]

"""SQL templates with values put in as literals: nothing a definition says can become SQL. Pure.

A template is one of our own SELECTs with `:name` where a value goes. The template is parsed first and the values are
put into its tree, so that quotes, comments and keywords in a value stay text.

Example: bind("SELECT 1 AS x FROM clinical.condition WHERE code IN (:codes)", codes=["26929004"])
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlglot
from sqlglot import exp

from trilake.core.sql import DIALECT

Value = str | bool | int | float | date | Sequence[str] | None


def bind(template: str, **values: Value) -> str:
    """The template's SQL with its values. KeyError for a placeholder without a value, ValueError for a value without
    a placeholder: both are defects of the caller."""
    tree = sqlglot.parse_one(template, read=DIALECT)
    used = set()
    for place in list(tree.find_all(exp.Placeholder)):
        used.add(place.this)
        put(place, values[place.this])
    if unused := set(values) - used:
        raise ValueError(f"no place for {', '.join(sorted(unused))}")
    return tree.sql(dialect=DIALECT)


def put(place: exp.Placeholder, value: Any) -> None:
    if not isinstance(value, list | tuple):
        place.replace(exp.convert(value))
        return
    parent = place.parent
    if not isinstance(parent, exp.In) or not value:
        raise ValueError(f":{place.this}: a list goes into IN (:name) and is not empty")
    parent.set("expressions", [exp.convert(one) for one in value])


def literal(value: Value) -> str:
    """One value as an SQL literal."""
    return exp.convert(value).sql(dialect=DIALECT)

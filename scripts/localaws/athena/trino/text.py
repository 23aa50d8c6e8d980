"""A query's tree as text for Trino, and where each part of that text stood in the user's own.

Example: `written(tree).sql` reads back as the very same tree, or the query is refused

The reader keeps calls under their own names and subscripts as they are (`parser`), so writing is the way back. That it
is holds for each query anew: the text is read again and compared with the tree.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.errors import ErrorLevel, UnsupportedError
from sqlglot.generators.trino import TrinoGenerator

from localaws.athena.errors import QueryError
from localaws.athena.parser import AthenaSql, parse_statement

log = logging.getLogger("localaws.athena")
Place = tuple[int, int]


@dataclass(frozen=True)
class Text:
    """SQL on one line; `places` are the user's line and column by column of this text, both from 1."""

    sql: str
    places: dict[int, Place]

    def place(self, column: int) -> Place | None:
        """Where the user wrote what stands at this column of the text: itself, or the nearest thing before it."""
        before = [known for known in self.places if known <= column]
        return self.places[max(before)] if before else None


# sqlglot improves on these for Trino (it unnests, casts, renames); here the text must read back as the tree it came
# from.
_PREPROCESSED = (
    *(exp.Select, exp.Table, exp.With, exp.Merge),
    *(exp.Array, exp.AtTimeZone, exp.Cast, exp.ParseJSON, exp.StrPosition, exp.Trim, exp.TryCast, exp.WithinGroup),
)


class Writer(TrinoGenerator):
    """Trees back to the text they were read from: nothing is made better on the way."""

    TRANSFORMS: ClassVar[dict[Any, Any]] = {  # type: ignore[misc, unused-ignore]
        kind: write for kind, write in TrinoGenerator.TRANSFORMS.items() if kind not in _PREPROCESSED
    }

    def cast_sql(self, expression: exp.Cast, safe_prefix: str | None = None) -> str:
        """`DATE '2020-01-01'` is a cast without a call."""
        if expression.args.get("is_call") or not expression.this.is_string:
            return super().cast_sql(expression, safe_prefix)
        kind = self.sql(expression, "to").partition("(")[0].partition(" ")[0]
        return f"{kind} {self.sql(expression, 'this')}"

    def array_sql(self, expression: exp.Array) -> str:
        return f"ARRAY[{self.expressions(expression, flat=True)}]"

    def windowspec_sql(self, expression: exp.WindowSpec) -> str:
        """`ROWS UNBOUNDED PRECEDING` stays the short form that it was."""
        if expression.args.get("end"):
            return super().windowspec_sql(expression)
        words = (expression.args.get("kind"), self.sql(expression, "start"), expression.args.get("start_side"))
        return " ".join(str(word) for word in words if word)

    def parsejson_sql(self, expression: exp.ParseJSON) -> str:
        return f"JSON {self.sql(expression, 'this')}"

    def strposition_sql(self, expression: exp.StrPosition) -> str:
        return f"POSITION({self.sql(expression, 'substr')} IN {self.sql(expression, 'this')})"

    def trim_sql(self, expression: exp.Trim) -> str:
        what = [expression.args.get("position") or "", self.sql(expression, "expression")]
        before = " ".join(word for word in what if word)
        return f"TRIM({before}{' FROM ' if before else ''}{self.sql(expression, 'this')})"

    def attimezone_sql(self, expression: exp.AtTimeZone) -> str:
        return f"{self.sql(expression, 'this')} AT TIME ZONE {self.sql(expression, 'zone')}"


class _Written(AthenaSql):
    Generator = Writer


def written(tree: exp.Expr) -> Text:
    """The tree as one line of SQL; NOT_SUPPORTED where it does not read back as the same tree."""
    writer = Writer(dialect=_Written, comments=False, normalize_functions=False, unsupported_level=ErrorLevel.RAISE)
    try:
        sql = writer.generate(tree)
        read_back = parse_statement(sql)
    except (QueryError, UnsupportedError) as error:
        raise _unfaithful(tree) from error
    if read_back != tree:
        raise _unfaithful(tree)
    return Text(sql, _places(tree, read_back))


def _unfaithful(tree: exp.Expr) -> QueryError:
    log.error("a %s does not read back as what it was", type(tree).__name__)
    return QueryError("NOT_SUPPORTED", "A part of the query cannot be handed to the engine")


def _places(tree: exp.Expr, read_back: exp.Expr) -> dict[int, Place]:
    """The user's place of each token that has one, by its column in the text that was read again."""
    places: dict[int, Place] = {}
    for user, written_node in zip(tree.walk(), read_back.walk(), strict=True):
        if "line" in user.meta and "start" in written_node.meta:
            places[written_node.meta["start"] + 1] = (user.meta["line"], user.meta["col"] - _length(user))
    return places


def _length(node: exp.Expr) -> int:
    return int(node.meta["end"]) - int(node.meta["start"])

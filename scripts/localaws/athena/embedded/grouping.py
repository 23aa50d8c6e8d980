"""GROUP BY: its elements, and the check that everything else is aggregated.

Reads and writes nothing. Behind `make local-aws`.
Example: `GROUP BY GROUPING SETS ((a), (a, b), ())`, `GROUP BY 1, ROLLUP(c)`
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from localaws.athena.embedded.compiler import Compiler, only
from localaws.athena.embedded.scope import Scope
from localaws.athena.embedded.typed import Typed
from localaws.athena.errors import QueryError
from localaws.athena.types import trino_text

_WORDS = {"grouping_sets": "GROUPING SETS", "cube": "CUBE", "rollup": "ROLLUP"}
_KINDS: dict[type[exp.Expr], str] = {exp.GroupingSets: "GROUPING SETS", exp.Cube: "CUBE", exp.Rollup: "ROLLUP"}


@dataclass
class Groups:
    """The GROUP BY clause as text, and the texts of what is grouped by."""

    sql: str = ""
    is_grouped: bool = False
    keys: set[str] = field(default_factory=set)


def groups_of(compiler: Compiler, select: exp.Select, here: Scope, outputs: Sequence[Typed]) -> Groups:
    """The GROUP BY of a SELECT; numbers stand for output columns."""
    clause = select.args.get("group")
    found = Groups(is_grouped=clause is not None)
    if clause is None:
        return found
    only(clause, frozenset(["expressions", *_WORDS]))
    parts = [_element(compiler, node, here, outputs, found) for node in clause.expressions]
    for name in _WORDS:
        parts += [_element(compiler, node, here, outputs, found) for node in clause.args.get(name) or []]
    found.sql = " GROUP BY " + ", ".join(parts)
    return found


def _element(compiler: Compiler, node: exp.Expr, here: Scope, outputs: Sequence[Typed], found: Groups) -> str:
    if type(node) in _KINDS:
        inner = [_element(compiler, item, here, outputs, found) for item in node.expressions]
        return f"{_KINDS[type(node)]} ({', '.join(inner)})"
    if isinstance(node, exp.Tuple):
        return "(" + ", ".join(_key(compiler, item, here, outputs, found) for item in node.expressions) + ")"
    if isinstance(node, exp.Paren):
        return f"({_key(compiler, node.this, here, outputs, found)})"
    return _key(compiler, node, here, outputs, found)


def _key(compiler: Compiler, node: exp.Expr, here: Scope, outputs: Sequence[Typed], found: Groups) -> str:
    if isinstance(node, exp.Literal) and not node.is_string:
        place = int(node.this) if str(node.this).isdigit() else 0
        if not 1 <= place <= len(outputs):
            raise QueryError("INVALID_COLUMN_REFERENCE", f"GROUP BY position {node.this} is not in select list", node)
        value = outputs[place - 1]
        aggregated = {id(item) for item in compiler.aggregates}
        if value.node is not None and any(id(item) in aggregated for item in value.node.walk()):
            message = f"GROUP BY position {place} is an aggregate"
            raise QueryError("EXPRESSION_NOT_SCALAR", message, node)
        compiler.use(value)
        found.keys.add(value.sql)
        return value.sql if type(value.value) is not int else f"({value.sql} + 0)"
    with compiler.scalar_only("GROUP BY clause"):
        value = compiler.expression(node, here)
    if value.type.name == "json":
        raise QueryError(
            "TYPE_MISMATCH", f"{trino_text(value.type)} is not comparable, and cannot be used in GROUP BY", node
        )
    found.keys.add(value.sql)
    return value.sql


def check_grouped(compiler: Compiler, select: exp.Select, groups: Groups) -> None:
    """EXPRESSION_NOT_AGGREGATE for a column that is neither grouped by nor inside an aggregate."""
    for node, value in compiler.star_columns:
        if value.sql not in groups.keys and node.parent is select:
            raise _not_aggregate(node, node)
    checked = list(select.expressions)
    checked += [select.args["having"].this] if select.args.get("having") else []
    checked += [term.this for term in select.args["order"].expressions] if select.args.get("order") else []
    for node in checked:
        _check(compiler, node, groups, node)


def _check(compiler: Compiler, node: exp.Expr, groups: Groups, whole: exp.Expr) -> None:
    typed = compiler.typed.get(id(node))
    if typed is not None and typed.sql in groups.keys:
        return
    if any(node is item for item in compiler.aggregates):
        return
    if isinstance(node, exp.Query):
        return
    if id(node) in compiler.own_columns:
        raise _not_aggregate(whole, node)
    for child in node.iter_expressions():
        _check(compiler, child, groups, whole)


def _not_aggregate(whole: exp.Expr, node: exp.Expr) -> QueryError:
    shown = whole.this if isinstance(whole, exp.Alias) else whole
    text = shown.sql(dialect="trino")
    message = f"'{text}' must be an aggregate expression or appear in GROUP BY clause"
    return QueryError("EXPRESSION_NOT_AGGREGATE", message, node)

"""The row expressions that a data cells filter may have: read, checked against a table, given back as one tree.

Pure. Behind `make deploy` (filters) and every query of a persona. Grammar: Lake Formation's PartiQL support page -
one column against a constant with = > < >= <= <> != BETWEEN IN LIKE, NOT, IS [NOT] NULL, joined by AND and OR.
Example: `parse("site_id = 'north' AND consent_research = true", {"site_id": "string", ...})`
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

MAX_LENGTH = 2048
NUMBERS = ("int", "integer", "long", "bigint", "float", "double", "decimal")
TEXTS = ("string", "char", "varchar")


class ExpressionError(Exception):
    """The expression is not one a filter may have; the text says why."""


@lru_cache(maxsize=512)
def _tree(expression: str) -> exp.Expr:
    if len(expression) >= MAX_LENGTH:
        raise ExpressionError(f"is longer than {MAX_LENGTH - 1} characters")
    try:
        found = sqlglot.parse_one(expression, into=exp.Condition, dialect="presto")
    except SqlglotError as error:
        raise ExpressionError("cannot be parsed") from error
    if any(node.comments for node in found.walk()):
        raise ExpressionError("has a comment")
    return found


def parse(expression: str, columns: Mapping[str, str], partition_keys: frozenset[str] = frozenset()) -> exp.Expr:
    """The checked expression, columns quoted in lower case; ExpressionError when it is not allowed.

    `columns`: lower-case name -> Hive type. A constant must be of its column's kind, so that evaluation cannot fail.
    """
    return _Checker(columns, partition_keys).condition(_tree(expression))


def columns_of(expression: str) -> frozenset[str]:
    """The columns the expression names, in lower case."""
    return frozenset(column.name.lower() for column in _tree(expression).find_all(exp.Column))


def kind_of(hive_type: str) -> str:
    """`text`, `number` or `boolean`; ExpressionError for a type that rows cannot be filtered by."""
    base = hive_type.lower().split("(")[0].strip()
    if base in TEXTS:
        return "text"
    if base in NUMBERS:
        return "number"
    if base == "boolean":
        return base
    raise ExpressionError(f"uses a column of type {base.split('<')[0]}, which a row filter cannot use")


def _only(node: exp.Expr, *names: str) -> None:
    """ExpressionError when the parser put something into the node that the rewriting here would drop."""
    extra = {name for name, value in node.args.items() if value} - {"this", *names}
    if extra:
        raise ExpressionError(f"has a part that is not column, operator, constant: {type(node).__name__} {min(extra)}")


def _negated(node: exp.Expr, condition: exp.Expr) -> exp.Expr:
    return exp.Not(this=condition) if node.args.get("negate") else condition


class _Checker:
    def __init__(self, columns: Mapping[str, str], partition_keys: frozenset[str]) -> None:
        self.columns = columns
        self.partition_keys = partition_keys

    def condition(self, node: exp.Expr) -> exp.Expr:
        match node:
            case exp.Paren():
                _only(node)
                return exp.Paren(this=self.condition(node.this))
            case exp.And() | exp.Or():
                _only(node, "expression")
                return type(node)(this=self.condition(node.this), expression=self.condition(node.expression))
            case exp.Not():
                _only(node)
                return exp.Not(this=exp.Paren(this=self.condition(node.this)))
            case exp.Is():
                return self._is_null(node)
        return self._comparison(node)

    def _comparison(self, node: exp.Expr) -> exp.Expr:
        column, kind = self._column(node.this)
        match node:
            case exp.EQ() | exp.NEQ() | exp.GT() | exp.GTE() | exp.LT() | exp.LTE():
                _only(node, "expression")
                return type(node)(this=column, expression=constant(node.expression, kind))
            case exp.Between():
                _only(node, "low", "high")
                low, high = constant(node.args["low"], kind), constant(node.args["high"], kind)
                return exp.Between(this=column, low=low, high=high)
            case exp.In() if node.expressions:
                _only(node, "expressions")
                return exp.In(this=column, expressions=[constant(item, kind) for item in node.expressions])
            case exp.Like() if kind == "text":
                _only(node, "expression", "negate")
                return _negated(node, exp.Like(this=column, expression=constant(node.expression, kind)))
        raise ExpressionError(f"has a part that is not column, operator, constant: {type(node).__name__}")

    def _is_null(self, node: exp.Is) -> exp.Expr:
        _only(node, "expression", "negate")
        column, _ = self._column(node.this)
        if not isinstance(node.expression, exp.Null):
            raise ExpressionError("uses IS with something else than NULL")
        if column.name in self.partition_keys:
            raise ExpressionError(f"tests the partition column {column.name} for NULL")
        return _negated(node, exp.Is(this=column, expression=exp.Null()))

    def _column(self, node: exp.Expr) -> tuple[exp.Column, str]:
        if not isinstance(node, exp.Column) or not isinstance(node.this, exp.Identifier):
            raise ExpressionError("has a part that does not begin with a column")
        if node.args.get("table") is not None:
            raise ExpressionError("names a nested column, which a cell filter cannot use")
        _only(node)
        name = node.name.lower()
        if name not in self.columns:
            raise ExpressionError(f"names the column {name}, which the table does not have")
        return exp.column(exp.to_identifier(name, quoted=True)), kind_of(self.columns[name])


def constant(node: exp.Expr, kind: str) -> exp.Expr:
    """The constant itself; ExpressionError when it is none, or not of the column's kind."""
    inner = node.this if isinstance(node, exp.Neg) else node
    if kind == "number" and isinstance(inner, exp.Literal) and not inner.is_string:
        return node.copy()
    if isinstance(node, exp.Literal) and kind == "text" and node.is_string:
        return node.copy()
    if isinstance(node, exp.Boolean) and kind == "boolean":
        return node.copy()
    raise ExpressionError(f"compares a {kind} column with something that is not a {kind} constant")

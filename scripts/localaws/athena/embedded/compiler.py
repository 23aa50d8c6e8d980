"""The translator's core: one handler per kind of syntax node, nothing else gets through.

Default deny: DuckDB only ever sees text that a handler here wrote. A node without a handler is NOT_SUPPORTED, a
function that is on no list is FUNCTION_NOT_FOUND, a table that is not one of `tables` does not exist.
Example: `Compiler(tables, now).expression(tree, scope)`
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from sqlglot import exp

from localaws.athena.catalog import Column
from localaws.athena.embedded.scope import Field, Scope
from localaws.athena.embedded.typed import BOOLEAN, Typed
from localaws.athena.errors import QueryError
from localaws.athena.types import trino_text

Handler = Callable[["Compiler", Any, Scope], Typed]
N = TypeVar("N", bound=Handler)
HANDLERS: dict[type[exp.Expr], Handler] = {}
QUERY_HANDLERS: dict[type[exp.Expr], Callable[[Compiler, Any, Scope], Compiled]] = {}
PARTS: dict[type[exp.Expr], frozenset[str]] = {}


def handles(*kinds: type[exp.Expr], parts: str = "this expression") -> Callable[[N], N]:
    """Register a handler for these kinds of nodes; `parts` are the node's parts that it heeds."""

    def register(handler: N) -> N:
        HANDLERS.update(dict.fromkeys(kinds, handler))
        PARTS.update(dict.fromkeys(kinds, frozenset(parts.split())))
        return handler

    return register


def only(node: exp.Expr, parts: frozenset[str]) -> None:
    """Refuse a node with a part that nobody would heed: a clause must never be dropped in silence."""
    for name, value in node.args.items():
        if value and name not in parts:
            word = name.rstrip("_").upper()
            raise QueryError("SYNTAX_ERROR", f"mismatched input: {word} in {type(node).__name__} is not known", node)


@dataclass(frozen=True)
class Compiled:
    """A translated query: its text, and its columns in order (`sql` of a field is its output name)."""

    sql: str
    fields: tuple[Field, ...]


@dataclass
class Lifted:
    """Aggregates and subqueries taken out of an expression that DuckDB wants plain (inside TRY)."""

    members: list[Typed] = field(default_factory=list)


class Compiler:
    """Translates one query; `tables` are the internal names it may read, `now` is the query's start."""

    def __init__(self, tables: Mapping[str, tuple[Column, ...]], now: datetime) -> None:
        self.tables = tables
        self.now = now
        # By the node's id, not by the node: sqlglot's nodes are equal when they read alike.
        self.typed: dict[int, Typed] = {}
        self.own_columns: set[int] = set()
        self.star_columns: list[tuple[exp.Expr, Typed]] = []
        self.used: dict[str, set[str]] = {}
        self.aggregates: list[exp.Expr] = []
        self.scalar_clause = ""
        self.lifted: Lifted | None = None
        self._names = 0

    def name(self, prefix: str) -> str:
        """A fresh name for a relation or a common table."""
        self._names += 1
        return f"{prefix}{self._names}"

    def expression(self, node: exp.Expr, scope: Scope) -> Typed:
        """The node translated; remembered, so that GROUP BY can recognise it."""
        handler = HANDLERS.get(type(node))
        if handler is None:
            raise QueryError("NOT_SUPPORTED", f"Unsupported expression: {type(node).__name__}", node)
        only(node, PARTS[type(node)])
        result = handler(self, node, scope).at(node)
        self.typed[id(node)] = result
        self.use(result)
        return result

    def output(self, node: exp.Expr, scope: Scope) -> Typed:
        """Like `expression`, for an output column: a plain column handed on is not used yet."""
        used = {name: set(columns) for name, columns in self.used.items()}
        result = self.expression(node, scope)
        # What an outer query does not take up is never read, and not counted as scanned.
        if result.origin is not None:
            self.used = used
        return result

    def use(self, *items: Typed | Field) -> None:
        """Remember that the values of these columns are needed."""
        for item in items:
            if item.origin is not None:
                self.used.setdefault(item.origin[0], set()).add(item.origin[1])

    def condition(self, node: exp.Expr, scope: Scope, clause: str) -> str:
        """A boolean expression; TYPE_MISMATCH if it is none."""
        test = self.expression(node, scope)
        if test.type != BOOLEAN and test.type.name != "unknown":
            shown = trino_text(test.type)
            raise QueryError("TYPE_MISMATCH", f"{clause} must evaluate to a boolean: actual type {shown}", node)
        return test.sql

    @contextmanager
    def scalar_only(self, clause: str) -> Iterator[None]:
        """No aggregates or window functions inside this clause."""
        before, self.scalar_clause = self.scalar_clause, clause
        try:
            yield
        finally:
            self.scalar_clause = before

    @contextmanager
    def query_level(self) -> Iterator[None]:
        """A subquery starts afresh: its own aggregates, no clause around it."""
        outer = self.aggregates, self.scalar_clause, self.lifted
        self.aggregates, self.scalar_clause, self.lifted = [], "", None
        try:
            yield
        finally:
            self.aggregates, self.scalar_clause, self.lifted = outer

    def query(self, node: exp.Expr, scope: Scope) -> Compiled:
        """A query at any depth."""
        handler = QUERY_HANDLERS.get(type(node))
        if handler is None:
            raise QueryError("NOT_SUPPORTED", f"Unsupported query: {type(node).__name__}", node)
        with self.query_level():
            return handler(self, node, scope)

    def subquery(self, node: exp.Expr, scope: Scope) -> Compiled:
        """A query used as a value: IN, EXISTS, scalar, quantified."""
        return self.query(node.this if isinstance(node, exp.Subquery) else node, scope)

    def lift(self, value: Typed) -> Typed:
        """Inside TRY: hand the value in from outside."""
        if self.lifted is None:
            return value
        self.lifted.members.append(value)
        return Typed(f"tried.m{len(self.lifted.members) - 1}", value.type, value.node)


def order_terms(compiler: Compiler, order: exp.Order, scope: Scope) -> str:
    """The terms of an ORDER BY inside an aggregate or a window."""
    terms = []
    for term in order.expressions:
        only(term, frozenset(["this", "desc", "nulls_first"]))
        key = compiler.expression(term.this, scope)
        if key.type.name in ("map", "json"):
            message = f"Type {trino_text(key.type)} is not orderable, and therefore cannot be used in ORDER BY"
            raise QueryError("TYPE_MISMATCH", message, term.this)
        # An integer constant would be taken for a column's place.
        sql = f"({key.sql} + 0)" if type(key.value) is int else key.sql
        terms.append(sql + direction(term))
    return ", ".join(terms)


def direction(term: exp.Ordered) -> str:
    """ASC or DESC, and where the NULLs go."""
    # Trino puts NULLs last both ways, DuckDB too by its setting; said each time:
    # https://trino.io/docs/current/sql/select.html#order-by-clause
    way = "DESC" if term.args.get("desc") else "ASC"
    return f" {way} NULLS {'FIRST' if term.args.get('nulls_first') else 'LAST'}"

"""ORDER BY terms: Trino puts NULLs last both ways.

Reads and writes nothing. Behind `make local-aws`.
Example: `ORDER BY x DESC` is `x DESC NULLS LAST`.
"""

from __future__ import annotations

from sqlglot import exp

from localaws.athena.embedded.compiler import Compiler, only
from localaws.athena.embedded.scope import Scope
from localaws.athena.errors import QueryError
from localaws.athena.types import trino_text


def order_terms(compiler: Compiler, order: exp.Order, scope: Scope) -> str:
    """The terms of an ORDER BY inside an aggregate or a window."""
    terms = []
    for term in order.expressions:
        only(term, frozenset(["this", "desc", "nulls_first"]))
        found = compiler.expression(term.this, scope)
        if found.type.name in ("map", "json"):
            message = f"Type {trino_text(found.type)} is not orderable, and therefore cannot be used in ORDER BY"
            raise QueryError("TYPE_MISMATCH", message, term.this)
        # An integer constant would be taken for a column's place.
        sql = f"({found.sql} + 0)" if type(found.value) is int else found.sql
        terms.append(sql + direction(term))
    return ", ".join(terms)


def direction(term: exp.Ordered) -> str:
    """ASC or DESC, and where the NULLs go."""
    way = "DESC" if term.args.get("desc") else "ASC"
    return f" {way} NULLS {'FIRST' if term.args.get('nulls_first') else 'LAST'}"

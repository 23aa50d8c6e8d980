"""coalesce, nullif, greatest, least, typeof, row.

Example: `greatest(1, NULL)` is NULL, as in Trino.
"""

from __future__ import annotations

from sqlglot import exp

from localaws.athena.embedded.calls import argument_count, arguments, call_name, special, wrong_arguments
from localaws.athena.embedded.casts import to_type
from localaws.athena.embedded.compiler import Compiler
from localaws.athena.embedded.names import row_value
from localaws.athena.embedded.operators import compared
from localaws.athena.embedded.scope import Scope
from localaws.athena.embedded.typed import INTEGER, VARCHAR, Typed, text
from localaws.athena.errors import QueryError
from localaws.athena.types import common_type, trino_text


def _unified(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> list[Typed]:
    args = arguments(compiler, node, scope)
    merged = common_type([arg.type for arg in args])
    if merged is None or not args:
        shown = ", ".join(trino_text(arg.type) for arg in args)
        message = f"All {call_name(node).upper()} operands must be the same type: {shown}"
        raise QueryError("TYPE_MISMATCH", message, node)
    return [to_type(arg, merged) for arg in args]


@special("coalesce")
def coalesce(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    args = _unified(compiler, node, scope)
    return Typed(f"coalesce({', '.join(arg.sql for arg in args)})", args[0].type)


@special("greatest", "least")
def extreme(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    """DuckDB skips NULLs here, Trino does not."""
    args = _unified(compiler, node, scope)
    texts = [arg.sql for arg in args]
    test = " OR ".join(f"{sql} IS NULL" for sql in texts)
    return Typed(f"CASE WHEN {test} THEN NULL ELSE {call_name(node)}({', '.join(texts)}) END", args[0].type)


@special("nullif")
def nullif(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    argument_count(node, 2)
    left, right = arguments(compiler, node, scope)
    a, b = compared("=", left, right, node)
    return Typed(f"CASE WHEN {a} = {b} THEN NULL ELSE {left.sql} END", left.type)


@special("typeof")
def typeof(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    argument_count(node, 1)
    return Typed(text(trino_text(arguments(compiler, node, scope)[0].type)), VARCHAR)


@special("row")
def row(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    args = arguments(compiler, node, scope)
    if not args:
        raise wrong_arguments("row", args, node)
    return row_value(args)


@special("grouping")
def grouping(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    args = arguments(compiler, node, scope)
    # Like an aggregate it makes the SELECT a grouped one.
    compiler.aggregates.append(node)
    return Typed(f"CAST(grouping({', '.join(arg.sql for arg in args)}) AS INTEGER)", INTEGER)

"""Window functions: OVER, named windows, frames, IGNORE NULLS.

Reads and writes nothing. Behind `make local-aws`.
Example: `row_number() OVER (PARTITION BY p ORDER BY t DESC)`.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from localaws.athena.embedded.aggregates import AGGREGATES, Clauses, with_clauses
from localaws.athena.embedded.compiler import Compiler, handles, only
from localaws.athena.embedded.ordering import order_terms
from localaws.athena.embedded.scope import Scope
from localaws.athena.embedded.signatures import Signature, choose, signature
from localaws.athena.embedded.typed import Typed
from localaws.athena.errors import QueryError
from localaws.athena.types import trino_text

_LIST = [
    ("row_number() -> bigint", "row_number()"),
    ("rank() -> bigint", "rank()"),
    ("dense_rank() -> bigint", "dense_rank()"),
    ("percent_rank() -> double", "percent_rank()"),
    ("cume_dist() -> double", "cume_dist()"),
    ("ntile(bigint) -> bigint", "ntile({0})"),
    ("lag(t, bigint?) -> t", "lag({*}#)"),
    ("lag(t, bigint, t) -> t", "lag({*}#)"),
    ("lead(t, bigint?) -> t", "lead({*}#)"),
    ("lead(t, bigint, t) -> t", "lead({*}#)"),
    ("first_value(t) -> t", "first_value({0}#)"),
    ("last_value(t) -> t", "last_value({0}#)"),
    ("nth_value(t, bigint) -> t", "nth_value({*}#)"),
]
WINDOWS: Mapping[str, list[Signature]] = {
    name: [signature(head, call) for head, call in _LIST if head.startswith(f"{name}(")]
    for name in {head.partition("(")[0] for head, _ in _LIST}
}


@handles(exp.Window, parts="this partition_by order spec alias over first")
def window(compiler: Compiler, node: exp.Window, scope: Scope) -> Typed:
    if compiler.scalar_clause:
        message = f"{compiler.scalar_clause} cannot contain aggregations, window functions or grouping operations"
        raise QueryError("EXPRESSION_NOT_SCALAR", message, node)
    over = f" OVER ({specification(compiler, node, scope)})"
    function = node.this
    ignores = isinstance(function, exp.IgnoreNulls)
    if isinstance(function, exp.IgnoreNulls | exp.RespectNulls):
        function = function.this
    inner = function
    while isinstance(inner, exp.Filter | exp.WithinGroup):
        if isinstance(inner, exp.Filter):
            raise QueryError("NOT_SUPPORTED", "FILTER is not yet supported for window functions", node)
        inner = inner.this
    name = str(inner.this).lower() if isinstance(inner, exp.Anonymous) else ""
    if name in AGGREGATES:
        return with_clauses(compiler, function, scope, Clauses(over=over))
    if name not in WINDOWS:
        raise QueryError("FUNCTION_NOT_FOUND", f"Function '{name}' not registered", node)
    args = [compiler.expression(item, scope) for item in function.expressions]
    found = choose(WINDOWS[name], args)
    if found is None:
        shown = ", ".join(trino_text(arg.type) for arg in args)
        raise QueryError("FUNCTION_NOT_FOUND", f"Unexpected parameters ({shown}) for function {name}", node)
    form, converted, returns = found
    call = form.render(converted, returns)
    if call.endswith("#)"):
        call = f"{call[:-2]}{' IGNORE NULLS' if ignores else ''})"
    return compiler.lift(Typed(call + over, returns))


def specification(compiler: Compiler, node: exp.Window, scope: Scope) -> str:
    """PARTITION BY, ORDER BY and the frame; a named window is written out."""
    named = node.args.get("alias") or node.args.get("first")
    base = _named(node, named) if isinstance(named, exp.Identifier) and node.args.get("over") else None
    parts = []
    partition = node.args.get("partition_by") or (base.args.get("partition_by") if base else None)
    if partition:
        parts.append("PARTITION BY " + ", ".join(compiler.expression(item, scope).sql for item in partition))
    order = node.args.get("order") or (base.args.get("order") if base else None)
    if order:
        parts.append("ORDER BY " + order_terms(compiler, order, scope))
    frame = node.args.get("spec") or (base.args.get("spec") if base else None)
    if frame:
        parts.append(_frame(compiler, frame, scope))
    return " ".join(parts)


def _named(node: exp.Window, name: exp.Identifier) -> exp.Window:
    select = node.find_ancestor(exp.Select)
    for found in (select.args.get("windows") or []) if select else []:
        if found.name.lower() == name.name.lower():
            return found
    raise QueryError("INVALID_WINDOW_REFERENCE", f"Cannot resolve WINDOW name {name.name}", node)


def _frame(compiler: Compiler, frame: exp.WindowSpec, scope: Scope) -> str:
    only(frame, frozenset(["kind", "start", "start_side", "end", "end_side"]))
    kind = str(frame.args.get("kind") or "").upper()
    if kind not in ("ROWS", "RANGE", "GROUPS"):
        raise QueryError("NOT_SUPPORTED", "Window frame is not supported", frame)
    start = _bound(compiler, frame.args.get("start"), frame.args.get("start_side"), scope)
    end = _bound(compiler, frame.args.get("end"), frame.args.get("end_side"), scope) if frame.args.get("end") else ""
    return f"{kind} BETWEEN {start} AND {end}" if end else f"{kind} {start}"


def _bound(compiler: Compiler, value: exp.Expr | str | None, side: str | None, scope: Scope) -> str:
    if isinstance(value, exp.Expr):
        return f"{compiler.expression(value, scope).sql} {str(side).upper()}"
    word = str(value or "").upper()
    if word not in ("CURRENT ROW", "UNBOUNDED"):
        raise QueryError("NOT_SUPPORTED", "Window frame is not supported")
    return word if word == "CURRENT ROW" else f"UNBOUNDED {str(side).upper()}"

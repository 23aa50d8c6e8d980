"""Aggregate and window functions: their forms, DISTINCT, ORDER BY, FILTER, WITHIN GROUP, OVER; Trino's result types.

A form has two texts: the bare call, which may get FILTER and OVER behind it, and what is put around the whole.
Example: `sum(integer_column)` is a bigint; `count(DISTINCT x) FILTER (WHERE y)` keeps its clauses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from localaws.athena.embedded.compiler import Compiler, handles, only, order_terms
from localaws.athena.embedded.operators import mean
from localaws.athena.embedded.scope import Scope
from localaws.athena.embedded.signatures import Signature, choose, signature
from localaws.athena.embedded.typed import Typed, decimal, duck_type
from localaws.athena.errors import QueryError
from localaws.athena.types import Type, trino_text


@dataclass(frozen=True)
class Aggregate:
    """One form of an aggregate: the call, and the text around it (`{}` is the call; see `_around`)."""

    form: Signature
    around: str


def _forms() -> dict[str, list[Aggregate]]:
    forms: dict[str, list[Aggregate]] = {}
    for head, call, around in _LIST:
        form = signature(head, call)
        forms.setdefault(form.name, []).append(Aggregate(form, around))
    return forms


_AS = "CAST({} AS {type})"
_PAIRS = "list(struct_pack(k := {0}, v := {1}) ORDER BY {1} %s)"
_KEYED = "list_filter({}, lambda e: e.v IS NOT NULL)"
_BEST = f"CASE WHEN len({_KEYED}) > 0 THEN list_transform(list_slice({_KEYED}, 1, {{2}}), lambda e: e.k) END"
_NOT_A_NUMBER = "CAST('NaN' AS DOUBLE)"
_LOGARITHM = (
    f"CASE WHEN {{0}} > 0 THEN ln({{0}}) WHEN {{0}} = 0 THEN '-inf'::DOUBLE WHEN {{0}} < 0 THEN {_NOT_A_NUMBER} END"
)
# Trino's skewness is the population's, DuckDB's the sample's.
_OF_POPULATION = f"coalesce({{}} * ({{n}} - 2) / sqrt({{n}} * ({{n}} - 1)), {_NOT_A_NUMBER})"
_NULL_FOR_NAN = f"nullif({{}}, {_NOT_A_NUMBER})"
_LIST: list[tuple[str, str, str]] = [
    ("count() -> bigint", "count(*)", "{}"),
    ("count(t) -> bigint", "count({0})", "{}"),
    ("count_if(boolean) -> bigint", "count(CASE WHEN {0} THEN 1 END)", "{}"),
    # DuckDB's sum of integers is a HUGEINT; the cast fails where Trino's bigint overflows.
    ("sum(bigint) -> bigint", "sum({0})", _AS),
    ("sum(real) -> real", "sum({0})", _AS),
    ("sum(double) -> double", "sum({0})", "{}"),
    ("sum(decimal) -> decimal", "sum({0})", _AS),
    ("avg(bigint) -> double", "avg({0})", "{}"),
    ("avg(real) -> real", "avg({0})", _AS),
    ("avg(double) -> double", "avg({0})", "{}"),
    ("avg(decimal) -> decimal", "sum({0})", "{mean}"),
    ("min(t) -> t", "min({0})", "{}"),
    ("min(t, bigint) -> array(t)", "min({0}, {1})", "{}"),
    ("max(t) -> t", "max({0})", "{}"),
    ("max(t, bigint) -> array(t)", "max({0}, {1})", "{}"),
    # A NULL beside the largest key is the answer in Trino; DuckDB's `arg_max` goes on to the next.
    ("max_by(t, u) -> t", "arg_max_null({0}, {1})", "{}"),
    ("max_by(t, u, bigint) -> array(t)", _PAIRS % "DESC", _BEST),
    ("min_by(t, u) -> t", "arg_min_null({0}, {1})", "{}"),
    ("min_by(t, u, bigint) -> array(t)", _PAIRS % "ASC", _BEST),
    ("arbitrary(t) -> t", "any_value({0})", "{}"),
    ("any_value(t) -> t", "any_value({0})", "{}"),
    ("array_agg(t) -> array(t)", "list({0})", "{}"),
    ("map_agg(k, v) -> map(k, v)", "list(struct_pack(key := {0}, value := {1}))", "athena_map({})"),
    ("multimap_agg(k, v) -> map(k, array(v))", "list(struct_pack(key := {0}, value := {1}))", "athena_multimap({})"),
    # DuckDB counts in UBIGINT, a type that Trino has not.
    ("histogram(t) -> map(t, bigint)", "histogram({0})", "CAST({} AS {type})"),
    ("bool_and(boolean) -> boolean", "bool_and({0})", "{}"),
    ("every(boolean) -> boolean", "bool_and({0})", "{}"),
    ("bool_or(boolean) -> boolean", "bool_or({0})", "{}"),
    ("bitwise_and_agg(bigint) -> bigint", "bit_and({0})", "{}"),
    ("bitwise_or_agg(bigint) -> bigint", "bit_or({0})", "{}"),
    ("approx_distinct(t) -> bigint", "approx_count_distinct({0})", "{}"),
    ("approx_distinct(t, double) -> bigint", "approx_count_distinct({0})", "{}"),
    # Exact here, where Trino approximates.
    ("approx_percentile(bigint, double) -> bigint", "quantile_disc({0}, {1})", "{}"),
    ("approx_percentile(real, double) -> real", "quantile_disc({0}, {1})", "{}"),
    ("approx_percentile(double, double) -> double", "quantile_disc({0}, {1})", "{}"),
    ("approx_percentile(bigint, array(double)) -> array(bigint)", "quantile_disc({0}, {1})", "{}"),
    ("approx_percentile(real, array(double)) -> array(real)", "quantile_disc({0}, {1})", "{}"),
    ("approx_percentile(double, array(double)) -> array(double)", "quantile_disc({0}, {1})", "{}"),
    ("geometric_mean(double) -> double", f"avg({_LOGARITHM})", "exp({})"),
    ("stddev(double) -> double", "stddev_samp({0})", "{}"),
    ("stddev_samp(double) -> double", "stddev_samp({0})", "{}"),
    ("stddev_pop(double) -> double", "stddev_pop({0})", "{}"),
    ("variance(double) -> double", "var_samp({0})", "{}"),
    ("var_samp(double) -> double", "var_samp({0})", "{}"),
    ("var_pop(double) -> double", "var_pop({0})", "{}"),
    ("corr(real, real) -> real", "corr({0}, {1})", f"CAST({_NULL_FOR_NAN} AS {{type}})"),
    ("corr(double, double) -> double", "corr({0}, {1})", _NULL_FOR_NAN),
    ("covar_pop(real, real) -> real", "covar_pop({0}, {1})", _AS),
    ("covar_pop(double, double) -> double", "covar_pop({0}, {1})", "{}"),
    ("covar_samp(real, real) -> real", "covar_samp({0}, {1})", _AS),
    ("covar_samp(double, double) -> double", "covar_samp({0}, {1})", "{}"),
    ("regr_slope(real, real) -> real", "regr_slope({0}, {1})", f"CAST({_NULL_FOR_NAN} AS {{type}})"),
    ("regr_slope(double, double) -> double", "regr_slope({0}, {1})", _NULL_FOR_NAN),
    ("regr_intercept(real, real) -> real", "regr_intercept({0}, {1})", f"CAST({_NULL_FOR_NAN} AS {{type}})"),
    ("regr_intercept(double, double) -> double", "regr_intercept({0}, {1})", _NULL_FOR_NAN),
    ("skewness(double) -> double", "skewness({0})", f"CASE WHEN {{n}} > 2 THEN {_OF_POPULATION} END"),
    ("kurtosis(double) -> double", "kurtosis({0})", f"CASE WHEN {{n}} > 3 THEN coalesce({{}}, {_NOT_A_NUMBER}) END"),
    ("checksum(t) -> varbinary", "sum(hash({0}))", "unhex(md5(CAST({} AS VARCHAR)))"),
    ("listagg(varchar) -> varchar", "string_agg({0}, '')", "{}"),
    ("listagg(varchar, varchar) -> varchar", "string_agg({0}, {1})", "{}"),
]
AGGREGATES = _forms()
_NAMES_ONLY = frozenset(AGGREGATES)


@dataclass
class Clauses:
    """What may follow an aggregate call."""

    filter: str = ""
    over: str = ""
    within: exp.Order | None = None


def aggregate_call(compiler: Compiler, node: exp.Anonymous, scope: Scope, clauses: Clauses | None = None) -> Typed:
    """An aggregate with its clauses; refused in a clause that takes only scalars."""
    name = str(node.name if isinstance(node.this, exp.Identifier) else node.this).lower()
    clauses = clauses or Clauses()
    if compiler.scalar_clause:
        message = f"{compiler.scalar_clause} cannot contain aggregations, window functions or grouping operations"
        raise QueryError("EXPRESSION_NOT_SCALAR", f"{message}: [{name}]", node)
    items, distinct, order = _parts(node)
    order = clauses.within or order
    # An aggregate is lifted out of TRY whole; its arguments stay with it.
    outer, compiler.lifted = compiler.lifted, None
    clause = "" if clauses.over else "Aggregate argument"
    with compiler.scalar_only(clause):
        args = [compiler.expression(item, scope) for item in items]
        ordered = f" ORDER BY {order_terms(compiler, order, scope)}" if order else ""
    compiler.lifted = outer
    choice = choose([item.form for item in AGGREGATES[name]], args)
    if choice is None:
        shown = ", ".join(trino_text(arg.type) for arg in args)
        raise QueryError("FUNCTION_NOT_FOUND", f"Unexpected parameters ({shown}) for function {name}", node)
    form, converted, returns = choice
    if not clauses.over:
        compiler.aggregates.append(node)
    returns = _result(name, returns, converted)
    call = _with_inner(form.render(converted, returns), distinct, ordered)
    around = next(item.around for item in AGGREGATES[name] if item.form is form)
    sql = _around(around, call, converted, returns, clauses.filter + clauses.over)
    return compiler.lift(Typed(sql, returns, node))


def _around(around: str, call: str, args: Sequence[Typed], returns: Type, behind: str) -> str:
    """The call with its clauses, in what stands around it: `{n}` counts its first argument, `{2}` is its third."""
    distinct = "DISTINCT " if "(DISTINCT " in call else ""
    words = {"{type}": duck_type(returns), "{n}": f"count({distinct}{args[0].sql}){behind}" if args else ""}
    if len(args) > 2:
        words["{2}"] = args[2].sql
    if "{mean}" in around:
        words["{mean}"] = mean(call + behind, words["{n}"], returns)
    words["{}"] = call + behind
    for mark, word in words.items():
        around = around.replace(mark, word)
    return around


def _parts(node: exp.Anonymous) -> tuple[list[exp.Expr], bool, exp.Order | None]:
    """`f(DISTINCT a, b ORDER BY c)` taken apart."""
    order = next((item for item in node.expressions if isinstance(item, exp.Order)), None)
    items = [item.this if isinstance(item, exp.Order) else item for item in node.expressions]
    items = [item for item in items if not isinstance(item, exp.Star)]
    if items and isinstance(items[0], exp.Distinct):
        return [*items[0].expressions, *items[1:]], True, order
    return items, False, order


def _with_inner(call: str, distinct: bool, order: str) -> str:
    if distinct and "(DISTINCT " not in call:
        head, _, rest = call.partition("(")
        call = f"{head}(DISTINCT {rest}"
    return f"{call[:-1]}{order})" if order else call


def _result(name: str, returns: Type, args: Sequence[Typed]) -> Type:
    if returns.name == "decimal" and name == "sum":
        return decimal(38, args[0].type.numbers[1] if len(args[0].type.numbers) > 1 else 0)
    return args[0].type if returns.name == "decimal" else returns


@handles(exp.Filter)
def filtered(compiler: Compiler, node: exp.Filter, scope: Scope) -> Typed:
    return with_clauses(compiler, node, scope, Clauses())


@handles(exp.WithinGroup)
def within_group(compiler: Compiler, node: exp.WithinGroup, scope: Scope) -> Typed:
    return with_clauses(compiler, node, scope, Clauses())


def with_clauses(compiler: Compiler, node: exp.Expr, scope: Scope, clauses: Clauses) -> Typed:
    """FILTER and WITHIN GROUP around an aggregate, in either order."""
    while isinstance(node, exp.Filter | exp.WithinGroup):
        if not clauses.over:
            compiler.aggregates.append(node)
        if isinstance(node, exp.WithinGroup):
            clauses.within = node.expression
        else:
            with compiler.scalar_only("FILTER clause"):
                test = compiler.condition(node.expression.this, scope, "FILTER clause")
            clauses.filter = f" FILTER (WHERE {test})"
        node = node.this
    if not isinstance(node, exp.Anonymous) or str(node.this).lower() not in _NAMES_ONLY:
        name = str(node.this).lower()
        raise QueryError("FUNCTION_NOT_AGGREGATE", f"Filter is only valid for aggregation functions: {name}", node)
    return aggregate_call(compiler, node, scope, clauses)


@handles(exp.Star, parts="")
def star(_: Compiler, node: exp.Star, __: Scope) -> Typed:
    raise QueryError("SYNTAX_ERROR", "mismatched input '*'. Expecting: <expression>", node)


# `#` is where IGNORE NULLS may stand.
_FORMS = [
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
    name: [signature(head, call) for head, call in _FORMS if head.startswith(f"{name}(")]
    for name in {head.partition("(")[0] for head, _ in _FORMS}
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
        # Trino 476 refuses it too.
        if isinstance(inner, exp.Filter):
            raise QueryError("NOT_SUPPORTED", "FILTER is not yet supported for window functions", node)
        inner = inner.this
    name = str(inner.this).lower() if isinstance(inner, exp.Anonymous) else ""
    if name in AGGREGATES:
        return with_clauses(compiler, function, scope, Clauses(over=over))
    if name not in WINDOWS:
        raise QueryError("FUNCTION_NOT_FOUND", f"Function '{name}' not registered", node)
    args = [compiler.expression(item, scope) for item in function.expressions]
    choice = choose(WINDOWS[name], args)
    if choice is None:
        shown = ", ".join(trino_text(arg.type) for arg in args)
        raise QueryError("FUNCTION_NOT_FOUND", f"Unexpected parameters ({shown}) for function {name}", node)
    form, converted, returns = choice
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
    definitions: list[exp.Window] = (select.args.get("windows") or []) if select else []
    for definition in definitions:
        if definition.name.lower() == name.name.lower():
            return definition
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

"""Functions on arrays and maps, and those that take lambdas.

Example: `element_at(a, 5)` past the end is NULL, `a[5]` is an error; `reduce(a, 0, (s, x) -> s + x, s -> s)`
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from localaws.athena.embedded.calls import (
    SCALARS,
    argument_count,
    arguments,
    call_name,
    fitted,
    lambda_text,
    scalars,
    special,
    wrong_arguments,
)
from localaws.athena.embedded.casts import to_text, to_type
from localaws.athena.embedded.compiler import Compiler
from localaws.athena.embedded.scope import Scope
from localaws.athena.embedded.typed import BIGINT, BOOLEAN, VARCHAR, Typed, array_of, fail, map_of, row_names
from localaws.athena.errors import QueryError
from localaws.athena.types import Type, common_type, trino_text

MINIMUM_ZIPPED = 2
_CONTAINS = (
    "CASE WHEN {0} IS NULL OR {1} IS NULL THEN NULL WHEN list_contains({0}, {1}) THEN true "
    "WHEN len(list_filter({0}, lambda e: e IS NULL)) > 0 THEN NULL ELSE false END"
)
_NULLS = "len(list_filter({0}, lambda e: e IS NULL)) > 0"
_SLICE = (
    "CASE WHEN {0} IS NULL THEN NULL WHEN {1} > 0 THEN list_slice({0}, {1}, {1} + {2} - 1) "
    "WHEN abs({1}) > len({0}) THEN list_slice({0}, 1, 0) "
    "ELSE list_slice({0}, len({0}) + {1} + 1, len({0}) + {1} + {2}) END"
)
_OVERLAP = (
    "CASE WHEN list_has_any({0}, {1}) THEN true "
    "WHEN len(list_filter({0} || {1}, lambda e: e IS NULL)) > 0 AND len({0}) > 0 AND len({1}) > 0 THEN NULL "
    "ELSE list_has_any({0}, {1}) END"
)
# Each step counts from the start, so that the 31st comes back after a short month.
_MONTHS = "(date_part('year', {2}) * 12 + date_part('month', {2}))"
_STEP = "{0} + to_months(CAST(i * " + _MONTHS + " AS INTEGER))"


def _monthly(kind: str) -> str:
    steps = f"range(0, abs(date_diff('month', {{0}}, {{1}})) // abs({_MONTHS}) + 2)"
    listed = f"list_transform({steps}, lambda i: CAST({_STEP} AS {kind}))"
    return f"list_filter({listed}, lambda e: ({_MONTHS} > 0 AND e <= {{1}}) OR ({_MONTHS} < 0 AND e >= {{1}}))"


_FIRST_SEEN = "list_filter({0}, lambda e, i: coalesce(list_position({0}, e), 0) = i OR (e IS NULL AND %s))"
_FIRST_NULL = "len(list_filter({0}[1:i], lambda n: n IS NULL)) = 1"
_DISTINCT = "list_filter(" + _FIRST_SEEN % _FIRST_NULL + ", lambda e: %s)"
_BACKWARDS = "({0} < {1} AND {2} < 0) OR ({0} > {1} AND {2} > 0)"
_NO_SEQUENCE = fail(
    "INVALID_FUNCTION_ARGUMENT",
    "sequence stop value should be greater than or equal to start value if step is greater than zero otherwise stop "
    "should be less than or equal to start",
    array_of(BIGINT),
)
_SHARED = _DISTINCT % "list_contains({1}, e) OR (e IS NULL AND len({1}) <> list_count({1}))"
_SWAPPED = _SHARED.replace("{0}", "{2}").replace("{1}", "{0}").replace("{2}", "{1}")

scalars(
    [
        ("cardinality(array(t)) -> bigint", "CAST(len({0}) AS BIGINT)"),
        ("cardinality(map(k, v)) -> bigint", "CAST(cardinality({0}) AS BIGINT)"),
        ("element_at(array(t), bigint) -> t", "list_extract({0}, {1})"),
        ("element_at(map(k, v), k) -> v", "map_extract_value({0}, {1})"),
        ("contains(array(t), t) -> boolean", _CONTAINS),
        (
            "array_position(array(t), t) -> bigint",
            "CASE WHEN {0} IS NOT NULL AND {1} IS NOT NULL "
            "THEN CAST(coalesce(list_position({0}, {1}), 0) AS BIGINT) END",
        ),
        ("array_distinct(array(t)) -> array(t)", _FIRST_SEEN % _FIRST_NULL),
        ("array_max(array(t)) -> t", f"CASE WHEN {_NULLS} THEN NULL ELSE list_max({{0}}) END"),
        ("array_min(array(t)) -> t", f"CASE WHEN {_NULLS} THEN NULL ELSE list_min({{0}}) END"),
        ("array_sort(array(t)) -> array(t)", "list_sort({0}, 'ASC', 'NULLS LAST')"),
        (
            "array_remove(array(t), t) -> array(t)",
            "CASE WHEN {1} IS NOT NULL THEN list_filter({0}, lambda e: e IS DISTINCT FROM {1}) END",
        ),
        ("array_union(array(t), array(t)) -> array(t)", (_FIRST_SEEN % _FIRST_NULL).replace("{0}", "({0} || {1})")),
        (
            "array_intersect(array(t), array(t)) -> array(t)",
            # In the order of the longer one.
            f"CASE WHEN len({{0}}) >= len({{1}}) THEN {_SHARED} WHEN len({{0}}) < len({{1}}) THEN {_SWAPPED} END",
        ),
        (
            "array_except(array(t), array(t)) -> array(t)",
            "CASE WHEN len({1}) = 0 THEN {0} WHEN {1} IS NOT NULL THEN "
            + _DISTINCT % "CASE WHEN e IS NULL THEN len({1}) = list_count({1}) ELSE NOT list_contains({1}, e) END"
            + " END",
        ),
        ("arrays_overlap(array(t), array(t)) -> boolean", _OVERLAP),
        ("slice(array(t), bigint, bigint) -> array(t)", _SLICE),
        ("flatten(array(array(t))) -> array(t)", "flatten({0})"),
        ("repeat(t, bigint) -> array(t)", "list_transform(range({1}), lambda i: {0})"),
        ("trim_array(array(t), bigint) -> array(t)", "list_slice({0}, 1, len({0}) - {1})"),
        (
            "sequence(bigint, bigint) -> array(bigint)",
            "range({0}, {1} + sign({1} - {0} + 0.5)::BIGINT, sign({1} - {0} + 0.5)::BIGINT)",
        ),
        (
            "sequence(bigint, bigint, bigint) -> array(bigint)",
            f"CASE WHEN {_BACKWARDS} OR {{2}} = 0 THEN {_NO_SEQUENCE} "
            "ELSE range({0}, {1} + sign({2})::BIGINT, {2}) END",
        ),
        (
            "sequence(date, date) -> array(date)",
            "list_transform(range(CAST({0} AS TIMESTAMP), CAST({1} AS TIMESTAMP) + to_days(1), to_days(1)), "
            "lambda e: CAST(e AS DATE))",
        ),
        (
            "sequence(date, date, interval day to second) -> array(date)",
            "list_transform(list_filter(range(CAST({0} AS TIMESTAMP), CAST({1} AS TIMESTAMP) + to_days(1), {2}), "
            "lambda e: e <= CAST({1} AS TIMESTAMP)), lambda e: CAST(e AS DATE))",
        ),
        ("sequence(date, date, interval year to month) -> array(date)", _monthly("DATE")),
        (
            "sequence(timestamp, timestamp, interval day to second) -> array(timestamp(3))",
            "range({0}, {1} + to_microseconds(1), {2})",
        ),
        (
            "sequence(timestamp, timestamp, interval year to month) -> array(timestamp(3))",
            _monthly("TIMESTAMP"),
        ),
        (
            "ngrams(array(t), bigint) -> array(array(t))",
            "CASE WHEN {0} IS NOT NULL THEN list_transform(range(1, greatest(len({0}) - {1} + 1, 1) + 1), "
            "lambda i: list_slice({0}, i, i + {1} - 1)) END",
        ),
    ]
)


@special("array_join")
def array_join(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    """Elements as text, joined; NULLs are left out unless there is a word for them."""
    args = arguments(compiler, node, scope)
    forms = _JOIN
    if not args or args[0].type.name != "array" or args[0].type.elements[0].name in ("varchar", "unknown"):
        return fitted(node, forms, args)
    shown = f"list_transform({args[0].sql}, lambda e: {to_text('e', args[0].type.elements[0])})"
    return fitted(node, forms, [Typed(shown, array_of(VARCHAR)), *args[1:]])


scalars(
    [
        (
            "array_join(array(varchar), varchar) -> varchar",
            "CASE WHEN {0} IS NOT NULL AND {1} IS NOT NULL THEN coalesce(array_to_string({0}, {1}), '') END",
        ),
        (
            "array_join(array(varchar), varchar, varchar) -> varchar",
            "array_to_string(list_transform({0}, lambda e: coalesce(e, {2})), {1})",
        ),
    ]
)
_JOIN = SCALARS.pop("array_join")


@special("zip")
def zip_arrays(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    """Arrays side by side as rows; the shorter ones are filled with NULL."""
    args = arguments(compiler, node, scope)
    if len(args) < MINIMUM_ZIPPED or any(arg.type.name != "array" for arg in args):
        raise wrong_arguments("zip", args, node)
    row = Type("row", elements=tuple(arg.type.elements[0] for arg in args), fields=("",) * len(args))
    longest = ", ".join(f"len({arg.sql})" for arg in args)
    fields = ", ".join(f"{name} := list_extract({arg.sql}, i)" for name, arg in zip(row_names(row), args, strict=True))
    rows = f"list_transform(range(1, greatest({longest}) + 1), lambda i: struct_pack({fields}))"
    test = " OR ".join(f"{arg.sql} IS NULL" for arg in args)
    return Typed(f"CASE WHEN {test} THEN NULL ELSE {rows} END", array_of(row))


def _concat(args: Sequence[Typed], _: Type) -> str:
    missing = " OR ".join(f"{arg.sql} IS NULL" for arg in args)
    return f"CASE WHEN {missing} THEN NULL ELSE map_concat({', '.join(arg.sql for arg in args)}) END"


scalars(
    [
        ("map() -> map(unknown, unknown)", "map([], [])"),
        ("map(array(k), array(v)) -> map(k, v)", "map({0}, {1})"),
        (
            "map_from_entries(array(row(k, v))) -> map(k, v)",
            "map_from_entries(list_transform({0}, lambda e: struct_pack("
            "key := struct_extract_at(e, 1), value := struct_extract_at(e, 2))))",
        ),
        (
            "map_entries(map(k, v)) -> array(row(k, v))",
            "list_transform(map_entries({0}), lambda e: struct_pack(field0 := e.key, field1 := e.value))",
        ),
        ("map_keys(map(k, v)) -> array(k)", "map_keys({0})"),
        ("map_values(map(k, v)) -> array(v)", "map_values({0})"),
        ("map_concat(map(k, v), map(k, v), map(k, v)*) -> map(k, v)", _concat),
    ]
)


def _source(compiler: Compiler, node: exp.Anonymous, scope: Scope, kind: str) -> Typed:
    item = compiler.expression(node.expressions[0], scope)
    if item.type.name != kind:
        raise wrong_arguments(call_name(node), [item], node)
    return item


def _predicate(compiler: Compiler, node: exp.Anonymous, scope: Scope, types: tuple[Type, ...]) -> tuple[list[str], str]:
    names, body = lambda_text(compiler, node.expressions[1], scope, types, node)
    if body.type.name not in ("boolean", "unknown"):
        raise QueryError("TYPE_MISMATCH", f"Lambda must return boolean, not {trino_text(body.type)}", node)
    return names, to_type(body, BOOLEAN).sql


@special("transform")
def transform(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    argument_count(node, 2)
    item = _source(compiler, node, scope, "array")
    names, body = lambda_text(compiler, node.expressions[1], scope, item.type.elements, node)
    return Typed(f"list_transform({item.sql}, lambda {names[0]}: {body.sql})", array_of(body.type))


@special("filter")
def filter_array(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    argument_count(node, 2)
    item = _source(compiler, node, scope, "array")
    names, test = _predicate(compiler, node, scope, item.type.elements)
    return Typed(f"list_filter({item.sql}, lambda {names[0]}: {test})", item.type)


@special("any_match", "all_match", "none_match")
def match(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    """Three-valued: a NULL among the answers counts as unknown. 2 is true, 1 unknown, 0 false."""
    argument_count(node, 2)
    item = _source(compiler, node, scope, "array")
    names, test = _predicate(compiler, node, scope, item.type.elements)
    marks = f"list_transform({item.sql}, lambda {names[0]}: CASE {test} WHEN true THEN 2 WHEN false THEN 0 ELSE 1 END)"
    kind = call_name(node)
    if kind == "all_match":
        verdict = f"CASE coalesce(list_min({marks}), 2) WHEN 2 THEN true WHEN 0 THEN false END"
    else:
        yes, no = ("true", "false") if kind == "any_match" else ("false", "true")
        verdict = f"CASE coalesce(list_max({marks}), 0) WHEN 2 THEN {yes} WHEN 0 THEN {no} END"
    return Typed(f"CASE WHEN {item.sql} IS NOT NULL THEN {verdict} END", BOOLEAN)


@special("reduce")
def reduce(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    argument_count(node, 4)
    item = _source(compiler, node, scope, "array")
    start = compiler.expression(node.expressions[1], scope)
    step_types = (start.type, item.type.elements[0])
    names, step = lambda_text(compiler, node.expressions[2], scope, step_types, node)
    # `reduce(a, 0, (s, x) -> s + x, …)` over decimals starts with an integer: the state is what both become.
    state = common_type((start.type, step.type))
    if state is not None and state != start.type:
        names, step = lambda_text(compiler, node.expressions[2], scope, (state, item.type.elements[0]), node)
    if state is None or common_type((state, step.type)) != state:
        raise wrong_arguments("reduce", [item, start], node)
    begin, body = to_type(start, state).sql, to_type(step, state).sql
    folded = f"list_reduce({item.sql}, lambda {names[0]}, {names[1]}: {body}, {begin})"
    outs, result = lambda_text(compiler, node.expressions[3], scope, (state,), node)
    if result.sql == outs[0]:
        return Typed(folded, state)
    sql = f"list_extract(list_transform([{folded}], lambda {outs[0]}: {result.sql}), 1)"
    return Typed(sql, result.type)


@special("zip_with")
def zip_with(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    argument_count(node, 3)
    left, right = (compiler.expression(item, scope) for item in node.expressions[:2])
    if {left.type.name, right.type.name} != {"array"}:
        raise wrong_arguments("zip_with", [left, right], node)
    types = (left.type.elements[0], right.type.elements[0])
    names, body = lambda_text(compiler, node.expressions[2], scope, types, node)
    size = f"greatest(len({left.sql}), len({right.sql}))"
    inner = f"list_transform([struct_pack(a := list_extract({left.sql}, i), b := list_extract({right.sql}, i))], "
    element = _with_names(names, ("p.a", "p.b"), body.sql)
    sql = f"list_transform(range(1, {size} + 1), lambda i: list_extract({inner}lambda p: {element}), 1))"
    guarded = f"CASE WHEN {left.sql} IS NOT NULL AND {right.sql} IS NOT NULL THEN {sql} END"
    return Typed(guarded, array_of(body.type))


def _with_names(names: list[str], values: tuple[str, ...], body: str) -> str:
    """The body with its argument names bound one by one, each by a lambda over a list of one."""
    for name, value in zip(names, values, strict=True):
        body = f"list_extract(list_transform([{value}], lambda {name}: {body}), 1)"
    return body


@special("map_filter")
def map_filter(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    argument_count(node, 2)
    item = _source(compiler, node, scope, "map")
    names, test = _predicate(compiler, node, scope, item.type.elements)
    keeps = _with_names(names, ("e.key", "e.value"), test)
    return Typed(f"map_from_entries(list_filter(map_entries({item.sql}), lambda e: {keeps}))", item.type)


@special("transform_values", "transform_keys")
def transform_map(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    argument_count(node, 2)
    item = _source(compiler, node, scope, "map")
    names, body = lambda_text(compiler, node.expressions[1], scope, item.type.elements, node)
    changed = _with_names(names, ("e.key", "e.value"), body.sql)
    keeps_key = call_name(node) == "transform_values"
    key, value = ("e.key", changed) if keeps_key else (changed, "e.value")
    entries = f"list_transform(map_entries({item.sql}), lambda e: struct_pack(key := {key}, value := {value}))"
    result = map_of(item.type.elements[0], body.type) if keeps_key else map_of(body.type, item.type.elements[1])
    return Typed(f"map_from_entries({entries})", result)

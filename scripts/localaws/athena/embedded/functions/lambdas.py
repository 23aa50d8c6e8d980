"""Functions that take lambdas: filter, transform, reduce, the matches, and their kin on maps.

Reads and writes nothing. Behind `make local-aws`.
Example: `any_match(a, x -> x > 1)`; `reduce(a, 0, (s, x) -> s + x, s -> s)`
"""

from __future__ import annotations

from sqlglot import exp

from localaws.athena.coercions import common_type
from localaws.athena.embedded.calls import argument_count, call_name, lambda_text, special, wrong_arguments
from localaws.athena.embedded.coercion import to_type
from localaws.athena.embedded.compiler import Compiler
from localaws.athena.embedded.scope import Scope
from localaws.athena.embedded.typed import BOOLEAN, Typed, array_of, map_of
from localaws.athena.errors import QueryError
from localaws.athena.types import Type, trino_text


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
    one = _with_names(names, ("p.a", "p.b"), body.sql)
    sql = f"list_transform(range(1, {size} + 1), lambda i: list_extract({inner}lambda p: {one}), 1))"
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
    one = _with_names(names, ("e.key", "e.value"), test)
    return Typed(f"map_from_entries(list_filter(map_entries({item.sql}), lambda e: {one}))", item.type)


@special("transform_values", "transform_keys")
def transform_map(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    argument_count(node, 2)
    item = _source(compiler, node, scope, "map")
    names, body = lambda_text(compiler, node.expressions[1], scope, item.type.elements, node)
    one = _with_names(names, ("e.key", "e.value"), body.sql)
    keeps_key = call_name(node) == "transform_values"
    key, value = ("e.key", one) if keeps_key else (one, "e.value")
    entries = f"list_transform(map_entries({item.sql}), lambda e: struct_pack(key := {key}, value := {value}))"
    found = map_of(item.type.elements[0], body.type) if keeps_key else map_of(body.type, item.type.elements[1])
    return Typed(f"map_from_entries({entries})", found)

"""Functions on JSON. Text that is no JSON gives NULL where Trino gives NULL.

Example: `json_extract_scalar(x, '$.a[0].b')` is NULL for an object, an array and broken text.
"""

from __future__ import annotations

import re

from sqlglot import exp

from localaws.athena.embedded.calls import argument_count, arguments, call_name, scalars, special, wrong_arguments
from localaws.athena.embedded.compiler import Compiler
from localaws.athena.embedded.scope import Scope
from localaws.athena.embedded.typed import BIGINT, BOOLEAN, JSON, VARCHAR, Typed, fail, text
from localaws.athena.errors import QueryError

_PIECE = re.compile(
    r"\.([A-Za-z_$@][\w$@-]*)|\.\"((?:[^\"\\]|\\.)*)\"|\[\"((?:[^\"\\]|\\.)*)\"\]|\['([^']*)'\]|\[(\d+)\]|\.(\*)|\[(\*)\]"
)
_BAD = fail("INVALID_FUNCTION_ARGUMENT", "Cannot convert value to JSON", JSON)

scalars(
    [
        (
            "json_parse(varchar) -> json",
            f"CASE WHEN json_valid({{0}}) THEN json({{0}}) WHEN {{0}} IS NOT NULL THEN {_BAD} END",
        ),
        ("json_format(json) -> varchar", "CAST({0} AS VARCHAR)"),
        ("json_array_get(varchar, bigint) -> json", "json_extract({0}, '$[' || CAST({1} AS VARCHAR) || ']')"),
        ("json_array_get(json, bigint) -> json", "json_extract({0}, '$[' || CAST({1} AS VARCHAR) || ']')"),
    ]
)


def json_path(pattern: str, node: exp.Expr) -> str:
    """Trino's JSON path as DuckDB's; INVALID_FUNCTION_ARGUMENT if it is none."""
    # JSON_VALUE and its kin begin their path with a mode.
    pattern = pattern.removeprefix("lax ").removeprefix("strict ").strip()
    rest = pattern[1:] if pattern.startswith("$") else f".{pattern}"
    place, parts = 0, ["$"]
    while place < len(rest):
        match = _PIECE.match(rest, place)
        if match is None:
            raise QueryError("INVALID_FUNCTION_ARGUMENT", f"Invalid JSON path: '{pattern}'", node)
        place = match.end()
        key = next((group for group in match.groups()[:4] if group is not None), None)
        if key is not None:
            escaped = key.replace('"', '\\"')
            parts.append(f'."{escaped}"')
        else:
            parts.append(f"[{match[5]}]" if match[5] else "[*]" if match[7] else ".*")
    return "".join(parts)


def _source(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> tuple[str, str]:
    """The JSON (text is checked first) and the path."""
    argument_count(node, 2)
    args = arguments(compiler, node, scope)
    if args[0].type.name not in ("varchar", "json", "unknown") or args[1].type.name != "varchar":
        raise wrong_arguments(call_name(node), args, node)
    if not isinstance(args[1].value, str):
        raise QueryError("NOT_SUPPORTED", "The JSON path must be a constant", node)
    return checked(args[0]), json_path(args[1].value, node)


def checked(item: Typed) -> str:
    """JSON, or text that is: broken text becomes NULL before DuckDB reads it."""
    return item.sql if item.type.name == "json" else f"CASE WHEN json_valid({item.sql}) THEN {item.sql} END"


@special("json_extract")
def json_extract(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    source, path = _source(compiler, node, scope)
    if "*" in path:
        raise QueryError("NOT_SUPPORTED", "Wildcards in JSON paths are not supported", node)
    return Typed(f"json_extract({source}, {text(path)})", JSON)


@special("json_extract_scalar", "json_value")
def json_extract_scalar(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    source, path = _source(compiler, node, scope)
    if "*" in path:
        raise QueryError("NOT_SUPPORTED", "Wildcards in JSON paths are not supported", node)
    kind, value = f"json_type({source}, {text(path)})", f"json_extract_string({source}, {text(path)})"
    # DuckDB would give an object or array as text.
    scalar = f"CASE WHEN {kind} NOT IN ('OBJECT', 'ARRAY') THEN {value} END"
    return Typed(scalar, VARCHAR)


@special("json_query")
def json_query(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    """An object or array as text; NULL for a scalar, as without WRAPPER."""
    source, path = _source(compiler, node, scope)
    kind = f"json_type({source}, {text(path)})"
    nested = f"CASE WHEN {kind} IN ('OBJECT', 'ARRAY') THEN CAST(json_extract({source}, {text(path)}) AS VARCHAR) END"
    return Typed(nested, VARCHAR)


@special("json_exists")
def json_exists(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    source, path = _source(compiler, node, scope)
    return Typed(f"json_exists({source}, {text(path)})", BOOLEAN)


@special("json_size")
def json_size(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    source, path = _source(compiler, node, scope)
    kind = f"json_type({source}, {text(path)})"
    keys = f"len(json_keys({source}, {text(path)}))"
    size = f"CASE {kind} WHEN 'OBJECT' THEN {keys} WHEN 'ARRAY' THEN json_array_length({source}, {text(path)}) "
    return Typed(f"CAST({size}ELSE CASE WHEN {kind} IS NOT NULL THEN 0 END END AS BIGINT)", BIGINT)


@special("json_array_length")
def json_array_length(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    argument_count(node, 1)
    item = arguments(compiler, node, scope)[0]
    if item.type.name not in ("varchar", "json", "unknown"):
        raise wrong_arguments("json_array_length", [item], node)
    source = checked(item)
    size = f"CASE WHEN json_type({source}) = 'ARRAY' THEN json_array_length({source}) END"
    return Typed(f"CAST({size} AS BIGINT)", BIGINT)


@special("is_json_scalar")
def is_json_scalar(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    argument_count(node, 1)
    item = arguments(compiler, node, scope)[0]
    return Typed(f"(json_type({checked(item)}) NOT IN ('OBJECT', 'ARRAY'))", BOOLEAN)


@special("json_array_contains")
def json_array_contains(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    argument_count(node, 2)
    args = arguments(compiler, node, scope)
    source = checked(args[0])
    listed = f"CASE WHEN json_type({source}) = 'ARRAY' THEN CAST(json_extract({source}, '$[*]') AS JSON[]) END"
    return Typed(f"list_contains({listed}, to_json({args[1].sql}))", BOOLEAN)

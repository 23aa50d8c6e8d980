r"""Regular expressions. Trino speaks Java's dialect, DuckDB RE2's: what RE2 lacks is refused by name.

Reads and writes nothing. Behind `make local-aws`.
Example: `regexp_extract('a1', '([a-z])(\d)', 2)` is `1`; no match is NULL.
"""

from __future__ import annotations

import re

from sqlglot import exp

from localaws.athena.embedded.calls import argument_count, arguments, call_name, special, wrong_arguments
from localaws.athena.embedded.compiler import Compiler
from localaws.athena.embedded.scope import Scope
from localaws.athena.embedded.typed import BIGINT, BOOLEAN, INTEGER, VARCHAR, Typed, array_of, text
from localaws.athena.errors import QueryError

_FOREIGN = re.compile(r"\(\?(?:=|!|<=|<!|>)|(?<!\\)(?:\\\\)*\\[1-9]|[*+?}]\+")


def pattern_text(item: Typed, node: exp.Expr) -> str:
    """The pattern for RE2; a constant one is checked for what RE2 lacks."""
    if item.type.name not in ("varchar", "unknown"):
        raise wrong_arguments("regexp", [item], node)
    if not isinstance(item.value, str):
        return item.sql
    if _FOREIGN.search(item.value):
        message = "Look-around, back-references and possessive quantifiers in patterns are not supported"
        raise QueryError("NOT_SUPPORTED", message, node)
    return text(re.sub(r"\(\?<([A-Za-z])", r"(?P<\1", item.value))


def _args(compiler: Compiler, node: exp.Anonymous, scope: Scope, *counts: int) -> tuple[list[Typed], str]:
    argument_count(node, *counts)
    args = arguments(compiler, node, scope) if call_name(node) != "regexp_replace" else _plain(compiler, node, scope)
    if args[0].type.name not in ("varchar", "unknown"):
        raise wrong_arguments(call_name(node), args, node)
    return args, pattern_text(args[1], node)


def _plain(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> list[Typed]:
    if any(isinstance(item, exp.Lambda) for item in node.expressions):
        raise QueryError("NOT_SUPPORTED", "regexp_replace with a lambda is not supported", node)
    return arguments(compiler, node, scope)


def _group(args: list[Typed]) -> str:
    return args[2].sql if len(args) > 2 else "0"


@special("regexp_like")
def regexp_like(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    args, pattern = _args(compiler, node, scope, 2)
    return Typed(f"regexp_matches({args[0].sql}, {pattern})", BOOLEAN)


@special("regexp_extract")
def regexp_extract(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    args, pattern = _args(compiler, node, scope, 2, 3)
    found = f"regexp_extract({args[0].sql}, {pattern}, {_group(args)})"
    return Typed(f"CASE WHEN regexp_matches({args[0].sql}, {pattern}) THEN {found} END", VARCHAR)


@special("regexp_extract_all")
def regexp_extract_all(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    args, pattern = _args(compiler, node, scope, 2, 3)
    return Typed(f"regexp_extract_all({args[0].sql}, {pattern}, {_group(args)})", array_of(VARCHAR))


@special("regexp_count")
def regexp_count(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    args, pattern = _args(compiler, node, scope, 2)
    return Typed(f"CAST(len(regexp_extract_all({args[0].sql}, {pattern})) AS BIGINT)", BIGINT)


@special("regexp_split")
def regexp_split(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    args, pattern = _args(compiler, node, scope, 2)
    return Typed(f"string_split_regex({args[0].sql}, {pattern})", array_of(VARCHAR))


@special("regexp_position")
def regexp_position(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    args, pattern = _args(compiler, node, scope, 2)
    # As far as the shortest text that a match can stand behind.
    before = f"regexp_extract({args[0].sql}, '^((?s:.*?))(?:' || {pattern} || ')', 1)"
    # Trino looks at no place beyond the text's end, so nothing is found in an empty one, whatever the pattern.
    is_there = f"{args[0].sql} <> '' AND regexp_matches({args[0].sql}, {pattern})"
    position = f"CASE WHEN {is_there} THEN length({before}) + 1 ELSE -1 END"
    guarded = f"CASE WHEN {args[0].sql} IS NOT NULL AND {pattern} IS NOT NULL THEN {position} END"
    return Typed(f"CAST({guarded} AS INTEGER)", INTEGER)


@special("regexp_replace")
def regexp_replace(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    args, pattern = _args(compiler, node, scope, 2, 3)
    new = "''" if len(args) < 3 else _replacement(args[2])
    return Typed(f"regexp_replace({args[0].sql}, {pattern}, {new}, 'g')", VARCHAR)


def _replacement(item: Typed) -> str:
    r"""`$1` is `\1` for RE2, `\$` a dollar."""
    if not isinstance(item.value, str):
        return f"regexp_replace({item.sql}, '\\$([0-9])', '\\\\\\1', 'g')"
    found = re.sub(
        r"\\(.)|\$(\d)", lambda match: "\\" + match[2] if match[2] else match[1].replace("\\", "\\\\"), item.value
    )
    return text(found)

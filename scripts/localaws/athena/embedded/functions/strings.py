"""Functions on text and bytes, and regular expressions: what RE2 (DuckDB) lacks of Java's dialect (Trino) is refused.

Example: `split_part('a-b', '-', 2)` is `b`; past the end it is NULL, as in Trino.
"""

from __future__ import annotations

import re

from sqlglot import exp

from localaws.athena.embedded.calls import argument_count, arguments, call_name, scalars, special, wrong_arguments
from localaws.athena.embedded.casts import to_text, to_type
from localaws.athena.embedded.compiler import Compiler
from localaws.athena.embedded.scope import Scope
from localaws.athena.embedded.typed import BIGINT, BOOLEAN, INTEGER, VARBINARY, VARCHAR, Typed, array_of, fail, text
from localaws.athena.errors import QueryError
from localaws.athena.types import Type, common_type

_BAD_INDEX = fail("INVALID_FUNCTION_ARGUMENT", "Index must be greater than zero", VARCHAR)
# DuckDB counts bytes, Trino letters.
_ASCII = "strlen({0}) + strlen({1}) = length({0}) + length({1})"

scalars(
    [
        ("lower(varchar) -> varchar", "lower({0})"),
        ("upper(varchar) -> varchar", "upper({0})"),
        ("length(varchar) -> bigint", "length({0})"),
        ("length(varbinary) -> bigint", "octet_length({0})"),
        ("reverse(varchar) -> varchar", "reverse({0})"),
        ("reverse(array(t)) -> array(t)", "list_reverse({0})"),
        ("trim(varchar) -> varchar", "trim({0})"),
        ("trim(varchar, varchar) -> varchar", "trim({0}, {1})"),
        ("ltrim(varchar) -> varchar", "ltrim({0})"),
        ("ltrim(varchar, varchar) -> varchar", "ltrim({0}, {1})"),
        ("rtrim(varchar) -> varchar", "rtrim({0})"),
        ("rtrim(varchar, varchar) -> varchar", "rtrim({0}, {1})"),
        ("lpad(varchar, bigint, varchar) -> varchar", "lpad({0}, CAST({1} AS INTEGER), {2})"),
        ("rpad(varchar, bigint, varchar) -> varchar", "rpad({0}, CAST({1} AS INTEGER), {2})"),
        ("replace(varchar, varchar) -> varchar", "replace({0}, {1}, '')"),
        ("replace(varchar, varchar, varchar) -> varchar", "replace({0}, {1}, {2})"),
        ("translate(varchar, varchar, varchar) -> varchar", "translate({0}, {1}, {2})"),
        ("starts_with(varchar, varchar) -> boolean", "starts_with({0}, {1})"),
        ("ends_with(varchar, varchar) -> boolean", "ends_with({0}, {1})"),
        ("strpos(varchar, varchar) -> bigint", "CAST(instr({0}, {1}) AS BIGINT)"),
        (
            "strpos(varchar, varchar, bigint) -> bigint",
            "CASE WHEN {2} = 1 THEN CAST(instr({0}, {1}) AS BIGINT) WHEN len(string_split({0}, {1})) > {2} THEN "
            "CAST(length(array_to_string(list_slice(string_split({0}, {1}), 1, {2}), {1})) + 1 AS BIGINT) "
            "WHEN {0} IS NOT NULL AND {1} IS NOT NULL THEN 0 END",
        ),
        ("split(varchar, varchar) -> array(varchar)", "string_split({0}, {1})"),
        (
            "split(varchar, varchar, bigint) -> array(varchar)",
            "CASE WHEN {0} IS NULL THEN NULL WHEN len(string_split({0}, {1})) <= {2} THEN string_split({0}, {1}) ELSE "
            "list_append(list_slice(string_split({0}, {1}), 1, {2} - 1), "
            "array_to_string(list_slice(string_split({0}, {1}), {2}, len(string_split({0}, {1}))), {1})) END",
        ),
        (
            "split_part(varchar, varchar, bigint) -> varchar",
            f"CASE WHEN {{2}} < 1 THEN {_BAD_INDEX} ELSE list_extract(string_split({{0}}, {{1}}), {{2}}) END",
        ),
        (
            "split_to_map(varchar, varchar, varchar) -> map(varchar, varchar)",
            "map_from_entries(list_transform(string_split({0}, {1}), lambda e: struct_pack("
            "key := string_split(e, {2})[1], value := string_split(e, {2})[2])))",
        ),
        (
            "levenshtein_distance(varchar, varchar) -> bigint",
            f"CASE WHEN {_ASCII} THEN CAST(levenshtein({{0}}, {{1}}) AS BIGINT) "
            "ELSE athena_levenshtein({0}, {1}) END",
        ),
        ("chr(bigint) -> varchar", "chr(CAST({0} AS INTEGER))"),
        ("codepoint(varchar) -> integer", "CAST(unicode({0}) AS INTEGER)"),
        ("normalize(varchar) -> varchar", "nfc_normalize({0})"),
        ("to_utf8(varchar) -> varbinary", "encode({0})"),
        ("from_utf8(varbinary) -> varchar", "athena_from_utf8({0})"),
        ("to_hex(varbinary) -> varchar", "hex({0})"),
        ("from_hex(varchar) -> varbinary", "unhex({0})"),
        ("from_hex(varbinary) -> varbinary", "unhex(decode({0}))"),
        ("to_base64(varbinary) -> varchar", "to_base64({0})"),
        ("from_base64(varchar) -> varbinary", "from_base64({0})"),
        ("to_base64url(varbinary) -> varchar", "translate(to_base64({0}), '+/', '-_')"),
        ("from_base64url(varchar) -> varbinary", "from_base64(translate({0}, '-_', '+/'))"),
        ("md5(varbinary) -> varbinary", "unhex(md5({0}))"),
        ("sha1(varbinary) -> varbinary", "unhex(sha1({0}))"),
        ("sha256(varbinary) -> varbinary", "unhex(sha256({0}))"),
        ("sha512(varbinary) -> varbinary", "athena_sha512({0})"),
        ("crc32(varbinary) -> bigint", "athena_crc32({0})"),
        (
            "url_encode(varchar) -> varchar",
            # Java's URLEncoder writes a blank as `+`, keeps `*` and escapes `~`.
            "replace(replace(replace(url_encode({0}), '%20', '+'), '%2A', '*'), '~', '%7E')",
        ),
        ("url_decode(varchar) -> varchar", "url_decode(replace({0}, '+', '%20'))"),
        ("uuid() -> uuid", "CAST(uuid() AS VARCHAR)"),
        ("concat_ws(varchar, array(varchar)) -> varchar", "array_to_string({1}, {0})"),
        ("concat_ws(varchar, varchar, varchar*) -> varchar", "concat_ws({*})"),
    ]
)
# In Trino a start of 0, or one before the first letter, gives an empty text; DuckDB would count on from there.
_SUBSTRING = (
    "CASE WHEN {1} = 0 OR abs({1}) > length({0}) THEN CASE WHEN {0} IS NULL THEN NULL ELSE '' END "
    "ELSE substring({0}, {1}%s) END"
)
scalars(
    [
        (f"{name}(varchar, bigint{more}) -> varchar", _SUBSTRING % (", greatest({2}, 0)" if more else ""))
        for name in ("substr", "substring")
        for more in ("", ", bigint")
    ]
)
scalars(
    [
        (f"{name}(varbinary, bigint{more}) -> varbinary", f"unhex(substring(hex({{0}}), 2 * {{1}} - 1{size}))")
        for name in ("substr", "substring")
        for more, size in (("", ""), (", bigint", ", 2 * {2}"))
    ]
)


@special("concat")
def concat(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    """Texts, bytes or arrays; NULL if any is NULL."""
    args = arguments(compiler, node, scope)
    kinds = {arg.type.name for arg in args} - {"unknown"}
    if len(args) > 1 and kinds <= {"varchar", "char"}:
        return Typed("(" + " || ".join(to_type(arg, VARCHAR).sql for arg in args) + ")", VARCHAR)
    if len(args) > 1 and kinds == {"varbinary"}:
        return Typed("(" + " || ".join(arg.sql for arg in args) + ")", VARBINARY)
    if "array" not in kinds:
        raise wrong_arguments("concat", args, node)
    elements = [arg.type.elements[0] if arg.type.name == "array" else arg.type for arg in args]
    merged = common_type(elements)
    if merged is None:
        raise wrong_arguments("concat", args, node)
    target = Type("array", elements=(merged,))
    parts = [to_type(arg, target).sql if arg.type.name == "array" else f"[{to_type(arg, merged).sql}]" for arg in args]
    return Typed("(" + " || ".join(parts) + ")", target)


@special("format")
def format_text(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    """`format('%s-%03d', a, b)`: Java's format text, which DuckDB's printf follows for these letters."""
    args = arguments(compiler, node, scope)
    pattern = args[0].value if args else None
    if not isinstance(pattern, str):
        raise wrong_arguments("format", args, node)
    printed = [
        to_text(arg.sql, arg.type)
        if arg.type.name not in ("integer", "bigint", "smallint", "tinyint", "double")
        else arg.sql
        for arg in args[1:]
    ]
    # `%s` takes any type in Java, but only texts in DuckDB's printf.
    letters = [word for word in pattern.replace("%%", "").split("%")[1:]]
    values = [
        f"CAST({sql} AS VARCHAR)" if "s" in word[:3] else sql for sql, word in zip(printed, letters, strict=False)
    ]
    return Typed(f"printf({', '.join([args[0].sql, *values])})", VARCHAR)


# Look-around, back-references, possessive quantifiers: https://github.com/google/re2/wiki/Syntax
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
    # RE2 spells named groups as Python does.
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
    group = f"regexp_extract({args[0].sql}, {pattern}, {_group(args)})"
    return Typed(f"CASE WHEN regexp_matches({args[0].sql}, {pattern}) THEN {group} END", VARCHAR)


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
    replacement = re.sub(
        r"\\(.)|\$(\d)", lambda match: "\\" + match[2] if match[2] else match[1].replace("\\", "\\\\"), item.value
    )
    return text(replacement)

"""Times to text and back: MySQL's letters (date_format, date_parse) and Java's (format_datetime, parse_datetime).

Reads and writes nothing. Behind `make local-aws`.
Example: `date_format(ts, '%Y-%m-%d %H:%i')`; `format_datetime(ts, 'yyyy-MM-dd')`
"""

from __future__ import annotations

import re
from dataclasses import replace

from sqlglot import exp

from localaws.athena.embedded.calls import argument_count, arguments, call_name, special, wrong_arguments
from localaws.athena.embedded.compiler import Compiler
from localaws.athena.embedded.names import local
from localaws.athena.embedded.rounding import in_milliseconds
from localaws.athena.embedded.scope import Scope
from localaws.athena.embedded.typed import VARCHAR, ZONED, Typed, text
from localaws.athena.errors import QueryError
from localaws.athena.types import Type

_MYSQL = {
    **{letter: f"%{letter}" for letter in "abdfHjmpSYy%"},
    "c": "%-m",
    "e": "%-d",
    "h": "%I",
    "I": "%I",
    "i": "%M",
    "k": "%-H",
    "l": "%-I",
    "M": "%B",
    "r": "%I:%M:%S %p",
    "s": "%S",
    "T": "%H:%M:%S",
    "v": "%V",
    "W": "%A",
    "x": "%G",
}
_JAVA = {
    "yyyy": "%Y",
    "YYYY": "%Y",
    "y": "%Y",
    "yy": "%y",
    "MMMM": "%B",
    "MMM": "%b",
    "MM": "%m",
    "M": "%-m",
    "dd": "%d",
    "d": "%-d",
    "DDD": "%j",
    "HH": "%H",
    "H": "%-H",
    "hh": "%I",
    "h": "%-I",
    "mm": "%M",
    "m": "%-M",
    "ss": "%S",
    "s": "%-S",
    "SSS": "%g",
    "SSSSSS": "%f",
    "EEEE": "%A",
    "EEE": "%a",
    "E": "%a",
    "e": "%u",
    "a": "%p",
    "ww": "%V",
    "xxxx": "%G",
    "Z": "%z",
}
_JAVA_PIECE = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|.", re.DOTALL)


def mysql_format(pattern: str, node: exp.Expr) -> str:
    """MySQL's letters as strftime's."""

    def letter(match: re.Match[str]) -> str:
        if match[1] not in _MYSQL:
            if match[1] in "DUuVwX":
                raise QueryError("INVALID_FUNCTION_ARGUMENT", f"%{match[1]} not supported in date format string", node)
            return match[1].replace("%", "%%")
        return _MYSQL[match[1]]

    return re.sub(r"%(.)", letter, pattern, flags=re.DOTALL)


def java_format(pattern: str, node: exp.Expr) -> str:
    """Java's (Joda's) letters as strftime's."""
    parts = []
    for match in _JAVA_PIECE.finditer(pattern):
        if match[0].startswith("'"):
            parts.append((match[1] or "'").replace("''", "'").replace("%", "%%"))
        elif match[2]:
            if match[0] not in _JAVA:
                raise QueryError("NOT_SUPPORTED", f"Format letter {match[0]} is not supported", node)
            parts.append(_JAVA[match[0]])
        else:
            parts.append(match[0].replace("%", "%%"))
    return "".join(parts)


def _pattern(args: list[Typed], node: exp.Anonymous) -> str:
    if len(args) != 2 or args[1].type.name != "varchar":
        raise wrong_arguments(call_name(node), args, node)
    if not isinstance(args[1].value, str):
        raise QueryError("NOT_SUPPORTED", "The format must be a constant", node)
    return args[1].value


@special("date_format", "format_datetime")
def date_format(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    argument_count(node, 2)
    args = arguments(compiler, node, scope)
    if args[0].type.name not in ("date", "timestamp", "timestamp with time zone"):
        raise wrong_arguments(call_name(node), args, node)
    convert = mysql_format if call_name(node) == "date_format" else java_format
    item = replace(args[0], sql=in_milliseconds(args[0].sql, args[0].type))
    return Typed(f"strftime({local(item)}, {text(convert(_pattern(args, node), node))})", VARCHAR)


@special("date_parse", "parse_datetime")
def date_parse(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    argument_count(node, 2)
    args = arguments(compiler, node, scope)
    is_mysql = call_name(node) == "date_parse"
    pattern = (mysql_format if is_mysql else java_format)(_pattern(args, node), node)
    if args[0].type.name not in ("varchar", "unknown"):
        raise wrong_arguments(call_name(node), args, node)
    parsed = f"strptime({args[0].sql}, {text(pattern)})"
    if is_mysql:
        return Typed(f"CAST({parsed} AS TIMESTAMP)", Type("timestamp", (3,)))
    zoned = parsed if "%z" in pattern else f"timezone('UTC', {parsed})"
    return Typed(f"CAST({zoned} AS TIMESTAMPTZ)", ZONED)

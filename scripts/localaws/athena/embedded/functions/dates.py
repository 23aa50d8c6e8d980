"""Functions on dates, times and intervals, in formats with MySQL's letters (date_format) and Java's too.

Example: `date_trunc('month', DATE '2020-01-05')` stays a date; `date_diff` counts whole units.
"""

from __future__ import annotations

import re
from dataclasses import replace

from sqlglot import exp

from localaws.athena.embedded.calls import argument_count, arguments, call_name, scalars, special, wrong_arguments
from localaws.athena.embedded.casts import digits_of, explicit_cast, in_milliseconds, to_type
from localaws.athena.embedded.compiler import Compiler
from localaws.athena.embedded.literals import moment
from localaws.athena.embedded.names import in_zone, local, part_of, zone_name
from localaws.athena.embedded.scope import Scope
from localaws.athena.embedded.typed import BIGINT, DATE, VARCHAR, ZONED, Typed, cast, text
from localaws.athena.errors import QueryError
from localaws.athena.types import INTEGERS, Type, common_type

_UNITS = {
    "millisecond": "to_milliseconds",
    "second": "to_seconds",
    "minute": "to_minutes",
    "hour": "to_hours",
    "day": "to_days",
    "week": "to_weeks",
    "month": "to_months",
    "quarter": "to_quarters",
    "year": "to_years",
}
_MOMENTS = ("date", "timestamp", "timestamp with time zone")
# Trino takes a year, or a year and month, for their first day.
_ISO = (
    "CASE WHEN regexp_full_match({0}, '[0-9]{{4}}') THEN {0} || '-01-01' "
    "WHEN regexp_full_match({0}, '[0-9]{{4}}-[0-9]{{2}}') THEN {0} || '-01' ELSE {0} END"
)

scalars(
    [
        ("from_iso8601_date(varchar) -> date", f"CAST({_ISO} AS DATE)"),
        (
            "from_iso8601_timestamp(varchar) -> timestamp(3) with time zone",
            f"date_trunc('millisecond', CAST({_ISO} AS TIMESTAMPTZ))",
        ),
        ("from_iso8601_timestamp_nanos(varchar) -> timestamp(6) with time zone", f"CAST({_ISO} AS TIMESTAMPTZ)"),
        ("to_unixtime(timestamp with time zone) -> double", "epoch({0})"),
        ("to_unixtime(timestamp) -> double", "epoch({0})"),
        ("last_day_of_month(date) -> date", "last_day({0})"),
        ("last_day_of_month(timestamp) -> date", "last_day({0})"),
        ("to_milliseconds(interval day to second) -> bigint", "CAST(epoch_ms({0}) AS BIGINT)"),
    ]
)
_PARTS = {
    name: name.upper()
    for name in [
        "year",
        "quarter",
        "month",
        "week",
        "day",
        "day_of_month",
        "day_of_week",
        "dow",
        "day_of_year",
        "doy",
        "year_of_week",
        "yow",
        "hour",
        "minute",
        "second",
    ]
}
_PARTS["week_of_year"] = "WEEK"


@special(*_PARTS)
def part(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    argument_count(node, 1)
    args = arguments(compiler, node, scope)
    if args[0].type.name == "unknown":
        args = [to_type(args[0], DATE)]
    return part_of(_PARTS[call_name(node)], args[0], node)


@special("millisecond")
def millisecond(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    argument_count(node, 1)
    item = arguments(compiler, node, scope)[0]
    return Typed(f"CAST(date_part('millisecond', {local(item)}) % 1000 AS BIGINT)", BIGINT)


def _unit(args: list[Typed], node: exp.Anonymous, of_date: bool) -> str:
    unit = str(args[0].value).lower()
    if unit not in _UNITS or (of_date and unit in ("hour", "minute", "second", "millisecond")):
        kind = "DATE" if of_date else "Timestamp"
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"'{unit}' is not a valid {kind} field", node)
    return unit


@special("date_trunc")
def date_trunc(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    argument_count(node, 2)
    args = arguments(compiler, node, scope)
    item = args[1]
    if item.type.name not in _MOMENTS:
        raise wrong_arguments("date_trunc", args, node)
    unit = _unit(args, node, item.type.name == "date")
    cut = f"date_trunc('{unit}', {local(item)})"
    if item.type.name == "timestamp with time zone":
        return Typed(f"timezone({text(item.zone or 'UTC')}, {cut})", item.type, zone=item.zone)
    return Typed(cast(cut, item.type), item.type)


@special("date_add")
def date_add(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    argument_count(node, 3)
    args = arguments(compiler, node, scope)
    if args[2].type.name not in _MOMENTS or args[1].type.name not in INTEGERS:
        raise wrong_arguments("date_add", args, node)
    unit = _unit(args, node, args[2].type.name == "date")
    kind = "BIGINT" if unit in ("millisecond", "second", "minute", "hour") else "INTEGER"
    moved = f"({args[2].sql} + {_UNITS[unit]}(CAST({args[1].sql} AS {kind})))"
    return Typed(cast(moved, args[2].type), args[2].type, zone=args[2].zone)


@special("date_diff")
def date_diff(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    argument_count(node, 3)
    args = arguments(compiler, node, scope)
    merged = common_type((args[1].type, args[2].type))
    if merged is None or merged.name not in _MOMENTS:
        raise wrong_arguments("date_diff", args, node)
    unit = _unit(args, node, merged.name == "date")
    moments = [to_type(item, merged) for item in args[1:]]
    # Milliseconds are all that it looks at, and the rest is cut.
    fine = merged.name != "date" and digits_of(merged) > 3
    start, end = (f"date_trunc('millisecond', {local(item)})" if fine else local(item) for item in moments)
    # DuckDB's `date_diff` counts the boundaries that are crossed, `date_sub` whole units, as Trino does.
    return Typed(f"CAST(date_sub('{unit}', {start}, {end}) AS BIGINT)", BIGINT)


@special("now", "current_timestamp")
def now(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    argument_count(node, 0, 1)
    args = arguments(compiler, node, scope)
    precision = args[0].value if args else 3
    if not isinstance(precision, int):
        raise wrong_arguments(call_name(node), args, node)
    precision = min(6, precision)
    return Typed(moment(compiler, precision), Type("timestamp with time zone", (precision,)))


@special("current_timezone")
def current_timezone(_: Compiler, node: exp.Anonymous, __: Scope) -> Typed:
    argument_count(node, 0)
    return Typed("'UTC'", VARCHAR)


@special("at_timezone", "with_timezone")
def at_timezone(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    argument_count(node, 2)
    item = compiler.expression(node.expressions[0], scope)
    zone = zone_name(node.expressions[1])
    if call_name(node) == "at_timezone":
        return in_zone(item, zone)
    if item.type.name != "timestamp":
        raise wrong_arguments("with_timezone", [item], node)
    zoned = Type("timestamp with time zone", item.type.numbers or (3,))
    return Typed(f"timezone({text(zone)}, {item.sql})", zoned, zone=None if zone.upper() == "UTC" else zone)


@special("from_unixtime")
def from_unixtime(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    argument_count(node, 1, 2)
    item = to_type(compiler.expression(node.expressions[0], scope), Type("double"))
    instant = Typed(f"to_timestamp({item.sql})", ZONED)
    return in_zone(instant, zone_name(node.expressions[1])) if len(node.expressions) > 1 else instant


@special("to_iso8601")
def to_iso8601(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    argument_count(node, 1)
    item = compiler.expression(node.expressions[0], scope)
    if item.type.name not in _MOMENTS:
        raise wrong_arguments("to_iso8601", [item], node)
    if item.type.name == "date":
        return Typed(cast(item.sql, VARCHAR), VARCHAR)
    digits = digits_of(item.type)
    whole = f"strftime({local(item)}, '%Y-%m-%dT%H:%M:%S{'.%f' if digits else ''}')"
    shown = f"left({whole}, {20 + digits})" if digits else whole
    if item.type.name == "timestamp":
        return Typed(shown, VARCHAR)
    return Typed(f"({shown} || {_offset(item) if item.zone else text('Z')})", VARCHAR)


def _offset(item: Typed) -> str:
    """`+01:00`: how far the wall clock of its zone is from UTC's."""
    minutes = f"((epoch_us({local(item)}) - epoch_us({item.sql})) // 60000000)"
    sign = f"CASE WHEN {minutes} < 0 THEN '-' ELSE '+' END"
    return f"printf('%s%02d:%02d', {sign}, abs({minutes}) // 60, abs({minutes}) % 60)"


@special("date")
def date(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    """`date(x)` is `CAST(x AS date)`."""
    argument_count(node, 1)
    return explicit_cast(compiler.expression(node.expressions[0], scope), DATE)


# https://trino.io/docs/current/functions/datetime.html#mysql-date-functions, those that strftime calls otherwise.
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
# Joda's patterns: https://www.joda.org/joda-time/apidocs/org/joda/time/format/DateTimeFormat.html
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
            # Trino refuses the same ones.
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

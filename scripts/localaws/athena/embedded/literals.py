"""Constants: numbers, texts, dates, intervals, arrays, and the present moment.

Example: `1.50` is `decimal(3,2)`; `INTERVAL '2' DAY` is an interval day to second.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

from sqlglot import exp

from localaws.athena.embedded.casts import explicit_cast, to_type
from localaws.athena.embedded.compiler import Compiler, handles
from localaws.athena.embedded.scope import Scope
from localaws.athena.embedded.typed import (
    BIGINT,
    BOOLEAN,
    DATE,
    DAYS,
    DOUBLE,
    INTEGER,
    JSON,
    MONTHS,
    TIME,
    UNKNOWN,
    VARBINARY,
    Typed,
    array_of,
    cast,
    decimal,
    text,
)
from localaws.athena.errors import QueryError
from localaws.athena.types import Type, common_type, parse_type, trino_text

_TIME_LITERAL = re.compile(r"(\d{4,}-\d{1,2}-\d{1,2}(?: \d{1,2}:\d{1,2}(?::\d{1,2}(?:\.(\d+))?)?)?)(?: ?(\S+))?\Z")
# A number is an integer if it fits, else a bigint, else an error; a point makes it a decimal, an exponent a double.
_INT_LIMIT, _LONG_LIMIT = 2**31, 2**63


@handles(exp.Literal, parts="this is_string")
def literal(_: Compiler, node: exp.Literal, __: Scope) -> Typed:
    if node.is_string:
        return Typed(text(node.this), Type("varchar", (len(node.this),)), value=node.this)
    return number(str(node.this), node)


def number(digits: str, node: exp.Expr) -> Typed:
    """An integer, decimal or (with an exponent) double constant."""
    if "e" in digits.lower():
        return Typed(cast(digits, DOUBLE), DOUBLE, value=float(digits))
    if "." in digits:
        whole, _, fraction = digits.partition(".")
        kind = decimal(len(whole.lstrip("0")) + len(fraction), len(fraction))
        return Typed(cast(f"{whole or '0'}.{fraction or '0'}", kind), kind, value=float(digits))
    value = int(digits)
    if value >= _LONG_LIMIT:
        raise QueryError("NUMERIC_VALUE_OUT_OF_RANGE", f"Invalid numeric literal: {digits}", node)
    return (
        Typed(digits, INTEGER, value=value) if value < _INT_LIMIT else Typed(cast(digits, BIGINT), BIGINT, value=value)
    )


@handles(exp.Neg, parts="this")
def negative(compiler: Compiler, node: exp.Neg, scope: Scope) -> Typed:
    if isinstance(node.this, exp.Literal) and not node.this.is_string:
        # 2147483648 alone is a bigint and 9223372036854775808 too large; with their sign they are the smallest of
        # their types.
        digits = str(node.this.this)
        if digits in (str(_INT_LIMIT), str(_LONG_LIMIT)):
            kind = INTEGER if digits == str(_INT_LIMIT) else BIGINT
            return Typed(cast(f"'-{digits}'", kind), kind, value=-int(digits))
    item = compiler.expression(node.this, scope)
    if item.type.name in ("varchar", "boolean", "date", "timestamp", "array", "map", "row", "json", "varbinary"):
        raise QueryError("TYPE_MISMATCH", f"Cannot negate {trino_text(item.type)}", node)
    value = -item.value if isinstance(item.value, int | float) else None
    return Typed(f"(- {item.sql})", item.type, value=value)


@handles(exp.Boolean, parts="this")
def boolean(_: Compiler, node: exp.Boolean, __: Scope) -> Typed:
    return Typed(str(bool(node.this)).lower(), BOOLEAN, value=bool(node.this))


@handles(exp.Null, parts="")
def null(_: Compiler, __: exp.Null, ___: Scope) -> Typed:
    return Typed("NULL", UNKNOWN)


@handles(exp.HexString, parts="this")
def hex_string(_: Compiler, node: exp.HexString, __: Scope) -> Typed:
    digits = re.sub(r"\s", "", str(node.this))
    if len(digits) % 2 or re.search(r"[^0-9A-Fa-f]", digits):
        raise QueryError("SYNTAX_ERROR", "Binary literal must contain an even number of hexadecimal digits", node)
    return Typed(f"unhex('{digits}')", VARBINARY)


@handles(exp.UnicodeString, parts="this")
def unicode_string(_: Compiler, node: exp.UnicodeString, __: Scope) -> Typed:
    value = re.sub(r"\\\+([0-9A-Fa-f]{6})|\\([0-9A-Fa-f]{4})", lambda m: chr(int(m[1] or m[2], 16)), str(node.this))
    return Typed(text(value), Type("varchar", (len(value),)), value=value)


@handles(exp.ParseJSON, parts="this is_literal")
def json_literal(_: Compiler, node: exp.ParseJSON, __: Scope) -> Typed:
    return Typed(f"json({text(node.this.name)})", JSON)


@handles(exp.Cast, exp.TryCast, parts="this to safe is_call")
def cast_node(compiler: Compiler, node: exp.Cast, scope: Scope) -> Typed:
    target = data_type(node.to)
    is_text = isinstance(node.this, exp.Literal) and node.this.is_string
    if is_text and not node.args.get("is_call"):
        constant = _timestamp_literal(node, target) if "timestamp" in target.name else _decimal_literal(node, target)
        if constant is not None:
            return constant
    # A typed NULL, whatever the type: there is nothing that could fail.
    if isinstance(node.this, exp.Null):
        return Typed(cast("NULL", target), target)
    item = replace(compiler.expression(node.this, scope), node=node)
    return explicit_cast(item, target, safe=isinstance(node, exp.TryCast))


def data_type(node: exp.DataType) -> Type:
    """The type that is named in a CAST."""
    name = node.sql(dialect="trino")
    try:
        kind = parse_type(name)
        cast("NULL", kind)
    except (ValueError, KeyError):
        raise QueryError("TYPE_NOT_FOUND", f"Unknown type: {name.lower()}", node) from None
    return _precise(kind, node)


_KNOWN = frozenset(
    [
        "boolean",
        "tinyint",
        "smallint",
        "integer",
        "bigint",
        "real",
        "double",
        "decimal",
        "varchar",
        "char",
        "varbinary",
        "json",
        "date",
        "time",
        "uuid",
        "array",
        "map",
        "row",
        "timestamp",
        "unknown",
    ]
) | {"timestamp with time zone"}


def _precise(kind: Type, node: exp.DataType) -> Type:
    if kind.name not in _KNOWN:
        raise QueryError("TYPE_NOT_FOUND", f"Unknown type: {trino_text(kind)}", node)
    if kind.name.startswith("time") and not kind.numbers:
        return Type(kind.name, (3,))
    if kind.name == "decimal" and len(kind.numbers) == 1:
        return Type("decimal", (kind.numbers[0], 0))
    elements = tuple(_precise(item, node) for item in kind.elements)
    return Type(kind.name, kind.numbers, elements, kind.fields)


def _decimal_literal(node: exp.Cast, target: Type) -> Typed | None:
    """`DECIMAL '1.50'`: its digits give its precision and scale."""
    match = re.fullmatch(r"\s*([+-]?)(\d*)\.?(\d*)\s*", node.this.name)
    if target.name != "decimal" or match is None or not (match[2] or match[3]):
        return None
    kind = decimal(len(match[2].lstrip("0")) + len(match[3]), len(match[3]))
    return Typed(cast(text(node.this.name.strip()), kind), kind)


def _timestamp_literal(node: exp.Cast, target: Type) -> Typed | None:
    """`TIMESTAMP '…'`: its digits give its precision, a zone makes it a timestamp with time zone."""
    match = _TIME_LITERAL.match(node.this.name)
    if match is None:
        return None
    precision = min(6, len(match[2] or ""))
    if match[3]:
        zoned = Type("timestamp with time zone", (precision,))
        # DuckDB wants an offset right behind the time and a name apart from it.
        apart = "" if match[3][0] in "+-" else " "
        sql = f"CAST({text(match[1] + apart + match[3])} AS TIMESTAMPTZ)"
        named = None if re.match(r"[+-]|UTC|Z\Z|GMT", match[3]) else match[3]
        return Typed(sql, zoned, zone=named)
    if target.name != "timestamp":
        return None
    return Typed(cast(text(match[1]), target), Type("timestamp", (precision,)))


@handles(exp.Interval, parts="this unit")
def interval(_: Compiler, node: exp.Interval, __: Scope) -> Typed:
    sign = -1 if isinstance(node.this, exp.Neg) else 1
    amount = (node.this.this if sign < 0 else node.this).name
    unit = node.args.get("unit")
    name = (unit.name if isinstance(unit, exp.Var) else str(unit)).upper().rstrip("S")
    if name == "YEAR TO MONTH":
        match = re.fullmatch(r"(-?)(\d+)-(\d+)", amount)
        if match is None:
            raise QueryError("INVALID_LITERAL", "Invalid INTERVAL literal", node)
        total = sign * (-1 if match[1] else 1) * (int(match[2]) * 12 + int(match[3]))
        return Typed(f"to_months({total})", MONTHS)
    parts = {"YEAR": "years", "MONTH": "months", "WEEK": "weeks", "DAY": "days", "HOUR": "hours", "MINUTE": "minutes"}
    parts |= {"SECOND": "seconds", "QUARTER": "quarters"}
    if name not in parts or not re.fullmatch(r"[+-]?\d+(\.\d+)?", amount):
        raise QueryError("INVALID_LITERAL", "Invalid INTERVAL literal", node)
    kind = MONTHS if name in ("YEAR", "QUARTER", "MONTH") else DAYS
    value = float(amount) * sign if "." in amount else int(amount) * sign
    return Typed(f"to_{parts[name]}({value})", kind, value=value)


@handles(exp.Array, parts="expressions")
def array(compiler: Compiler, node: exp.Array, scope: Scope) -> Typed:
    items = [compiler.expression(item, scope) for item in node.expressions]
    element = common_type([item.type for item in items])
    if element is None:
        shown = ", ".join(sorted({trino_text(item.type) for item in items}))
        raise QueryError("TYPE_MISMATCH", f"All ARRAY elements must be the same type: {shown}", node)
    value = [item.value for item in items]
    sql = ", ".join(to_type(item, element).sql for item in items)
    return Typed(cast(f"[{sql}]", array_of(element)), array_of(element), value=None if None in value else value)


def moment(compiler: Compiler, precision: int = 3) -> str:
    """The query's start as a DuckDB constant, cut to milliseconds unless more is asked for."""
    now: datetime = compiler.now
    digits = now.strftime("%f")[: min(6, precision)]
    return f"TIMESTAMPTZ '{now:%Y-%m-%d %H:%M:%S}{'.' + digits if digits else ''}+00'"


@handles(exp.CurrentTimestamp, parts="")
def current_timestamp(compiler: Compiler, _: exp.Expr, __: Scope) -> Typed:
    return Typed(moment(compiler), Type("timestamp with time zone", (3,)))


@handles(exp.CurrentDate, parts="")
def current_date(compiler: Compiler, _: exp.Expr, __: Scope) -> Typed:
    return Typed(f"DATE '{compiler.now:%Y-%m-%d}'", DATE)


@handles(exp.CurrentTime, exp.Localtime, parts="")
def current_time(compiler: Compiler, _: exp.Expr, __: Scope) -> Typed:
    return Typed(f"TIME '{compiler.now:%H:%M:%S}'", TIME)


@handles(exp.Localtimestamp, parts="")
def local_timestamp(compiler: Compiler, _: exp.Expr, __: Scope) -> Typed:
    return Typed(f"timezone('UTC', {moment(compiler)})", Type("timestamp", (3,)))

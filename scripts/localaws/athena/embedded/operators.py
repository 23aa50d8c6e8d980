"""Operators: arithmetic with Trino's types, comparison, logic, LIKE, IN, BETWEEN, CASE, subscripts and fields.

Reads and writes nothing. Behind `make local-aws`.
Example: `3 / 2` is the integer 1, `1.0 / 3` the decimal 0.3, `DATE '2020-01-31' + INTERVAL '1' MONTH` a date.
"""

from __future__ import annotations

from sqlglot import exp

from localaws.athena.coercions import as_decimal, common_type
from localaws.athena.embedded.coercion import to_type
from localaws.athena.embedded.compiler import Compiler, handles
from localaws.athena.embedded.equality import equal
from localaws.athena.embedded.quotients import quotient
from localaws.athena.embedded.scope import Scope
from localaws.athena.embedded.typed import Typed, cast, decimal
from localaws.athena.errors import QueryError
from localaws.athena.types import INTEGERS, NUMBERS, Type, trino_text

_SIGNS: dict[type[exp.Expr], str] = {
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
    exp.Mod: "%",
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.NullSafeEQ: "IS NOT DISTINCT FROM",
    exp.NullSafeNEQ: "IS DISTINCT FROM",
}
_MOMENTS = ("date", "time", "timestamp", "timestamp with time zone")


def mismatch(sign: str, left: Typed, right: Typed, node: exp.Expr) -> QueryError:
    """Trino's words for an operator that does not take these types."""
    shown = f"{trino_text(left.type)} {sign} {trino_text(right.type)}"
    return QueryError("TYPE_MISMATCH", f"Cannot apply operator: {shown}", node)


@handles(exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, parts="this expression typed")
def arithmetic(compiler: Compiler, node: exp.Binary, scope: Scope) -> Typed:
    left, right = compiler.expression(node.this, scope), compiler.expression(node.expression, scope)
    sign = _SIGNS[type(node)]
    if left.type.name == "unknown" and right.type.name == "unknown":
        left = right = to_type(left, Type("bigint"))
    left = to_type(left, right.type) if left.type.name == "unknown" else left
    right = to_type(right, left.type) if right.type.name == "unknown" else right
    if left.type.name in NUMBERS and right.type.name in NUMBERS:
        return calculated(sign, left, right)
    found = _with_interval(sign, left, right)
    if found is None:
        raise mismatch(sign, left, right, node)
    return found


def calculated(sign: str, left: Typed, right: Typed) -> Typed:
    """Two numbers joined by an operator, the result typed as Trino types it."""
    merged = common_type((left.type, right.type)) or left.type
    if merged.name == "decimal":
        return _decimals(sign, left, right)
    one, two = to_type(left, merged).sql, to_type(right, merged).sql
    if sign == "/" and merged.name in INTEGERS:
        return Typed(f"({one} // {two})", merged)
    return Typed(f"({one} {sign} {two})", merged)


def _decimals(sign: str, left: Typed, right: Typed) -> Typed:
    (p1, s1), (p2, s2) = as_decimal(left.type), as_decimal(right.type)
    scale = max(s1, s2)
    results = {
        "+": decimal(max(p1 - s1, p2 - s2) + scale + 1, scale),
        "-": decimal(max(p1 - s1, p2 - s2) + scale + 1, scale),
        "*": decimal(p1 + p2, s1 + s2),
        "/": decimal(p1 + s2 + max(0, s2 - s1), scale),
        "%": decimal(min(p2 - s2, p1 - s1) + scale, scale),
    }
    found = results[sign]
    if sign == "/":
        return Typed(quotient(left, right, found), found)
    if sign == "*":
        return Typed(cast(f"({_exact(left)} * {_exact(right)})", found), found)
    one, two = cast(left.sql, found), cast(right.sql, found)
    if sign == "%":
        wide = decimal(38, scale)
        return Typed(cast(f"({cast(left.sql, wide)} % {cast(right.sql, wide)})", found), found)
    return Typed(cast(f"({one} {sign} {two})", found), found)


def _exact(item: Typed) -> str:
    return item.sql if item.type.name == "decimal" else cast(item.sql, decimal(*as_decimal(item.type)))


def _with_interval(sign: str, left: Typed, right: Typed) -> Typed | None:
    """Dates and times with intervals, intervals with each other and with numbers; None for anything else."""
    kinds = left.type.name.split(" ")[0], right.type.name.split(" ")[0]
    if sign in "+*" and kinds[1] != "interval" and kinds[0] == "interval":
        left, right, kinds = right, left, (kinds[1], kinds[0])
    if kinds == ("interval", "interval"):
        return (
            Typed(f"({left.sql} {sign} {right.sql})", left.type) if sign in "+-" and left.type == right.type else None
        )
    if kinds[1] == "interval" and sign in "+-" and left.type.name in _MOMENTS:
        found = _with_milliseconds(left.type) if right.type.name == "interval day to second" else left.type
        return Typed(cast(f"({left.sql} {sign} {right.sql})", found), found, zone=left.zone)
    if kinds[1] == "interval" and sign == "*" and left.type.name in NUMBERS:
        return Typed(f"({right.sql} * {left.sql})", right.type)
    is_difference = sign == "-" and left.type.name in _MOMENTS and right.type.name in _MOMENTS
    return _difference(left, right) if is_difference else None


def _with_milliseconds(found: Type) -> Type:
    """A time to which milliseconds are added has at least three digits."""
    if not found.name.startswith(("timestamp", "time")):
        return found
    return Type(found.name, (max(3, found.numbers[0] if found.numbers else 3),))


def _difference(left: Typed, right: Typed) -> Typed | None:
    merged = common_type((left.type, right.type))
    if merged is None:
        return None
    one, two = (to_type(item, merged).sql for item in (left, right))
    if merged.name == "time":
        return Typed(f"({one} - {two})", Type("interval day to second"))
    gap = f"(epoch_us(CAST({one} AS TIMESTAMP)) - epoch_us(CAST({two} AS TIMESTAMP)))"
    # Intervals know milliseconds: the nearest one, half up.
    milliseconds = gap if merged.name == "date" else f"floor(({gap} + 500) / 1000.0)"
    unit = "to_microseconds" if merged.name == "date" else "to_milliseconds"
    return Typed(f"{unit}(CAST({milliseconds} AS BIGINT))", Type("interval day to second"))


@handles(exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ, exp.NullSafeNEQ)
def comparison(compiler: Compiler, node: exp.Binary, scope: Scope) -> Typed:
    sign = _SIGNS[type(node)]
    if isinstance(node.expression, exp.Any | exp.All):
        return quantified(compiler, node, scope, sign)
    left, right = compiler.expression(node.this, scope), compiler.expression(node.expression, scope)
    one, two = compared(sign, left, right, node)
    merged = common_type((left.type, right.type))
    if sign in ("=", "<>") and merged is not None and merged.elements:
        same = equal(one, two, merged)
        return Typed(f"({same})" if sign == "=" else f"(NOT ({same}))", Type("boolean"))
    return Typed(f"({one} {sign} {two})", Type("boolean"))


def compared(sign: str, left: Typed, right: Typed, node: exp.Expr) -> tuple[str, str]:
    """Both sides brought to one type; TYPE_MISMATCH where Trino would not compare them."""
    merged = common_type((left.type, right.type))
    if merged is None or (merged.name in ("json", "map") and sign in ("<", "<=", ">", ">=")):
        raise mismatch(sign, left, right, node)
    return to_type(left, merged).sql, to_type(right, merged).sql


def quantified(compiler: Compiler, node: exp.Binary, scope: Scope, sign: str) -> Typed:
    """`x > ALL (SELECT …)`, `x = ANY (SELECT …)`."""
    word = "ANY" if isinstance(node.expression, exp.Any) else "ALL"
    left = compiler.expression(node.this, scope)
    inner = compiler.subquery(node.expression.this, scope)
    compiler.use(*inner.fields)
    right = Typed('q."c0"', inner.fields[0].type)
    one, two = compared(sign, left, right, node)
    found = Typed(f"({one} {sign} {word} (SELECT {two} AS v FROM ({inner.sql}) AS q))", Type("boolean"))
    return compiler.lift(found)


@handles(exp.And, exp.Or)
def logic(compiler: Compiler, node: exp.Binary, scope: Scope) -> Typed:
    word = "AND" if isinstance(node, exp.And) else "OR"
    parts = [compiler.condition(part, scope, "Logical expression term") for part in node.flatten()]
    return Typed("(" + f" {word} ".join(parts) + ")", Type("boolean"))


@handles(exp.Not, parts="this")
def negation(compiler: Compiler, node: exp.Not, scope: Scope) -> Typed:
    return Typed(f"(NOT {compiler.condition(node.this, scope, 'Value of logical NOT expression')})", Type("boolean"))


@handles(exp.Is)
def is_null(compiler: Compiler, node: exp.Is, scope: Scope) -> Typed:
    if not isinstance(node.expression, exp.Null):
        raise QueryError("SYNTAX_ERROR", "mismatched input. Expecting: 'NULL'", node)
    return Typed(f"({compiler.expression(node.this, scope).sql} IS NULL)", Type("boolean"))


@handles(exp.Paren, parts="this")
def paren(compiler: Compiler, node: exp.Paren, scope: Scope) -> Typed:
    return compiler.expression(node.this, scope)


@handles(exp.DPipe, parts="this expression")
def concatenation(compiler: Compiler, node: exp.DPipe, scope: Scope) -> Typed:
    left, right = compiler.expression(node.this, scope), compiler.expression(node.expression, scope)
    kinds = {left.type.name, right.type.name}
    if kinds <= {"varchar", "char", "unknown"}:
        return Typed(f"({left.sql} || {right.sql})", Type("varchar"))
    if kinds <= {"varbinary"}:
        return Typed(f"({left.sql} || {right.sql})", Type("varbinary"))
    if "array" not in kinds:
        raise mismatch("||", left, right, node)
    arrays = [item if item.type.name == "array" else None for item in (left, right)]
    elements = [item.type.elements[0] if item.type.name == "array" else item.type for item in (left, right)]
    merged = common_type(elements)
    if merged is None:
        raise mismatch("||", left, right, node)
    target = Type("array", elements=(merged,))
    values = [to_type(item, target if kept else merged).sql for item, kept in zip((left, right), arrays, strict=True)]
    parts = [value if kept else f"[{value}]" for value, kept in zip(values, arrays, strict=True)]
    missing = " OR ".join(f"{value} IS NULL" for value in values)
    return Typed(f"CASE WHEN {missing} THEN NULL ELSE {parts[0]} || {parts[1]} END", target)

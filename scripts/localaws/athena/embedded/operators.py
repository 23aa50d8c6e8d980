"""Operators: arithmetic with Trino's types, comparison, logic, LIKE, IN, BETWEEN, CASE and IF.

Example: `3 / 2` is the integer 1, `1.0 / 3` the decimal 0.3, `DATE '2020-01-31' + INTERVAL '1' MONTH` a date.
"""

from __future__ import annotations

from sqlglot import exp

from localaws.athena.embedded.casts import to_type
from localaws.athena.embedded.compiler import Compiler, handles
from localaws.athena.embedded.scope import Scope
from localaws.athena.embedded.typed import DOUBLE, Typed, cast, decimal, member, row_names, text
from localaws.athena.errors import QueryError
from localaws.athena.types import INTEGERS, NUMBERS, Type, as_decimal, common_type, trino_text


def equal(left: str, right: str, kind: Type, depth: int = 0) -> str:
    """DuckDB text for `left = right`, both of the type; each is written more than once where it is nested."""
    if kind.name == "row":
        names = zip(row_names(kind), kind.elements, strict=True)
        parts = " AND ".join(equal(member(left, name), member(right, name), item, depth) for name, item in names)
        return f"CASE WHEN {left} IS NOT NULL AND {right} IS NOT NULL THEN ({parts}) END"
    if kind.name == "array":
        return _equal_arrays(left, right, kind.elements[0], depth)
    if kind.name == "map":
        keys, values = kind.elements
        sides = [f"list_sort(map_keys({side}))" for side in (left, right)]
        left_values, right_values = (
            f"list_transform({sides[0]}, lambda k{depth}: map_extract_value({side}, k{depth}))"
            for side in (left, right)
        )
        same = _equal_arrays(left_values, right_values, values, depth + 1)
        return f"CASE WHEN {sides[0]} IS DISTINCT FROM {sides[1]} THEN false ELSE {same} END" if keys else same
    return f"({left} = {right})"


# In DuckDB `[1, NULL] = [1, NULL]` is true. In Trino a NULL inside makes the answer unknown, unless something else
# differs.
def _equal_arrays(left: str, right: str, element: Type, depth: int) -> str:
    place = f"q{depth}"
    pair = equal(f"list_extract({left}, {place})", f"list_extract({right}, {place})", element, depth + 1)
    mark = f"CASE {pair} WHEN true THEN 2 WHEN false THEN 0 ELSE 1 END"
    marks = f"list_transform(range(1, len({left}) + 1), lambda {place}: {mark})"
    verdict = f"CASE coalesce(list_min({marks}), 2) WHEN 2 THEN true WHEN 0 THEN false END"
    unknown = f"{left} IS NULL OR {right} IS NULL"
    return f"CASE WHEN {unknown} THEN NULL WHEN len({left}) <> len({right}) THEN false ELSE {verdict} END"


_MOST = 38


# DuckDB divides decimals as doubles: 2.55 / 2 would be 1.27, in Trino it is 1.28. Here the digits are divided as
# whole numbers, rounded half up; where 38 digits do not hold them the quotient goes through double, exact to about
# 15.
def quotient(left: Typed, right: Typed, result: Type) -> str:
    """`left / right` as the decimal type `found`; NULL and a division by zero are DuckDB's own."""
    (p1, s1), (p2, s2) = as_decimal(left.type), as_decimal(right.type)
    scale = result.numbers[1]
    shift = scale - s1 + s2
    if p1 + s1 + shift + 2 > _MOST or p2 + s2 + 1 > _MOST or scale > _MOST // 2:
        # 0 / 0 and x / 0 become NaN and infinity here, and fail as a division by zero in the cast back.
        return cast(f"({cast(left.sql, DOUBLE)} / {cast(right.sql, DOUBLE)})", result)
    number = f"({digits(left.sql, p1, s1)} * {10**shift}::HUGEINT)"
    return from_digits(rounded_ratio(number, digits(right.sql, p2, s2)), result)


def mean(total: str, count: str, result: Type) -> str:
    """A sum of the decimal type divided by a count."""
    precision, scale = result.numbers
    if precision + 2 * scale > _MOST - 10:
        return cast(f"({cast(total, DOUBLE)} / {count})", result)
    digits_held = min(_MOST - scale - 1, precision + 10)
    return from_digits(rounded_ratio(digits(total, digits_held, scale), f"{count}::HUGEINT"), result)


def digits(sql: str, precision: int, scale: int) -> str:
    """A decimal's digits as a whole number."""
    whole = cast(sql, decimal(precision, scale))
    return f"CAST({whole} * CAST({10**scale} AS DECIMAL({scale + 1}, 0)) AS HUGEINT)"


def from_digits(sql: str, result: Type) -> str:
    """The whole number as digits of the type."""
    scale = result.numbers[1]
    unit = f"0.{'0' * (scale - 1)}1" if scale else "1"
    return cast(f"({cast(sql, decimal(_MOST - scale - 1, 0))} * CAST({unit} AS DECIMAL({scale + 1}, {scale})))", result)


def rounded_ratio(number: str, by: str) -> str:
    """Two whole numbers divided, rounded half away from zero; a division by zero fails."""
    return f"athena_ratio({number}, {by})"


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
    # `NULL + NULL` is a bigint in Trino.
    if left.type.name == "unknown" and right.type.name == "unknown":
        left = right = to_type(left, Type("bigint"))
    left = to_type(left, right.type) if left.type.name == "unknown" else left
    right = to_type(right, left.type) if right.type.name == "unknown" else right
    if left.type.name in NUMBERS and right.type.name in NUMBERS:
        return calculated(sign, left, right)
    result = _with_interval(sign, left, right)
    if result is None:
        raise mismatch(sign, left, right, node)
    return result


def calculated(sign: str, left: Typed, right: Typed) -> Typed:
    """Two numbers joined by an operator, the result typed as Trino types it."""
    merged = common_type((left.type, right.type)) or left.type
    if merged.name == "decimal":
        return _decimals(sign, left, right)
    a, b = to_type(left, merged).sql, to_type(right, merged).sql
    # DuckDB's `/` of integers is a double.
    if sign == "/" and merged.name in INTEGERS:
        return Typed(f"({a} // {b})", merged)
    return Typed(f"({a} {sign} {b})", merged)


def _decimals(sign: str, left: Typed, right: Typed) -> Typed:
    (p1, s1), (p2, s2) = as_decimal(left.type), as_decimal(right.type)
    scale = max(s1, s2)
    # https://trino.io/docs/current/functions/decimal.html
    results = {
        "+": decimal(max(p1 - s1, p2 - s2) + scale + 1, scale),
        "-": decimal(max(p1 - s1, p2 - s2) + scale + 1, scale),
        "*": decimal(p1 + p2, s1 + s2),
        "/": decimal(p1 + s2 + max(0, s2 - s1), scale),
        "%": decimal(min(p2 - s2, p1 - s1) + scale, scale),
    }
    result = results[sign]
    if sign == "/":
        return Typed(quotient(left, right, result), result)
    if sign == "*":
        return Typed(cast(f"({_exact(left)} * {_exact(right)})", result), result)
    a, b = cast(left.sql, result), cast(right.sql, result)
    if sign == "%":
        wide = decimal(38, scale)
        return Typed(cast(f"({cast(left.sql, wide)} % {cast(right.sql, wide)})", result), result)
    return Typed(cast(f"({a} {sign} {b})", result), result)


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
        result = _with_milliseconds(left.type) if right.type.name == "interval day to second" else left.type
        return Typed(cast(f"({left.sql} {sign} {right.sql})", result), result, zone=left.zone)
    if kinds[1] == "interval" and sign == "*" and left.type.name in NUMBERS:
        return Typed(f"({right.sql} * {left.sql})", right.type)
    is_difference = sign == "-" and left.type.name in _MOMENTS and right.type.name in _MOMENTS
    return _difference(left, right) if is_difference else None


def _with_milliseconds(kind: Type) -> Type:
    """A time to which milliseconds are added has at least three digits."""
    if not kind.name.startswith(("timestamp", "time")):
        return kind
    return Type(kind.name, (max(3, kind.numbers[0] if kind.numbers else 3),))


def _difference(left: Typed, right: Typed) -> Typed | None:
    merged = common_type((left.type, right.type))
    if merged is None:
        return None
    a, b = (to_type(item, merged).sql for item in (left, right))
    if merged.name == "time":
        return Typed(f"({a} - {b})", Type("interval day to second"))
    gap = f"(epoch_us(CAST({a} AS TIMESTAMP)) - epoch_us(CAST({b} AS TIMESTAMP)))"
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
    a, b = compared(sign, left, right, node)
    merged = common_type((left.type, right.type))
    if sign in ("=", "<>") and merged is not None and merged.elements:
        same = equal(a, b, merged)
        return Typed(f"({same})" if sign == "=" else f"(NOT ({same}))", Type("boolean"))
    return Typed(f"({a} {sign} {b})", Type("boolean"))


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
    a, b = compared(sign, left, right, node)
    result = Typed(f"({a} {sign} {word} (SELECT {b} AS v FROM ({inner.sql}) AS q))", Type("boolean"))
    return compiler.lift(result)


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
    values = [to_type(item, target if array else merged).sql for item, array in zip((left, right), arrays, strict=True)]
    parts = [value if array else f"[{value}]" for value, array in zip(values, arrays, strict=True)]
    missing = " OR ".join(f"{value} IS NULL" for value in values)
    return Typed(f"CASE WHEN {missing} THEN NULL ELSE {parts[0]} || {parts[1]} END", target)


@handles(exp.Between, parts="this low high")
def between(compiler: Compiler, node: exp.Between, scope: Scope) -> Typed:
    items = [compiler.expression(node.args[name], scope) for name in ("this", "low", "high")]
    merged = common_type([item.type for item in items])
    if merged is None:
        raise QueryError("TYPE_MISMATCH", f"Cannot check if {trino_text(items[0].type)} is BETWEEN these types", node)
    value, low, high = (to_type(item, merged).sql for item in items)
    return Typed(f"({value} BETWEEN {low} AND {high})", Type("boolean"))


@handles(exp.Like, parts="this expression negate")
def like(compiler: Compiler, node: exp.Like, scope: Scope, escape: str = "") -> Typed:
    item, pattern = compiler.expression(node.this, scope), compiler.expression(node.expression, scope)
    for part in (item, pattern):
        if part.type.name not in ("varchar", "char", "unknown"):
            message = f"Left side of LIKE expression must evaluate to a varchar (actual: {trino_text(part.type)})"
            raise QueryError("TYPE_MISMATCH", message, part.node)
    word = "NOT LIKE" if node.args.get("negate") else "LIKE"
    return Typed(f"({item.sql} {word} {pattern.sql}{escape})", Type("boolean"))


@handles(exp.Escape)
def like_escape(compiler: Compiler, node: exp.Escape, scope: Scope) -> Typed:
    if not isinstance(node.this, exp.Like) or len(node.expression.name) != 1:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", "Escape string must be a single character", node)
    return like(compiler, node.this, scope, f" ESCAPE {text(node.expression.name)}")


@handles(exp.In, parts="this expressions query")
def is_in(compiler: Compiler, node: exp.In, scope: Scope) -> Typed:
    item = compiler.expression(node.this, scope)
    query = node.args.get("query")
    if query is not None:
        inner = compiler.subquery(query, scope)
        if len(inner.fields) != 1:
            raise QueryError("TYPE_MISMATCH", "Multiple columns returned by subquery are not yet supported", node)
        compiler.use(*inner.fields)
        a, b = compared("=", item, Typed('q."c0"', inner.fields[0].type), node)
        return compiler.lift(Typed(f"({a} IN (SELECT {b} AS v FROM ({inner.sql}) AS q))", Type("boolean")))
    if not node.expressions:
        raise QueryError("SYNTAX_ERROR", "mismatched input. Expecting: <expression>, <query>", node)
    values = [compiler.expression(value, scope) for value in node.expressions]
    merged = common_type([item.type, *(value.type for value in values)])
    if merged is None:
        shown = ", ".join(sorted({trino_text(value.type) for value in (item, *values)}))
        raise QueryError("TYPE_MISMATCH", f"IN value and list items must be the same type: {shown}", node)
    listed = ", ".join(to_type(value, merged).sql for value in values)
    return Typed(f"({to_type(item, merged).sql} IN ({listed}))", Type("boolean"))


@handles(exp.Case, parts="this ifs default")
def case(compiler: Compiler, node: exp.Case, scope: Scope) -> Typed:
    subject = compiler.expression(node.this, scope) if node.this else None
    tests = [_test(compiler, branch, scope, subject) for branch in node.args["ifs"]]
    values = [compiler.expression(branch.args["true"], scope) for branch in node.args["ifs"]]
    default = (
        compiler.expression(node.args["default"], scope) if node.args.get("default") else Typed("NULL", Type("unknown"))
    )
    merged = common_type([*(value.type for value in values), default.type])
    if merged is None:
        raise QueryError("TYPE_MISMATCH", "All CASE results must be the same type or coercible to a common type", node)
    parts = " ".join(
        f"WHEN {test} THEN {to_type(value, merged).sql}" for test, value in zip(tests, values, strict=True)
    )
    return Typed(f"CASE {parts} ELSE {to_type(default, merged).sql} END", merged)


def _test(compiler: Compiler, branch: exp.If, scope: Scope, subject: Typed | None) -> str:
    if subject is None:
        return compiler.condition(branch.this, scope, "CASE WHEN clause")
    a, b = compared("=", subject, compiler.expression(branch.this, scope), branch)
    return f"({a} = {b})"


@handles(exp.If, parts="this true false")
def if_function(compiler: Compiler, node: exp.If, scope: Scope) -> Typed:
    test = compiler.condition(node.this, scope, "IF clause")
    yes = compiler.expression(node.args["true"], scope)
    no = compiler.expression(node.args["false"], scope) if node.args.get("false") else Typed("NULL", Type("unknown"))
    merged = common_type((yes.type, no.type))
    if merged is None:
        shown = f"{trino_text(yes.type)} vs {trino_text(no.type)}"
        raise QueryError("TYPE_MISMATCH", f"Result types for IF must be the same: {shown}", node)
    return Typed(f"CASE WHEN {test} THEN {to_type(yes, merged).sql} ELSE {to_type(no, merged).sql} END", merged)

"""Mathematical functions and those on bits.

Example: `round(2.5)` is 3 and keeps its type; `ceil` of an integer stays an integer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlglot import exp

from localaws.athena.embedded.calls import argument_count, arguments, call_name, scalars, special, wrong_arguments
from localaws.athena.embedded.casts import to_type
from localaws.athena.embedded.compiler import Compiler
from localaws.athena.embedded.operators import calculated
from localaws.athena.embedded.scope import Scope
from localaws.athena.embedded.typed import DOUBLE, Typed, cast, decimal
from localaws.athena.types import INTEGERS, NUMBERS, Type, as_decimal

Render = Callable[[Sequence[Typed], Type], str]


def _same(template: str) -> Render:
    """The result keeps the argument's type, whatever DuckDB makes of it."""
    return lambda args, returns: cast(template.format(*(arg.sql for arg in args)), returns)


def _number(compiler: Compiler, node: exp.Anonymous, scope: Scope, *counts: int) -> tuple[Typed, str, int | None]:
    """A rounding function's number, its places as text, and the scale if the number is a decimal."""
    argument_count(node, *counts)
    args = arguments(compiler, node, scope)
    item = to_type(args[0], DOUBLE) if args[0].type.name == "unknown" else args[0]
    if item.type.name not in NUMBERS or (len(args) > 1 and args[1].type.name not in INTEGERS):
        raise wrong_arguments(call_name(node), args, node)
    places = f", CAST({args[1].sql} AS INTEGER)" if len(args) > 1 else ""
    return item, places, as_decimal(item.type)[1] if item.type.name == "decimal" else None


@special("round")
def round_number(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    """Half away from zero; a decimal loses its fraction, or keeps its scale when places are given."""
    item, places, scale = _number(compiler, node, scope, 1, 2)
    if item.type.name in INTEGERS and not places:
        return item
    result = item.type
    if scale is not None:
        digits = as_decimal(item.type)[0]
        result = decimal(digits + 1, scale) if places else decimal(digits - scale + min(1, scale), 0)
    return Typed(cast(f"round({item.sql}{places})", result), result)


@special("ceil", "ceiling", "floor")
def whole_number(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    item, _, scale = _number(compiler, node, scope, 1)
    if item.type.name in INTEGERS:
        return item
    result = item.type if scale is None else decimal(as_decimal(item.type)[0] - scale + min(1, scale), 0)
    word = "floor" if call_name(node) == "floor" else "ceil"
    return Typed(cast(f"{word}({item.sql})", result), result)


@special("truncate")
def truncate(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    item, places, scale = _number(compiler, node, scope, 1, 2)
    if not places:
        result = item.type if scale is None else decimal(as_decimal(item.type)[0] - scale, 0)
        return Typed(cast(f"trunc({item.sql})", result), result)
    factor = f"pow(10{places})"
    return Typed(cast(f"trunc({cast(item.sql, DOUBLE)} * {factor}) / {factor}", item.type), item.type)


@special("mod")
def modulo(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    argument_count(node, 2)
    args = arguments(compiler, node, scope)
    if any(arg.type.name not in NUMBERS for arg in args):
        raise wrong_arguments("mod", args, node)
    return calculated("%", args[0], args[1])


_ONE = ["sqrt", "cbrt", "exp", "ln", "log2", "log10", "sin", "cos", "tan", "asin", "acos", "atan", "degrees", "radians"]
# As Java answers, whatever DuckDB's setting ieee_floating_point_ops says.
_LIMITS = "CASE WHEN {0} = 0 THEN CAST('-Infinity' AS DOUBLE) WHEN {0} < 0 THEN CAST('NaN' AS DOUBLE) ELSE %s({0}) END"
_TEXTS = {name: _LIMITS % name for name in ("ln", "log2", "log10")}
_TEXTS["sqrt"] = "CASE WHEN {0} < 0 THEN CAST('NaN' AS DOUBLE) ELSE sqrt({0}) END"
_TEXTS |= {
    name: f"CASE WHEN abs({{0}}) > 1 THEN CAST('NaN' AS DOUBLE) ELSE {name}({{0}}) END" for name in ("asin", "acos")
}
_BUCKET = (
    "CASE WHEN {0} < {1} THEN 0 WHEN {0} >= {2} THEN {3} + 1 "
    "ELSE CAST(floor(({0} - {1}) / (({2} - {1}) / {3})) AS BIGINT) + 1 END"
)

scalars([(f"{name}(double) -> double", _TEXTS.get(name, f"{name}({{0}})")) for name in _ONE])
scalars(
    [
        ("abs(n) -> n", _same("abs({0})")),
        *((f"sign({kind}) -> {kind}", _same("sign({0})")) for kind in (*INTEGERS, "real", "double")),
        ("sign(decimal) -> decimal(1, 0)", "CAST(sign({0}) AS DECIMAL(1, 0))"),
        ("power(double, double) -> double", "pow({0}, {1})"),
        ("pow(double, double) -> double", "pow({0}, {1})"),
        ("log(double, double) -> double", "(ln({1}) / ln({0}))"),
        ("atan2(double, double) -> double", "atan2({0}, {1})"),
        ("sinh(double) -> double", "sinh({0})"),
        ("cosh(double) -> double", "cosh({0})"),
        ("tanh(double) -> double", "tanh({0})"),
        ("pi() -> double", "pi()"),
        ("e() -> double", "exp(CAST(1 AS DOUBLE))"),
        ("nan() -> double", "CAST('NaN' AS DOUBLE)"),
        ("infinity() -> double", "CAST('Infinity' AS DOUBLE)"),
        ("is_nan(double) -> boolean", "isnan({0})"),
        ("is_finite(double) -> boolean", "isfinite({0})"),
        ("is_infinite(double) -> boolean", "isinf({0})"),
        ("rand() -> double", "random()"),
        ("random() -> double", "random()"),
        ("random(bigint) -> bigint", "CAST(floor(random() * {0}) AS BIGINT)"),
        ("random(bigint, bigint) -> bigint", "({0} + CAST(floor(random() * ({1} - {0})) AS BIGINT))"),
        ("from_base(varchar, bigint) -> bigint", "athena_from_base({0}, {1})"),
        ("to_base(bigint, bigint) -> varchar", "lower(to_base({0}, CAST({1} AS INTEGER)))"),
        ("width_bucket(double, double, double, bigint) -> bigint", _BUCKET),
        (
            "width_bucket(double, array(double)) -> bigint",
            "CAST(len(list_filter({1}, lambda bound: bound <= {0})) AS BIGINT)",
        ),
    ]
)


def _shifts(kind: str, bits: int) -> list[tuple[str, str]]:
    """The shifts of an integer type, within its bits: what is moved out is gone, and the sign with it."""
    # Shifted in 128 bits and folded back: DuckDB fails where a bit leaves its type, Java drops it.
    half, whole = f"{2 ** (bits - 1)}::HUGEINT", f"{2**bits}::HUGEINT"
    shifted = f"(({{0}}::HUGEINT & ((1::HUGEINT << CAST({bits} - {{1}} AS INTEGER)) - 1)) << CAST({{1}} AS INTEGER))"
    left = f"CAST(({shifted} + {half}) % {whole} - {half} AS {kind.upper()})"
    right = f"CAST(({{0}}::HUGEINT & {2**bits - 1}::HUGEINT) >> CAST({{1}} AS INTEGER) AS {kind.upper()})"
    nothing = f"CASE WHEN {{1}} >= {bits} THEN CAST(0 AS {kind.upper()})"
    head = f"({kind}, bigint) -> {kind}"
    return [
        (f"bitwise_left_shift{head}", f"{nothing} ELSE {left} END"),
        (f"bitwise_right_shift{head}", f"{nothing} WHEN {{1}} = 0 THEN {{0}} ELSE {right} END"),
        (
            f"bitwise_right_shift_arithmetic{head}",
            f"CAST(({{0}} >> CAST(least({{1}}, {bits - 1}) AS {kind.upper()})) AS {kind.upper()})",
        ),
    ]


scalars(
    [
        form
        for kind, bits in (("tinyint", 8), ("smallint", 16), ("integer", 32), ("bigint", 64))
        for form in _shifts(kind, bits)
    ]
)
scalars(
    [
        ("bitwise_and(bigint, bigint) -> bigint", "({0} & {1})"),
        ("bitwise_or(bigint, bigint) -> bigint", "({0} | {1})"),
        ("bitwise_xor(bigint, bigint) -> bigint", "xor({0}, {1})"),
        ("bitwise_not(bigint) -> bigint", "(~{0})"),
        ("bit_count(bigint, bigint) -> bigint", "CAST(bit_count({0}) AS BIGINT)"),
    ]
)

"""What an expression takes from elsewhere: columns, fields of rows, elements by subscript, parts of times; time zones.

Example: `p.name[1].family` is a column, a subscript, a field. `ARRAY[1, 2][3]` is INVALID_FUNCTION_ARGUMENT, as in
Trino; `element_at` is the forgiving one.
"""

from __future__ import annotations

from sqlglot import exp

from localaws.athena.embedded.casts import to_type
from localaws.athena.embedded.compiler import Compiler, handles
from localaws.athena.embedded.operators import mismatch
from localaws.athena.embedded.scope import Scope, row_field
from localaws.athena.embedded.typed import BIGINT, VARCHAR, Typed, fail, row_names, text
from localaws.athena.errors import QueryError
from localaws.athena.types import INTEGERS, Type, common_type, trino_text


@handles(exp.Column, parts="this table db catalog")
def column(compiler: Compiler, node: exp.Column, scope: Scope) -> Typed:
    parts = [node.args[name] for name in ("catalog", "db", "table", "this") if node.args.get(name)]
    return _named(compiler, node, parts, scope)


@handles(exp.Identifier, parts="this quoted")
def identifier(compiler: Compiler, node: exp.Identifier, scope: Scope) -> Typed:
    return _named(compiler, node, [node], scope)


def _named(compiler: Compiler, node: exp.Expr, parts: list[exp.Identifier], scope: Scope) -> Typed:
    if not all(isinstance(part, exp.Identifier) for part in parts):
        raise QueryError("SYNTAX_ERROR", "mismatched input '*'. Expecting: <expression>", node)
    value, is_own = scope.resolve(parts)
    is_argument = parts[0].name.lower() in scope.lambdas
    if is_own and not is_argument:
        compiler.own_columns.add(id(node))
    return value


@handles(exp.Dot)
def dot(compiler: Compiler, node: exp.Dot, scope: Scope) -> Typed:
    names = _chain(node)
    if names is not None:
        return _named(compiler, node, names, scope)
    if not isinstance(node.expression, exp.Identifier):
        raise QueryError("FUNCTION_NOT_FOUND", f"Function '{node.expression.name}' not registered", node)
    return row_field(compiler.expression(node.this, scope), node.expression)


def _chain(node: exp.Expr) -> list[exp.Identifier] | None:
    """`a.b.c.d.e` and `x.y` of a lambda argument: all parts are names."""
    if isinstance(node, exp.Identifier):
        return [node]
    if isinstance(node, exp.Column):
        return [node.args[name] for name in ("catalog", "db", "table", "this") if node.args.get(name)]
    if isinstance(node, exp.Dot) and isinstance(node.expression, exp.Identifier):
        front = _chain(node.this)
        return [*front, node.expression] if front else None
    return None


def is_name(node: exp.Expr) -> bool:
    """Whether the node is a dotted name and no field of a call's result: such an output is called by its last part."""
    return _chain(node) is not None


def zone_name(node: exp.Expr | None) -> str:
    """A constant time zone: a name of the tz database or an offset."""
    if not isinstance(node, exp.Literal) or not node.is_string:
        raise QueryError("NOT_SUPPORTED", "Time zone must be a constant", node)
    return str(node.this)


@handles(exp.AtTimeZone, parts="this zone")
def at_time_zone(compiler: Compiler, node: exp.AtTimeZone, scope: Scope) -> Typed:
    return in_zone(compiler.expression(node.this, scope), zone_name(node.args["zone"]))


def in_zone(item: Typed, zone: str) -> Typed:
    """The same instant shown in another zone; a timestamp without one is taken as UTC."""
    precision = item.type.numbers or (3,)
    if item.type.name == "timestamp":
        item = Typed(f"timezone('UTC', {item.sql})", Type("timestamp with time zone", precision))
    if item.type.name != "timestamp with time zone":
        shown = trino_text(item.type)
        raise QueryError("TYPE_MISMATCH", f"Type of value must be a time or timestamp (actual {shown})", item.node)
    return Typed(item.sql, item.type, zone=None if zone.upper() == "UTC" else zone)


def local(item: Typed) -> str:
    """A moment as DuckDB's timestamp on the wall clock of its zone."""
    if item.type.name == "timestamp with time zone":
        return f"timezone({text(item.zone or 'UTC')}, {item.sql})"
    return item.sql


_FIELDS = {
    "YEAR": "year",
    "QUARTER": "quarter",
    "MONTH": "month",
    "WEEK": "week",
    "DAY": "day",
    "DAY_OF_MONTH": "day",
    # Monday is 1 in Trino; DuckDB's `dow` begins with Sunday as 0.
    "DAY_OF_WEEK": "isodow",
    "DOW": "isodow",
    "DAY_OF_YEAR": "doy",
    "DOY": "doy",
    "YEAR_OF_WEEK": "isoyear",
    "YOW": "isoyear",
    "HOUR": "hour",
    "MINUTE": "minute",
    "SECOND": "second",
}


@handles(exp.Extract, parts="this expression is_call")
def extract(compiler: Compiler, node: exp.Extract, scope: Scope) -> Typed:
    return part_of(node.this.name, compiler.expression(node.expression, scope), node)


def part_of(name: str, item: Typed, node: exp.Expr) -> Typed:
    """`extract(YEAR FROM x)` and `year(x)`."""
    field = _FIELDS.get(name.upper())
    if field is None:
        raise QueryError("SYNTAX_ERROR", f"Invalid EXTRACT field: {name}", node)
    kinds = (
        "date",
        "timestamp",
        "timestamp with time zone",
        "time",
        "interval day to second",
        "interval year to month",
    )
    if item.type.name not in kinds:
        shown = trino_text(item.type)
        raise QueryError("TYPE_MISMATCH", f"Cannot extract {name} from {shown}", node)
    return Typed(f"CAST(date_part('{field}', {local(item)}) AS BIGINT)", BIGINT)


@handles(exp.Trim, parts="this expression position is_call")
def trim(compiler: Compiler, node: exp.Trim, scope: Scope) -> Typed:
    word = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(str(node.args.get("position") or "").upper(), "trim")
    items = [compiler.expression(node.this, scope)]
    if node.args.get("expression"):
        items.append(compiler.expression(node.args["expression"], scope))
    if any(item.type.name not in ("varchar", "char", "unknown") for item in items):
        raise QueryError("FUNCTION_NOT_FOUND", f"Unexpected parameters for function {word}", node)
    return Typed(f"{word}({', '.join(item.sql for item in items)})", VARCHAR)


@handles(exp.StrPosition, parts="this substr is_call")
def position(compiler: Compiler, node: exp.StrPosition, scope: Scope) -> Typed:
    whole, part = compiler.expression(node.this, scope), compiler.expression(node.args["substr"], scope)
    return Typed(f"CAST(instr({whole.sql}, {part.sql}) AS BIGINT)", BIGINT)


@handles(exp.Tuple, parts="expressions")
def row_constructor(compiler: Compiler, node: exp.Tuple, scope: Scope) -> Typed:
    return row_value([compiler.expression(item, scope) for item in node.expressions])


def row_value(items: list[Typed]) -> Typed:
    """`ROW(a, b)`: a row whose fields have no names."""
    row = Type("row", elements=tuple(item.type for item in items), fields=("",) * len(items))
    pairs = zip(row_names(row), items, strict=True)
    return Typed("struct_pack(" + ", ".join(f"{name} := {item.sql}" for name, item in pairs) + ")", row)


@handles(exp.Bracket, parts="this expressions")
def subscript(compiler: Compiler, node: exp.Bracket, scope: Scope) -> Typed:
    if len(node.expressions) != 1:
        raise QueryError("SYNTAX_ERROR", "mismatched input ','. Expecting: ']'", node)
    item, index = compiler.expression(node.this, scope), compiler.expression(node.expressions[0], scope)
    if item.type.name == "map":
        return _map_value(item, index, node)
    if item.type.name == "row" and isinstance(index.value, int) and 1 <= index.value <= len(item.type.elements):
        place = index.value - 1
        return Typed(f"struct_extract({item.sql}, {text(row_names(item.type)[place])})", item.type.elements[place])
    if item.type.name != "array" or index.type.name not in INTEGERS:
        raise mismatch("[]", item, index, node)
    element = item.type.elements[0]
    # DuckDB gives NULL beyond the end and counts negative subscripts from there; Trino fails on both.
    if isinstance(index.value, int) and index.value < 1:
        sort = "SQL array indices start at 1" if index.value == 0 else "Array subscript is negative"
        raise QueryError("INVALID_FUNCTION_ARGUMENT", sort, None)
    too_far = fail("INVALID_FUNCTION_ARGUMENT", "Array subscript must be less than or equal to array length", element)
    low = "" if isinstance(index.value, int) else f"{index.sql} < 1 OR "
    test = f"{low}{index.sql} > len({item.sql})"
    return Typed(f"CASE WHEN {test} THEN {too_far} ELSE list_extract({item.sql}, {index.sql}) END", element)


def _map_value(item: Typed, index: Typed, node: exp.Expr) -> Typed:
    key, value = item.type.elements
    if common_type((key, index.type)) != key:
        raise mismatch("[]", item, index, node)
    wanted = to_type(index, key).sql
    # `map[key]` of DuckDB is NULL for a key that is not there.
    absent = fail("INVALID_FUNCTION_ARGUMENT", "Key not present in map", value)
    test = f"NOT map_contains({item.sql}, {wanted})"
    return Typed(f"CASE WHEN {test} THEN {absent} ELSE map_extract_value({item.sql}, {wanted}) END", value)

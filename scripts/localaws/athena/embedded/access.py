"""Parts of values: rows, array subscripts, map keys.

Reads and writes nothing. Behind `make local-aws`.
Example: `ARRAY[1, 2][3]` is INVALID_FUNCTION_ARGUMENT, as in Trino; `element_at` is the forgiving one.
"""

from __future__ import annotations

from sqlglot import exp

from localaws.athena.coercions import common_type
from localaws.athena.embedded.coercion import to_type
from localaws.athena.embedded.compiler import Compiler, handles
from localaws.athena.embedded.operators import mismatch
from localaws.athena.embedded.scope import Scope
from localaws.athena.embedded.typed import Typed, fail, row_names, text
from localaws.athena.errors import QueryError
from localaws.athena.types import INTEGERS, Type


@handles(exp.Tuple, parts="expressions")
def row_constructor(compiler: Compiler, node: exp.Tuple, scope: Scope) -> Typed:
    return row_value([compiler.expression(item, scope) for item in node.expressions])


def row_value(items: list[Typed]) -> Typed:
    """`ROW(a, b)`: a row whose fields have no names."""
    found = Type("row", elements=tuple(item.type for item in items), fields=("",) * len(items))
    pairs = zip(row_names(found), items, strict=True)
    return Typed("struct_pack(" + ", ".join(f"{name} := {item.sql}" for name, item in pairs) + ")", found)


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
    absent = fail("INVALID_FUNCTION_ARGUMENT", "Key not present in map", value)
    test = f"NOT map_contains({item.sql}, {wanted})"
    return Typed(f"CASE WHEN {test} THEN {absent} ELSE map_extract_value({item.sql}, {wanted}) END", value)

"""Whole queries: WITH, SELECT, set operations, VALUES, ORDER BY, LIMIT, and subqueries as values.

Example: `compile_query(compiler, tree, Scope())` gives the text and the output columns c0, c1, …

Outputs carry made-up names (c0, c1, …) and every column reference is written with the relation it belongs to, so
DuckDB never resolves a name by its own rules (aliases in WHERE, and so on).
"""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from localaws.athena.embedded.casts import to_type
from localaws.athena.embedded.compiler import QUERY_HANDLERS, Compiled, Compiler, direction, handles, only
from localaws.athena.embedded.scope import CommonTable, Field, Scope
from localaws.athena.embedded.select import compile_select
from localaws.athena.embedded.typed import Typed
from localaws.athena.errors import QueryError
from localaws.athena.types import Type, common_type, trino_text

_AROUND = "with_ order limit offset"
QUERY_PARTS = f"this expression expressions distinct alias {_AROUND} from_ joins where group having windows"
_PARTS: dict[type[exp.Expr], frozenset[str]] = {
    exp.Select: frozenset(f"expressions distinct from_ joins where group having windows {_AROUND}".split()),
    exp.Subquery: frozenset(f"this alias {_AROUND}".split()),
    exp.Values: frozenset(f"expressions alias {_AROUND}".split()),
    **{
        kind: frozenset(f"this expression distinct {_AROUND}".split())
        for kind in (exp.Union, exp.Intersect, exp.Except)
    },
    exp.With: frozenset(["expressions", "recursive"]),
    exp.CTE: frozenset(["this", "alias"]),
    exp.TableAlias: frozenset(["this", "columns"]),
    exp.Limit: frozenset(["expression"]),
    exp.Offset: frozenset(["expression"]),
    exp.Fetch: frozenset(["direction", "count", "limit_options"]),
    exp.Order: frozenset(["expressions"]),
    exp.Ordered: frozenset(["this", "desc", "nulls_first"]),
}
_SETS: dict[type[exp.Expr], str] = {exp.Union: "UNION", exp.Intersect: "INTERSECT", exp.Except: "EXCEPT"}


def compile_query(compiler: Compiler, node: exp.Expr, outer: Scope) -> Compiled:
    """Any query expression with its WITH, ORDER BY, OFFSET and LIMIT."""
    for part in (node, *(node.args[name] for name in _AROUND.split() if node.args.get(name))):
        only(part, _PARTS[type(part)])
    scope = Scope(parent=outer)
    prefix = _with(compiler, node, scope)
    if isinstance(node, exp.Select):
        body = compile_select(compiler, node, scope)
        return replace(body, sql=prefix + body.sql + limits(compiler, node, scope))
    if isinstance(node, exp.Subquery):
        inner = compiler.query(node.this, scope)
        body = Compiled(f"SELECT * FROM ({inner.sql}) AS {compiler.name('r')}", inner.fields)
    elif isinstance(node, exp.SetOperation):
        body = _set_operation(compiler, node, scope)
    else:
        assert isinstance(node, exp.Values)
        body = _values(compiler, node, scope)
    order = _output_order(compiler, node, body, scope)
    sql = f"SELECT * FROM ({body.sql}) AS {compiler.name('r')}" if order else body.sql
    return Compiled(prefix + sql + order + limits(compiler, node, scope), body.fields)


QUERY_HANDLERS.update(
    dict.fromkeys((exp.Select, exp.Subquery, exp.Values, exp.Union, exp.Intersect, exp.Except), compile_query)
)


def _with(compiler: Compiler, node: exp.Expr, scope: Scope) -> str:
    clause = node.args.get("with_")
    if clause is None:
        return ""
    is_recursive = bool(clause.args.get("recursive"))
    parts = []
    for entry in clause.expressions:
        only(entry, _PARTS[exp.CTE])
        only(entry.args["alias"], _PARTS[exp.TableAlias])
        name = entry.alias.lower()
        if name in scope.ctes:
            raise QueryError("DUPLICATE_NAMED_QUERY", f"WITH query name '{name}' specified more than once", entry)
        parts.append(_common_table(compiler, entry, scope, name, is_recursive))
    return f"WITH {'RECURSIVE ' if is_recursive else ''}{', '.join(parts)} "


def _common_table(compiler: Compiler, entry: exp.CTE, scope: Scope, name: str, is_recursive: bool) -> str:
    sql_name = compiler.name("w")
    names = [column.name.lower() for column in entry.args["alias"].args.get("columns") or []]
    query = entry.this
    if is_recursive and names and isinstance(query, exp.Union) and _mentions(query.expression, name):
        first = compiler.query(query.this, scope)
        scope.ctes[name] = CommonTable(sql_name, _renamed(first, names, entry))
        second = compiler.query(query.expression, scope)
        compiler.use(*first.fields, *second.fields)
        # DuckDB wants both halves of a recursion in the types of the first.
        columns = ", ".join(
            f"{to_type(Typed(item.sql, item.type), field.type).sql} AS {field.sql}"
            for field, item in zip(first.fields, second.fields, strict=True)
        )
        word = "UNION" if query.args.get("distinct") else "UNION ALL"
        return f"{sql_name} AS ({first.sql} {word} SELECT {columns} FROM ({second.sql}) AS q)"
    compiled = compiler.query(query, scope)
    scope.ctes[name] = CommonTable(sql_name, _renamed(compiled, names, entry))
    return f"{sql_name} AS ({compiled.sql})"


def _mentions(query: exp.Expr, name: str) -> bool:
    return any(table.name.lower() == name and not table.db for table in query.find_all(exp.Table))


def _renamed(compiled: Compiled, names: list[str], entry: exp.Expr) -> tuple[Field, ...]:
    if names and len(names) != len(compiled.fields):
        message = f"Column alias list has {len(names)} entries but WITH query has {len(compiled.fields)} columns"
        raise QueryError("MISMATCHED_COLUMN_ALIASES", message, entry)
    return tuple(
        replace(item, name=names[index] if names else item.name, qualifier=None)
        for index, item in enumerate(compiled.fields)
    )


def _set_operation(compiler: Compiler, node: exp.SetOperation, scope: Scope) -> Compiled:
    word = _SETS[type(node)]
    left, right = (compiler.query(side, scope) for side in (node.this, node.expression))
    if len(left.fields) != len(right.fields):
        message = f"{word} query has different number of fields: {len(left.fields)}, {len(right.fields)}"
        raise QueryError("TYPE_MISMATCH", message, node)
    compiler.use(*left.fields, *right.fields)
    fields = []
    for index, (first, second) in enumerate(zip(left.fields, right.fields, strict=True)):
        merged = common_type((first.type, second.type))
        if merged is None:
            shown = f"{trino_text(first.type)}, {trino_text(second.type)}"
            message = f"column {index + 1} in {word} query has incompatible types: {shown}"
            raise QueryError("TYPE_MISMATCH", message, node)
        fields.append(Field(first.name, merged, f"c{index}"))
    sides = [_aligned(side, fields) for side in (left, right)]
    every = "" if node.args.get("distinct") else " ALL"
    return Compiled(f"({sides[0]}) {word}{every} ({sides[1]})", tuple(fields))


def _aligned(side: Compiled, fields: list[Field]) -> str:
    if all(column.type == wanted.type for column, wanted in zip(side.fields, fields, strict=True)):
        return side.sql
    columns = ", ".join(
        f"{to_type(Typed(item.sql, item.type), field.type).sql} AS {field.sql}"
        for item, field in zip(side.fields, fields, strict=True)
    )
    return f"SELECT {columns} FROM ({side.sql}) AS q"


def _values(compiler: Compiler, node: exp.Values, scope: Scope) -> Compiled:
    rows = [
        [compiler.expression(item, scope) for item in (row.expressions if isinstance(row, exp.Tuple) else [row])]
        for row in node.expressions
    ]
    if len({len(row) for row in rows}) != 1:
        raise QueryError("TYPE_MISMATCH", "Values rows have mismatched sizes", node)
    types = [common_type([row[index].type for row in rows]) for index in range(len(rows[0]))]
    for index, kind in enumerate(types):
        if kind is None:
            raise QueryError("TYPE_MISMATCH", f"Values rows have mismatched types in column {index + 1}", node)
    known = [kind or Type("unknown") for kind in types]
    lines = ", ".join(
        "(" + ", ".join(to_type(item, kind).sql for item, kind in zip(row, known, strict=True)) + ")" for row in rows
    )
    names = ", ".join(f"c{index}" for index in range(len(known)))
    fields = tuple(Field(None, kind, f"c{index}") for index, kind in enumerate(known))
    return Compiled(f"SELECT * FROM (VALUES {lines}) AS v({names})", fields)


def _output_order(compiler: Compiler, node: exp.Expr, compiled: Compiled, scope: Scope) -> str:
    order = node.args.get("order")
    if order is None:
        return ""
    outputs = Scope(parent=None, fields=list(compiled.fields), ctes=scope.ctes)
    terms = []
    for term in order.expressions:
        only(term, _PARTS[exp.Ordered])
        item = term.this
        if isinstance(item, exp.Literal) and not item.is_string:
            place = int(item.this)
            if not 1 <= place <= len(compiled.fields):
                raise QueryError("INVALID_COLUMN_REFERENCE", f"ORDER BY position {place} is not in select list", item)
            terms.append(f"{place}{direction(term)}")
        else:
            terms.append(compiler.expression(item, outputs).sql + direction(term))
    return " ORDER BY " + ", ".join(terms)


def limits(compiler: Compiler, node: exp.Expr, scope: Scope) -> str:
    """OFFSET and LIMIT (or FETCH FIRST)."""
    text = ""
    for name, word in (("limit", "LIMIT"), ("offset", "OFFSET")):
        clause = node.args.get(name)
        if clause is None:
            continue
        count = clause.args.get("count") if isinstance(clause, exp.Fetch) else clause.expression
        if isinstance(clause, exp.Fetch) and _has_ties(clause):
            raise QueryError("NOT_SUPPORTED", "FETCH FIRST WITH TIES is not supported", clause)
        # sqlglot reads the word of `LIMIT ALL` as a column.
        if isinstance(count, exp.Column) and count.name.upper() == "ALL":
            continue
        value = compiler.expression(count, scope).value if count is not None else 1
        if not isinstance(value, int) or value < 0:
            raise QueryError("INVALID_LIMIT_CLAUSE", f"{word} must be a non-negative integer", clause)
        text += f" {word} {value}"
    return text


def _has_ties(clause: exp.Fetch) -> bool:
    options = clause.args.get("limit_options")
    return bool(options and (options.args.get("with_ties") or options.args.get("percent")))


@handles(exp.Exists, parts="this")
def exists(compiler: Compiler, node: exp.Exists, scope: Scope) -> Typed:
    inner = compiler.subquery(node.this, scope)
    return compiler.lift(Typed(f"EXISTS ({inner.sql})", Type("boolean")))


@handles(exp.Subquery, exp.Select, exp.Union, exp.Intersect, exp.Except, parts=QUERY_PARTS)
def scalar_subquery(compiler: Compiler, node: exp.Expr, scope: Scope) -> Typed:
    inner = compiler.subquery(node, scope)
    if len(inner.fields) != 1:
        raise QueryError("TYPE_MISMATCH", "Multiple columns returned by subquery are not yet supported", node)
    compiler.use(*inner.fields)
    return compiler.lift(Typed(f"({inner.sql})", inner.fields[0].type))

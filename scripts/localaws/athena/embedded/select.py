"""One SELECT: its list, WHERE, GROUP BY, HAVING, DISTINCT and ORDER BY.

Example: `SELECT a, count(*) FROM t GROUP BY 1 HAVING count(*) > 1 ORDER BY 2 DESC`
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from localaws.athena.embedded.compiler import Compiled, Compiler, direction, only
from localaws.athena.embedded.names import is_name
from localaws.athena.embedded.relations import Relation, from_clause
from localaws.athena.embedded.scope import Field, Scope
from localaws.athena.embedded.typed import Typed, member, row_names
from localaws.athena.errors import QueryError
from localaws.athena.types import trino_text

_WORDS = {"grouping_sets": "GROUPING SETS", "cube": "CUBE", "rollup": "ROLLUP"}
_KINDS: dict[type[exp.Expr], str] = {exp.GroupingSets: "GROUPING SETS", exp.Cube: "CUBE", exp.Rollup: "ROLLUP"}


@dataclass
class Groups:
    """The GROUP BY clause as text, and the texts of what is grouped by."""

    sql: str = ""
    is_grouped: bool = False
    keys: set[str] = field(default_factory=set)


def groups_of(compiler: Compiler, select: exp.Select, scope: Scope, outputs: Sequence[Typed]) -> Groups:
    """The GROUP BY of a SELECT; numbers stand for output columns."""
    clause = select.args.get("group")
    groups = Groups(is_grouped=clause is not None)
    if clause is None:
        return groups
    only(clause, frozenset(["expressions", *_WORDS]))
    parts = [_element(compiler, node, scope, outputs, groups) for node in clause.expressions]
    for name in _WORDS:
        parts += [_element(compiler, node, scope, outputs, groups) for node in clause.args.get(name) or []]
    groups.sql = " GROUP BY " + ", ".join(parts)
    return groups


def _element(compiler: Compiler, node: exp.Expr, scope: Scope, outputs: Sequence[Typed], groups: Groups) -> str:
    if type(node) in _KINDS:
        inner = [_element(compiler, item, scope, outputs, groups) for item in node.expressions]
        return f"{_KINDS[type(node)]} ({', '.join(inner)})"
    if isinstance(node, exp.Tuple):
        return "(" + ", ".join(_key(compiler, item, scope, outputs, groups) for item in node.expressions) + ")"
    if isinstance(node, exp.Paren):
        return f"({_key(compiler, node.this, scope, outputs, groups)})"
    return _key(compiler, node, scope, outputs, groups)


def _key(compiler: Compiler, node: exp.Expr, scope: Scope, outputs: Sequence[Typed], groups: Groups) -> str:
    if isinstance(node, exp.Literal) and not node.is_string:
        place = int(node.this) if str(node.this).isdigit() else 0
        if not 1 <= place <= len(outputs):
            raise QueryError("INVALID_COLUMN_REFERENCE", f"GROUP BY position {node.this} is not in select list", node)
        value = outputs[place - 1]
        aggregated = {id(item) for item in compiler.aggregates}
        if value.node is not None and any(id(item) in aggregated for item in value.node.walk()):
            message = f"GROUP BY position {place} is an aggregate"
            raise QueryError("EXPRESSION_NOT_SCALAR", message, node)
        compiler.use(value)
        groups.keys.add(value.sql)
        # An integer constant would be taken for a column's place.
        return value.sql if type(value.value) is not int else f"({value.sql} + 0)"
    with compiler.scalar_only("GROUP BY clause"):
        value = compiler.expression(node, scope)
    if value.type.name == "json":
        raise QueryError(
            "TYPE_MISMATCH", f"{trino_text(value.type)} is not comparable, and cannot be used in GROUP BY", node
        )
    groups.keys.add(value.sql)
    return value.sql


def check_grouped(compiler: Compiler, select: exp.Select, groups: Groups) -> None:
    """EXPRESSION_NOT_AGGREGATE for a column that is neither grouped by nor inside an aggregate."""
    for node, value in compiler.star_columns:
        if value.sql not in groups.keys and node.parent is select:
            raise _not_aggregate(node, node)
    checked = list(select.expressions)
    checked += [select.args["having"].this] if select.args.get("having") else []
    checked += [term.this for term in select.args["order"].expressions] if select.args.get("order") else []
    for node in checked:
        _check(compiler, node, groups, node)


def _check(compiler: Compiler, node: exp.Expr, groups: Groups, whole: exp.Expr) -> None:
    typed = compiler.typed.get(id(node))
    # The same text for DuckDB is the same expression, however the user wrote it (`a`, `t.a`, `"A"`).
    if typed is not None and typed.sql in groups.keys:
        return
    if any(node is item for item in compiler.aggregates):
        return
    if isinstance(node, exp.Query):
        return
    if id(node) in compiler.own_columns:
        raise _not_aggregate(whole, node)
    for child in node.iter_expressions():
        _check(compiler, child, groups, whole)


def _not_aggregate(whole: exp.Expr, node: exp.Expr) -> QueryError:
    shown = whole.this if isinstance(whole, exp.Alias) else whole
    text = shown.sql(dialect="trino")
    message = f"'{text}' must be an aggregate expression or appear in GROUP BY clause"
    return QueryError("EXPRESSION_NOT_AGGREGATE", message, node)


@dataclass(frozen=True)
class Item:
    """One output column: its name, value, and the node it came from (None: from a star)."""

    name: str | None
    value: Typed
    node: exp.Expr | None


def compile_select(compiler: Compiler, select: exp.Select, outer: Scope) -> Compiled:
    """The SELECT with everything but WITH and LIMIT."""
    _refuse(select)
    relation = from_clause(compiler, select, outer)
    scope = Scope(parent=outer, fields=list(relation.fields) if relation else [])
    where = _where(compiler, select, scope)
    items = _items(compiler, select, scope)
    # Before HAVING and ORDER BY are checked against it: the check compares texts, so all must be translated.
    groups = groups_of(compiler, select, scope, [item.value for item in items])
    having = _having(compiler, select, scope)
    if select.args.get("distinct"):
        compiler.use(*(item.value for item in items))
    fields = tuple(_field(item, index) for index, item in enumerate(items))
    order = _order(compiler, select, scope, items)
    if groups.is_grouped or compiler.aggregates:
        check_grouped(compiler, select, groups)
    head = "SELECT DISTINCT " if select.args.get("distinct") else "SELECT "
    listed = ", ".join(f"{item.value.sql} AS c{index}" for index, item in enumerate(items))
    return Compiled(head + listed + _source(relation) + where + groups.sql + having + order, fields)


def _refuse(select: exp.Select) -> None:
    distinct = select.args.get("distinct")
    if distinct is not None and distinct.args.get("on"):
        raise QueryError("SYNTAX_ERROR", "mismatched input 'ON'", select)
    if not select.expressions:
        raise QueryError("SYNTAX_ERROR", "mismatched input. Expecting: '*', <expression>", select)


def _source(relation: Relation | None) -> str:
    return f" FROM {relation.sql}" if relation else ""


def _where(compiler: Compiler, select: exp.Select, scope: Scope) -> str:
    clause = select.args.get("where")
    if clause is None:
        return ""
    with compiler.scalar_only("WHERE clause"):
        return f" WHERE {compiler.condition(clause.this, scope, 'WHERE clause')}"


def _having(compiler: Compiler, select: exp.Select, scope: Scope) -> str:
    clause = select.args.get("having")
    return f" HAVING {compiler.condition(clause.this, scope, 'HAVING clause')}" if clause else ""


def _field(item: Item, index: int) -> Field:
    return Field(item.name, item.value.type, f"c{index}", zone=item.value.zone, origin=item.value.origin)


def _items(compiler: Compiler, select: exp.Select, scope: Scope) -> list[Item]:
    items: list[Item] = []
    for node in select.expressions:
        star = _star(node)
        if star is None:
            value = compiler.output(node.this if isinstance(node, exp.Alias) else node, scope)
            items.append(Item(_name(node), value, node))
        else:
            items += _expanded(compiler, node, star, scope)
    return items


def _star(node: exp.Expr) -> list[exp.Identifier] | None:
    """The qualifier of `*`, `t.*` or `t.row.*`; None if the node is no star."""
    if isinstance(node, exp.Star):
        if any(node.args.get(name) for name in ("except_", "replace", "rename")):
            raise QueryError("SYNTAX_ERROR", "mismatched input after '*'", node)
        return []
    if isinstance(node, exp.Column) and isinstance(node.this, exp.Star):
        return [node.args[name] for name in ("catalog", "db", "table") if node.args.get(name)]
    if isinstance(node, exp.Dot) and isinstance(node.expression, exp.Star):
        raise QueryError("NOT_SUPPORTED", "Expansion of row expressions is not supported", node)
    return None


def _expanded(compiler: Compiler, node: exp.Expr, star: list[exp.Identifier], scope: Scope) -> list[Item]:
    qualifier = star[-1].name.lower() if star else None
    fields = scope.expand(qualifier)
    if not star and not scope.fields:
        raise QueryError("COLUMN_NOT_FOUND", "SELECT * not allowed in queries without FROM clause", node)
    if fields:
        items = [Item(field.name, field.typed(), None) for field in fields]
        compiler.star_columns += [(node, item.value) for item in items]
        return items
    value, _ = scope.resolve(star)
    if value.type.name != "row":
        raise QueryError("TABLE_NOT_FOUND", f"Unable to resolve reference {qualifier}", node)
    names = zip(value.type.fields, row_names(value.type), value.type.elements, strict=True)
    return [
        Item(name or None, Typed(member(value.sql, duck_name), kind, origin=value.origin), None)
        for name, duck_name, kind in names
    ]


def _name(node: exp.Expr) -> str | None:
    """An output's name: its alias, or the last part of a plain column or field."""
    if isinstance(node, exp.Alias):
        only(node, frozenset(["this", "alias"]))
        if not isinstance(node.args["alias"], exp.Identifier):
            raise QueryError("SYNTAX_ERROR", "mismatched input. Expecting: <identifier>", node)
        return node.alias.lower()
    if isinstance(node, exp.Paren):
        return _name(node.this)
    if isinstance(node, exp.Column | exp.Identifier):
        return node.name.lower()
    if isinstance(node, exp.Dot) and is_name(node):
        return str(node.expression.name).lower()
    return None


def _order(compiler: Compiler, select: exp.Select, scope: Scope, items: list[Item]) -> str:
    clause = select.args.get("order")
    if clause is None:
        return ""
    outputs = _output_scope(scope, items)
    terms = [_order_term(compiler, select, term, outputs, items) for term in clause.expressions]
    return " ORDER BY " + ", ".join(terms)


def _output_scope(scope: Scope, items: list[Item]) -> Scope:
    """ORDER BY sees output names first, then the columns of FROM."""
    named = [item for item in items if item.name and item.node is not None and isinstance(item.node, exp.Alias)]
    names = [item.name for item in named]
    single = {item.name: item.value for item in named if names.count(item.name) == 1}
    return Scope(parent=scope, lambdas={str(name): value for name, value in single.items()})


def _order_term(compiler: Compiler, select: exp.Select, term: exp.Ordered, outputs: Scope, items: list[Item]) -> str:
    node = term.this
    if isinstance(node, exp.Literal) and not node.is_string:
        place = int(node.this)
        if not 1 <= place <= len(items):
            raise QueryError("INVALID_COLUMN_REFERENCE", f"ORDER BY position {place} is not in select list", node)
        key = items[place - 1].value
        compiler.use(key)
    else:
        key = compiler.expression(node, outputs)
    if key.type.name in ("map", "json"):
        message = f"Type {trino_text(key.type)} is not orderable, and therefore cannot be used in ORDER BY"
        raise QueryError("TYPE_MISMATCH", message, node)
    # By place where it can be: DuckDB then sorts what it has computed, and DISTINCT allows nothing else.
    places = [index for index, item in enumerate(items) if item.value.sql == key.sql]
    if not places and select.args.get("distinct"):
        message = "For SELECT DISTINCT, ORDER BY expressions must appear in select list"
        raise QueryError("EXPRESSION_NOT_IN_DISTINCT", message, node)
    sql = str(places[0] + 1) if places else key.sql
    return sql + direction(term)

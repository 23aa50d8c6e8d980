"""Which rows of a table a query can need at most: simple comparisons pushed to the files' statistics.

Example: `WHERE sampleid = 's1'` over a table partitioned by sample reads that partition's files only.

Only what is certain is pushed: comparisons of a plain column with a constant, joined by AND, in the SELECT over the
table or in the one around that, and nothing that passes a LIMIT, a grouping or the loose side of an outer join.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from pyiceberg import expressions as ice
from sqlglot import exp

from localaws.athena.catalog import TableRef
from localaws.athena.types import parse_type

_COMPARISONS: dict[type[exp.Expr], type[ice.BooleanExpression]] = {
    exp.EQ: ice.EqualTo,
    exp.LT: ice.LessThan,
    exp.LTE: ice.LessThanOrEqual,
    exp.GT: ice.GreaterThan,
    exp.GTE: ice.GreaterThanOrEqual,
}
_MIRRORED = {exp.LT: exp.GT, exp.LTE: exp.GTE, exp.GT: exp.LT, exp.GTE: exp.LTE, exp.EQ: exp.EQ}


def row_filters(tree: exp.Expr, tables: Mapping[str, TableRef]) -> dict[str, ice.BooleanExpression]:
    """For each internal table a condition that all rows the query needs satisfy."""
    filters: dict[str, ice.BooleanExpression] = {}
    for node in tree.find_all(exp.Table):
        if node.name not in tables or node.db:
            continue
        kinds = {column.name: parse_type(column.type).name for column in tables[node.name].columns}
        predicate = _reference_filter(node, kinds)
        filters[node.name] = ice.Or(filters[node.name], predicate) if node.name in filters else predicate
    return {name: filters.get(name, ice.AlwaysTrue()) for name in tables}


def _reference_filter(node: exp.Table, kinds: Mapping[str, str]) -> ice.BooleanExpression:
    names = {name: name for name in kinds}
    result: ice.BooleanExpression = ice.AlwaysTrue()
    place: exp.Expr = node
    # The authoriser's derived table, the query's own SELECT, and one around: further out little is left to gain.
    for _ in range(3):
        select = _select_over(place)
        if select is None:
            break
        alias = place.alias_or_name.lower()
        result = ice.And(result, _conjuncts(select, alias, names, kinds))
        names = _passed_on(select, alias, names)
        parent = select.parent
        if not names or not isinstance(parent, exp.Subquery) or _hides_rows(select):
            break
        place = parent
    return result


def _select_over(place: exp.Expr) -> exp.Select | None:
    """The SELECT that has this item in its FROM or an inner join."""
    parent = place.parent
    if isinstance(parent, exp.From) and isinstance(parent.parent, exp.Select):
        sides = {(join.side or "").upper() for join in parent.parent.args.get("joins") or []}
        return parent.parent if not sides & {"RIGHT", "FULL"} else None
    if isinstance(parent, exp.Join) and isinstance(parent.parent, exp.Select):
        sides = {(join.side or "").upper() for join in parent.parent.args.get("joins") or []}
        return parent.parent if sides <= {""} else None
    return None


def _hides_rows(select: exp.Select) -> bool:
    names = ("limit", "offset", "group", "distinct", "having", "windows")
    return any(select.args.get(name) for name in names) or any(True for _ in select.find_all(exp.Window))


def _passed_on(select: exp.Select, alias: str, names: Mapping[str, str]) -> dict[str, str]:
    """Output names of the SELECT that are plain columns of the item."""
    passed = {}
    for item in select.expressions:
        column = item.this if isinstance(item, exp.Alias) else item
        known = _known(column, alias, names)
        if known:
            passed[item.alias_or_name.lower()] = known
    return passed


def _known(node: exp.Expr, alias: str, names: Mapping[str, str]) -> str | None:
    if not isinstance(node, exp.Column) or node.args.get("db") or not isinstance(node.this, exp.Identifier):
        return None
    if node.table:
        return names.get(node.name.lower()) if node.table.lower() == alias else None
    select = node.find_ancestor(exp.Select)
    # A bare name could belong to any relation of a join.
    alone = select is not None and not select.args.get("joins")
    return names.get(node.name.lower()) if alone else None


def _conjuncts(
    select: exp.Select, alias: str, names: Mapping[str, str], kinds: Mapping[str, str]
) -> ice.BooleanExpression:
    where = select.args.get("where")
    result: ice.BooleanExpression = ice.AlwaysTrue()
    for part in (
        where.this.unnest().flatten()
        if where and isinstance(where.this.unnest(), exp.And)
        else ([where.this] if where else [])
    ):
        predicate = _predicate(part.unnest(), alias, names, kinds)
        if predicate is not None:
            result = ice.And(result, predicate)
    return result


def _predicate(
    node: exp.Expr, alias: str, names: Mapping[str, str], kinds: Mapping[str, str]
) -> ice.BooleanExpression | None:
    if type(node) in _COMPARISONS:
        for left, right, kind in (
            (node.this, node.expression, type(node)),
            (node.expression, node.this, _MIRRORED[type(node)]),  # type: ignore[index]
        ):
            column = _known(left, alias, names)
            value = _value(right, kinds[column]) if column else None
            if column and value is not None:
                return _COMPARISONS[kind](column, value)
    if isinstance(node, exp.In) and node.expressions:
        column = _known(node.this, alias, names)
        values = [_value(item, kinds[column]) for item in node.expressions] if column else [None]
        if column and None not in values:
            return ice.In(column, {value for value in values if value is not None})
    return None


def _value(node: exp.Expr, kind: str) -> object | None:
    """A constant of exactly the column's kind."""
    if isinstance(node, exp.Literal):
        if node.is_string:
            return str(node.this) if kind == "varchar" else None
        is_whole = str(node.this).isdigit() and kind in ("integer", "bigint")
        return int(node.this) if is_whole and int(node.this) < 2**31 else None
    if isinstance(node, exp.Boolean):
        return bool(node.this) if kind == "boolean" else None
    if isinstance(node, exp.Cast) and kind == "date" and node.to.is_type("date"):
        try:
            return date.fromisoformat(node.this.name)
        except ValueError:
            return None
    return None

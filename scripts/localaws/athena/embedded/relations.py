"""FROM: tables, derived tables, joins, UNNEST and LATERAL.

Example: `FROM t CROSS JOIN UNNEST(t.a) WITH ORDINALITY AS u(x, n)` becomes one projection over `t`. An
`array(row(a, b))` spreads into the columns a and b, a map into key and value, arrays side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from sqlglot import exp

from localaws.athena.embedded.casts import to_type
from localaws.athena.embedded.compiler import Compiled, Compiler, only
from localaws.athena.embedded.operators import compared
from localaws.athena.embedded.scope import Field, Scope
from localaws.athena.embedded.typed import BIGINT, Typed, member, quoted, row_names
from localaws.athena.errors import QueryError
from localaws.athena.types import Type, common_type, parse_type, trino_text


class Spread(NamedTuple):
    """What to select (`u0`, `u1`, …), and the columns as texts over the relation `{r}`."""

    selected: list[str]
    columns: list[tuple[str | None, str, Type]]


def unnest_columns(items: Sequence[Typed], *, keep_empty: bool, with_ordinality: bool, node: exp.Expr) -> Spread:
    """The spread of these arrays and maps side by side; the shorter ones are filled with NULL."""
    selected: list[str] = []
    columns: list[tuple[str | None, str, Type]] = []
    lists = [_as_list(item, node) for item in items]
    longest = _longest(lists)
    for index, (item, sql) in enumerate(zip(items, lists, strict=True)):
        selected.append(f"unnest({_padded(sql, longest) if keep_empty else sql})")
        columns += _columns(f"{{r}}.u{index}", item.type)
    if with_ordinality:
        numbers = f"range(1, {longest} + 1)"
        selected.append(f"unnest({_padded(numbers, longest) if keep_empty else numbers})")
    return Spread(selected, columns)


def _as_list(item: Typed, node: exp.Expr) -> str:
    if item.type.name == "map":
        return f"map_entries({item.sql})"
    if item.type.name != "array":
        raise QueryError("TYPE_MISMATCH", f"Cannot unnest type: {trino_text(item.type)}", node)
    return item.sql


def _longest(lists: Sequence[str]) -> str:
    # A NULL array spreads into no rows, as an empty one does.
    lengths = [f"coalesce(len({sql}), 0)" for sql in lists]
    return lengths[0] if len(lengths) == 1 else f"greatest({', '.join(lengths)})"


def _padded(sql: str, longest: str) -> str:
    """One empty row where there is nothing to spread."""
    return f"CASE WHEN {longest} > 0 THEN {sql} ELSE [NULL] END"


def _columns(sql: str, kind: Type) -> list[tuple[str | None, str, Type]]:
    if kind.name == "map":
        return [(None, f"({sql}).key", kind.elements[0]), (None, f"({sql}).value", kind.elements[1])]
    element = kind.elements[0]
    if element.name != "row":
        return [(None, sql, element)]
    places = zip(element.fields, row_names(element), element.elements, strict=True)
    return [(name or None, member(sql, duck_name), item) for name, duck_name, item in places]


@dataclass(frozen=True)
class Relation:
    """A piece of FROM: its text, and the columns it offers."""

    sql: str
    fields: tuple[Field, ...]


def from_clause(compiler: Compiler, select: exp.Select, outer: Scope) -> Relation | None:
    """The whole FROM of a SELECT; None if there is none."""
    clause = select.args.get("from_")
    if clause is None:
        return None
    relation = relation_of(compiler, clause.this, outer)
    return joined(compiler, relation, select.args.get("joins") or [], outer)


def relation_of(compiler: Compiler, node: exp.Expr, outer: Scope, left: Relation | None = None) -> Relation:
    """One item of FROM with the joins nested in it; `left` is what a lateral item may see."""
    _check_parts(node)
    if isinstance(node, exp.Paren):
        relation = relation_of(compiler, node.this, outer, left)
    elif isinstance(node, exp.Table) and isinstance(node.this, exp.Values):
        relation = _derived(compiler, node.this, node, outer, "")
    elif isinstance(node, exp.Table):
        relation = _table(compiler, node, outer)
    elif isinstance(node, exp.Unnest):
        relation = _standalone_unnest(compiler, node, outer)
    elif isinstance(node, exp.Lateral):
        relation = _derived(compiler, node.this, node, _seen(outer, left), "LATERAL ")
    elif isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table | exp.Paren) and not node.alias:
        relation = relation_of(compiler, node.this, outer, left)
    elif isinstance(node, exp.Subquery | exp.Values | exp.Query):
        relation = _derived(compiler, node, node, outer, "")
    else:
        raise QueryError("SYNTAX_ERROR", "mismatched input. Expecting: <relation>", node)
    nested = node.args.get("joins") if not isinstance(node, exp.Select) else None
    return joined(compiler, relation, nested or [], outer)


_PARTS: dict[type[exp.Expr], frozenset[str]] = {
    exp.Paren: frozenset(["this", "joins"]),
    exp.Table: frozenset(["this", "db", "catalog", "alias", "joins"]),
    exp.Unnest: frozenset(["expressions", "alias", "offset", "joins"]),
    exp.Lateral: frozenset(["this", "alias", "joins"]),
    exp.Subquery: frozenset(["this", "alias", "joins", "with_", "order", "limit", "offset"]),
    exp.Join: frozenset(["this", "side", "kind", "on", "using", "method"]),
    exp.TableAlias: frozenset(["this", "columns"]),
}


def _check_parts(node: exp.Expr) -> None:
    for name, word in (("sample", "TABLESAMPLE"), ("pivots", "PIVOT"), ("match_recognize", "MATCH_RECOGNIZE")):
        if node.args.get(name):
            raise QueryError("NOT_SUPPORTED", f"{word} is not supported", node)
    if type(node) in _PARTS:
        only(node, _PARTS[type(node)])
    alias = node.args.get("alias")
    if isinstance(alias, exp.TableAlias):
        only(alias, _PARTS[exp.TableAlias])


def _seen(outer: Scope, left: Relation | None) -> Scope:
    return Scope(parent=outer, fields=list(left.fields)) if left else outer


def _alias(node: exp.Expr, fields: Sequence[Field], sql_name: str, fallback: str | None) -> tuple[Field, ...]:
    """Columns under the relation's alias and its column aliases."""
    alias = node.args.get("alias")
    name = node.alias.lower() if alias is not None and node.alias else fallback
    names = [column.name.lower() for column in alias.args.get("columns") or []] if alias is not None else []
    if names and len(names) != len(fields):
        message = f"Column alias list has {len(names)} entries but '{name}' has {len(fields)} columns available"
        raise QueryError("MISMATCHED_COLUMN_ALIASES", message, node)
    return tuple(
        replace(item, name=names[index] if names else item.name, qualifier=name, sql=f"{sql_name}.{item.sql}")
        for index, item in enumerate(fields)
    )


def _table(compiler: Compiler, node: exp.Table, outer: Scope) -> Relation:
    if isinstance(node.this, exp.Anonymous):
        name = str(node.this.name if isinstance(node.this.this, exp.Identifier) else node.this.this).lower()
        raise QueryError("FUNCTION_NOT_FOUND", f"Table function '{name}' not registered", node)
    if not isinstance(node.this, exp.Identifier):
        raise QueryError("SYNTAX_ERROR", "mismatched input. Expecting: <relation>", node)
    sql_name = compiler.name("r")
    common = outer.cte(node.name) if not node.db else None
    if common is not None:
        fields = _alias(node, common.fields, sql_name, node.name.lower())
        return Relation(f"{common.sql_name} AS {sql_name}", fields)
    columns = compiler.tables.get(node.name) if not node.db else None
    if columns is None:
        shown = ".".join(part.name.lower() for part in node.parts)
        raise QueryError("TABLE_NOT_FOUND", f"Table '{shown}' does not exist", node)
    table_fields = [
        Field(item.name, _type(item.type), quoted(item.name), origin=(node.name, item.name)) for item in columns
    ]
    return Relation(f"{quoted(node.name)} AS {sql_name}", _alias(node, table_fields, sql_name, node.name.lower()))


def _type(name: str) -> Type:
    kind = parse_type(name)
    # Athena's timestamps have milliseconds where a type does not say more:
    # https://docs.aws.amazon.com/athena/latest/ug/data-types.html
    return replace(kind, numbers=(3,)) if kind.name.startswith("timestamp") and not kind.numbers else kind


def _derived(compiler: Compiler, node: exp.Expr, named: exp.Expr, outer: Scope, word: str) -> Relation:
    inner = node.this if isinstance(node, exp.Subquery) and not _has_clauses(node) else node
    compiled: Compiled = compiler.query(inner, outer)
    sql_name = compiler.name("r")
    return Relation(f"{word}({compiled.sql}) AS {sql_name}", _alias(named, compiled.fields, sql_name, None))


def _has_clauses(node: exp.Subquery) -> bool:
    return any(node.args.get(name) for name in ("order", "limit", "offset", "with_"))


def joined(compiler: Compiler, left: Relation, joins: Sequence[exp.Join], outer: Scope) -> Relation:
    """The relation with these joins applied, from left to right."""
    for join in joins:
        left = _join(compiler, left, join, outer)
    return left


def _join(compiler: Compiler, left: Relation, join: exp.Join, outer: Scope) -> Relation:
    only(join, _PARTS[exp.Join])
    side, kind = (join.side or "").upper(), (join.kind or "").upper()
    method = (join.args.get("method") or "").upper()
    if method or kind not in ("", "INNER", "CROSS", "OUTER"):
        raise QueryError("NOT_SUPPORTED", f"{method or kind.title()} join not supported", join.this)
    if isinstance(join.this, exp.Unnest):
        return _lateral_unnest(compiler, left, join, side, outer)
    right = relation_of(compiler, join.this, outer, left)
    fields = (*left.fields, *right.fields)
    if join.args.get("using"):
        return _using(compiler, left, right, join, side)
    condition = join.args.get("on")
    if condition is None:
        return Relation(f"{left.sql} CROSS JOIN {right.sql}", fields)
    with compiler.scalar_only("JOIN clause"):
        test = compiler.condition(condition, Scope(parent=outer, fields=list(fields)), "JOIN ON clause")
    return Relation(f"{left.sql} {side} JOIN {right.sql} ON {test}", fields)


def _using(compiler: Compiler, left: Relation, right: Relation, join: exp.Join, side: str) -> Relation:
    tests, merged, names = [], [], []
    for column in join.args["using"]:
        name = column.name.lower()
        names.append(name)
        left_key, right_key = _key(left, name, column, "left"), _key(right, name, column, "right")
        compiler.use(left_key, right_key)
        a, b = compared("=", left_key, right_key, column)
        tests.append(f"{a} = {b}")
        kind = common_type((left_key.type, right_key.type)) or left_key.type
        a, b = to_type(left_key, kind).sql, to_type(right_key, kind).sql
        # The column of USING comes once, from the side that always has it; a FULL join takes either.
        merged.append(Field(name, kind, {"": a, "LEFT": a, "RIGHT": b}.get(side, f"coalesce({a}, {b})")))
    rest = [item for item in (*left.fields, *right.fields) if item.name not in names]
    return Relation(f"{left.sql} {side} JOIN {right.sql} ON {' AND '.join(tests)}", (*merged, *rest))


def _key(relation: Relation, name: str, column: exp.Expr, side: str) -> Typed:
    matches = [item for item in relation.fields if item.name == name]
    if len(matches) != 1:
        message = f"Column '{name}' is missing from {side} side of join"
        raise QueryError("COLUMN_NOT_FOUND" if not matches else "AMBIGUOUS_NAME", message, column)
    return matches[0].typed()


def _standalone_unnest(compiler: Compiler, node: exp.Unnest, outer: Scope) -> Relation:
    return _unnested(compiler, None, node, outer, keep_empty=False)


def _lateral_unnest(compiler: Compiler, left: Relation, join: exp.Join, side: str, outer: Scope) -> Relation:
    condition = join.args.get("on")
    if condition is not None and not (isinstance(condition, exp.Boolean) and condition.this):
        # Trino's words and Trino's limit: only ON TRUE.
        raise QueryError("NOT_SUPPORTED", "UNNEST in conditional JOIN is not supported", join.this)
    if side not in ("", "LEFT"):
        raise QueryError("NOT_SUPPORTED", f"{side} JOIN involving UNNEST is not supported", join.this)
    return _unnested(compiler, left, join.this, outer, keep_empty=side == "LEFT")


def _unnested(
    compiler: Compiler, left: Relation | None, node: exp.Unnest, outer: Scope, *, keep_empty: bool
) -> Relation:
    """The left side with its arrays spread out: a projection, since DuckDB spreads faster there than in a join."""
    _check_parts(node)
    with compiler.scalar_only("UNNEST"):
        items = [compiler.expression(item, _seen(outer, left)) for item in node.expressions]
    ordinal = node.args.get("offset")
    spread = unnest_columns(items, keep_empty=keep_empty, with_ordinality=bool(ordinal), node=node)
    name = compiler.name("r")
    carried = [replace(item, sql=f"{name}.k{index}") for index, item in enumerate(left.fields if left else ())]
    selected = [f"{item.sql} AS k{index}" for index, item in enumerate(left.fields if left else ())]
    selected += [f"{sql} AS u{index}" for index, sql in enumerate(spread.selected)]
    source = f" FROM {left.sql}" if left else ""
    fields = [Field(column, kind, sql.replace("{r}", name)) for column, sql, kind in spread.columns]
    if ordinal:
        fields.append(Field(None, BIGINT, f"{name}.u{len(spread.selected) - 1}"))
    new = _unnest_names(node, fields)
    return Relation(f"(SELECT {', '.join(selected)}{source}) AS {name}", (*carried, *new))


def _unnest_names(node: exp.Unnest, fields: Sequence[Field]) -> tuple[Field, ...]:
    alias = node.args.get("alias")
    names = [column.name.lower() for column in alias.args.get("columns") or []] if alias is not None else []
    if isinstance(node.args.get("offset"), exp.Identifier):
        names.append(node.args["offset"].name.lower())
    if names and len(names) != len(fields):
        shown = node.alias.lower() if alias is not None and node.alias else "unnest"
        message = f"Column alias list has {len(names)} entries but '{shown}' has {len(fields)} columns available"
        raise QueryError("MISMATCHED_COLUMN_ALIASES", message, node)
    name = node.alias.lower() if alias is not None and node.alias else None
    return tuple(
        replace(item, name=names[index] if names else item.name, qualifier=name) for index, item in enumerate(fields)
    )

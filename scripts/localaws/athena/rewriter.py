"""Physical tables of a query replaced by derived tables, wherever they stand: joins, subqueries, WITH, lateral items.

Qualified columns (`clinical.patient.id`) become `patient.id`; WITH names win over tables by SQL's scope rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol, cast

from sqlglot import exp

from localaws.athena.catalog import CATALOG
from localaws.athena.errors import QueryError
from localaws.athena.parser import parse_expression
from localaws.lakeformation.expression import parse as checked
from localaws.lakeformation.rules import Access

ON_A_TABLE = frozenset({"this", "db", "catalog", "alias", "version", "joins", "sample"})
# Nothing but a query may stand in a query, wherever sqlglot would take it.
REFUSED = (exp.DDL, exp.DML, exp.Command, exp.Describe, exp.Pivot, exp.Into, exp.Lock, exp.Pragma, exp.Set)


@dataclass(frozen=True)
class TableName:
    """A physical table as the query names it."""

    catalog: str | None
    database: str
    name: str
    node: exp.Table


class TableSource(Protocol):
    """Who answers for physical tables."""

    def derived(self, name: TableName) -> exp.Query:
        """The query that stands for the table; QueryError when there is none for this caller."""

    def columns(self, name: TableName) -> tuple[str, ...]:
        """The columns of that query."""


@dataclass(frozen=True)
class Source:
    """One relation of a FROM clause: `label` is the qualifier it answers to, `full` the name of a bare table."""

    label: str
    full: tuple[str, str, str] | None = None
    renamed_from: str = ""
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scope:
    """What can be named at one place: WITH names, and the relations of this query and of those around it."""

    ctes: frozenset[str] = frozenset()
    levels: tuple[tuple[Source, ...], ...] = ()

    def with_cte(self, name: str) -> Scope:
        return replace(self, ctes=self.ctes | {name.lower()})


class Rewriter:
    """Rewrites one query in place."""

    def __init__(self, source: TableSource, default_database: str | None) -> None:
        self.source = source
        self.default_database = default_database
        self.labels: dict[int, str] = {}

    def rewrite(self, tree: exp.Expr) -> None:
        """Put the source's derived tables in place of the physical ones."""
        for node in tree.walk():
            if isinstance(node, REFUSED):
                raise QueryError(
                    "NOT_SUPPORTED", f"Unsupported in a query: {type(node).__name__.upper()}", placed(node)
                )
        self._walk(tree, Scope())

    def _walk(self, node: exp.Expr, scope: Scope) -> None:
        scope = self._with_ctes(node, scope)
        if isinstance(node, exp.Select):
            scope = replace(scope, levels=(self._sources(node, scope), *scope.levels))
        for child in list(node.iter_expressions()):
            if isinstance(child, exp.With):
                continue
            self._walk(child, scope)
        if isinstance(node, exp.Table):
            self._table(node, scope)
        elif isinstance(node, exp.Column):
            _requalify(node, scope)

    def _with_ctes(self, node: exp.Expr, scope: Scope) -> Scope:
        clause = node.args.get("with_")
        if clause is None:
            return scope
        for cte in clause.expressions:
            # An entry sees those before it; itself only if the clause is recursive.
            inner = scope.with_cte(cte.alias) if clause.args.get("recursive") else scope
            self._walk(cte.this, inner)
            scope = scope.with_cte(cte.alias)
        return scope

    def _table(self, node: exp.Table, scope: Scope) -> None:
        name = self._name(node, scope)
        if name is None:
            return
        table = self.source.derived(name)
        alias = node.args.get("alias")
        own = identifier_of(node)
        label = _renamed(own, self.labels.get(id(node), own.name))
        columns = alias.args.get("columns") if alias else None
        subquery = exp.Subquery(this=table, alias=exp.TableAlias(this=label, columns=columns or []))
        for clause in ("joins", "sample"):
            subquery.set(clause, node.args.get(clause))
        group = node.parent
        node.replace(subquery)
        # sqlglot reads `(a JOIN b)` as a subquery over a table; now that the table is a subquery itself, the brackets
        # must not be taken for one more.
        while isinstance(group, exp.Subquery) and not group.alias:
            group = _as_group(group).parent

    def _name(self, node: exp.Table, scope: Scope) -> TableName | None:
        """The physical table a node names; None for a WITH name."""
        extra = {key for key, value in node.args.items() if value} - ON_A_TABLE
        parts = [node.args.get(key) for key in ("catalog", "db", "this")]
        if extra or not all(part is None or isinstance(part, exp.Identifier) for part in parts) or parts[2] is None:
            raise QueryError("NOT_SUPPORTED", "Unsupported table reference", node)
        if not isinstance(identifier_of(node), exp.Identifier):
            raise QueryError("NOT_SUPPORTED", "Unsupported table alias", node)
        if not node.db and node.name.lower() in scope.ctes:
            if node.args.get("version"):
                raise QueryError("NOT_SUPPORTED", "Time travel needs a table", node)
            return None
        database = node.db or self.default_database
        if not database:
            raise QueryError("MISSING_SCHEMA_NAME", "Schema must be specified when session schema is not set", node)
        return TableName(node.catalog or None, database.lower(), node.name.lower(), node)

    def _sources(self, select: exp.Select, scope: Scope) -> tuple[Source, ...]:
        sources = [self._source(relation, scope) for relation in relations(select)]
        labels = [source.label for _, source in sources if source]
        return tuple(self._distinct(node, source, labels) for node, source in sources if source)

    def _source(self, relation: exp.Expr, scope: Scope) -> tuple[exp.Expr, Source | None]:
        if not isinstance(relation, exp.Table):
            return relation, Source(relation.alias.lower()) if relation.alias else None
        name = self._name(relation, scope)
        if name is None or relation.alias:
            return relation, Source((relation.alias or relation.name).lower())
        full = ((name.catalog or CATALOG).lower(), name.database, name.name)
        return relation, Source(name.name, full)

    def _distinct(self, node: exp.Expr, source: Source, labels: list[str]) -> Source:
        """Two tables of one name from two databases, both unaliased: each gets a label of its own."""
        if source.full is None or labels.count(source.label) == 1:
            return source
        assert isinstance(node, exp.Table)
        label = f"__a{len(self.labels)}"
        self.labels[id(node)] = label
        name = self._name(node, Scope())
        columns = self.source.columns(name) if name else ()
        return Source(label, source.full, renamed_from=source.label, columns=columns)


def placed(node: exp.Expr | None) -> exp.Expression | None:
    """A node as the place of an error."""
    return cast("exp.Expression | None", node)


def _as_group(node: exp.Subquery) -> exp.Paren:
    """`(a JOIN b)`: parentheses around relations, not a query of its own."""
    group = exp.Paren(this=node.this)
    for clause in ("joins", "sample"):
        group.set(clause, node.args.get(clause))
    node.replace(group)
    return group


def _renamed(part: exp.Expr, name: str) -> exp.Identifier:
    """Another name at the same place in the text."""
    identifier = exp.to_identifier(name, quoted=True)
    identifier.meta.update(part.meta)
    return identifier


def unplaced(tree: exp.Expr) -> None:
    """Forget where the nodes stood: they come from another text than the user's."""
    for node in tree.walk():
        node.meta.clear()


def identifier_of(node: exp.Table) -> exp.Identifier:
    """The name the table goes by in its query: its alias, else its own."""
    alias = node.args.get("alias")
    identifier: exp.Identifier = alias.this if alias is not None and alias.this is not None else node.this
    return identifier


def relations(select: exp.Select) -> Iterator[exp.Expr]:
    """The relations of a FROM clause, parenthesised joins included, subqueries not entered."""
    start = select.args.get("from_")
    if start is not None:
        yield from _joined(start.this)
    for join in select.args.get("joins") or ():
        yield from _joined(join.this)


def _joined(node: exp.Expr) -> Iterator[exp.Expr]:
    is_group = isinstance(node, exp.Subquery) and not isinstance(node.this, exp.Query) and not node.alias
    if is_group:
        yield from _joined(node.this)
    else:
        yield node
    for join in node.args.get("joins") or ():
        yield from _joined(join.this)


def _requalify(column: exp.Column, scope: Scope) -> None:
    """`database.table.column` and `catalog.database.table.column` to `label.column`, for the nearest such table."""
    parts = list(column.parts)
    names = [part.name.lower() for part in parts]
    for level in scope.levels:
        match = _qualified(level, names)
        if match is not None:
            label, used = match
            _set_parts(column, [_renamed(parts[0], label), *parts[used:]])
            return
        if len(names) > 1 and any(source.label == names[0] for source in level):
            return
        renamed = [source for source in level if source.renamed_from == names[0]] if len(names) > 1 else []
        if renamed:
            _set_parts(column, [_renamed(parts[0], _only(renamed, column, names[1])), *parts[1:]])
            return


def _qualified(level: tuple[Source, ...], names: list[str]) -> tuple[str, int] | None:
    # The longest qualifier first: in `a.b.c.d` the first three may be a table's full name.
    for used in (3, 2):
        if len(names) <= used:
            continue
        for source in level:
            if source.full is not None and source.full[3 - used :] == tuple(names[:used]):
                return source.label, used
    return None


def _only(sources: list[Source], column: exp.Column, name: str) -> str:
    having = [source for source in sources if name in source.columns]
    if len(having) != 1:
        raise QueryError("AMBIGUOUS_NAME", f"Column '{column.sql(dialect='trino')}' is ambiguous", column)
    return having[0].label


def _set_parts(column: exp.Column, parts: list[exp.Expr]) -> None:
    """Give the column these parts: qualifier, column, then fields of a row."""
    for key in ("catalog", "db", "table"):
        column.set(key, None)
    for key, part in zip(("this", "table", "db", "catalog"), reversed(parts), strict=False):
        column.set(key, part)


# LIMIT and OFFSET are a fence: no engine may move a filter, a join or an expression of the caller below them, so
# nothing that the caller writes is ever evaluated on a hidden row, where a division by zero or a failed cast would
# tell its value. The OFFSET is needed: DuckDB takes a LIMIT away where it knows that there are fewer rows.
FENCE = 2**62 - 1


def identifier(name: str) -> exp.Identifier:
    return exp.to_identifier(name, quoted=True)


def derived(internal: str, access: Access, types: dict[str, str]) -> exp.Select:
    """The permitted part of the table behind an internal name; `types` are the table's Hive types."""
    cells = [_cell(name, access, types) for name in access.visible]
    select = plain(internal, cells)
    rows = access.row_filter
    if rows is not None:
        select = select.where(rule(rows, types), copy=False)
    if rows is not None or any(isinstance(cell, exp.Alias) for cell in cells):
        select = select.limit(FENCE, copy=False).offset(0, copy=False)
    unplaced(select)
    return select


def plain(internal: str, columns: list[exp.Expr]) -> exp.Select:
    """Columns of the table behind an internal name, all rows."""
    return exp.Select(expressions=columns, from_=exp.From(this=exp.Table(this=identifier(internal))))


def rule(expression: str, types: dict[str, str]) -> exp.Expr:
    """A row expression as the engine's parser would read it: checked again, so nothing else can stand in it."""
    return parse_expression(checked(expression, types).sql(dialect="trino"))


def _cell(name: str, access: Access, types: dict[str, str]) -> exp.Expr:
    column = exp.column(identifier(name))
    shown_where = access.cell_filter(name)
    if shown_where is None:
        return column
    # Without ELSE: a cell that the row rule hides is NULL.
    condition = exp.If(this=rule(shown_where, types), true=column)
    return exp.alias_(exp.Case(ifs=[condition]), name, quoted=True)

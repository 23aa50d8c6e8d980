"""Views whose parts a caller may not see all of: those parts read as empty, and the view can say so.

The contract names them (`may_be_withheld`). For a caller who may see nothing of such a table it reads as no rows, and
`TRUE AS <flag>` in the view becomes FALSE; columns that the caller may not see read as NULL. Whatever the contract does
not name stays a refusal. No table is opened wider: what is left is still read under the caller's own filters.

Example: without_withheld(load_views()["cohort.coverage"].may_be_withheld, tree, visible)
"""

from collections.abc import Callable, Iterable

import sqlglot
from sqlglot import exp

from trilake.core.contract import GovernedTable, Withheld, load_contract

DIALECT = "athena"
TYPES = {"string": "varchar", "int": "integer", "timestamp": "timestamp(6)"}
"""Contract types (Hive's names) that CAST names otherwise."""
Visible = Callable[[str], list[str] | None]
"""`room.table` -> the columns that the caller may see; None when there is none."""


def without_withheld(parts: Iterable[Withheld], tree: exp.Expr, visible: Visible) -> exp.Expr:
    """The view's tree as this caller may read it."""
    columns_of = {part.table: visible(part.table) for part in parts}
    hidden = {part.flag for part in parts if part.flag and columns_of[part.table] is None}

    def replace(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Alias) and node.alias in hidden and isinstance(node.this, exp.Boolean):
            return exp.alias_(exp.false(), node.alias)
        if not isinstance(node, exp.Table) or f"{node.db}.{node.name}" not in columns_of:
            return node
        table = load_contract()[f"{node.db}.{node.name}"]
        columns = columns_of[table.path]
        if columns is not None and set(columns) >= {column.name for column in table.columns}:
            return node
        alias = node.args.get("alias") or exp.TableAlias(this=exp.to_identifier(node.name))
        inner = sqlglot.parse_one(narrowed(table, used(node), columns), read=DIALECT)
        return exp.Subquery(this=inner, alias=alias, joins=node.args.get("joins"))

    return tree.transform(replace) if columns_of else tree


def used(node: exp.Table) -> set[str]:
    """Names of columns in the SELECT that reads the table."""
    select = node.find_ancestor(exp.Select)
    return {column.name.lower() for column in select.find_all(exp.Column)} if select else set()


def narrowed(table: GovernedTable, names: set[str], visible: list[str] | None) -> str:
    """A SELECT of the table's columns among `names`; those that are not visible are NULL, no table is no rows."""
    wanted = [column for column in table.columns if column.name in names] or list(table.columns[:1])
    words = [
        f'"{column.name}"'
        if visible is not None and column.name in visible
        else f'CAST(NULL AS {TYPES.get(column.type, column.type)}) AS "{column.name}"'
        for column in wanted
    ]
    source = f'FROM {table.room}."{table.name}"' if visible is not None else "WHERE FALSE"
    return f"SELECT {', '.join(words)} {source}"

"""Who may see what of a query: every physical table becomes the part of it that the caller may read.

    FROM clinical.patient p  ->  FROM (SELECT "id", "site_id" FROM "__t0" WHERE <row rule>) AS p
    FROM clinical.patient    ->  FROM (...) AS patient

Every query comes through here before an engine sees it, the SELECT of INSERT, CTAS, UNLOAD and MERGE USING too. Views
are expanded in place, with the caller's rights, and a view's own text resolves in the view's schema. `"t$snapshots"`
and time travel are for callers who may read all of `t`, since files and old snapshots know nothing of row rules.
A target of writes is not filtered: Lake Formation has no filters there, so `require` asks for full access.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from sqlglot import exp

from localaws.athena import rights
from localaws.athena.catalog import CATALOG, CatalogView, Column, DatabaseRef, TableRef, decode
from localaws.athena.errors import QueryError
from localaws.athena.parser import parse_query
from localaws.athena.rewriter import Rewriter, TableName, derived, identifier, placed, plain, unplaced
from localaws.lakeformation.access import catalog_access, database_access, sees_database, table_access
from localaws.lakeformation.entries import table_entry
from localaws.lakeformation.rules import Access

if TYPE_CHECKING:
    from localaws.caller import Caller
    from localaws.world import World


TableAction = Literal["READ_ALL", "DESCRIBE_ALL", "INSERT", "DELETE", "UPDATE", "ALTER", "DROP", "DESCRIBE"]
DatabaseAction = Literal["CREATE_TABLE", "CREATE_DATABASE", "DROP", "DESCRIBE"]


@dataclass(frozen=True)
class Authorised:
    """A query over internal names only, and the table behind each internal name."""

    tree: exp.Expr
    tables: Mapping[str, TableRef] = field(default_factory=dict)


# Ours, against views that expand without end.
MAX_VIEW_DEPTH = 16
# Lake Formation has no permission UPDATE:
# https://docs.aws.amazon.com/lake-formation/latest/dg/lf-permissions-reference.html
NEEDED: dict[str, frozenset[str]] = {"UPDATE": frozenset({"INSERT", "DELETE"})}


def authorise(
    tree: exp.Expression, caller: Caller, catalog: CatalogView, world: World, default_database: str | None
) -> Authorised:
    """The query over internal names only, as the caller may run it; QueryError where a table is not theirs to read."""
    authorised = tree.copy()
    tables = _Tables(caller, catalog, world, authorised)
    Rewriter(tables, default_database).rewrite(authorised)
    return Authorised(authorised, dict(tables.used))


def require(caller: Caller, world: World, target: TableRef | DatabaseRef, action: TableAction | DatabaseAction) -> None:
    """Nothing if the caller may do this to the table or database, else a QueryError.

    READ_ALL: every column and row (a MERGE, UPDATE or DELETE reads its target, time travel tables).
    DESCRIBE_ALL: the whole schema with its properties and files, so not for who sees a part of the table.
    A DatabaseRef with CREATE_DATABASE names a database that does not exist yet.
    """
    if isinstance(target, DatabaseRef):
        _require_on_database(caller, world, target, action)
    else:
        _require_on_table(caller, world, target, action)


def visible_columns(caller: Caller, world: World, table: TableRef) -> tuple[Column, ...]:
    """The columns that the caller may select or describe, in table order; empty if the table is not theirs to see."""
    if table.kind == "information_schema":
        return table.columns
    access = access_to(caller, world, table)
    if table.metadata_table:
        return table.columns if access.is_full else ()
    return tuple(column for column in table.columns if column.name in access.described)


def access_to(caller: Caller, world: World, table: TableRef) -> Access:
    """What the caller may see and do of the table that a TableRef stands for."""
    return table_access(world, caller.arn, table.catalog_id, table.database, table.name)


def _require_on_table(caller: Caller, world: World, table: TableRef, action: str) -> None:
    access = access_to(caller, world, table)
    if not access.described and not access.permissions:
        raise _missing(None, table.database, table.name)
    if action == "DESCRIBE":
        return
    if action in {"READ_ALL", "DESCRIBE_ALL"}:
        if not (access.is_full or (action == "DESCRIBE_ALL" and access.is_described and not access.can_select)):
            raise _denied("SELECT on all columns and rows", f"{table.database}.{table.name}")
        return
    lacking = NEEDED.get(action, frozenset({action})) - access.permissions
    if lacking:
        raise _denied(" and ".join(sorted(lacking)), f"{table.database}.{table.name}")


def _require_on_database(caller: Caller, world: World, database: DatabaseRef, action: str) -> None:
    if action == "CREATE_DATABASE":
        if action not in catalog_access(world, caller.arn, database.catalog_id):
            raise _denied(action, "the catalog")
        return
    # DESCRIBE and DROP of a resource link are the link's own, everything else is asked of what it points to:
    # https://docs.aws.amazon.com/lake-formation/latest/dg/creating-resource-links.html
    is_link = (database.catalog_id, database.name) != (world.account_id, database.link_name)
    place = (world.account_id, database.link_name) if is_link and action in {"DESCRIBE", "DROP"} else database[:2]
    if not sees_database(world, caller.arn, *place):
        raise QueryError("SCHEMA_NOT_FOUND", f"Schema '{database.link_name}' does not exist")
    if action != "DESCRIBE" and action not in database_access(world, caller.arn, *place):
        raise _denied(action, database.link_name)


def _missing(node: exp.Expr | None, database: str, name: str, catalog: str | None = None) -> QueryError:
    """A table that is not there, or not there for this caller: one error for both."""
    full = f"{(catalog or CATALOG).lower()}.{database}.{name}"
    return QueryError("TABLE_NOT_FOUND", f"Table '{full}' does not exist", placed(node))


def _denied(permission: str, place: str, node: exp.Expr | None = None) -> QueryError:
    message = f"Insufficient permissions to execute the query. Insufficient Lake Formation permission(s): {permission}"
    return QueryError("PERMISSION_DENIED", f"{message} on {place}", placed(node))


class _Tables:
    """The tables of one query: looked up, checked, and given internal names."""

    def __init__(self, caller: Caller, catalog: CatalogView, world: World, tree: exp.Expr) -> None:
        self.caller = caller
        self.catalog = catalog
        self.world = world
        self.used: dict[str, TableRef] = {}
        self.known: dict[tuple[object, ...], str] = {}
        self.written = _identifiers(tree)
        self.views: list[tuple[str, str, str]] = []

    def derived(self, name: TableName) -> exp.Query:
        """The caller's part of the table."""
        table = self._visible(name)
        access = access_to(self.caller, self.world, table)
        if table.kind == "view":
            return self._expanded(table, access, name)
        if table.kind == "information_schema":
            return self._whole(table)
        rights.check_location(self.caller, self.world, table)
        # A row rule speaks of today's rows: old snapshots may hold other columns, metadata tables show the smallest
        # and greatest values of hidden ones, and a view's text was written by somebody who saw more.
        is_part = not access.is_full
        if is_part and (table.metadata_table or table.version is not None or self.views):
            what = "A metadata table" if table.metadata_table else "Time travel" if table.version else "A view"
            needed = f"{what} needs SELECT on all columns and rows, which the requester does not have"
            raise _denied(needed, name.name, name.node)
        if not is_part:
            return self._whole(table)
        entry = table_entry(table.catalog_id, table.database, table.name)
        return derived(self._internal(table), access, dict(entry.columns) if entry else {})

    def columns(self, name: TableName) -> tuple[str, ...]:
        """The names of the columns that `derived` gives."""
        table = self._visible(name)
        return tuple(column.name for column in visible_columns(self.caller, self.world, table))

    def _visible(self, name: TableName) -> TableRef:
        """The table, if the caller may read anything of it; the same error for a missing and for a forbidden one."""
        table = self.catalog.relation(name.catalog, name.database, name.name)
        if table is None or not self._may_read(table, name):
            raise _missing(name.node, name.database, name.name, name.catalog)
        version = name.node.args.get("version")
        return table if version is None else replace(table, version=_constant(version))

    def _may_read(self, table: TableRef, name: TableName) -> bool:
        if table.kind == "information_schema":
            return True
        can_read = access_to(self.caller, self.world, table).can_select
        return can_read and self._may_follow(table, name)

    def _may_follow(self, table: TableRef, name: TableName) -> bool:
        """A resource link on the way needs a permission of its own: DESCRIBE on the link."""
        arn, own = self.caller.arn, self.world.account_id
        place = self.catalog.database(name.database)
        if place is None:
            return False
        if (place.catalog_id, place.name) != (own, name.database) and not database_access(
            self.world, arn, own, name.database
        ):
            return False
        base = name.name.partition("$")[0]
        if (table.catalog_id, table.database, table.name) == (place.catalog_id, place.name, base):
            return True
        return table_access(self.world, arn, place.catalog_id, place.name, base).is_described

    def _whole(self, table: TableRef) -> exp.Select:
        columns = [exp.column(identifier(column.name)) for column in table.columns]
        return plain(self._internal(table), list(columns))

    def _internal(self, table: TableRef) -> str:
        """The table's internal name: one per table, metadata table and version."""
        version = table.version.sql() if table.version is not None else ""
        key = (table.kind, table.catalog_id, table.database, table.name, table.metadata_table, version)
        if key not in self.known:
            number = len(self.known)
            # A name of the user's own would hide the table: a WITH entry called `__t0` would stand in for it.
            while f"__t{number}" in self.written or f"__t{number}" in self.used:
                number += 1
            self.known[key] = f"__t{number}"
            self.used[self.known[key]] = table
        return self.known[key]

    def _expanded(self, view: TableRef, access: Access, name: TableName) -> exp.Query:
        """The view's own query in its place, read with the caller's rights."""
        if not access.is_full or view.version is not None:
            raise _denied("SELECT on a view is for the whole view, as it is now", name.name, name.node)
        key = (view.catalog_id, view.database, view.name)
        if key in self.views or len(self.views) >= MAX_VIEW_DEPTH:
            message = f"View '{CATALOG}.{name.database}.{name.name}' is recursive"
            raise QueryError("VIEW_IS_RECURSIVE", message, name.node)
        self.views.append(key)
        try:
            return self._definition(view)
        except QueryError as error:
            raise _closed_view(name) from error
        finally:
            self.views.pop()

    def _definition(self, view: TableRef) -> exp.Query:
        definition = decode(view.view_text)
        tree = parse_query(definition.sql)
        # A view whose text says `__t0` would read a table of the query around it, past all that is checked here.
        if _identifiers(tree) & set(self.used):
            raise QueryError("INVALID_VIEW", "The view uses a reserved name")
        # Internal names that are given from here on must not be ones that this view's text uses.
        self.written |= _identifiers(tree)
        # A place in the view's text would be shown as a place in the user's.
        unplaced(tree)
        Rewriter(self, definition.schema.lower()).rewrite(tree)
        columns = [exp.column(identifier(column.name)) for column in view.columns]
        body = exp.Subquery(this=tree, alias=exp.TableAlias(this=identifier("__v")))
        return exp.Select(expressions=columns, from_=exp.From(this=body))


def _closed_view(name: TableName) -> QueryError:
    """One error for everything that can be wrong under a view: the caller learns nothing about the tables there."""
    message = (
        f"View '{CATALOG}.{name.database}.{name.name}' cannot be read: every table under it must exist and be open to "
        "the requester with all columns and rows (row and column filters do not reach through views)"
    )
    return QueryError("PERMISSION_DENIED", message, name.node)


def _constant(version: exp.Expression) -> exp.Expression:
    """The AS OF clause; only constants and calls of constants, since it is evaluated before the query."""
    for node in version.walk():
        if isinstance(node, exp.Column | exp.Query | exp.Table | exp.Subquery):
            raise QueryError("NOT_SUPPORTED", "Time travel needs a constant", placed(version))
    return version


def _identifiers(tree: exp.Expr) -> set[str]:
    return {node.name.lower() for node in tree.find_all(exp.Identifier)}

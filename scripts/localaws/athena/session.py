"""What the run of one statement needs: the caller, the catalog, the engine, and where results go."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa
from sqlglot import exp

from localaws.athena import authorise
from localaws.athena.catalog import CATALOG, CatalogView, DatabaseRef, TableRef
from localaws.athena.engine import Engine, Query, ResultColumn, Work
from localaws.athena.errors import QueryError
from localaws.athena.metadata_tables import rows_of
from localaws.athena.results import Encryption
from localaws.athena.rights import require_for_database, require_for_table
from localaws.athena.types import Type

if TYPE_CHECKING:
    from localaws.caller import Caller
    from localaws.world import World


@dataclass(frozen=True)
class Place:
    """Where a result goes: `folder/<query id>…`, encrypted so; an enforced workgroup allows no other place."""

    folder: str
    query_id: str
    encryption: Encryption = field(default_factory=dict)
    enforced: bool = False

    def path(self, ending: str) -> str:
        return f"{self.folder.rstrip('/')}/{self.query_id}{ending}"


@dataclass(frozen=True)
class Name:
    """A table's or view's full name as a statement means it."""

    database: str
    name: str


@dataclass
class Outcome:
    """What a statement gave: columns, lines of text or a number of rows, and the object that holds it."""

    columns: tuple[ResultColumn, ...] = ()
    lines: list[str] | None = None
    update_count: int | None = None
    rows: int | None = None
    location: str = ""
    manifest: str = ""
    output_bytes: int = 0


@dataclass
class Session:
    """Everything a statement's run needs."""

    world: World
    engine: Engine
    caller: Caller
    place: Place
    work: Work
    database: str | None = None
    workgroup: str = "primary"
    sql: str = ""
    catalog: CatalogView = field(init=False)

    def __post_init__(self) -> None:
        self.catalog = CatalogView(self.world)

    def fresh(self) -> None:
        """Look the catalog up anew: a statement of ours has changed it."""
        self.catalog = CatalogView(self.world)

    def named(self, parts: list[str]) -> Name:
        """The full name; the session's database where none is given."""
        if len(parts) > 2 and parts[-3] != CATALOG:
            raise QueryError("CATALOG_NOT_FOUND", f"Catalog '{parts[-3]}' does not exist")
        database = parts[-2] if len(parts) > 1 else self.database
        if not database:
            message = "line 1:1: Schema must be specified when session schema is not set"
            raise QueryError("MISSING_SCHEMA_NAME", message)
        return Name(database.lower(), parts[-1].lower())

    def relation(self, name: Name) -> TableRef | None:
        return self.catalog.relation(CATALOG, name.database, name.name)

    def visible(self, name: Name) -> TableRef | None:
        """The table, if the caller may know of it; None as for one that is not there."""
        table = self.relation(name)
        return table if table and authorise.visible_columns(self.caller, self.world, table) else None

    def table(self, name: Name) -> TableRef:
        """The table; the same error whether it is not there or not to be seen."""
        table = self.visible(name)
        if table is None:
            message = f"Table '{CATALOG}.{name.database}.{name.name}' does not exist"
            raise QueryError("TABLE_NOT_FOUND", message)
        return table

    def database_ref(self, name: str) -> DatabaseRef:
        """The database; SCHEMA_NOT_FOUND if there is none."""
        database = self.catalog.database(name)
        if database is None:
            raise QueryError("SCHEMA_NOT_FOUND", f"Schema '{name}' does not exist")
        return database

    def require(self, target: TableRef | DatabaseRef, *actions: Any) -> None:
        """The caller may do all this to the table or database."""
        for action in actions:
            authorise.require(self.caller, self.world, target, action)
            if isinstance(target, DatabaseRef):
                require_for_database(self.caller, target, action)
            else:
                require_for_table(self.caller, target, action)

    def authorised(self, tree: exp.Expr, database: str | None = None) -> Query:
        """The query as this caller may run it."""
        query = cast("exp.Expression", tree)
        authorised = authorise.authorise(query, self.caller, self.catalog, self.world, database or self.database)
        rows_by_name: dict[str, pa.Table] = {}
        for name, table in authorised.tables.items():
            # A table of another account comes through a grant of Lake Formation; there is no entry of ours for IAM to
            # judge.
            if table.catalog_id == self.world.account_id:
                require_for_table(self.caller, table, "DESCRIBE")
            rows = rows_of(self, table)
            if rows is not None:
                rows_by_name[name] = rows
        return Query(authorised.tree, dict(authorised.tables), rows_by_name)


def text_columns(names: Iterable[str]) -> tuple[ResultColumn, ...]:
    """Result columns of type string."""
    return tuple(ResultColumn(name, Type("varchar")) for name in names)

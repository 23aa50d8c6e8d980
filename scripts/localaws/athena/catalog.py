"""The Glue catalog as Athena's queries see it: databases, tables, metadata tables, views.

Example: `CatalogView(world).relation(None, "clinical", "patient")`
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from sqlglot import exp

from localaws.athena.errors import QueryError
from localaws.athena.iceberg import load
from localaws.athena.types import hive_from_trino, trino_from_hive, trino_from_iceberg
from localaws.glue.held import databases, named

if TYPE_CHECKING:
    from localaws.world import World


CATALOG = "awsdatacatalog"
INFORMATION_SCHEMA = "information_schema"
Kind = Literal["iceberg", "hive", "view", "information_schema"]


class Column(NamedTuple):
    """One column: lower-case name and Trino type (`varchar`, `array(row(a bigint))`)."""

    name: str
    type: str
    comment: str = ""
    is_partition: bool = False


@dataclass(frozen=True)
class TableRef:
    """One table as the catalog of its owner account knows it.

    `database` and `name` are the owner's (a resource link is already followed); `metadata_table` is the part
    after `$` of `"t$snapshots"`; `version` is the `FOR … AS OF` clause of this one reference (`exp.Version`),
    put there by the authoriser with `dataclasses.replace`.
    """

    catalog_id: str
    database: str
    name: str
    kind: Kind
    columns: tuple[Column, ...]
    location: str = ""
    parameters: dict[str, str] = field(default_factory=dict, compare=False, hash=False)
    glue: dict[str, Any] = field(default_factory=dict, compare=False, hash=False, repr=False)
    metadata_table: str | None = None
    version: exp.Expr | None = field(default=None, compare=False, hash=False)
    owner_arn: str = ""

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def view_text(self) -> str:
        """`/* Presto View: … */` of a view, else an empty text."""
        return str(self.glue.get("ViewOriginalText", "")) if self.kind == "view" else ""


class DatabaseRef(NamedTuple):
    """A database of the owner's catalog, a resource link followed."""

    catalog_id: str
    name: str
    link_name: str


class CatalogView:
    """The catalog as one query sees it: each name is looked up once."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._databases: dict[str, DatabaseRef | None] = {}
        self._tables: dict[tuple[str, str, str], TableRef | None] = {}

    def database(self, name: str) -> DatabaseRef | None:
        """The database with this name in the own account, a resource link followed; None if there is none."""
        key = name.lower()
        if key not in self._databases:
            self._databases[key] = self._find_database(key)
        return self._databases[key]

    def relation(self, catalog: str | None, database: str, name: str) -> TableRef | None:
        """The table, view, metadata table (`t$files`) or information_schema table; None if there is none."""
        if catalog and catalog.lower() != CATALOG:
            return None
        database, name = database.lower(), name.lower()
        # One for all databases: https://docs.aws.amazon.com/athena/latest/ug/querying-glue-catalog.html
        if database == INFORMATION_SCHEMA:
            return information_schema_table(name)
        owner = self.database(database)
        if owner is None:
            return None
        base, _, metadata_table = name.partition("$")
        table = self._table(owner.catalog_id, owner.name, base)
        if table is None or not metadata_table:
            return table
        return metadata_relation(table, metadata_table)

    def databases(self) -> list[DatabaseRef]:
        """All databases and links of the own account, by name."""
        references = [self._as_database(item.as_dict()) for item in list(databases(self.world.account_id).values())]
        return sorted(references, key=lambda item: item.link_name)

    def relations(self, database: DatabaseRef) -> list[TableRef]:
        """All tables and views of a database, by name."""
        entry = named(databases(database.catalog_id), database.name)
        items = [item.as_dict() for item in list(entry.tables.values())] if entry is not None else []
        tables = [self._followed(database.catalog_id, item) for item in items]
        return sorted((item for item in tables if item), key=lambda item: item.name)

    def _find_database(self, name: str) -> DatabaseRef | None:
        entry = named(databases(self.world.account_id), name)
        return self._as_database(entry.as_dict()) if entry is not None else None

    def _as_database(self, item: dict[str, Any]) -> DatabaseRef:
        target = item.get("TargetDatabase")
        if target:
            return DatabaseRef(target["CatalogId"], target["DatabaseName"].lower(), item["Name"].lower())
        return DatabaseRef(self.world.account_id, item["Name"].lower(), item["Name"].lower())

    def _table(self, catalog_id: str, database: str, name: str) -> TableRef | None:
        key = (catalog_id, database, name)
        if key not in self._tables:
            self._tables[key] = self._find_table(catalog_id, database, name)
        return self._tables[key]

    def _find_table(self, catalog_id: str, database: str, name: str) -> TableRef | None:
        parent = named(databases(catalog_id), database)
        entry = named(parent.tables, name) if parent is not None else None
        return self._followed(catalog_id, entry.as_dict()) if entry is not None else None

    def _followed(self, catalog_id: str, item: dict[str, Any]) -> TableRef | None:
        target = item.get("TargetTable")
        if target:
            return self._table(target["CatalogId"], target["DatabaseName"].lower(), target["Name"].lower())
        creator = self.world.creators.get((catalog_id, item["DatabaseName"], item["Name"]), "")
        return self._exact(table_from_glue(catalog_id, item, creator))

    def _exact(self, table: TableRef) -> TableRef:
        """An Iceberg table with the columns of its metadata: Glue's Hive types say less (time zones, optional)."""
        if table.kind != "iceberg":
            return table
        try:
            fields = load(self.world, table).schema().fields
        except QueryError:
            return table
        columns = tuple(
            Column(item.name.lower(), trino_from_iceberg(item.field_type), item.doc or "") for item in fields
        )
        return replace(table, columns=columns)


def table_from_glue(catalog_id: str, item: dict[str, Any], creator: str = "") -> TableRef:
    """A Glue table entry as a TableRef: current Iceberg columns only, partition keys last."""
    storage = item.get("StorageDescriptor") or {}
    parameters = item.get("Parameters") or {}
    return TableRef(
        catalog_id=catalog_id,
        database=item["DatabaseName"].lower(),
        name=item["Name"].lower(),
        kind=_kind(item, parameters),
        columns=_columns(storage.get("Columns", []), False) + _columns(item.get("PartitionKeys") or [], True),
        location=storage.get("Location", ""),
        parameters=parameters,
        glue=item,
        owner_arn=creator,
    )


def _kind(item: dict[str, Any], parameters: dict[str, str]) -> Kind:
    if item.get("TableType") == "VIRTUAL_VIEW":
        return "view"
    return "iceberg" if parameters.get("table_type", "").upper() == "ICEBERG" else "hive"


def _columns(items: list[dict[str, Any]], is_partition: bool) -> tuple[Column, ...]:
    return tuple(
        Column(
            item["Name"].lower(), trino_from_hive(item.get("Type") or "string"), item.get("Comment", ""), is_partition
        )
        for item in items
        # Glue keeps dropped columns of Iceberg tables in its entry, marked so; awswrangler leaves them out by the
        # same mark.
        if (item.get("Parameters") or {}).get("iceberg.field.current", "true") != "false"
    )


# Those of https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-table-metadata.html that something asks for.
METADATA_TABLES: dict[str, tuple[tuple[str, str], ...]] = {
    "snapshots": (
        ("committed_at", "timestamp(3) with time zone"),
        ("snapshot_id", "bigint"),
        ("parent_id", "bigint"),
        ("operation", "varchar"),
        ("manifest_list", "varchar"),
        ("summary", "map(varchar, varchar)"),
    ),
    "history": (
        ("made_current_at", "timestamp(3) with time zone"),
        ("snapshot_id", "bigint"),
        ("parent_id", "bigint"),
        ("is_current_ancestor", "boolean"),
    ),
    "files": (
        ("content", "integer"),
        ("file_path", "varchar"),
        ("file_format", "varchar"),
        ("record_count", "bigint"),
        ("file_size_in_bytes", "bigint"),
    ),
}

INFORMATION_SCHEMA_TABLES: dict[str, tuple[tuple[str, str], ...]] = {
    "schemata": (("catalog_name", "varchar"), ("schema_name", "varchar")),
    "tables": (
        ("table_catalog", "varchar"),
        ("table_schema", "varchar"),
        ("table_name", "varchar"),
        ("table_type", "varchar"),
    ),
    "columns": (
        ("table_catalog", "varchar"),
        ("table_schema", "varchar"),
        ("table_name", "varchar"),
        ("column_name", "varchar"),
        ("ordinal_position", "bigint"),
        ("column_default", "varchar"),
        ("is_nullable", "varchar"),
        ("data_type", "varchar"),
        ("comment", "varchar"),
        ("extra_info", "varchar"),
    ),
}


def metadata_relation(table: TableRef, metadata_table: str) -> TableRef | None:
    """`"t$snapshots"` of an Iceberg table: same owner and name, the metadata table's own columns."""
    columns = METADATA_TABLES.get(metadata_table)
    if columns is None or table.kind != "iceberg":
        return None
    return TableRef(
        catalog_id=table.catalog_id,
        database=table.database,
        name=table.name,
        kind="iceberg",
        columns=tuple(Column(*column) for column in columns),
        location=table.location,
        parameters=table.parameters,
        glue=table.glue,
        metadata_table=metadata_table,
        owner_arn=table.owner_arn,
    )


def information_schema_table(name: str) -> TableRef | None:
    """A table of information_schema: open to everybody, filled for the caller when it is read."""
    columns = INFORMATION_SCHEMA_TABLES.get(name)
    if columns is None:
        return None
    return TableRef("", INFORMATION_SCHEMA, name, "information_schema", tuple(Column(*column) for column in columns))


TEXT = re.compile(r"/\* Presto View: ([A-Za-z0-9+/=\s]+) \*/\s*")
# What Athena puts into ViewExpandedText; it reads the original text only.
MARK = "/* Presto View */"


@dataclass(frozen=True)
class View:
    """A view: its query, the schema in which its bare names resolve (may be none), its columns with Trino types."""

    sql: str
    schema: str
    columns: tuple[tuple[str, str], ...]
    catalog: str = CATALOG


def encode(view: View) -> str:
    """The `ViewOriginalText` of the view."""
    content = {
        "originalSql": view.sql,
        "catalog": view.catalog,
        "schema": view.schema,
        "columns": [{"name": name, "type": kind} for name, kind in view.columns],
        # Athena's views are read with the rights of who asks, so the authoriser expands them; Trino's default would
        # be the owner's.
        "runAsInvoker": True,
        "properties": {},
    }
    return f"/* Presto View: {b64encode(json.dumps(content).encode()).decode()} */"


def decode(text: str) -> View:
    """The view in a `ViewOriginalText`; INVALID_VIEW for a text that holds none."""
    match = TEXT.fullmatch(text.strip())
    try:
        content: dict[str, Any] = json.loads(b64decode(match[1], validate=False)) if match else {}
        columns = tuple((item["name"], item["type"]) for item in content["columns"])
        return View(content["originalSql"], content.get("schema") or "", columns, content.get("catalog") or CATALOG)
    except (ValueError, KeyError, TypeError) as error:
        raise QueryError("INVALID_VIEW", "The view's definition cannot be read") from error


def glue_input(name: str, view: View, comment: str = "") -> dict[str, Any]:
    """The Glue TableInput that holds the view."""
    columns = [{"Name": column.lower(), "Type": hive_from_trino(kind)} for column, kind in view.columns]
    return {
        "Name": name.lower(),
        "TableType": "VIRTUAL_VIEW",
        "Parameters": {"presto_view": "true", "comment": comment or "Presto View"},
        "StorageDescriptor": {"Columns": columns, "Location": "", "SerdeInfo": {}},
        "PartitionKeys": [],
        "ViewOriginalText": encode(view),
        "ViewExpandedText": MARK,
    }

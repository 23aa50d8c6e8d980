"""Rows of tables that are no files: information_schema as the caller may see it, Iceberg's metadata tables.

Example: `SELECT table_name FROM information_schema.tables WHERE table_schema = 'clinical'`
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from localaws.athena.authorise import visible_columns
from localaws.athena.catalog import CATALOG, INFORMATION_SCHEMA, Column, DatabaseRef, TableRef
from localaws.athena.iceberg import load
from localaws.athena.types import arrow_type, hive_from_trino, parse_type
from localaws.lakeformation.access import sees_database

if TYPE_CHECKING:
    from localaws.athena.session import Session
    from localaws.world import World


Row = dict[str, Any]


def rows_of(session: Session, table: TableRef) -> pa.Table | None:
    """The rows of such a table; None for a table of files."""
    if table.kind == "information_schema":
        rows = list(_INFORMATION[table.name](session))
    elif table.metadata_table:
        rows = list(_METADATA[table.metadata_table](session, table))
    else:
        return None
    schema = pa.schema([(column.name, arrow_type(parse_type(column.type))) for column in table.columns])
    return pa.Table.from_pylist(rows, schema=schema)


def visible_databases(session: Session) -> list[DatabaseRef]:
    """The databases that the caller may describe or see a table of."""
    arn = session.caller.arn
    return [database for database in session.catalog.databases() if sees(session.world, arn, database)]


def sees(world: World, arn: str, database: DatabaseRef) -> bool:
    """Whether the principal may know of the database; for a resource link the link's own permissions count."""
    is_link = (database.catalog_id, database.name) != (world.account_id, database.link_name)
    place = (world.account_id, database.link_name) if is_link else (database.catalog_id, database.name)
    return bool(sees_database(world, arn, *place))


def visible_tables(session: Session, database: DatabaseRef) -> Iterator[tuple[TableRef, list[Column]]]:
    """The tables of a database that the caller may see, with the columns they may see of them."""
    for table in session.catalog.relations(database):
        columns = list(visible_columns(session.caller, session.world, table))
        if columns:
            yield table, columns


def _schemata(session: Session) -> Iterator[Row]:
    for database in visible_databases(session):
        yield {"catalog_name": CATALOG, "schema_name": database.link_name}
    yield {"catalog_name": CATALOG, "schema_name": INFORMATION_SCHEMA}


def _tables(session: Session) -> Iterator[Row]:
    for database in visible_databases(session):
        for table, _ in visible_tables(session, database):
            kind = "VIEW" if table.kind == "view" else "BASE TABLE"
            names = {"table_catalog": CATALOG, "table_schema": database.link_name, "table_name": table.name}
            yield {**names, "table_type": kind}


def _columns(session: Session) -> Iterator[Row]:
    for database in visible_databases(session):
        for table, columns in visible_tables(session, database):
            for place, column in enumerate(columns, 1):
                yield {
                    "table_catalog": CATALOG,
                    "table_schema": database.link_name,
                    "table_name": table.name,
                    "column_name": column.name,
                    "ordinal_position": place,
                    "column_default": None,
                    "is_nullable": "YES",
                    "data_type": column.type,
                    "comment": column.comment or None,
                    "extra_info": "partition key" if column.is_partition else None,
                }


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _snapshots(session: Session, table: TableRef) -> Iterator[Row]:
    for item in load(session.world, table).snapshots():
        summary = item.summary
        properties = dict(summary.additional_properties) if summary else {}
        yield {
            "committed_at": _moment(item.timestamp_ms),
            "snapshot_id": item.snapshot_id,
            "parent_id": item.parent_snapshot_id,
            "operation": summary.operation.value if summary else None,
            "manifest_list": item.manifest_list,
            "summary": [(str(key), str(value)) for key, value in properties.items()],
        }


def _history(session: Session, table: TableRef) -> Iterator[Row]:
    iceberg_table = load(session.world, table)
    ancestors = set()
    current = iceberg_table.current_snapshot()
    while current is not None:
        ancestors.add(current.snapshot_id)
        parent = current.parent_snapshot_id
        current = iceberg_table.snapshot_by_id(parent) if parent is not None else None
    for entry in iceberg_table.history():
        snapshot = iceberg_table.snapshot_by_id(entry.snapshot_id)
        yield {
            "made_current_at": _moment(entry.timestamp_ms),
            "snapshot_id": entry.snapshot_id,
            "parent_id": snapshot.parent_snapshot_id if snapshot else None,
            "is_current_ancestor": entry.snapshot_id in ancestors,
        }


def _files(session: Session, table: TableRef) -> Iterator[Row]:
    iceberg_table = load(session.world, table)
    if iceberg_table.current_snapshot() is None:
        return
    for task in iceberg_table.scan().plan_files():
        for file in (task.file, *task.delete_files):
            yield {
                "content": int(file.content),
                "file_path": file.file_path,
                "file_format": str(file.file_format.value if hasattr(file.file_format, "value") else file.file_format),
                "record_count": file.record_count,
                "file_size_in_bytes": file.file_size_in_bytes,
            }


_INFORMATION = {"schemata": _schemata, "tables": _tables, "columns": _columns}
_METADATA = {"snapshots": _snapshots, "history": _history, "files": _files}


def table_metadata(table: TableRef, name: str, columns: Sequence[Column]) -> dict[str, Any]:
    """TableMetadata of the API: the columns that the caller may see, Hive types as Glue has them."""

    def listed(is_key: bool) -> list[dict[str, str]]:
        return [
            {"Name": column.name, "Type": hive_from_trino(column.type), "Comment": column.comment}
            for column in columns
            if column.is_partition is is_key
        ]

    return {
        "Name": name,
        "CreateTime": table.glue.get("CreateTime") or datetime.now(UTC),
        "LastAccessTime": table.glue.get("LastAccessTime") or datetime.fromtimestamp(0, UTC),
        "TableType": table.glue.get("TableType", "EXTERNAL_TABLE"),
        "Columns": listed(False),
        "PartitionKeys": listed(True),
        "Parameters": {**table.parameters, **_storage_parameters(table)},
    }


def _storage_parameters(table: TableRef) -> dict[str, str]:
    """Where and how a table's files lie, as Athena says it among its parameters."""
    storage = table.glue.get("StorageDescriptor") or {}
    serde = storage.get("SerdeInfo") or {}
    named = {
        "location": table.location,
        "inputformat": storage.get("InputFormat"),
        "outputformat": storage.get("OutputFormat"),
        "serde.serialization.lib": serde.get("SerializationLibrary"),
        **{f"serde.param.{name}": value for name, value in (serde.get("Parameters") or {}).items()},
    }
    return {name: value for name, value in named.items() if value}

"""What the Glue catalog holds, as Lake Formation looks at it: does it exist, since when, with which columns.

Reads moto's Glue backend; writes nothing. Behind every make target that uses localaws.
Example: `table_entry("123456789012", "clinical", "patient").columns` is `{"patient_id": "string", ...}`
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from localaws.glue.held import databases, named


@dataclass(frozen=True)
class DatabaseEntry:
    """A database; `table_defaults` are the default permissions its creator asked for, None when it did not say."""

    catalog_id: str
    name: str
    created_at: datetime
    table_defaults: tuple[Mapping[str, Any], ...] | None
    link: tuple[str, str] | None
    tables: tuple[str, ...]


@dataclass(frozen=True)
class TableEntry:
    """A table, view or link; columns with Hive types in table order, partition keys last."""

    catalog_id: str
    database: str
    name: str
    created_at: datetime
    columns: Mapping[str, str]
    partition_keys: frozenset[str]
    link: tuple[str, str, str] | None
    is_view: bool


def database_names(catalog_id: str) -> list[str]:
    return [name.lower() for name in databases(catalog_id)]


def database_entry(catalog_id: str, database: str) -> DatabaseEntry | None:
    """The database; None when there is none."""
    found = named(databases(catalog_id), database)
    if found is None:
        return None
    target = found.input.get("TargetDatabase") or {}
    defaults = found.input.get("CreateTableDefaultPermissions")
    return DatabaseEntry(
        catalog_id,
        found.name.lower(),
        found.created_time,
        tuple(defaults) if defaults is not None else None,
        (target["CatalogId"], target["DatabaseName"].lower()) if target else None,
        tuple(name.lower() for name in found.tables),
    )


def table_entry(catalog_id: str, database: str, table: str) -> TableEntry | None:
    """The table; None when there is none."""
    parent = named(databases(catalog_id), database)
    found = named(parent.tables, table) if parent is not None else None
    if found is None:
        return None
    item = found.as_dict()
    target = item.get("TargetTable") or {}
    keys = item.get("PartitionKeys") or []
    return TableEntry(
        catalog_id,
        parent.name.lower(),
        found.name.lower(),
        found.created_time,
        _columns([*((item.get("StorageDescriptor") or {}).get("Columns") or []), *keys]),
        frozenset(key["Name"].lower() for key in keys),
        (target["CatalogId"], target["DatabaseName"].lower(), target["Name"].lower()) if target else None,
        item.get("TableType") == "VIRTUAL_VIEW",
    )


def _columns(items: list[dict[str, Any]]) -> dict[str, str]:
    """Current columns: Iceberg entries keep dropped ones, marked."""
    return {
        item["Name"].lower(): item.get("Type", "string")
        for item in items
        if (item.get("Parameters") or {}).get("iceberg.field.current", "true") != "false"
    }

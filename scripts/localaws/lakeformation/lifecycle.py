"""Keeping step with the catalog: default permissions of what is new, and nothing left of what is gone.

Reads the Glue catalog; writes Lake Formation's own state. Behind every make target that uses localaws.
Example: `settle_table(world, "123456789012", "clinical", "patient")` before its grants are looked at.

A table that was dropped and made again is a new table: its creation time tells, so no grant or filter of the old one
ever holds for the new one, however the table went.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from localaws.lakeformation.entries import DatabaseEntry, TableEntry, database_entry, database_names, table_entry
from localaws.lakeformation.grants import grant
from localaws.lakeformation.resources import Target
from localaws.lakeformation.state import GUARD, Lake, lake

if TYPE_CHECKING:
    from localaws.world import World


def settle_database(world: World, catalog_id: str, database: str) -> DatabaseEntry | None:
    """The database as it is now, Lake Formation's state brought in step; None when it does not exist."""
    with GUARD:
        own = lake(world, catalog_id)
        entry = database_entry(catalog_id, database)
        key = (database.lower(), "")
        if entry is None:
            if key in own.seen:
                forget_database(own, catalog_id, database)
            return None
        if own.seen.get(key) != entry.created_at:
            forget_database(own, catalog_id, database)
            own.seen[key] = entry.created_at
            own.table_defaults[entry.name] = _defaults_of(entry, own)
            _grant_defaults(own, Target("database", catalog_id, entry.name), _database_defaults(entry, own))
        return entry


def settle_table(world: World, catalog_id: str, database: str, table: str) -> TableEntry | None:
    """The table as it is now, Lake Formation's state brought in step; None when it does not exist."""
    with GUARD:
        own = lake(world, catalog_id)
        settle_database(world, catalog_id, database)
        entry = table_entry(catalog_id, database, table)
        key = (database.lower(), table.lower())
        if entry is None:
            if key in own.seen:
                forget_table(own, catalog_id, database, table)
            return None
        if own.seen.get(key) != entry.created_at:
            forget_table(own, catalog_id, database, table)
            own.seen[key] = entry.created_at
            if entry.link is None:
                target = Target("table", catalog_id, entry.database, entry.name)
                _grant_defaults(own, target, own.table_defaults.get(entry.database, ()))
        return entry


def settle_everything(world: World, catalog_id: str) -> None:
    """Bring every database and table in step: before the defaults change, since they bind what exists already."""
    own = lake(world, catalog_id)
    known = {database for database, _ in own.seen} | set(database_names(catalog_id))
    for database in known:
        entry = settle_database(world, catalog_id, database)
        tables = {table for parent, table in own.seen if parent == database and table}
        for table in tables | set(entry.tables if entry else ()):
            settle_table(world, catalog_id, database, table)


def forget_table(own: Lake, catalog_id: str, database: str, table: str) -> None:
    """Drop the table's grants, filters and tags."""
    _forget(own, catalog_id, database.lower(), table.lower())


def forget_database(own: Lake, catalog_id: str, database: str) -> None:
    """Drop the grants, filters and tags of the database and of everything in it."""
    own.table_defaults.pop(database.lower(), None)
    _forget(own, catalog_id, database.lower(), None)


def _forget(own: Lake, catalog_id: str, database: str, table: str | None) -> None:
    def is_gone(target: Target) -> bool:
        place = (target.catalog_id, target.database)
        return place == (catalog_id, database) and table in (None, target.table)

    own.grants = {key: held for key, held in own.grants.items() if not is_gone(held.target)}
    own.tagged = {target: tags for target, tags in own.tagged.items() if not is_gone(target)}
    own.filters = {
        key: item
        for key, item in own.filters.items()
        if not (item.table_key[:2] == (catalog_id, database) and table in (None, item.table))
    }
    own.seen = {key: at for key, at in own.seen.items() if not (key[0] == database and table in (None, key[1]))}


def _defaults_of(entry: DatabaseEntry, own: Lake) -> tuple[Mapping[str, Any], ...]:
    if entry.table_defaults is not None:
        return entry.table_defaults
    return tuple(own.settings["CreateTableDefaultPermissions"])


def _database_defaults(entry: DatabaseEntry, own: Lake) -> Iterable[Mapping[str, Any]]:
    return () if entry.link else own.settings["CreateDatabaseDefaultPermissions"]


def _grant_defaults(own: Lake, target: Target, defaults: Iterable[Mapping[str, Any]]) -> None:
    for item in defaults:
        principal = item["Principal"]["DataLakePrincipalIdentifier"]
        if item.get("Permissions"):
            grant(own, principal, target, set(item["Permissions"]), set(), by="default")

"""A table's entry in the Glue catalog as it was, around the metadata that an engine has just committed.

Reads and writes the Glue catalog. Behind `make local-aws ENGINE=trino`.
Example: `keep_entry(world, ref)` after Trino's INSERT into the table of `ref`

Trino's commit writes the whole entry anew and knows nothing of Athena's marks on columns (`iceberg.field.id`,
`iceberg.field.current`) or of others' settings; clients such as awswrangler go by them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from localaws.athena.errors import QueryError

if TYPE_CHECKING:
    from localaws.athena.catalog import TableRef
    from localaws.world import World

POINTERS = ("metadata_location", "previous_metadata_location")
MEMBERS = ("Name", "Description", "Owner", "Retention", "StorageDescriptor", "PartitionKeys", "TableType")
TRIES = 5


def keep_entry(world: World, ref: TableRef) -> None:
    """Put back what was there before, but for the pointers to the metadata; again if somebody commits meanwhile."""
    glue = world.client("glue", ref.catalog_id)
    for _ in range(TRIES):
        now = glue.get_table(DatabaseName=ref.database, Name=ref.name)["Table"]
        wanted = _entry(ref.glue, now["Parameters"])
        if wanted == _entry(now, now["Parameters"]):
            return
        try:
            glue.update_table(
                DatabaseName=ref.database, TableInput=wanted, VersionId=now["VersionId"], SkipArchive=True
            )
        except glue.exceptions.ConcurrentModificationException:
            continue
        return
    raise QueryError("ICEBERG_COMMIT_ERROR", "Failed to commit: the table was changed in the meantime")


def _entry(table: dict[str, Any], committed: dict[str, str]) -> dict[str, Any]:
    parameters = {name: text for name, text in (table.get("Parameters") or {}).items() if name not in POINTERS}
    parameters |= {name: committed[name] for name in POINTERS if name in committed}
    return {**{name: table[name] for name in MEMBERS if table.get(name) is not None}, "Parameters": parameters}

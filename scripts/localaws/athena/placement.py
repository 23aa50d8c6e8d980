"""Whether a table may be read where its files lie: nobody reads other people's files through a table of their own.

Reads Lake Formation's registered locations, IAM policies, partitions and Iceberg manifests. Behind every Athena query.
Example: `check(caller, world, table)`

A table on a registered location, put there by somebody who may, is read on Lake Formation's account. Any other table
is read on the caller's own account: its IAM policies must allow the objects. And where neither the creator may place
tables there nor anybody vouches for the entry, everything it names (metadata, partitions, data files) must lie under
its location, since properties and partitions can be pointed anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from pyiceberg.expressions import AlwaysTrue

from localaws.athena.catalog import TableRef
from localaws.athena.errors import QueryError
from localaws.athena.icebergs import load, planned
from localaws.iam import gate
from localaws.iam.policy import Call
from localaws.lakeformation.locations import arn_of, is_under, may_place, registered
from localaws.lakeformation.state import lake

if TYPE_CHECKING:
    from localaws.caller import Caller
    from localaws.world import World

RESERVED = frozenset({"table_type", "metadata_location", "previous_metadata_location", "presto_view", "external"})


def check(caller: Caller, world: World, table: TableRef) -> None:
    """Nothing if the table may be read where it lies, else PERMISSION_DENIED."""
    if caller.is_admin or table.catalog_id != world.account_id or table.kind not in {"iceberg", "hive"}:
        return
    if _is_vouched_for(world, table):
        if registered(lake(world, table.catalog_id), table.location) is None:
            _require_objects(caller, table)
        return
    _require_objects(caller, table)
    if not all(is_under(location, table.location) for location in _named(world, table)):
        raise QueryError("PERMISSION_DENIED", f"Table {table.database}.{table.name} names files outside its location")


def check_properties(properties: Mapping[str, str]) -> None:
    """INVALID_TABLE_PROPERTY for properties that say where a table's metadata lies or what kind of entry it is."""
    reserved = sorted(name for name in properties if name.lower() in RESERVED)
    if reserved:
        raise QueryError("INVALID_TABLE_PROPERTY", f"Table property '{reserved[0]}' cannot be set")


def check_partition(caller: Caller, table: TableRef, location: str) -> None:
    """PERMISSION_DENIED for a partition outside its table's location, unless the caller may read it by IAM."""
    if not is_under(location, table.location):
        _require_objects(caller, replace(table, location=location))


def _is_vouched_for(world: World, table: TableRef) -> bool:
    creator = world.creators.get((table.catalog_id, table.database, table.name))
    return creator is not None and may_place(world, creator, table.location)


def _require_objects(caller: Caller, table: TableRef) -> None:
    try:
        gate.check(caller, [Call("s3:GetObject", f"{arn_of(table.location)}/data")])
    except gate.AccessDenied:
        message = f"Access Denied when accessing the files of {table.database}.{table.name}"
        raise QueryError("PERMISSION_DENIED", message) from None


def _named(world: World, table: TableRef) -> Iterator[str]:
    """Every place that the entry points to."""
    if table.kind == "iceberg":
        yield table.parameters.get("metadata_location", "")
        found = load(world, table)
        for snapshot in found.snapshots():
            yield snapshot.manifest_list
            for task in planned(found, snapshot, AlwaysTrue()):
                yield task.file.file_path
                yield from (file.file_path for file in task.delete_files)
    elif table.glue.get("PartitionKeys"):
        client = world.client("glue", table.catalog_id)
        pages = client.get_paginator("get_partitions").paginate(DatabaseName=table.database, TableName=table.name)
        for page in pages:
            yield from (item["StorageDescriptor"]["Location"] for item in page["Partitions"])

"""What IAM and the place of files have to say: Athena acts on S3 and Glue with the caller's own rights.

Lake Formation is asked in `authorise`; both must agree
(https://docs.aws.amazon.com/lake-formation/latest/dg/access-control-underlying-data.html).
Example: `require(caller, "s3:PutObject", "s3://bucket/prefix/")`
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from pyiceberg.expressions import AlwaysTrue

from localaws.athena.catalog import TableRef
from localaws.athena.errors import QueryError
from localaws.athena.iceberg import bucket_and_key, load, planned
from localaws.caller import REGION
from localaws.iam import gate, resources
from localaws.iam.policy import Call
from localaws.lakeformation.locations import arn_of, is_under, may_place, registered
from localaws.lakeformation.state import lake

if TYPE_CHECKING:
    from localaws.athena.catalog import DatabaseRef, TableRef
    from localaws.caller import Caller
    from localaws.world import World


_ON_TABLES = {"DROP": "DeleteTable", "DESCRIBE": "GetTable", "READ_ALL": "GetTable"}
_ON_DATABASES = {
    "CREATE_DATABASE": "CreateDatabase",
    "DROP": "DeleteDatabase",
    "DESCRIBE": "GetDatabase",
    "CREATE_TABLE": "GetDatabase",
}


def require_catalog(caller: Caller, operation: str, account_id: str, database: str, table: str | None = None) -> None:
    """Nothing if IAM lets the caller make this call to Glue, else PERMISSION_DENIED."""
    params: dict[str, Any] = {"CatalogId": account_id, "DatabaseName": database}
    if table is not None:
        params["TableName"] = table
    touched = resources.touched(resources.Place("glue", REGION, account_id), operation, params)
    try:
        gate.check(caller, [Call(f"glue:{operation}", item.arn, is_partial=item.is_partial) for item in touched])
    except gate.AccessDenied as error:
        raise QueryError("PERMISSION_DENIED", str(error)) from None


def require_for_table(caller: Caller, ref: TableRef, action: str) -> None:
    """The call behind an action on a table: changes of an Iceberg table end in UpdateTable."""
    # An Iceberg commit is a new metadata_location in Glue, so it is UpdateTable that IAM must allow.
    changes = "UpdateTable" if ref.kind == "iceberg" or action == "ALTER" else "GetTable"
    require_catalog(caller, _ON_TABLES.get(action, changes), ref.catalog_id, ref.database, ref.name)


def require_for_database(caller: Caller, ref: DatabaseRef, action: str) -> None:
    """The call behind an action on a database."""
    require_catalog(caller, _ON_DATABASES[action], ref.catalog_id, ref.link_name)


# Whoever could set these could point an entry of their own at the metadata of any table.
RESERVED_PROPERTIES = frozenset(
    {"table_type", "metadata_location", "previous_metadata_location", "presto_view", "external"}
)


def check_location(caller: Caller, world: World, table: TableRef) -> None:
    """Nothing if the table may be read where it lies, else PERMISSION_DENIED."""
    if caller.is_admin or table.catalog_id != world.account_id or table.kind not in {"iceberg", "hive"}:
        return
    # On a registered location, put there by somebody who may, the table is read on Lake Formation's account; anywhere
    # else on the caller's own. And where nobody vouches for the entry, all that it names must lie under its location,
    # since properties and partitions can be pointed at other people's files.
    if _is_vouched_for(world, table):
        if registered(lake(world, table.catalog_id), table.location) is None:
            _require_objects(caller, table)
        return
    _require_objects(caller, table)
    if not all(is_under(location, table.location) for location in _locations_in_entry(world, table)):
        raise QueryError("PERMISSION_DENIED", f"Table {table.database}.{table.name} names files outside its location")


def check_properties(properties: Mapping[str, str]) -> None:
    """INVALID_TABLE_PROPERTY for properties that say where a table's metadata lies or what kind of entry it is."""
    reserved = sorted(name for name in properties if name.lower() in RESERVED_PROPERTIES)
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


def _locations_in_entry(world: World, table: TableRef) -> Iterator[str]:
    """Every place that the entry points to."""
    if table.kind == "iceberg":
        yield table.parameters.get("metadata_location", "")
        iceberg_table = load(world, table)
        for snapshot in iceberg_table.snapshots():
            yield snapshot.manifest_list
            for task in planned(iceberg_table, snapshot, AlwaysTrue()):
                yield task.file.file_path
                yield from (file.file_path for file in task.delete_files)
    elif table.glue.get("PartitionKeys"):
        client = world.client("glue", table.catalog_id)
        pages = client.get_paginator("get_partitions").paginate(DatabaseName=table.database, TableName=table.name)
        for page in pages:
            yield from (item["StorageDescriptor"]["Location"] for item in page["Partitions"])


def require(caller: Caller, action: str, location: str) -> None:
    """Nothing if IAM lets the caller do this to the objects there, else PERMISSION_DENIED."""
    bucket, key = bucket_and_key(location)
    if not bucket:
        raise QueryError("INVALID_TABLE_PROPERTY", f"Not a location: {location}")
    is_listing = action == "s3:ListBucket"
    resource = f"arn:aws:s3:::{bucket}" if is_listing else f"arn:aws:s3:::{bucket}/{key or '*'}"
    context = {"s3:prefix": key} if is_listing else {}
    try:
        gate.check(caller, [Call(action, resource, context=context)])
    except gate.AccessDenied as error:
        raise QueryError("PERMISSION_DENIED", f"Access denied when accessing {location}: {error}") from None


def require_write(caller: Caller, location: str) -> None:
    """The caller may put and remove objects under the location."""
    # Policies speak of objects; `data` stands for whatever a file there will be called.
    prefix = location.rstrip("/") + "/data"
    for action in ("s3:PutObject", "s3:DeleteObject"):
        require(caller, action, prefix)


def keys_under(world: World, location: str, limit: int | None = None) -> list[str]:
    """The keys of the objects under a location."""
    bucket, prefix = bucket_and_key(location)
    prefix = prefix.rstrip("/") + "/" if prefix else ""
    options: dict[str, Any] = {"PaginationConfig": {"MaxItems": limit}} if limit else {}
    try:
        pages = world.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, **options)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]
    except ClientError as error:
        raise QueryError("HIVE_METASTORE_ERROR", f"{location}: {error.response['Error']['Message']}") from None


def remove_under(world: World, location: str) -> None:
    """Delete every object under a location."""
    bucket, _ = bucket_and_key(location)
    keys = keys_under(world, location)
    # DeleteObjects takes 1,000 keys at once.
    for start in range(0, len(keys), 1000):
        objects = [{"Key": key} for key in keys[start : start + 1000]]
        world.client("s3").delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})

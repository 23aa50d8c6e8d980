"""What a variant or annotation store stands on: bucket, database and tables of the service, and the share of them.

Reads and writes Glue, Lake Formation, S3 and RAM of the service account. Behind `make deploy` and `make destroy`.
Example: `host(world, store, {"variants": VARIANT})`.

The database is `variant_<account>_<store id>` (`annotation_…`), offered to the store's account through RAM; the table
is called as the store, those of other versions `<store>_<version>` (AWS documents no name for these).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
from botocore.exceptions import ClientError

from localaws.buckets import remove_bucket
from localaws.omics.state import Store
from localaws.omics.tables import create_table
from localaws.ram.offers import database_arn, offer, withdraw

if TYPE_CHECKING:
    from localaws.world import World


def bucket_name(store: Store) -> str:
    return f"omics-{store.kind}-{store.id}"


def database_name(world: World, store: Store) -> str:
    return f"{store.kind}_{world.account_id}_{store.id}"


def table_name(store: str, version: str) -> str:
    """The table of a version; the first version is called as its store."""
    return store if version == store else f"{store}_{version}"


def host(world: World, store: Store, tables: dict[str, pa.Schema]) -> None:
    """Make bucket, database and tables, and offer the database to the account that the store is for."""
    owner = world.service_account_id
    _administer(world)
    world.client("s3", owner).create_bucket(Bucket=bucket_name(store))
    database = {"Name": database_name(world, store), "LocationUri": f"s3://{bucket_name(store)}/"}
    world.client("glue", owner).create_database(DatabaseInput=database)
    for name, shape in tables.items():
        create_table(world, bucket_name(store), database_name(world, store), name, shape)
    share(world, store, world.account_id)


def share(world: World, store: Store, account_id: str) -> None:
    """Offer the store's database to an account."""
    owner = world.service_account_id
    arn = database_arn(world, owner, database_name(world, store))
    made = offer(world, owner, account_id, f"HealthOmics-{store.kind}-{store.id}", [arn])
    store.share_arns[account_id] = made.arn


def unshare(world: World, store: Store, account_id: str) -> None:
    """End an account's share."""
    if account_id in store.share_arns:
        withdraw(world, store.share_arns.pop(account_id))


def _administer(world: World) -> None:
    """Make the service's user the one administrator of its own lake: nobody has anything by default."""
    owner = world.service_account_id
    administrator = {"DataLakePrincipalIdentifier": world.client("sts", owner).get_caller_identity()["Arn"]}
    world.client("lakeformation", owner).put_data_lake_settings(
        DataLakeSettings={
            "DataLakeAdmins": [administrator],
            "CreateDatabaseDefaultPermissions": [],
            "CreateTableDefaultPermissions": [],
        }
    )


def remove_table(world: World, store: Store, table: str) -> None:
    """Drop a version's table with its files."""
    owner = world.service_account_id
    try:
        world.client("glue", owner).delete_table(DatabaseName=database_name(world, store), Name=table)
    except ClientError as error:
        if error.response["Error"]["Code"] != "EntityNotFoundException":
            raise
    s3 = world.client("s3", owner)
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket_name(store), Prefix=f"{table}/"):
        for item in page.get("Contents", []):
            s3.delete_object(Bucket=bucket_name(store), Key=item["Key"])


def remove(world: World, store: Store) -> None:
    """Take away shares, tables, database and bucket."""
    owner, database = world.service_account_id, database_name(world, store)
    for account_id in list(store.share_arns):
        unshare(world, store, account_id)
    glue = world.client("glue", owner)
    try:
        for page in glue.get_paginator("get_tables").paginate(DatabaseName=database):
            for table in page["TableList"]:
                glue.delete_table(DatabaseName=database, Name=table["Name"])
        glue.delete_database(Name=database)
    except ClientError as error:
        if error.response["Error"]["Code"] != "EntityNotFoundException":
            raise
    remove_bucket(world.client("s3", owner), bucket_name(store))

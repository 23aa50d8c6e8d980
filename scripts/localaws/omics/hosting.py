"""What a variant or annotation store stands on: bucket, database and tables of the service, and the share of them.

The database is `variant_<account>_<store id>` (`annotation_…`), offered to the store's account through RAM; the table
is called as the store, those of other versions `<store>_<version>` (AWS documents no name for these).

Example: `host(world, store, {"variants": VARIANT})`, then `commit(world, database, name, bucket, [path])`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from botocore.exceptions import ClientError
from pyiceberg.io.pyarrow import schema_to_pyarrow

from localaws.buckets import remove_bucket
from localaws.healthlake.tables import append_file, data_file
from localaws.omics.rows import VEP_TEXTS
from localaws.omics.state import Store
from localaws.ram.offers import database_arn, offer, withdraw

if TYPE_CHECKING:
    from pyiceberg.table import Table

    from localaws.omics.files import Row
    from localaws.world import World

if TYPE_CHECKING:
    from localaws.world import World

# One data file per imported file and one commit per job. AWS partitions a variant store by sample; a data file of a
# single-sample VCF is as good to prune by its statistics, and one of 2,504 samples does not become 2,504 files.
BATCH_ROWS = 20_000
_PROPERTIES = {
    "format-version": "2",
    "write.metadata.metrics.default": "none",
    **{
        f"write.metadata.metrics.column.{name}": "full"
        for name in ("importjobid", "contigname", "start", "end", "sampleid")
    },
}


def host(world: World, store: Store, tables: dict[str, pa.Schema]) -> None:
    """Make bucket, database and tables, and offer the database to the account that the store is for."""
    owner = world.service_account_id
    _administer(world)
    world.client("s3", owner).create_bucket(Bucket=bucket_name(store))
    database = {"Name": database_name(world, store), "LocationUri": f"s3://{bucket_name(store)}/"}
    world.client("glue", owner).create_database(DatabaseInput=database)
    for name, columns in tables.items():
        create_table(world, bucket_name(store), database_name(world, store), name, columns)
    share(world, store, world.account_id)


def share(world: World, store: Store, account_id: str) -> None:
    """Offer the store's database to an account."""
    owner = world.service_account_id
    arn = database_arn(world, owner, database_name(world, store))
    database_offer = offer(world, owner, account_id, f"HealthOmics-{store.kind}-{store.id}", [arn])
    store.share_arns[account_id] = database_offer.arn


def unshare(world: World, store: Store, account_id: str) -> None:
    """End an account's share."""
    if account_id in store.share_arns:
        withdraw(world, store.share_arns.pop(account_id))


def bucket_name(store: Store) -> str:
    return f"omics-{store.kind}-{store.id}"


def database_name(world: World, store: Store) -> str:
    return f"{store.kind}_{world.account_id}_{store.id}"


def table_name(store: str, version: str) -> str:
    """The table of a version; the first version is called as its store."""
    return store if version == store else f"{store}_{version}"


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


# The Iceberg tables: made empty, and given files of rows.


def create_table(world: World, bucket: str, database: str, name: str, columns: pa.Schema) -> None:
    """An empty Iceberg table."""
    catalog = world.iceberg_catalog(world.service_account_id)
    properties = {key: value for key, value in _PROPERTIES.items() if _is_for(key, columns)}
    catalog.create_table((database, name), columns, location=f"s3://{bucket}/{name}", properties=properties)


def _is_for(key: str, columns: pa.Schema) -> bool:
    prefix = "write.metadata.metrics.column."
    return not key.startswith(prefix) or key.removeprefix(prefix) in columns.names


def open_table(world: World, database: str, name: str) -> Table:
    return world.iceberg_catalog(world.service_account_id).load_table((database, name))


def write_rows(rows: Iterable[Row], table: Table, path: Path) -> int:
    """Rows into a Parquet file that the table can take; how many there were. Memory holds one batch."""
    target = schema_to_pyarrow(table.schema(), include_field_ids=True)
    source, n_rows = iter(rows), 0
    with pq.ParquetWriter(path, target, compression="zstd", store_schema=False) as writer:
        while batch := list(islice(source, BATCH_ROWS)):
            columns = [pa.array([row.get(field.name) for row in batch], _plain(field.type)) for field in target]
            writer.write_table(
                pa.Table.from_arrays(
                    [_as(column, field) for column, field in zip(columns, target, strict=True)], schema=target
                )
            )
            n_rows += len(batch)
    return n_rows


def _plain(kind: pa.DataType) -> pa.DataType:
    """The type without field ids, which `pa.array` reads Python values into."""
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, _plain(field.type)) for field in kind])
    if pa.types.is_map(kind):
        return pa.map_(_plain(kind.key_type), _plain(kind.item_type))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.list_(_plain(kind.value_type))
    return pa.string() if pa.types.is_large_string(kind) else kind


def _as(column: pa.Array, field: pa.Field) -> pa.Array:
    # The table's type has field ids within, which Iceberg reads Parquet by and `pa.array` cannot build.
    return column.cast(field.type)


def commit(world: World, database: str, name: str, bucket: str, paths: list[Path]) -> int:
    """Give the table the files, all in one snapshot; their bytes. Empty files are left out."""
    table = open_table(world, database, name)
    full = [path for path in paths if pq.read_metadata(path).num_rows]
    files: list[Any] = []
    for path in full:
        key = f"{name}/data/{uuid.uuid4()}.parquet"
        world.client("s3", world.service_account_id).upload_file(str(path), bucket, key)
        files.append(data_file(table, path, f"s3://{bucket}/{key}"))
    if files:
        append_file(table, *files)
    return sum(path.stat().st_size for path in full)


# Columns. The variant table is as AWS's own loader declares it. AWS does not publish those of VCF and GFF annotation
# tables: these are what its example queries use, and the columns of the formats.

TEXTS = pa.list_(pa.string())


INTEGERS = pa.list_(pa.int32())


TEXT_MAP = pa.map_(pa.string(), pa.string())


def _pair(first: str, second: str) -> pa.DataType:
    return pa.struct([(first, pa.string()), (second, pa.string())])


_VEP = {
    **dict.fromkeys(VEP_TEXTS, pa.string()),
    **dict.fromkeys(("consequence", "existing_variation", "flags"), TEXTS),
    **dict.fromkeys(("exon", "intron"), _pair("rank", "total")),
    **dict.fromkeys(("amino_acids", "codons"), _pair("reference", "variant")),
    "extras": TEXT_MAP,
}


_VEP_ORDER = [
    "allele",
    "consequence",
    "impact",
    "symbol",
    "gene",
    "feature_type",
    "feature",
    "biotype",
    "exon",
    "intron",
    "hgvsc",
    "hgvsp",
    "cdna_position",
    "cds_position",
    "protein_position",
    "amino_acids",
    "codons",
    "existing_variation",
    "distance",
    "strand",
    "flags",
    "symbol_source",
    "hgnc_id",
    "extras",
]


ANNOTATIONS = pa.struct([("vep", pa.list_(pa.struct([(name, _VEP[name]) for name in _VEP_ORDER])))])


_ALLELE = [
    ("contigname", pa.string()),
    ("start", pa.int32()),
    ("end", pa.int32()),
    ("names", TEXTS),
    ("referenceallele", pa.string()),
    ("alternatealleles", TEXTS),
    ("qual", pa.float64()),
    ("filters", TEXTS),
    ("splitfrommultiallelic", pa.bool_()),
    ("attributes", TEXT_MAP),
]


VARIANT = pa.schema(
    [
        ("importjobid", pa.string()),
        *_ALLELE,
        ("phased", pa.bool_()),
        ("calls", INTEGERS),
        ("genotypelikelihoods", pa.list_(pa.float64())),
        ("phredlikelihoods", INTEGERS),
        ("alleledepths", INTEGERS),
        ("conditionalquality", pa.int32()),
        ("spl", INTEGERS),
        ("depth", pa.int32()),
        ("ps", pa.int32()),
        ("sampleid", pa.string()),
        ("information", TEXT_MAP),
        ("annotations", ANNOTATIONS),
    ]
)


_GFF = pa.schema(
    [
        ("contigname", pa.string()),
        ("source", pa.string()),
        ("type", pa.string()),
        ("start", pa.int32()),
        ("end", pa.int32()),
        ("score", pa.float64()),
        ("strand", pa.string()),
        ("phase", pa.int32()),
        ("attributes", TEXT_MAP),
    ]
)


_TYPES = {
    "LONG": pa.int64(),
    "INT": pa.int32(),
    "STRING": pa.string(),
    "FLOAT": pa.float32(),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
}


def annotation_columns(store_format: str, options: dict[str, Any]) -> pa.Schema:
    """The columns of a VCF, GFF or TSV annotation table; those of TSV are the `schema` of its options."""
    if store_format == "VCF":
        return pa.schema([*_ALLELE, ("annotations", ANNOTATIONS)])
    if store_format == "GFF":
        return _GFF
    return pa.schema([(name, _TYPES[kind]) for entry in options["schema"] for name, kind in entry.items()])

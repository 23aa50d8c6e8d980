"""The Iceberg tables behind stores: made empty, and given files of rows.

Reads and writes Glue and S3 of the service account. Behind `make ingest`.
Example: `write_rows(rows, table, path)`, then `commit(world, database, name, bucket, [path])`.

One data file per imported file and one commit per job: the rows of a job are there all at once. AWS partitions a
variant store by sample; a data file of a single-sample VCF is as good to prune by its statistics.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.io.pyarrow import schema_to_pyarrow

from localaws.healthlake.tables import append_file, data_file

if TYPE_CHECKING:
    from pyiceberg.table import Table

    from localaws.omics.rows import Row
    from localaws.world import World

BATCH_ROWS = 20_000
_PROPERTIES = {
    "format-version": "2",
    "write.metadata.metrics.default": "none",
    **{
        f"write.metadata.metrics.column.{name}": "full"
        for name in ("importjobid", "contigname", "start", "end", "sampleid")
    },
}


def create_table(world: World, bucket: str, database: str, name: str, shape: pa.Schema) -> None:
    """An empty Iceberg table of the shape."""
    catalog = world.iceberg_catalog(world.service_account_id)
    properties = {key: value for key, value in _PROPERTIES.items() if _is_for(key, shape)}
    catalog.create_table((database, name), shape, location=f"s3://{bucket}/{name}", properties=properties)


def _is_for(key: str, shape: pa.Schema) -> bool:
    prefix = "write.metadata.metrics.column."
    return not key.startswith(prefix) or key.removeprefix(prefix) in shape.names


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

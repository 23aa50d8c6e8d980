"""The Iceberg tables of a data store: one per resource type, in a Glue database of the service's own account.

Rows are only ever appended: one data file and one Iceberg commit per resource type and import job.

Example: writer = TableWriter(world, datastore_id, "Patient"); writer.add(row); writer.commit()
"""

from __future__ import annotations

import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.exceptions import NoSuchTableError, TableAlreadyExistsError
from pyiceberg.io.pyarrow import (
    compute_statistics_plan,
    data_file_statistics_from_parquet_metadata,
    parquet_path_to_id_mapping,
)
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.table import Transaction
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.snapshots import Operation
from pyiceberg.table.update.snapshot import _FastAppendFiles
from pyiceberg.typedef import Record
from pyiceberg.types import BooleanType, DoubleType, IcebergType, IntegerType, ListType, NestedField, StructType

from localaws.healthlake.rows import Row, read_rows, schema, table_name

if TYPE_CHECKING:
    from pyiceberg.table import Table

    from localaws.world import World

BATCH_BYTES = 16 * 1024 * 1024
_PROPERTIES = {
    "format-version": "2",
    "write.parquet.compression-codec": "zstd",
    "write.metadata.metrics.default": "none",
    "write.metadata.metrics.column.id": "full",
    "write.metadata.metrics.column.meta.lastupdated": "full",
}
_ARROW: dict[Any, pa.DataType] = {BooleanType: pa.bool_(), IntegerType: pa.int32(), DoubleType: pa.float64()}


def bucket_name(datastore_id: str) -> str:
    return f"healthlake-{datastore_id}"


def database_name(datastore_id: str) -> str:
    return f"healthlake_{datastore_id}"


def find_table(world: World, datastore_id: str, resource_type: str) -> Table | None:
    """The table of a resource type; None when nothing of that type was ever stored."""
    catalog = world.iceberg_catalog(world.service_account_id)
    try:
        return catalog.load_table((database_name(datastore_id), table_name(resource_type)))
    except NoSuchTableError:
        return None


def open_table(world: World, datastore_id: str, resource_type: str) -> Table:
    """The table of a resource type, made when it is not there yet."""
    table = find_table(world, datastore_id, resource_type)
    if table is not None:
        return table
    catalog = world.iceberg_catalog(world.service_account_id)
    name = (database_name(datastore_id), table_name(resource_type))
    location = f"s3://{bucket_name(datastore_id)}/{table_name(resource_type)}"
    try:
        return catalog.create_table(name, schema(resource_type), location=location, properties=_PROPERTIES)
    except TableAlreadyExistsError:
        return catalog.load_table(name)


class TableWriter:
    """Rows of one resource type on their way into its table; memory holds one batch, the rest is in a file."""

    def __init__(self, world: World, datastore_id: str, resource_type: str, folder: Path) -> None:
        self._world = world
        self._datastore_id = datastore_id
        self._type = resource_type
        self._path = folder / f"{table_name(resource_type)}.parquet"
        self._lines: list[bytes] = []
        self._columns: set[str] = set()
        self._size = 0
        self._table: Table | None = None
        self._parquet: pq.ParquetWriter | None = None

    def add(self, row: Row) -> None:
        line = orjson.dumps(row)
        self._lines.append(line)
        self._columns.update(row)
        self._size += len(line)
        if self._size >= BATCH_BYTES:
            self._flush()

    @property
    def table(self) -> Table:
        if self._table is None:
            self._table = open_table(self._world, self._datastore_id, self._type)
        return self._table

    def _flush(self) -> None:
        if not self._lines:
            return
        rows = read_rows(self._lines, self._type, self._columns)
        target = pa.schema([_arrow_field(field) for field in self.table.schema().fields])
        if self._parquet is None:
            self._parquet = pq.ParquetWriter(self._path, target, compression="zstd", store_schema=False)
        self._parquet.write_table(pa.Table.from_arrays(rows.columns, schema=target))
        self._lines, self._columns, self._size = [], set(), 0

    def commit(self) -> None:
        """Append all rows to the table in one snapshot; nothing when there are none."""
        self._flush()
        if self._parquet is None:
            return
        self._parquet.close()
        key = f"{table_name(self._type)}/data/{uuid.uuid4()}.parquet"
        bucket = bucket_name(self._datastore_id)
        self._world.client("s3", self._world.service_account_id).upload_file(str(self._path), bucket, key)
        append_file(self.table, data_file(self.table, self._path, f"s3://{bucket}/{key}"))
        self._path.unlink()
        self._parquet = None


def append_rows(world: World, datastore_id: str, resource_type: str, rows: list[Row]) -> None:
    """Append a few rows now, as one snapshot."""
    with tempfile.TemporaryDirectory() as folder:
        writer = TableWriter(world, datastore_id, resource_type, Path(folder))
        for row in rows:
            writer.add(row)
        writer.commit()


def append_file(table: Table, *files: DataFile) -> None:
    """Commit data files to a table as one snapshot.

    pyiceberg's `append` copies the whole table metadata at each of some fifteen looks at it, half a second for the
    widest types; nothing is pending here, so the table's own metadata serve.
    """
    transaction = _SettledTransaction(table)
    append = _FastAppendFiles(operation=Operation.APPEND, transaction=transaction, io=table.io)
    for file in files:
        append.append_data_file(file)
    updates, requirements = append._commit()
    table.catalog.commit_table(table, requirements, updates)


class _SettledTransaction(Transaction):
    @property
    def table_metadata(self) -> TableMetadata:
        return self._table.metadata


def data_file(table: Table, path: Path, address: str) -> DataFile:
    table_schema = table.schema()
    statistics = data_file_statistics_from_parquet_metadata(
        parquet_metadata=pq.read_metadata(path),
        stats_columns=compute_statistics_plan(table_schema, table.properties),
        parquet_column_mapping=parquet_path_to_id_mapping(table_schema),
    )
    file: DataFile = DataFile.from_args(
        content=DataFileContent.DATA,
        file_path=address,
        file_format=FileFormat.PARQUET,
        partition=Record(),
        file_size_in_bytes=path.stat().st_size,
        sort_order_id=None,
        spec_id=table.metadata.default_spec_id,
        equality_ids=None,
        key_metadata=None,
        **statistics.to_serialized_dict(),
    )
    return file


def _arrow_field(field: NestedField) -> pa.Field:
    return pa.field(field.name, _arrow_type(field.field_type), metadata={"PARQUET:field_id": str(field.field_id)})


def _arrow_type(kind: IcebergType) -> pa.DataType:
    """The Arrow type with Iceberg's field ids at every level; JSON is not read into pyiceberg's own large lists."""
    if isinstance(kind, StructType):
        return pa.struct([_arrow_field(field) for field in kind.fields])
    if isinstance(kind, ListType):
        identifier: dict[Any, Any] = {"PARQUET:field_id": str(kind.element_id)}
        return pa.list_(pa.field("element", _arrow_type(kind.element_type), metadata=identifier))
    return _ARROW.get(type(kind), pa.string())

"""Parquet data files of an Iceberg table, written partition by partition from a stream of batches.

Memory is bounded by `MOST_ROWS_HELD`, whatever comes. Rows of a file
are sorted by the table's sort order as far as they were held at once.

Example: writer = DataFileWriter(table); writer.write(batch); files = writer.close()
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyiceberg.io.pyarrow import (
    compute_statistics_plan,
    data_file_statistics_from_parquet_metadata,
    parquet_path_to_id_mapping,
)
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.table import Table
from pyiceberg.typedef import Record
from pyiceberg.types import IcebergType, ListType, MapType, NestedField, StructType

ROW_GROUP_ROWS = 1 << 17
MOST_ROWS_HELD = 4 * ROW_GROUP_ROWS
FILE_BYTES = 512 << 20
LOOKED_AT = 1 << 14
FIELD_ID = b"PARQUET:field_id"


@dataclass
class OpenFile:
    """One partition: rows that wait for a row group, and the file that takes them once there are enough."""

    partition: tuple[Any, ...]
    held: list[pa.RecordBatch] = field(default_factory=list)
    n_held: int = 0
    path: str = ""
    stream: Any = None
    writer: pq.ParquetWriter | None = None


class DataFileWriter:
    """Batches in, data files out; nothing is part of the table before they are committed."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._open: dict[tuple[Any, ...], OpenFile] = {}
        self._done: list[DataFile] = []
        self._transforms = [transform_of(table, number) for number in range(len(table.spec().fields))]
        self._schema: pa.Schema | None = None

    def write(self, batch: pa.RecordBatch) -> None:
        """Take in rows; `batch` has the columns of the table in its order."""
        if self._schema is None:
            self._schema = with_field_ids(batch.schema, self._table)
        for partition, rows in self._split(batch):
            file = self._open.setdefault(partition, OpenFile(partition))
            file.held.append(rows)
            file.n_held += rows.num_rows
            if file.n_held >= ROW_GROUP_ROWS:
                self._flush(file)
        while sum(file.n_held for file in self._open.values()) > MOST_ROWS_HELD:
            self._flush(max(self._open.values(), key=lambda file: file.n_held))

    def close(self) -> list[DataFile]:
        """The files of everything written."""
        for file in list(self._open.values()):
            self._flush(file)
            self._finish(file)
        return self._done

    def _split(self, batch: pa.RecordBatch) -> list[tuple[tuple[Any, ...], pa.RecordBatch]]:
        codes = np.zeros(batch.num_rows, np.int64)
        keys: list[tuple[Any, ...]] = [()]
        for name, transform in self._transforms:
            encoded = batch.column(name).dictionary_encode()
            values = [transform(value) for value in encoded.dictionary.to_pylist()]
            distinct = list(dict.fromkeys(values))
            numbers = np.array([distinct.index(value) for value in values], np.int64)
            codes = codes * len(distinct) + numbers[encoded.indices.to_numpy(zero_copy_only=False)]
            keys = [(*key, value) for key in keys for value in distinct]
        found = np.flatnonzero(np.bincount(codes, minlength=1))
        if len(found) == 1:
            return [(keys[found[0]], batch)]
        return [(keys[code], batch.take(pa.array(np.flatnonzero(codes == code)))) for code in found.tolist()]

    def _flush(self, file: OpenFile) -> None:
        if not file.held:
            return
        writer = file.writer or self._start(file)
        rows = sorted_rows(pa.Table.from_batches(file.held), self._sort_columns())
        writer.write_table(pa.Table.from_arrays(retyped(rows, self._schema), schema=self._schema))
        file.held, file.n_held = [], 0
        if file.stream.tell() > FILE_BYTES:
            self._finish(file)
            del self._open[file.partition]

    def _sort_columns(self) -> list[str]:
        schema = self._table.schema()
        return [schema.find_column_name(one.source_id) or "" for one in self._table.sort_order().fields]

    def _start(self, file: OpenFile) -> pq.ParquetWriter:
        names = [one.name for one in self._table.spec().fields]
        folders = "".join(f"/{name}={value}" for name, value in zip(names, file.partition, strict=True))
        file.path = f"{self._table.location()}/data{folders}/{uuid.uuid4()}.parquet"
        file.stream = self._table.io.new_output(file.path).create()
        file.writer = pq.ParquetWriter(
            file.stream,
            self._schema,
            compression="zstd",
            compression_level=1,
            store_schema=False,
            use_dictionary=worth_a_dictionary(file.held[0]),
            write_statistics=worth_statistics(self._schema),
        )
        return file.writer

    def _finish(self, file: OpenFile) -> None:
        if file.writer is None:
            return
        file.writer.close()
        size = file.stream.tell()
        file.stream.close()
        schema, metadata = self._table.schema(), self._table.metadata
        statistics = data_file_statistics_from_parquet_metadata(
            file.writer.writer.metadata,
            compute_statistics_plan(schema, metadata.properties),
            parquet_path_to_id_mapping(schema),
        )
        done = DataFile.from_args(
            content=DataFileContent.DATA,
            file_path=file.path,
            file_format=FileFormat.PARQUET,
            partition=Record(*file.partition),
            file_size_in_bytes=size,
            sort_order_id=None,
            spec_id=metadata.default_spec_id,
            equality_ids=None,
            key_metadata=None,
            **statistics.to_serialized_dict(),
        )
        self._done.append(done)
        file.writer = None


def transform_of(table: Table, number: int) -> tuple[str, Callable[[Any], Any]]:
    """(source column, value -> partition value) of a field of the table's partition spec."""
    spec_field = table.spec().fields[number]
    source = table.schema().find_field(spec_field.source_id)
    return source.name, spec_field.transform.transform(source.field_type)


def sorted_rows(rows: pa.Table, columns: list[str]) -> pa.Table:
    """The rows in order; those that come sorted are left as they are."""
    if not columns or is_sorted(rows, columns):
        return rows
    return rows.sort_by([(name, "ascending") for name in columns])


def is_sorted(rows: pa.Table, columns: list[str]) -> bool:
    """Whether the last of the columns rises while the others stay as they are."""
    *groups, last = columns
    if any(len(rows.column(name).unique()) > 1 for name in groups):
        return False
    values = rows.column(last).to_numpy()
    return bool((values[1:] >= values[:-1]).all())


def worth_a_dictionary(batch: pa.RecordBatch) -> list[str]:
    """The paths of the columns in Parquet whose values repeat. To look for repetitions of positions, identifiers and
    measurements, which have few, takes longer and more room than to write them as they are."""
    return [path for name in batch.schema.names for path in repeated(batch.column(name).slice(0, LOOKED_AT), name)]


def worth_statistics(schema: pa.Schema | None) -> list[str]:
    """The columns whose least and greatest values let a reader pass over rows; nobody asks that of lists and maps."""
    return [one.name for one in schema or () if not pa.types.is_nested(one.type)]


def repeated(values: pa.Array, path: str) -> Iterator[str]:
    kind = values.type
    if pa.types.is_list(kind):
        yield from repeated(values.flatten(), f"{path}.list.element")
    elif pa.types.is_map(kind):
        first, last = (values.offsets[place].as_py() for place in (0, -1))
        for name, side in (("key", values.keys), ("value", values.items)):
            yield from repeated(side.slice(first, last - first), f"{path}.key_value.{name}")
    elif pa.types.is_struct(kind):
        for one in kind:
            yield from repeated(values.field(one.name), f"{path}.{one.name}")
    elif pc.count_distinct(values, mode="all").as_py() <= max(1, len(values) // 2):
        yield path


def with_field_ids(schema: pa.Schema, table: Table) -> pa.Schema:
    """The Arrow schema with the field ids and names of nested fields that Iceberg wants in its files."""
    fields = [table.schema().find_field(name) for name in schema.names]
    return pa.schema([arrow_field(one.name, one, schema.field(one.name).type) for one in fields])


def arrow_field(name: str, known: NestedField, kind: pa.DataType) -> pa.Field:
    typed = nested_type(known.field_type, kind)
    return pa.field(name, typed, nullable=not known.required, metadata={FIELD_ID: str(known.field_id).encode()})


def nested_type(known: IcebergType, kind: pa.DataType) -> pa.DataType:
    if isinstance(known, ListType):
        return pa.list_(arrow_field("element", known.element_field, kind.value_type))
    if isinstance(known, MapType):
        key = arrow_field("key", known.key_field, kind.key_type)
        return pa.map_(key, arrow_field("value", known.value_field, kind.item_type))
    if isinstance(known, StructType):
        return pa.struct([arrow_field(one.name, one, kind.field(one.name).type) for one in known.fields])
    return kind


def retyped(rows: pa.Table, schema: pa.Schema | None) -> list[pa.ChunkedArray]:
    """The columns under the names and ids of the schema; values are not touched."""
    if schema is None:
        return []
    return [rows.column(one.name).cast(one.type) for one in schema]

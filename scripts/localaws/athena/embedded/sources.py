"""From a table to the files DuckDB reads: planned data files, their columns by field id, the bytes they cost.

Reads table metadata, manifests and object files; writes nothing. Behind `make local-aws`.
Example: `source_of(world, ref, needs).sql` is a SELECT over `read_parquet`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyiceberg.expressions import AlwaysTrue, BooleanExpression
from pyiceberg.table import FileScanTask, Table
from pyiceberg.table.snapshots import Snapshot
from pyiceberg.types import ListType, MapType, StructType

from localaws.athena.catalog import Column, TableRef
from localaws.athena.embedded.hive import hive_source
from localaws.athena.embedded.typed import duck_type, quoted, text
from localaws.athena.icebergs import bucket_and_key, load, planned, snapshot_at, snapshot_named, surviving_rows
from localaws.athena.types import arrow_type, parse_type

if TYPE_CHECKING:
    from localaws.world import World

PATH, POSITION = "$path", "$pos"


@dataclass(frozen=True)
class Needs:
    """What a query wants of one table: these columns, of rows that may satisfy the filter."""

    columns: frozenset[str]
    rows: BooleanExpression = field(default_factory=AlwaysTrue)


@dataclass(frozen=True)
class Source:
    """A SELECT that gives the table's columns, or its rows where DuckDB cannot read the files itself."""

    sql: str = ""
    rows: pa.Table | None = None
    bytes_read: int = 0


def source_of(world: World, ref: TableRef, needs: Needs, evaluate: Callable[[Any], Any]) -> Source:
    """Where DuckDB finds the table's rows; `evaluate` gives the value of a time travel expression."""
    if ref.kind != "iceberg":
        return hive_source(world, ref, needs.columns)
    table = load(world, ref)
    snapshot = _snapshot(table, ref, evaluate)
    tasks = planned(table, snapshot, needs.rows)
    size = sum(_bytes(table, task, needs.columns) for task in tasks)
    if any(task.delete_files for task in tasks):
        return Source(rows=surviving(table, ref, tasks), bytes_read=size)
    return Source(sql=_parquet(world, table, ref.columns, tasks), bytes_read=size)


def _snapshot(table: Table, ref: TableRef, evaluate: Callable[[Any], Any]) -> Snapshot | None:
    if ref.version is None:
        return table.current_snapshot()
    value = evaluate(ref.version.expression)
    return snapshot_at(table, value) if isinstance(value, datetime) else snapshot_named(table, value)


def _bytes(table: Table, task: FileScanTask, columns: frozenset[str]) -> int:
    sizes = task.file.column_sizes or {}
    if not sizes:
        return int(task.file.file_size_in_bytes)
    leaves = [leaf for item in table.schema().fields if item.name.lower() in columns for leaf in _leaves(item)]
    return sum(int(sizes[leaf]) for leaf in leaves if leaf in sizes)


def _leaves(item: Any) -> list[int]:
    kind = item.field_type
    if isinstance(kind, StructType):
        return [leaf for child in kind.fields for leaf in _leaves(child)]
    if isinstance(kind, ListType):
        return _leaves(kind.element_field)
    if isinstance(kind, MapType):
        return [*_leaves(kind.key_field), *_leaves(kind.value_field)]
    return [item.field_id]


def _parquet(world: World, table: Table, columns: Sequence[Column], tasks: Sequence[FileScanTask]) -> str:
    if not tasks:
        return empty(columns)
    ids = {item.name.lower(): item.field_id for item in table.schema().fields}
    fields = ", ".join(
        f"{ids[item.name]}: {{name: {text(item.name)}, type: {_kind(item)}, default_value: NULL}}"
        for item in columns
        if item.name in ids
    )
    files = ", ".join(text(str(world.object_path(*bucket_and_key(task.file.file_path)))) for task in tasks)
    extra = {PATH: "filename", POSITION: "file_row_number"}
    selected = ", ".join(
        f"{extra[item.name]} AS {quoted(item.name)}" if item.name in extra else quoted(item.name) for item in columns
    )
    return f"SELECT {selected} FROM read_parquet([{files}], schema = MAP {{{fields}}})"


def _kind(column: Column) -> str:
    return text(duck_type(parse_type(column.type)))


def empty(columns: Sequence[Column]) -> str:
    """No rows of these columns."""
    nulls = ", ".join(f"CAST(NULL AS {duck_type(parse_type(item.type))}) AS {quoted(item.name)}" for item in columns)
    return f"SELECT {nulls} WHERE false"


def surviving(table: Table, ref: TableRef, tasks: Sequence[FileScanTask]) -> pa.Table:
    """Rows of files with delete files; `$path` and `$pos` count the rows that are left."""
    parts = []
    for task in tasks:
        rows = surviving_rows(table, task, table.schema())
        names = {name.lower(): index for index, name in enumerate(rows.column_names)}
        columns = []
        for item in ref.columns:
            if item.name == PATH:
                columns.append(pa.array([task.file.file_path] * len(rows), pa.string()))
            elif item.name == POSITION:
                columns.append(pa.array(range(len(rows)), pa.int64()))
            else:
                columns.append(rows.column(names[item.name]).cast(arrow_type(parse_type(item.type))))
        parts.append(pa.table(columns, names=[item.name for item in ref.columns]))
    return pa.concat_tables(parts)

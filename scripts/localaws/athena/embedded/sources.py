"""From a table to what DuckDB reads: planned Iceberg files by field id; Parquet, CSV and JSON under a Hive location.

Example: `source_of(world, ref, needs, evaluate).sql` is a SELECT over `read_parquet`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.expressions import AlwaysTrue, BooleanExpression
from pyiceberg.table import FileScanTask, Table
from pyiceberg.table.snapshots import Snapshot
from pyiceberg.types import ListType, MapType, StructType

from localaws.athena.catalog import Column, TableRef
from localaws.athena.embedded.casts import explicit_cast
from localaws.athena.embedded.typed import VARCHAR, Typed, duck_type, quoted, text
from localaws.athena.errors import QueryError
from localaws.athena.iceberg import bucket_and_key, load, planned, snapshot_at, snapshot_named, surviving_rows
from localaws.athena.types import arrow_type, parse_type

if TYPE_CHECKING:
    from localaws.world import World

    pass


@dataclass(frozen=True)
class _Part:
    """One partition's files (or the whole table's), and its values of the partition columns."""

    files: tuple[tuple[str, Path], ...]
    values: tuple[str, ...] = ()


def hive_source(world: World, ref: TableRef, columns: frozenset[str]) -> Source:
    """A SELECT over the files under the table's location."""
    pass

    parts = [part for part in _parts(world, ref) if part.files]
    if not parts:
        return Source(sql=empty(ref.columns))
    read = _reader(ref)
    keys = [column for column in ref.columns if column.is_partition]
    own = [column for column in ref.columns if not column.is_partition]
    selects = [_select(read, ref, part, own, keys) for part in parts]
    size = sum(path.stat().st_size for part in parts for _, path in part.files) if columns else 0
    return Source(sql=" UNION ALL ".join(selects), bytes_read=size)


def _select(read: Any, ref: TableRef, part: _Part, own: Sequence[Column], keys: Sequence[Column]) -> str:
    table, available = read(ref, part.files, own)
    listed = [_column(column, available) for column in own]
    for key, value in zip(keys, part.values, strict=False):
        cast = explicit_cast(Typed(text(value), VARCHAR), parse_type(key.type), safe=True)
        listed.append(f"{cast.sql} AS {quoted(key.name)}")
    return f"SELECT {', '.join(listed)} FROM {table}"


def _column(column: Column, available: dict[str, str]) -> str:
    kind = duck_type(parse_type(column.type))
    if column.name not in available:
        return f"CAST(NULL AS {kind}) AS {quoted(column.name)}"
    return f"{available[column.name]} AS {quoted(column.name)}"


def _parts(world: World, ref: TableRef) -> Iterator[_Part]:
    if not ref.glue.get("PartitionKeys"):
        yield _Part(_files(world, ref.location))
        return
    client = world.client("glue", ref.catalog_id)
    pages = client.get_paginator("get_partitions").paginate(DatabaseName=ref.database, TableName=ref.name)
    for page in pages:
        for item in page["Partitions"]:
            yield _Part(_files(world, item["StorageDescriptor"]["Location"]), tuple(item["Values"]))


def _files(world: World, location: str) -> tuple[tuple[str, Path], ...]:
    """The objects under a location, as Hive sees them: no names that begin with `_` or `.`, nothing empty."""
    bucket, prefix = bucket_and_key(location)
    prefix = prefix if not prefix or prefix.endswith("/") else f"{prefix}/"
    files = []
    for page in world.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            hidden = any(part.startswith(("_", ".")) for part in item["Key"][len(prefix) :].split("/"))
            if not hidden and item["Size"]:
                files.append((item["Key"], world.object_path(bucket, item["Key"])))
    return tuple(files)


def _reader(ref: TableRef) -> Any:
    storage = ref.glue.get("StorageDescriptor") or {}
    kind = (
        f"{storage.get('InputFormat', '')} {(storage.get('SerdeInfo') or {}).get('SerializationLibrary', '')}".lower()
    )
    for word, reader in (
        ("parquet", _hive_parquet),
        ("json", _json),
        ("csv", _csv),
        ("lazysimple", _csv),
        ("text", _csv),
    ):
        if word in kind:
            return reader
    raise QueryError("NOT_SUPPORTED", f"The format of table {ref.database}.{ref.name} is not supported")


def _listed(files: Sequence[tuple[str, Path]]) -> str:
    return "[" + ", ".join(text(str(path)) for _, path in files) + "]"


def _hive_parquet(
    _: TableRef, files: Sequence[tuple[str, Path]], columns: Sequence[Column]
) -> tuple[str, dict[str, str]]:
    """Columns by name, in any case; a column that no file has is NULL."""
    names: dict[str, str] = {}
    for _key, path in files:
        for name in pq.read_schema(path).names:
            names.setdefault(name.lower(), name)
    wanted = {column.name: column for column in columns}
    available = {
        low: f"CAST({quoted(name)} AS {duck_type(parse_type(wanted[low].type))})"
        for low, name in names.items()
        if low in wanted
    }
    return f"read_parquet({_listed(files)}, union_by_name = true, hive_partitioning = false)", available


def _compression(files: Sequence[tuple[str, Path]]) -> str:
    return "gzip" if all(key.endswith(".gz") for key, _ in files) else "none"


def _csv(ref: TableRef, files: Sequence[tuple[str, Path]], columns: Sequence[Column]) -> tuple[str, dict[str, str]]:
    """Text files: fields by place, read as text and cast; what cannot be cast is NULL."""
    storage = ref.glue.get("StorageDescriptor") or {}
    serde = storage.get("SerdeInfo") or {}
    settings = serde.get("Parameters") or {}
    # OpenCSVSerde has quotes and no word for NULL: https://docs.aws.amazon.com/athena/latest/ug/csv-serde.html
    is_open = "opencsv" in serde.get("SerializationLibrary", "").lower()
    delimiter = settings.get("separatorChar" if is_open else "field.delim", settings.get("serialization.format", ","))
    # `serialization.format` 1 is Hive's way to say Ctrl-A; DDL texts escape control characters.
    delimiter = {"1": "\x01", "\\t": "\t", "\\001": "\x01"}.get(delimiter, delimiter)
    quote = settings.get("quoteChar", '"') if is_open else ""
    null = "" if is_open else settings.get("serialization.null.format", "\\N")
    # A property of the table in Athena's DDL; some writers of Glue entries put it with the serde.
    skipped = (ref.parameters or {}).get("skip.header.line.count") or settings.get("skip.header.line.count") or 0
    names = ", ".join(f"{text(column.name)}: 'VARCHAR'" for column in columns)
    options = (
        f"header = false, auto_detect = false, delim = {text(delimiter)}, quote = {text(quote)}, "
        f"escape = {text(quote)}, nullstr = {text(null) if null else text(chr(0))}, skip = {int(skipped)}, "
        f"null_padding = true, columns = {{{names}}}, compression = '{_compression(files)}', strict_mode = false"
    )
    available = {
        column.name: explicit_cast(Typed(quoted(column.name), VARCHAR), parse_type(column.type), safe=True).sql
        for column in columns
    }
    return f"read_csv({_listed(files)}, {options})", available


def _json(_: TableRef, files: Sequence[tuple[str, Path]], columns: Sequence[Column]) -> tuple[str, dict[str, str]]:
    """One JSON object a line."""
    names = ", ".join(f"{text(column.name)}: {text(duck_type(parse_type(column.type)))}" for column in columns)
    options = f"format = 'newline_delimited', columns = {{{names}}}, compression = '{_compression(files)}'"
    return f"read_json({_listed(files)}, {options})", {column.name: quoted(column.name) for column in columns}


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
        # DuckDB's reader knows nothing of delete files.
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
    # Only the columns that are used count, as Athena bills Parquet: https://aws.amazon.com/athena/pricing/
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
        # By field id: a file that is older than a column gives NULL for it, and one from before a rename the old
        # column.
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

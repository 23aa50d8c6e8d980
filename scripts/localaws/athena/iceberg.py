"""Iceberg tables read straight from the object files, and changed: data files from rows, then one commit.

Copy on write: only the data files that hold a changed row are written again. Somebody else's commit in between is
ICEBERG_COMMIT_ERROR, and nothing of ours is visible.
"""

from __future__ import annotations

import itertools
import uuid
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.catalog.noop import NoopCatalog
from pyiceberg.exceptions import CommitFailedException, ValidationException
from pyiceberg.expressions import AlwaysTrue, BooleanExpression
from pyiceberg.io import FileIO, InputFile, InputStream, OutputFile
from pyiceberg.io.pyarrow import ArrowScan, _dataframe_to_data_files, schema_to_pyarrow
from pyiceberg.manifest import DataFile
from pyiceberg.serializers import FromInputFile
from pyiceberg.table import FileScanTask, Table
from pyiceberg.table.snapshots import Snapshot
from pyiceberg.table.sorting import SortDirection
from pyiceberg.transforms import IdentityTransform

from localaws.athena.errors import SYSTEM, QueryError

if TYPE_CHECKING:
    from localaws.athena.catalog import TableRef
    from localaws.world import World


_KEPT = 256


def bucket_and_key(location: str) -> tuple[str, str]:
    """`s3://bucket/a/b` in two parts."""
    parts = urlsplit(location)
    return parts.netloc, parts.path.lstrip("/")


class _ObjectInput(InputFile):
    def __init__(self, location: str, world: World) -> None:
        super().__init__(location)
        self._world = world

    @property
    def path(self) -> Path:
        try:
            return self._world.object_path(*bucket_and_key(self._location))
        except KeyError:
            raise FileNotFoundError(self._location) from None

    def __len__(self) -> int:
        return self.path.stat().st_size

    def exists(self) -> bool:
        try:
            return self.path.exists()
        except FileNotFoundError:
            return False

    def open(self, seekable: bool = True) -> InputStream:
        return self.path.open("rb")


# Reads of a query need no HTTP, no signature and no copy: the object store is a folder of this machine.
class ObjectFiles(FileIO):
    """A read-only FileIO over the object store's folder: no HTTP on the way."""

    def __init__(self, world: World) -> None:
        super().__init__({})
        self._world = world

    def new_input(self, location: str) -> InputFile:
        return _ObjectInput(location, self._world)

    def new_output(self, location: str) -> OutputFile:
        raise PermissionError("read only")

    def delete(self, location: str | InputFile | OutputFile) -> None:
        raise PermissionError("read only")


class _Tables:
    """Parsed metadata files, the newest few: a metadata file never changes."""

    def __init__(self) -> None:
        self._found: OrderedDict[Path, Any] = OrderedDict()
        self._lock = Lock()

    def metadata(self, source: _ObjectInput) -> Any:
        path = source.path
        with self._lock:
            if path in self._found:
                self._found.move_to_end(path)
                return self._found[path]
        metadata = FromInputFile.table_metadata(source)
        with self._lock:
            self._found[path] = metadata
            while len(self._found) > _KEPT:
                self._found.popitem(last=False)
        return metadata


_TABLES = _Tables()


def load(world: World, ref: TableRef) -> Table:
    """The table behind a Glue entry, at its current metadata; for reading only."""
    location = ref.parameters.get("metadata_location", "")
    io = ObjectFiles(world)
    try:
        metadata = _TABLES.metadata(_ObjectInput(location, world))
    except (FileNotFoundError, ValueError):
        message = f"Metadata not found in metadata location for table {ref.database}.{ref.name}"
        raise QueryError("ICEBERG_INVALID_METADATA", message, category=SYSTEM) from None
    return Table((ref.database, ref.name), metadata, location, io, NoopCatalog("localaws"))


def snapshot_at(table: Table, moment: datetime) -> Snapshot:
    """The snapshot that was current at this moment."""
    wanted = int(moment.astimezone(UTC).timestamp() * 1000)
    # The table's own log of what was current when, in order of time; snapshots alone would include those of branches
    # and of rollbacks.
    before = [entry for entry in table.history() if entry.timestamp_ms <= wanted]
    snapshot = table.snapshot_by_id(before[-1].snapshot_id) if before else None
    if snapshot is None:
        name = ".".join(table.name())
        message = f"No version history table {name} at or before {moment:%Y-%m-%dT%H:%M:%S.%f}"
        raise QueryError("INVALID_ARGUMENTS", message)
    return snapshot


def snapshot_named(table: Table, version: int | str) -> Snapshot:
    """The snapshot with this id, branch or tag name."""
    snapshot = table.snapshot_by_id(version) if isinstance(version, int) else table.snapshot_by_name(version)
    if snapshot is None:
        message = (
            f"Iceberg snapshot ID does not exists: {version}"
            if isinstance(version, int)
            else (f"Cannot find snapshot with reference name: {version}")
        )
        raise QueryError("INVALID_ARGUMENTS", message)
    return snapshot


def surviving_rows(table: Table, task: FileScanTask, schema: Any) -> pa.Table:
    """One data file's rows in the table's schema, with its delete files applied."""
    return ArrowScan(table.metadata, table.io, schema, AlwaysTrue()).to_table([task])


def planned(table: Table, snapshot: Snapshot | None, rows: BooleanExpression | None = None) -> list[FileScanTask]:
    """The data files of a snapshot that may hold such rows."""
    if snapshot is None:
        return []
    scan = table.scan(row_filter=rows or AlwaysTrue(), snapshot_id=snapshot.snapshot_id, case_sensitive=False)
    return sorted(scan.plan_files(), key=lambda task: task.file.file_path)


def conformed(batch: pa.RecordBatch | pa.Table, schema: pa.Schema) -> pa.Table:
    """The rows with the schema's names and types, column by column in order."""
    columns = [
        _column(array, field)
        for array, field in zip(batch.columns, schema, strict=True)  # fmt: skip
    ]
    return pa.table(columns, schema=schema)


def _column(array: pa.Array | pa.ChunkedArray, field: pa.Field) -> pa.Array:
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
        array = pa.concat_arrays(array.chunks) if isinstance(array, pa.ChunkedArray) else array
    # pyiceberg would write the NULL; other engines could not read the file.
    if not field.nullable and array.null_count:
        raise QueryError("CONSTRAINT_VIOLATION", f"NULL value not allowed for NOT NULL column: {field.name}")
    return shaped(array, field.type)


def shaped(array: pa.Array, target: pa.DataType) -> pa.Array:
    """An array as another type; struct fields change by place."""
    if array.type == target:
        return array
    if pa.types.is_null(array.type):
        return pa.nulls(len(array), target)
    # Arrow's own cast matches fields by name; Trino and Iceberg mean them by place.
    if pa.types.is_struct(target):
        fields = [target.field(index) for index in range(target.num_fields)]
        children = [shaped(array.field(index), field.type) for index, field in enumerate(fields)]
        return pa.StructArray.from_arrays(children, fields=fields, mask=pc.is_null(array))
    if pa.types.is_map(target):
        keys, items = shaped(array.keys, target.key_type), shaped(array.items, target.item_type)
        return pa.MapArray.from_arrays(array.offsets, keys, items, type=target, mask=pc.is_null(array))
    if pa.types.is_list(target) or pa.types.is_large_list(target):
        kind = pa.LargeListArray if pa.types.is_large_list(target) else pa.ListArray
        # `list_flatten` leaves out what lies below a NULL list, so the offsets are counted anew.
        lengths = pc.fill_null(pc.list_value_length(array), 0)
        values = shaped(pc.list_flatten(array), target.value_type)
        ends = pc.cumulative_sum(lengths)
        offsets = pa.concat_arrays([pa.array([0], ends.type), ends]).cast(
            pa.int64() if pa.types.is_large_list(target) else pa.int32()
        )
        return kind.from_arrays(offsets, values, type=target, mask=pc.is_null(array))
    return _leaf(array, target)


def _leaf(array: pa.Array, target: pa.DataType) -> pa.Array:
    try:
        return array.cast(target)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise QueryError("INVALID_CAST_ARGUMENT", "A value does not fit the column's type") from None


BYTES_AT_ONCE = 96 << 20
Positions = Mapping[str, np.ndarray]


class Writer:
    """Writes to one table, based on the metadata that `ref` was read with."""

    def __init__(self, world: World, ref: TableRef) -> None:
        self.read = load(world, ref)
        self.table = world.iceberg_catalog(ref.catalog_id).load_table((ref.database, ref.name))
        self.based_on = ref.parameters.get("metadata_location", "")
        self.schema: pa.Schema = schema_to_pyarrow(self.table.schema(), include_field_ids=False)
        self._write_id = uuid.uuid4()
        self._counter = itertools.count()

    def files(self, batches: Iterable[pa.RecordBatch | pa.Table]) -> list[DataFile]:
        """Data files with these rows, a part at a time; a batch's columns come in table order."""
        files: list[DataFile] = []
        for rows in _gathered(conformed(batch, self.schema) for batch in batches if batch.num_rows):
            files += self._write(rows)
        return files

    def _write(self, rows: pa.Table) -> list[DataFile]:
        rows = in_order(rows, self.table)
        return list(
            # Private, since pyiceberg's public calls commit what they write; here files are written first and
            # committed once, at the end.
            _dataframe_to_data_files(
                table_metadata=self.table.metadata,
                df=rows,
                io=self.table.io,
                write_uuid=self._write_id,
                counter=self._counter,
            )
        )

    def append(self, files: list[DataFile]) -> None:
        """Add files in one commit; without files there is none."""
        if files:
            self._commit({}, files)

    def change(self, removed: Positions, tasks: Iterable[FileScanTask], added: list[DataFile]) -> None:
        """Take away rows by file and position, add files, in one commit; nothing to do is no commit."""
        touched = {task.file.file_path: task for task in tasks if task.file.file_path in removed}
        if not touched:
            self.append(added)
            return
        rewritten = [file for path, task in touched.items() for file in self._rewritten(task, removed[path])]
        self._commit({path: task.file for path, task in touched.items()}, [*rewritten, *added])

    def _rewritten(self, task: FileScanTask, removed: np.ndarray) -> list[DataFile]:
        rows = surviving_rows(self.read, task, self.read.schema())
        keep = np.ones(len(rows), dtype=bool)
        keep[removed] = False
        return self.files([rows.filter(pa.array(keep))]) if keep.any() else []

    def _commit(self, removed: Mapping[str, DataFile], added: list[DataFile]) -> None:
        # Positions of rows hold for the files that were read. An append conflicts with nothing: pyiceberg tries that
        # again itself.
        if removed and self.table.metadata_location != self.based_on:
            raise _conflict()
        try:
            with self.table.transaction() as transaction:
                update = transaction.update_snapshot()
                with update.overwrite(self._write_id) if removed else update.fast_append() as change:
                    for file in removed.values():
                        change.delete_data_file(file)
                    for file in added:
                        change.append_data_file(file)
        except (CommitFailedException, ValidationException):
            raise _conflict() from None


def in_order(rows: pa.Table, table: Table) -> pa.Table:
    """The rows as the table's sort order wants them within a file, as Trino writes them."""
    names = [table.schema().find_column_name(field.source_id) for field in table.sort_order().fields]
    if not names or not all(field.transform == IdentityTransform() for field in table.sort_order().fields):
        return rows
    directions = [
        "ascending" if field.direction == SortDirection.ASC else "descending" for field in table.sort_order().fields
    ]
    return rows.take(pc.sort_indices(rows.select(names), sort_keys=list(zip(names, directions, strict=True))))


def _conflict() -> QueryError:
    return QueryError(
        "ICEBERG_COMMIT_ERROR", "Failed to commit Iceberg update to table: it was changed by another query meanwhile"
    )


def _gathered(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """Few larger tables instead of many small ones, none much larger than a part."""
    waiting: list[pa.Table] = []
    size = 0
    for table in tables:
        waiting.append(table)
        size += table.nbytes
        if size >= BYTES_AT_ONCE:
            yield pa.concat_tables(waiting)
            waiting, size = [], 0
    if waiting:
        yield pa.concat_tables(waiting)

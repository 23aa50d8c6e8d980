"""Iceberg tables read straight from the object files: metadata, snapshots, planned data files.

Reads objects through `world.object_path` and writes nothing. Behind `make local-aws`.
Example: `load(world, ref).scan().plan_files()`
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pyarrow as pa
from pyiceberg.catalog.noop import NoopCatalog
from pyiceberg.expressions import AlwaysTrue, BooleanExpression
from pyiceberg.io import FileIO, InputFile, InputStream, OutputFile
from pyiceberg.serializers import FromInputFile
from pyiceberg.table import FileScanTask, Table
from pyiceberg.table.snapshots import Snapshot

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
        found = FromInputFile.table_metadata(source)
        with self._lock:
            self._found[path] = found
            while len(self._found) > _KEPT:
                self._found.popitem(last=False)
        return found


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
    before = [entry for entry in table.history() if entry.timestamp_ms <= wanted]
    found = table.snapshot_by_id(before[-1].snapshot_id) if before else None
    if found is None:
        name = ".".join(table.name())
        message = f"No version history table {name} at or before {moment:%Y-%m-%dT%H:%M:%S.%f}"
        raise QueryError("INVALID_ARGUMENTS", message)
    return found


def snapshot_named(table: Table, version: int | str) -> Snapshot:
    """The snapshot with this id, branch or tag name."""
    found = table.snapshot_by_id(version) if isinstance(version, int) else table.snapshot_by_name(version)
    if found is None:
        message = (
            f"Iceberg snapshot ID does not exists: {version}"
            if isinstance(version, int)
            else (f"Cannot find snapshot with reference name: {version}")
        )
        raise QueryError("INVALID_ARGUMENTS", message)
    return found


def surviving_rows(table: Table, task: FileScanTask, schema: Any) -> pa.Table:
    """One data file's rows in the table's schema, with its delete files applied."""
    from pyiceberg.io.pyarrow import ArrowScan

    return ArrowScan(table.metadata, table.io, schema, AlwaysTrue()).to_table([task])


def planned(table: Table, snapshot: Snapshot | None, rows: BooleanExpression | None = None) -> list[FileScanTask]:
    """The data files of a snapshot that may hold such rows."""
    if snapshot is None:
        return []
    scan = table.scan(row_filter=rows or AlwaysTrue(), snapshot_id=snapshot.snapshot_id, case_sensitive=False)
    return sorted(scan.plan_files(), key=lambda task: task.file.file_path)

"""Changes to Iceberg tables: data files from rows, then one commit.

Reads and writes data files and metadata through pyiceberg and the Glue catalog. Behind `make local-aws`.
Example: `writer = Writer(world, ref); writer.append(writer.files(batches))`

Copy on write: only the data files that hold a changed row are written again. Somebody else's commit in between is
ICEBERG_COMMIT_ERROR, and nothing of ours is visible.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.exceptions import CommitFailedException, ValidationException
from pyiceberg.io.pyarrow import _dataframe_to_data_files, schema_to_pyarrow
from pyiceberg.manifest import DataFile
from pyiceberg.table import FileScanTask, Table
from pyiceberg.table.sorting import SortDirection
from pyiceberg.transforms import IdentityTransform

from localaws.athena.catalog import TableRef
from localaws.athena.conform import conformed
from localaws.athena.errors import QueryError
from localaws.athena.icebergs import load, surviving_rows

if TYPE_CHECKING:
    from localaws.world import World

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
        found: list[DataFile] = []
        for rows in _gathered(conformed(batch, self.schema) for batch in batches if batch.num_rows):
            found += self._write(rows)
        return found

    def _write(self, rows: pa.Table) -> list[DataFile]:
        rows = in_order(rows, self.table)
        return list(
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

    def change(self, gone: Positions, tasks: Iterable[FileScanTask], added: list[DataFile]) -> None:
        """Take away rows by file and position, add files, in one commit; nothing to do is no commit."""
        touched = {task.file.file_path: task for task in tasks if task.file.file_path in gone}
        if not touched:
            self.append(added)
            return
        kept = [file for path, task in touched.items() for file in self._rewritten(task, gone[path])]
        self._commit({path: task.file for path, task in touched.items()}, [*kept, *added])

    def _rewritten(self, task: FileScanTask, gone: np.ndarray) -> list[DataFile]:
        rows = surviving_rows(self.read, task, self.read.schema())
        keep = np.ones(len(rows), dtype=bool)
        keep[gone] = False
        return self.files([rows.filter(pa.array(keep))]) if keep.any() else []

    def _commit(self, removed: Mapping[str, DataFile], added: list[DataFile]) -> None:
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

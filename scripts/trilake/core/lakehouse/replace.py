"""New data files into an Iceberg table in the place of rows that they replace: one snapshot, whoever else commits.

Reads the table's files that may hold such rows; rewrites those that hold others too. Commits that meet another one are
tried again on what that one left.

Example: replace_rows(load_table, files, [Replaced("source_file", "a.vcf", "sampleid", ("S1",))])
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.expressions import And, BooleanExpression, EqualTo, In
from pyiceberg.manifest import DataFile
from pyiceberg.table import FileScanTask, Table, TableProperties

from trilake.core.errors import ServiceError
from trilake.core.lakehouse.data_files import DataFileWriter

MOST_TRIES = 20
Key = tuple[str | None, ...]


@dataclass(frozen=True)
class Replaced:
    """Rows that a load takes the place of: `column` = value, `within` any of the values, and what `also` says.

    All of one load name the same columns.
    """

    column: str
    value: str
    within: str
    values: tuple[str, ...]
    also: tuple[tuple[str, str], ...] = ()

    @property
    def columns(self) -> list[str]:
        return [self.column, self.within, *(name for name, _ in self.also)]

    @property
    def keys(self) -> set[Key]:
        """The values of `columns` in the rows that go."""
        return {(self.value, value, *(fixed for _, fixed in self.also)) for value in self.values}


def replace_rows(load_table: Callable[[], Table], added: list[DataFile], replaced: list[Replaced]) -> None:
    """Commit the files, without the rows that they replace. ServiceError when others commit all the time."""
    for attempt in range(MOST_TRIES):
        table = load_table()
        removed, rest = files_replaced(table, replaced)
        if not (added or removed):
            return
        try:
            commit(table, removed, added + rest)
            return
        except CommitFailedException:
            time.sleep(random.uniform(0, min(0.1 * 2**attempt, 5.0)))
    raise ServiceError(
        f"{table.name()[-1]}: other loads committed {MOST_TRIES} times in between", next_step="make ingest (again)"
    )


def commit(table: Table, removed: list[DataFile], added: list[DataFile]) -> None:
    """One snapshot. CommitFailedException when another came first: what is replaced has to be looked up again, so
    pyiceberg's own retries, which would add to what that one left, are off (in memory; the table keeps its property).
    """
    table.metadata.properties[TableProperties.COMMIT_NUM_RETRIES] = "0"
    with table.transaction() as transaction:
        update = transaction.update_snapshot()
        with update.overwrite() if removed else update.merge_append() as snapshot:
            for file in removed:
                snapshot.delete_data_file(file)
            for file in added:
                snapshot.append_data_file(file)


def files_replaced(table: Table, replaced: list[Replaced]) -> tuple[list[DataFile], list[DataFile]]:
    """(files that hold rows to be replaced, files with what else those hold)."""
    keys = {key for one in replaced for key in one.keys}
    if not keys or table.current_snapshot() is None:
        return [], []
    columns = replaced[0].columns
    removed, writer = [], DataFileWriter(table)
    for task in table.scan(row_filter=condition_of(columns, keys)).plan_files():
        held = keys_of(table, task, columns)
        if held & keys:
            removed.append(task.file)
        if held & keys and held - keys:
            for batch in batches_of(table, task, table.schema().column_names):
                writer.write(without(batch, columns, keys))
    return removed, writer.close()


def condition_of(columns: list[str], keys: set[Key]) -> BooleanExpression:
    """What files may hold a key, column by column."""
    parts: list[BooleanExpression] = []
    for number, name in enumerate(columns):
        values = {key[number] for key in keys}
        parts.append(In(name, values) if len(values) > 1 else EqualTo(name, next(iter(values))))
    return parts[0] if len(parts) == 1 else And(*parts)


def batches_of(table: Table, task: FileScanTask, columns: list[str]) -> Iterator[pa.RecordBatch]:
    with table.io.new_input(task.file.file_path).open() as stream:
        yield from pq.ParquetFile(stream).iter_batches(columns=columns)


def keys_of(table: Table, task: FileScanTask, columns: list[str]) -> set[Key]:
    """The distinct values of the columns in a file."""
    found: set[Key] = set()
    for batch in batches_of(table, task, columns):
        groups = pa.Table.from_batches([batch]).group_by(columns).aggregate([])
        found |= set(zip(*(groups.column(name).to_pylist() for name in columns), strict=True))
    return found


def without(batch: pa.RecordBatch, columns: list[str], keys: set[Key]) -> pa.RecordBatch:
    rows = zip(*(batch.column(name).to_pylist() for name in columns), strict=True)
    return batch.filter(pa.array([row not in keys for row in rows]))

"""OPTIMIZE … REWRITE DATA USING BIN_PACK and VACUUM on Iceberg tables.

Reads and writes Iceberg metadata and data files. Behind `make local-aws`.
Example: `OPTIMIZE t REWRITE DATA USING BIN_PACK`
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table import FileScanTask, Table

from localaws.athena import statements as st
from localaws.athena.catalog import TableRef
from localaws.athena.errors import QueryError
from localaws.athena.iceberg_write import Writer
from localaws.athena.icebergs import planned, surviving_rows
from localaws.athena.session import Outcome, Session
from localaws.athena.storage import require_write

SMALL = 64 << 20
AT_ONCE = 256 << 20
AGE_SECONDS, KEPT = 432_000, 1


def maintain(session: Session, statement: st.Maintain) -> Outcome:
    """OPTIMIZE or VACUUM."""
    ref = session.table(session.named(statement.table))
    if ref.kind != "iceberg":
        raise QueryError("NOT_SUPPORTED", f"{statement.word} is for Iceberg tables")
    session.require(ref, "READ_ALL", "INSERT", "DELETE")
    require_write(session.caller, ref.location)
    if statement.word == "VACUUM":
        _vacuum(session, ref)
    elif statement.where is not None:
        raise QueryError("NOT_SUPPORTED", "OPTIMIZE with WHERE is not supported: leave it out to pack the whole table")
    else:
        _pack(session, ref)
    return Outcome(lines=[])


def _pack(session: Session, ref: TableRef) -> None:
    """Small files and files with deletes of one partition become one; what is packed already stays."""
    writer = Writer(session.world, ref)
    tasks = planned(writer.read, writer.read.current_snapshot())
    groups: dict[str, list[FileScanTask]] = {}
    for task in tasks:
        if task.delete_files or task.file.file_size_in_bytes < SMALL:
            groups.setdefault(repr(task.file.partition), []).append(task)
    chosen = [group for group in groups.values() if len(group) > 1 or group[0].delete_files]
    packed = [task for group in chosen for task in group]
    if not packed:
        return
    rows = (surviving_rows(writer.read, task, writer.read.schema()) for group in chosen for task in group)
    added = writer.files(rows)
    counts = {task.file.file_path: _everything(writer.read, task) for task in packed}
    writer.change(counts, packed, added)


def _everything(table: Table, task: FileScanTask) -> np.ndarray:
    count = len(surviving_rows(table, task, table.schema())) if task.delete_files else int(task.file.record_count)
    return np.arange(count)


def _vacuum(session: Session, ref: TableRef) -> None:
    """Snapshots older than the table allows are expired; their files stay until the table is dropped."""
    table = session.world.iceberg_catalog(ref.catalog_id).load_table((ref.database, ref.name))
    age = int(table.properties.get("vacuum_max_snapshot_age_seconds", AGE_SECONDS))
    kept = int(table.properties.get("vacuum_min_snapshots_to_keep", KEPT))
    before = datetime.now(UTC) - timedelta(seconds=age)
    old = sorted(table.snapshots(), key=lambda item: item.timestamp_ms)[: -kept or None]
    current = table.current_snapshot()
    ids = [
        item.snapshot_id
        for item in old
        if item.timestamp_ms < before.timestamp() * 1000
        and (current is None or item.snapshot_id != current.snapshot_id)
    ]
    if not ids:
        return
    try:
        table.maintenance.expire_snapshots().by_ids(ids).commit()
    except CommitFailedException:
        raise QueryError("ICEBERG_COMMIT_ERROR", "Failed to commit to the table") from None

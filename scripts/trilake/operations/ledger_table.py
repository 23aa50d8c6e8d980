"""operations.ingest_ledger: its rows written and read, as `FileOutcome` and as plain objects.

Appended through Iceberg, never changed: a file that comes again has a row for each time.

Example: append_outcomes(session, ingest_id, outcomes)
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from trilake.core.iceberg import append, open_table
from trilake.core.ledger import LEDGER, FileOutcome, Reason
from trilake.core.session import Session

REASON = pa.struct(
    [
        ("item", pa.string()),
        ("code", pa.string()),
        ("line", pa.int64()),
        ("path", pa.string()),
        ("found", pa.string()),
        ("expected", pa.string()),
        ("is_warning", pa.bool_()),
    ]
)
LOADED = ("loaded", "partial", "duplicate")
COUNTS = ("records_in", "loaded", "duplicate", "superseded", "quarantined", "warnings")
SCHEMA = pa.schema(
    [
        ("ingest_id", pa.string()),
        ("file", pa.string()),
        ("content_sha256", pa.string()),
        ("n_bytes", pa.int64()),
        ("modality", pa.string()),
        ("status", pa.string()),
        *((name, pa.int64()) for name in COUNTS),
        ("reasons", pa.list_(REASON)),
        ("quarantine_uri", pa.string()),
        ("recorded_at", pa.timestamp("us")),
    ]
)


def append_outcomes(session: Session, ingest_id: str, outcomes: list[FileOutcome]) -> None:
    """One row per outcome, in one commit."""
    if outcomes:
        now = datetime.now(UTC).replace(tzinfo=None)
        rows = [ledger_row(ingest_id, outcome, now) for outcome in outcomes]
        append(session, LEDGER, pa.Table.from_pylist(rows, schema=SCHEMA))


def ledger_row(ingest_id: str, outcome: FileOutcome, now: datetime) -> dict[str, Any]:
    names = ("file", "content_sha256", "n_bytes", "modality", "status", *COUNTS)
    return {
        "ingest_id": ingest_id,
        **{name: getattr(outcome, name) for name in names},
        "reasons": [asdict(reason) for reason in outcome.reasons],
        "quarantine_uri": outcome.quarantine_uri or None,
        "recorded_at": now,
    }


def read_rows(session: Session, keep: Callable[[dict[str, Any]], bool]) -> Iterator[dict[str, Any]]:
    """The rows that `keep` keeps, batch by batch, in no order."""
    for batch in open_table(session, LEDGER).scan().to_arrow_batch_reader():
        yield from filter(keep, batch.to_pylist())


def outcomes_by_content(session: Session, contents: set[str]) -> dict[str, FileOutcome]:
    """The newest outcome of each content (sha256) that was loaded, wholly or in part."""
    wanted = pa.array(sorted(contents), pa.string())
    newest: dict[str, dict[str, Any]] = {}
    for batch in open_table(session, LEDGER).scan().to_arrow_batch_reader():
        ours = batch.filter(pc.is_in(batch["content_sha256"], wanted.cast(batch["content_sha256"].type)))
        for row in ours.to_pylist():
            seen = newest.get(row["content_sha256"])
            if row["status"] in LOADED and (seen is None or row["recorded_at"] >= seen["recorded_at"]):
                newest[row["content_sha256"]] = row
    return {content: outcome_of(row) for content, row in newest.items()}


def outcome_of(row: dict[str, Any]) -> FileOutcome:
    names = ("file", "modality", "content_sha256", "n_bytes", "records_in", "loaded", "duplicate", "superseded")
    return FileOutcome(
        **{name: row[name] for name in names},
        quarantined=row["quarantined"],
        reasons=[Reason(**reason) for reason in row["reasons"] or []],
        quarantine_uri=row["quarantine_uri"] or "",
    )

"""`trilake ledger`: what became of every file and record; and operations.ingest_ledger, its rows written and read.

Example: trilake ledger --file "fhir/*" --reason FHIR_DATE
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import click
import pyarrow as pa
import pyarrow.compute as pc

from trilake.core.errors import InputError
from trilake.core.lakehouse.iceberg import append, open_table
from trilake.core.ledger import LEDGER, FileOutcome, Reason
from trilake.core.reasons import REASONS
from trilake.core.session import Session
from trilake.core.text_table import text_table
from trilake.core.verb import Run, on_engine, verb

REASON_TYPE = pa.struct(
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
        ("reasons", pa.list_(REASON_TYPE)),
        ("quarantine_uri", pa.string()),
        ("recorded_at", pa.timestamp("us")),
    ]
)
MOST_FILES = MOST_REASONS = 50
DECIDED = {"DICOM_CONFLICT", "DICOM_TWO_PATIENTS"}
"""Refusals that a replay of the file as it is turns into a decision for it."""
ROW = ("ingest_id", "file", "modality", "status", *COUNTS, "reasons", "quarantine_uri", "recorded_at")
REASON_COLUMNS = ("code", "line", "path", "found", "expected", "item")
SHAPES = "found: values of records are given by their shape only, 9 for a digit, x for a letter; the file has the value"


@click.command()
@click.option("--file", "name", help="Only files of this name or path; * and ? stand for others.")
@click.option("--reason", "code", help="Only files and reasons with this code.")
@click.option("--ingest", "ingest_id", help="Only one run.")
@verb
@on_engine
def ledger(run: Run, name: str | None, code: str | None, ingest_id: str | None) -> None:
    """Show what became of every file: one row per file and run, oldest first, and why records were refused.

    Example: trilake ledger --reason FHIR_DATE
    """
    if code is not None and code not in REASONS:
        raise InputError(f"No reason code '{code}'. There are: {', '.join(sorted(REASONS))}")
    with run.session() as session:
        rows = ledger_rows(session, name=name, code=code, ingest_id=ingest_id)
    run.emit({"rows": rows}, text=in_words(rows))


def ledger_rows(
    session: Session, *, name: str | None = None, code: str | None = None, ingest_id: str | None = None
) -> list[dict[str, Any]]:
    """The ledger's rows, oldest first; with `code`, their reasons are those with that code only."""

    def keep(row: dict[str, Any]) -> bool:
        return (
            (name is None or fnmatch(row["file"], name) or fnmatch(Path(row["file"]).name, name))
            and (ingest_id is None or row["ingest_id"] == ingest_id)
            and (code is None or any(reason["code"] == code for reason in row["reasons"] or []))
        )

    rows = [{key: row[key] for key in ROW} for row in read_rows(session, keep)]
    for row in rows:
        row["reasons"] = [one for one in row["reasons"] or [] if code in (None, one["code"])]
    return sorted(rows, key=lambda row: (row["recorded_at"], row["file"]))


def in_words(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return "No such rows in the ledger."
    columns = ("file", "modality", "status", *COUNTS)
    total = ["total", f"{len(rows):,} files", "", *(sum(row[name] or 0 for row in rows) for name in COUNTS)]
    shown = [[row[name] for name in columns] for row in rows[-MOST_FILES:]]
    lines = [text_table(columns, [*shown, total])]
    if len(rows) > MOST_FILES:
        lines.append(
            f"the last {MOST_FILES} of {len(rows):,} files: narrow with --file or --reason, or use --json for all"
        )
    reasons = [[row["file"], *map(reason.get, REASON_COLUMNS)] for row in rows for reason in row["reasons"]]
    if reasons:
        lines += ["", text_table(["file", *REASON_COLUMNS], [list(map(blank, row)) for row in reasons[:MOST_REASONS]])]
    if any(reason["found"] for row in rows for reason in row["reasons"]):
        lines.append(SHAPES)
    if len(reasons) > MOST_REASONS:
        lines.append(f"and {len(reasons) - MOST_REASONS:,} more reasons: narrow with --file or --reason, or use --json")
    if any(reason["item"] for row in rows for reason in row["reasons"]):
        lines += ["", "Mend one and load it again: trilake replay ITEM --with FILE"]
    if any(reason["code"] in DECIDED for row in rows for reason in row["reasons"]):
        lines.append(
            "Decide a conflict for a refused file, in the place of or beside what is loaded: trilake replay ITEM"
        )
    return "\n".join(lines)


def blank(value: Any) -> Any:
    return None if value == "" else value


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

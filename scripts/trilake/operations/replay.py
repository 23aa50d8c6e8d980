"""`trilake replay`: load one refused item again, as it was or mended.

Reads the quarantine and the ledger; writes what `ingest` writes. `make replay`.

Example: trilake replay 20261124T031500-3f2a91.9be01c2d3e4f.17 --with mended.json
"""

from pathlib import Path
from typing import Any

import click

from trilake.core.errors import InputError
from trilake.core.importer import IngestRun
from trilake.core.ledger import FileOutcome
from trilake.core.quarantine import ITEM, fetch_item
from trilake.core.session import Session
from trilake.core.verb import Run, on_engine, verb
from trilake.operations.ingest import exit_code, in_words, say_next, summary
from trilake.operations.ledger import read_rows
from trilake.operations.loading import MODALITIES, FoundFile, ingest_run, load_sorted, sort_files


@click.command()
@click.argument("items", nargs=-1, required=True)
@click.option(
    "--with",
    "mended",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The mended record, in place of the quarantined bytes (one ITEM only).",
)
@verb
@on_engine
def replay(run: Run, items: tuple[str, ...], mended: Path | None) -> int:
    """Load refused items again by their ids from `trilake ledger`, and nothing else.

    Example: trilake replay 20261124T031500-3f2a91.9be01c2d3e4f.17 --with mended.json
    """
    if mended is not None and len(items) > 1:
        raise click.UsageError("--with takes one ITEM")
    with run.session() as session:
        result = replay_items(session, run, list(items), mended)
    run.emit(result, text=in_words(result, dry_run=False))
    say_next(run, result)
    return exit_code(result)


def replay_items(session: Session, run: Run, items: list[str], mended: Path | None) -> dict[str, Any]:
    """Load the items as a run of their own. InputError when an id is not known, or what it names is not our kind."""
    with ingest_run(run, is_replay=True) as ingest:
        found = []
        for number, item in enumerate(dict.fromkeys(items)):
            data = fetch_item(session, item)
            path = mended or ingest.work_dir / f"item-{number}"
            if mended is None:
                path.write_bytes(data)
            found.append(FoundFile(source_name(session, item), "", path))
        outcomes = load_items(session, found, ingest)
        return summary(outcomes, MODALITIES, ingest)


def load_items(session: Session, found: list[FoundFile], run: IngestRun) -> list[FileOutcome]:
    files = sort_files(found, MODALITIES)
    if files.unrecognised:
        names = ", ".join(outcome.file for outcome in files.unrecognised)
        raise InputError(f"Neither FHIR JSON, VCF nor DICOM: {names}", next_step="trilake replay ITEM --with FILE")
    return load_sorted(session, files, run)


def source_name(session: Session, item: str) -> str:
    """`file#record`, the name under which the ledger has a replayed item."""
    match = ITEM.fullmatch(item)
    if match is None:
        raise InputError(f"'{item}' is no item id", next_step="trilake ledger")

    def is_source(row: dict[str, Any]) -> bool:
        return row["ingest_id"] == match["ingest_id"] and str(row["content_sha256"]).startswith(match["content"])

    names = sorted(row["file"] for row in read_rows(session, is_source))
    return f"{names[0] if names else match['content']}#{match['record']}"

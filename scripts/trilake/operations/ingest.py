"""`trilake ingest`: files, folders and s3:// prefixes of any mixture into the three rooms, nothing lost.

Example: trilake ingest data/ s3://bucket/incoming/ --only clinical --dry-run
"""

from itertools import islice
from pathlib import Path
from typing import Any

import click

from trilake.core.errors import EXIT_REFUSALS, InputError
from trilake.core.importer import IngestRun
from trilake.core.ledger import FileOutcome
from trilake.core.session import Session
from trilake.core.text_table import text_table
from trilake.core.verb import Run, on_engine, verb
from trilake.operations.loading import (
    MODALITIES,
    find_files,
    ingest_run,
    load_sorted,
    preview_sorted,
    sort_files,
    totals,
)

REFUSAL = ["file", "line", "reason", "path", "expected"]
MOST_NAMES = 20
COUNTS = ("files", "records_in", "loaded", "duplicate", "superseded", "quarantined")


def chosen(context: click.Context, option: click.Parameter, value: str) -> tuple[str, ...]:
    """The modalities of --only, in the order of the story."""
    names = {name.strip() for name in value.split(",") if name.strip()}
    if unknown := names - set(MODALITIES):
        raise click.BadParameter(f"{', '.join(sorted(unknown))}: there are {', '.join(MODALITIES)}")
    return tuple(name for name in MODALITIES if name in names)


@click.command()
@click.argument("paths", nargs=-1)
@click.option("--only", default=",".join(MODALITIES), callback=chosen, help="Modalities to load, comma-separated.")
@click.option(
    "--reference",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="FASTA that REF is held against and alleles of VCF files are normalised on.",
)
@click.option("--dry-run", is_flag=True, help="Check the files and say what would happen.")
@verb
@on_engine
def ingest(run: Run, paths: tuple[str, ...], only: tuple[str, ...], reference: Path | None, dry_run: bool) -> int:
    """Load FHIR, VCF and DICOM files, recognised by content; without PATHS, the sample folder.

    Example: trilake ingest data/ --only clinical,genomic
    """
    if not paths and not run.state.sample.is_dir():
        raise InputError("Nothing to ingest: no PATH given, and no sample yet", next_step="trilake ingest PATH")
    given = list(paths) or [str(run.state.sample)]
    with run.session() as session:
        result = ingest_paths(session, run, given, modalities=only, dry_run=dry_run, reference=reference)
    run.emit(result, text=in_words(result, dry_run=dry_run))
    if not dry_run:
        say_next(run, result)
    return exit_code(result)


def ingest_paths(
    session: Session,
    run: Run,
    paths: list[str],
    *,
    modalities: tuple[str, ...] = MODALITIES,
    dry_run: bool = False,
    reference: Path | None = None,
) -> dict[str, Any]:
    """Load everything below the paths; counts and reasons per modality, as `--json` gives them."""
    with ingest_run(run, reference) as ingest:
        found = find_files(session, paths, ingest.work_dir)
        files = sort_files(found, modalities)
        if files.n_left_out:
            run.say(f"{files.n_left_out:,} files of other modalities left out")
        outcomes = (preview_sorted if dry_run else load_sorted)(session, files, ingest)
        return summary(outcomes, modalities, ingest)


def summary(outcomes: list[FileOutcome], modalities: tuple[str, ...], run: IngestRun) -> dict[str, Any]:
    by_modality = {
        name: totals([outcome for outcome in outcomes if outcome.is_recognised and outcome.modality == name])
        for name in modalities
    }
    unrecognised = [outcome for outcome in outcomes if not outcome.is_recognised]
    names = [{"file": outcome.file, "found": outcome.reasons[0].found} for outcome in unrecognised]
    return {
        "ingest_id": run.ingest_id,
        **by_modality,
        "unrecognised": {"files": len(names), "names": names},
        "refusals": refusals(outcomes),
    }


def refusals(outcomes: list[FileOutcome]) -> list[dict[str, Any]]:
    """The first refusals, with file, line and what was expected; the ledger has them all."""
    told = (
        {"file": outcome.file, **{name: getattr(reason, name) for name in ("code", "line", "path", "expected", "item")}}
        for outcome in outcomes
        if outcome.is_recognised
        for reason in outcome.reasons
        if not reason.is_warning
    )
    return list(islice(told, MOST_NAMES))


def exit_code(result: dict[str, Any]) -> int:
    """3 when a record was quarantined or a file refused; files that are not ours are no refusal."""
    parts = [result[name] for name in MODALITIES if name in result]
    refused = any(part["quarantined"] or part["statuses"].get("refused") for part in parts)
    return EXIT_REFUSALS if refused else 0


def in_words(result: dict[str, Any], *, dry_run: bool) -> str:
    parts = {name: result[name] for name in MODALITIES if name in result}
    if dry_run:
        return "\n".join([*(would(name, part) for name, part in parts.items()), *not_recognised(result)])
    rows = [[name, *(part[count] for count in COUNTS)] for name, part in parts.items()]
    lines = [text_table(["modality", *COUNTS], rows)]
    reasons = [
        [name, code, n - part["warned"].get(code, 0), part["warned"].get(code, 0)]
        for name, part in parts.items()
        for code, n in part["reasons"].items()
    ]
    if reasons:
        lines += [
            "",
            text_table(["modality", "reason", "refused", "warnings"], reasons),
            "",
            "Each of them: trilake ledger --reason CODE",
        ]
    return "\n".join([*lines, *refused_in_words(result), *not_recognised(result)])


def say_next(run: Run, result: dict[str, Any]) -> None:
    """What loads into the raw stores shows in the tables only after `views`."""
    if any(result[name]["loaded"] for name in MODALITIES if name in result):
        run.say(f"To bring what was loaded into tables and views: {run.command('views')}")


def refused_in_words(result: dict[str, Any]) -> list[str]:
    first = result["refusals"]
    if not first:
        return []
    rows = [[one["file"], one["line"], one["code"], one["path"], one["expected"]] for one in first]
    return ["", "The first refusals:" if len(first) == MOST_NAMES else "Refused:", text_table(REFUSAL, rows)]


def would(name: str, part: dict[str, Any]) -> str:
    words = f"Would load {part['loaded']:,} {name} records from {part['files']:,} files"
    others = [f"{part[count]:,} {count}" for count in ("duplicate", "superseded", "quarantined") if part[count]]
    warned = part["warned"]
    refused = [f"{code} {n - warned.get(code, 0):,}" for code, n in part["reasons"].items() if n > warned.get(code, 0)]
    reasons = ", ".join(refused + [f"{code} {n:,} as a warning" for code, n in warned.items()])
    return words + (f"; {', '.join(others)}" if others else "") + (f" ({reasons})" if reasons else "")


def not_recognised(result: dict[str, Any]) -> list[str]:
    names = result["unrecognised"]["names"]
    if not names:
        return []
    lines = [f"  {one['file']}: {one['found']}" for one in names[:MOST_NAMES]]
    more = [f"  and {len(names) - MOST_NAMES:,} more"] if len(names) > MOST_NAMES else []
    return ["", f"Not recognised, left alone: {len(names):,} files", *lines, *more]

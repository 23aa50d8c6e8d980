"""From paths to the ledger: files found, sorted by kind, set aside when known, loaded by their room, accounted for.

Example: report = load_files(session, find_files(session, ["data/"], work_dir), run, modalities=MODALITIES)
"""

import hashlib
import os
import secrets
import traceback
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from botocore.exceptions import ClientError

from trilake.core.errors import InputError, TrilakeError
from trilake.core.importer import Importer, IngestRun, SourceFile
from trilake.core.ledger import FileOutcome, Reason
from trilake.core.quarantine import Quarantine
from trilake.core.recognise import recognise
from trilake.core.session import Session
from trilake.core.verb import Run
from trilake.operations.ledger import append_outcomes, outcomes_by_content

MODALITIES = ("clinical", "genomic", "imaging")


@dataclass(frozen=True)
class FoundFile:
    """A file before it was opened. `root` is the last part of what was given: it tells equal names apart."""

    name: str
    root: str
    path: Path


@dataclass
class Sorted:
    """Files by what will happen to them: loaded by a room, known already, equal to another one, not ours."""

    by_modality: dict[str, list[SourceFile]] = field(default_factory=lambda: {name: [] for name in MODALITIES})
    repeats: dict[str, list[SourceFile]] = field(default_factory=dict)
    unrecognised: list[FileOutcome] = field(default_factory=list)
    n_left_out: int = 0


@contextmanager
def ingest_run(run: Run, reference: Path | None = None, *, is_replay: bool = False) -> Iterator[IngestRun]:
    """A new run with a work folder that lasts as long as the block."""
    ingest_id = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
    with TemporaryDirectory(prefix="trilake-") as folder:
        quarantined = Path(folder, "quarantine")
        quarantined.mkdir()
        with closing(Quarantine(ingest_id, quarantined)) as quarantine:
            yield IngestRun(ingest_id, run.say, quarantine, Path(folder), reference, is_replay)


def importer_of(modality: str) -> Importer:
    """The room's importer, imported when first needed."""
    importer: Importer = import_module(f"trilake.{modality}.importer").Importer()
    return importer


def sort_files(found: list[FoundFile], modalities: tuple[str, ...]) -> Sorted:
    """The files by kind; of equal contents the first is loaded and the others wait for its outcome."""
    files, seen = Sorted(), set[str]()
    for one in found:
        try:
            file, looks_like = open_file(one)
        except OSError as error:
            reason = Reason("FILE_UNREADABLE", "a file that can be read", type(error).__name__)
            files.unrecognised.append(not_ours(FileOutcome(one.name, "none", "", 0), reason))
            continue
        modality = file.kind.modality
        if modality == "none":
            code = "FILE_UNRECOGNISED" if file.n_bytes else "FILE_EMPTY"
            files.unrecognised.append(not_ours(file.outcome(), Reason(code, "FHIR JSON, VCF or DICOM", looks_like)))
        elif modality not in modalities:
            files.n_left_out += 1
        elif file.sha256 in seen:
            files.repeats.setdefault(file.sha256, []).append(file)
        else:
            seen.add(file.sha256)
            files.by_modality[modality].append(file)
    return files


def not_ours(outcome: FileOutcome, reason: Reason) -> FileOutcome:
    outcome.is_recognised = False
    outcome.reasons.append(reason)
    return outcome


def load_sorted(session: Session, files: Sorted, run: IngestRun) -> list[FileOutcome]:
    """Every file's outcome, written to the ledger modality by modality."""
    outcomes = list(files.unrecognised)
    append_outcomes(session, run.ingest_id, outcomes)
    for modality, given in files.by_modality.items():
        known, new = known_and_new(session, given)
        found = known + (load_modality(session, modality, new, run) if new else [])
        found += repeats_of(found, files)
        append_outcomes(session, run.ingest_id, found)
        outcomes += found
    return outcomes


def preview_sorted(session: Session, files: Sorted, run: IngestRun) -> list[FileOutcome]:
    """Every file's outcome as far as the files and the ledger tell; nothing is sent or written."""
    outcomes = list(files.unrecognised)
    for modality, given in files.by_modality.items():
        known, new = known_and_new(session, given)
        found = known + (importer_of(modality).preview(new, run) if new else [])
        outcomes += found + repeats_of(found, files)
    return outcomes


def known_and_new(session: Session, files: list[SourceFile]) -> tuple[list[FileOutcome], list[SourceFile]]:
    """Outcomes of the files whose content the ledger has as loaded still, and the files that remain."""
    known = outcomes_by_content(session, {file.sha256 for file in files}) if files else {}
    if known:
        room = importer_of(files[0].kind.modality)
        for content in room.replaced(session, set(known)):
            del known[content]
    outcomes = [repeat(known[file.sha256], file) for file in files if file.sha256 in known]
    return outcomes, [file for file in files if file.sha256 not in known]


def repeats_of(outcomes: list[FileOutcome], files: Sorted) -> list[FileOutcome]:
    """Outcomes of the files that have the content of another file of this run."""
    return [repeat(first, file) for first in outcomes for file in files.repeats.get(first.content_sha256, [])]


def load_modality(session: Session, modality: str, files: list[SourceFile], run: IngestRun) -> list[FileOutcome]:
    """The importer's outcomes, held against the ledger's rule; what it did not account for is refused.

    Whatever an importer raises is an outcome of its files: nothing stops the other modalities.
    """
    run.say(f"{modality}: {len(files):,} new files, {sum(file.n_bytes for file in files) / 1e6:,.1f} MB")
    try:
        given = importer_of(modality).load(session, files, run)
    except Exception as error:
        return [failed(file, reason_of(error)) for file in files]
    by_name = {outcome.file: outcome for outcome in given}
    outcomes = [accounted(by_name.get(file.name), file) for file in files]
    kept = run.quarantine.store(session)
    for outcome in outcomes:
        outcome.quarantine_uri = kept.get(outcome.content_sha256[:12], "")
    return outcomes


def accounted(outcome: FileOutcome | None, file: SourceFile) -> FileOutcome:
    if outcome is None:
        return failed(file, "no outcome")
    try:
        outcome.check()
    except ValueError as error:
        return failed(file, str(error))
    return outcome


def failed(file: SourceFile, found: str) -> FileOutcome:
    return file.outcome(reasons=[Reason("IMPORT_FAILED", "an outcome for every record", found)])


def reason_of(error: Exception) -> str:
    """Words for a failed import that carry no data: our own errors as they are, others by type and place."""
    if isinstance(error, TrilakeError):
        return error.message
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(last.filename).name} line {last.lineno}"


def repeat(first: FileOutcome, file: SourceFile) -> FileOutcome:
    """The outcome of content that was loaded before: what was loaded then is a duplicate now."""
    return replace(first, file=file.name, loaded=0, duplicate=first.loaded + first.duplicate)


def totals(outcomes: list[FileOutcome]) -> dict[str, Any]:
    """Counts of one modality's files, how often each reason occurs, and how often as a warning alone (`warned`)."""
    reasons: dict[str, int] = {}
    remarks: dict[str, int] = {}
    statuses: dict[str, int] = {}
    for outcome in outcomes:
        statuses[outcome.status] = statuses.get(outcome.status, 0) + 1
        for reason in outcome.reasons:
            reasons[reason.code] = reasons.get(reason.code, 0) + 1
            remarks[reason.code] = remarks.get(reason.code, 0) + reason.is_warning
    counts = ("records_in", "loaded", "duplicate", "superseded", "quarantined", "warnings")
    return {
        "files": len(outcomes),
        **{name: sum(getattr(outcome, name) for outcome in outcomes) for name in counts},
        "statuses": statuses,
        "reasons": dict(sorted(reasons.items())),
        "warned": {code: n for code, n in sorted(remarks.items()) if n},
    }


def find_files(session: Session, paths: Iterable[str], work_dir: Path) -> list[FoundFile]:
    """Every file below the paths, in a stable order, each under a name of its own; one given twice is there once.

    InputError lists all paths that do not exist or cannot be listed.
    """
    found: dict[Path, FoundFile] = {}
    faults: list[str] = []
    for number, path in enumerate(paths):
        try:
            files = from_s3(session, path, work_dir / f"s3-{number}") if path.startswith("s3://") else from_disk(path)
            for file in files:
                found.setdefault(file.path.resolve(), file)
        except InputError as error:
            faults.append(error.message)
    if faults:
        raise InputError("\n  ".join(faults), next_step="trilake ingest PATH…")
    return with_own_names(found.values())


def from_disk(path: str) -> Iterator[FoundFile]:
    root = Path(path)
    if root.is_file():
        yield FoundFile(root.name, root.absolute().parent.name, root)
    elif root.is_dir():
        for folder, below, names in os.walk(root):
            below.sort()
            for name in sorted(names):
                file = Path(folder, name)
                if file.is_file() or not file.exists():  # A link to nothing is named, not passed over.
                    yield FoundFile(file.relative_to(root).as_posix(), root.absolute().name, file)
    else:
        raise InputError(f"No such file or folder: {path}")


def from_s3(session: Session, uri: str, folder: Path) -> Iterator[FoundFile]:
    """The objects below a prefix, fetched; local names are numbers, since keys need not be file names."""
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    s3 = session.client("s3")
    folder.mkdir(parents=True)
    try:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        keys = [item["Key"] for page in pages for item in page.get("Contents", []) if not item["Key"].endswith("/")]
        for number, key in enumerate(sorted(keys)):
            local = folder / str(number)
            s3.download_file(bucket, key, str(local))
            below = key if key == prefix else key.removeprefix(prefix[: prefix.rfind("/") + 1])
            yield FoundFile(below.rsplit("/", 1)[-1] if key == prefix else below, bucket, local)
    except ClientError as error:
        raise InputError(f"Cannot read {uri}: {error.response['Error']['Message']}") from None
    if not keys:
        raise InputError(f"Nothing lies below {uri}")


def with_own_names(files: Iterable[FoundFile]) -> list[FoundFile]:
    """Files of equal names in several folders get the folder's name in front, and a number if that is not enough."""
    taken: set[str] = set()
    named = []
    for file in files:
        name = file.name if file.name not in taken else f"{file.root}/{file.name}"
        number = 2
        while name in taken:
            name, number = f"{file.root}/{file.name}~{number}", number + 1
        taken.add(name)
        named.append(FoundFile(name, file.root, file.path))
    return named


def open_file(found: FoundFile) -> tuple[SourceFile, str]:
    """The file with its hash, size and kind, and what it looks like if it is of no kind that is known."""
    digest, n_bytes = hashlib.sha256(), 0
    with found.path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
            n_bytes += len(block)
    answer = recognise(found.path)
    return SourceFile(found.name, found.path, digest.hexdigest(), n_bytes, answer.kind), answer.found

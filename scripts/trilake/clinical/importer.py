"""FHIR files into the HealthLake data store: preflight, duplicates, staging, one import job, what it refused.

Reads NDJSON, Bundles, arrays and single resources, plain or gzip; writes below clinical/ in the raw bucket. Behind
`make ingest`.

Example: Importer().load(session, files, run)
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from trilake.clinical.held import held, remember
from trilake.clinical.import_job import Failure, run_import
from trilake.clinical.pool import checked, workers_for
from trilake.clinical.preflight import Checked
from trilake.clinical.reading import Piece, read_pieces
from trilake.clinical.register import Register
from trilake.clinical.staging import Staged, stage
from trilake.core.errors import ServiceError
from trilake.core.importer import IngestRun, SourceFile
from trilake.core.ledger import FileOutcome, Reason
from trilake.core.session import Session

SAY_EVERY = 20_000


class Importer:
    """See `core.importer.Importer`."""

    modality = "clinical"

    def load(self, session: Session, files: list[SourceFile], run: IngestRun) -> list[FileOutcome]:
        with checked_files(files, run) as register:
            kinds = register.types()
            if kinds:
                register.meet(held(session, register, kinds, run.work_dir))
            if kinds := register.types():
                job_ids = submit(session, register, run)
                register.settle()
                remember(session, register, kinds, name=f"{run.ingest_id}-{job_ids}", work_dir=run.work_dir)
            record_mapping(session, register, run)
            return register.outcomes()

    def replaced(self, session: Session, contents: set[str]) -> set[str]:
        return set()

    def preview(self, files: list[SourceFile], run: IngestRun) -> list[FileOutcome]:
        with checked_files(files, run) as register:
            return register.outcomes()


@contextmanager
def checked_files(files: list[SourceFile], run: IngestRun) -> Iterator[Register]:
    """A register of every record of the files, with this load's own duplicates settled."""
    folder = run.work_dir / "clinical"
    folder.mkdir()
    workers = workers_for(sum(file.n_bytes for file in files))
    told = SAY_EVERY
    with Register(folder) as register:
        for file in files:
            register.add_file(file)
        for number, batch in checked(pieces(files), workers):
            enter(register, number, batch.checked, run)
            register.refer(batch.targets)
            if register.n_records >= told:
                run.say(f"  checked {register.n_records:,} resources")
                told = (register.n_records // SAY_EVERY + 1) * SAY_EVERY
        register.decide()
        yield register


def pieces(files: list[SourceFile]) -> Iterator[tuple[int, Piece]]:
    for number, file in enumerate(files):
        for piece in read_pieces(file.path):
            yield number, piece


def enter(register: Register, number: int, found: list[Checked], run: IngestRun) -> None:
    file = register.files[number]
    items = {one.label: quarantined(run, file, one) for one in found if one.faults}
    register.add_all(number, found, items)


def quarantined(run: IngestRun, file: SourceFile, one: Checked) -> str:
    if one.data:
        return run.quarantine.keep(file.sha256, one.data, record=one.label)
    return run.quarantine.keep_file(file.sha256, file.path)


def submit(session: Session, register: Register, run: IngestRun) -> str:
    """Stage and import every accepted record; what the service refuses is quarantined. The jobs' ids."""
    jobs = stage(session, register, run.work_dir)
    for number, staged in enumerate(jobs, 1):
        which = f", job {number} of {len(jobs)}" if len(jobs) > 1 else ""
        n_lines = sum(staged.n_lines.values())
        run.say(f"  HealthLake import of {n_lines:,} resources in {len(staged.n_lines)} files{which}")
        for failure in run_import(session, staged, say=run.say):
            refuse(register, staged, failure, run)
    return "-".join(staged.job_id for staged in jobs)


def refuse(register: Register, staged: Staged, failure: Failure, run: IngestRun) -> None:
    records = staged.records.get(failure.file)
    if records is None or not 1 <= failure.line <= len(records):
        raise ServiceError(f"HealthLake refused line {failure.line} of {failure.file}, which was never staged")
    seq = records[failure.line - 1]
    file, label = register.place(seq)
    item = run.quarantine.keep(file.sha256, register.line_of(seq), record=label)
    reason = Reason("SERVICE_REFUSED", "a resource that HealthLake accepts", failure.diagnostics, item=item)
    register.refuse(seq, reason)


def record_mapping(session: Session, register: Register, run: IngestRun) -> None:
    """Write which ids were replaced by which, clinical/mapped_ids/<ingest_id>.ndjson in the raw bucket."""
    names = ("resourceType", "given", "loadedAs")
    lines = [json.dumps(dict(zip(names, row, strict=True))) for row in register.mapped()]
    if lines:
        session.client("s3").put_object(
            Bucket=session.settings.core.raw_bucket,
            Key=f"clinical/mapped_ids/{run.ingest_id}.ndjson",
            Body="\n".join([*lines, ""]).encode(),
        )

"""FHIR files into the HealthLake data store: preflight, duplicates, staging, one import job, what it refused.

Reads NDJSON, Bundles and single resources, plain or gzip; writes below clinical/ in the raw bucket. `make ingest`.

Example: Importer().load(session, files, run)
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from trilake.clinical.held import held, remember
from trilake.clinical.import_job import Failure, run_import
from trilake.clinical.preflight import Checked, check
from trilake.clinical.reading import read_records
from trilake.clinical.register import Register
from trilake.clinical.staging import stage
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
                submit(session, register, run)
                register.settle()
                remember(session, register, kinds, ingest_id=run.ingest_id, work_dir=run.work_dir)
            return register.outcomes()

    def preview(self, files: list[SourceFile], run: IngestRun) -> list[FileOutcome]:
        with checked_files(files, run) as register:
            return register.outcomes()


@contextmanager
def checked_files(files: list[SourceFile], run: IngestRun) -> Iterator[Register]:
    """A register of every record of the files, with this load's own duplicates settled."""
    folder = run.work_dir / "clinical"
    folder.mkdir()
    checked = count(1)
    with Register(folder) as register:
        for file in files:
            number = register.add_file(file)
            for record in read_records(file.path):
                enter(register, number, file, check(record), run)
                if (n := next(checked)) % SAY_EVERY == 0:
                    run.say(f"  checked {n:,} resources")
        register.decide()
        yield register


def enter(register: Register, number: int, file: SourceFile, checked: Checked, run: IngestRun) -> None:
    item = ""
    if checked.faults:
        keep = run.quarantine
        label = checked.record.label
        item = (
            keep.keep(file.sha256, checked.data, record=label)
            if checked.data
            else keep.keep_file(file.sha256, file.path)
        )
    register.add(number, checked, item=item)


def submit(session: Session, register: Register, run: IngestRun) -> None:
    """Stage and import every accepted record; what the service refuses is quarantined."""
    staged = stage(session, register, run.work_dir)
    run.say(f"  HealthLake import of {sum(staged.n_lines.values()):,} resources in {len(staged.n_lines)} files")
    for failure in run_import(session, staged, say=run.say):
        refuse(register, failure, run)


def refuse(register: Register, failure: Failure, run: IngestRun) -> None:
    found = register.at(failure.file, failure.line)
    if found is None:
        raise ServiceError(f"HealthLake refused line {failure.line} of {failure.file}, which was never staged")
    seq, file, label = found
    item = run.quarantine.keep(file.sha256, register.line_of(seq), record=label)
    reason = Reason("SERVICE_REFUSED", "a resource that HealthLake accepts", failure.diagnostics, item=item)
    register.refuse(seq, reason)

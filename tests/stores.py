"""The raw stores of a lake and the jobs that fill them, as terraform/modules/store makes them; and loads into them.

Example: Loads(stores, tmp_path, Importer())({"a.vcf": b"..."})["a.vcf"].loaded
"""

import hashlib
import json
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.lake import NAMES, built_lake, lake
from trilake.core.importer import Importer, IngestRun, SourceFile
from trilake.core.lakehouse.iceberg import open_table
from trilake.core.ledger import FileOutcome
from trilake.core.quarantine import Quarantine
from trilake.core.recognise import recognise
from trilake.core.session import SETTINGS_FILE, Session
from trilake.operations.deploy import upload

__all__ = ["Loads", "built_lake", "lake", "rows_of", "stores"]
JOBS = {
    "test-genomic-load": "genomic_load_variants",
    "test-imaging-flatten": "imaging_flatten_metadata",
    "test-imaging-radiomics": "imaging_extract_radiomics",
}


@pytest.fixture(scope="module")
def stores(lake: Session) -> Session:
    """A lake with empty stores, for the tests of one module."""
    build_stores(lake)
    return lake


def build_stores(session: Session) -> None:
    """Store databases, an image store and the Glue jobs of the real scripts, package and settings."""
    store = session.client("medical-imaging").create_datastore(datastoreName="test", clientToken="test")
    path = session.folder / SETTINGS_FILE
    settings = json.loads(path.read_text())
    settings["imaging"]["datastore_id"] = store["datastoreId"]
    path.write_text(json.dumps(settings))
    for room in ("genomic", "imaging"):
        create_database(session, f"test_{room}_store", f"s3://{NAMES['lake']}/{room}_store")
    upload(session)
    for name, script in JOBS.items():
        create_job(session, name, script)


def create_database(session: Session, name: str, location: str) -> None:
    """A database in which the jobs' role may make tables."""
    session.client("glue").create_database(DatabaseInput={"Name": name, "LocationUri": location})
    session.client("lakeformation").grant_permissions(
        Principal={"DataLakePrincipalIdentifier": session.settings.genomic.job_role_arn},
        Resource={"Database": {"Name": name}},
        Permissions=["CREATE_TABLE", "DESCRIBE"],
    )


def create_job(session: Session, name: str, script: str) -> None:
    code = session.settings.core.code_prefix
    session.client("glue").create_job(
        Name=name,
        Role=session.settings.genomic.job_role_arn,
        GlueVersion="5.1",
        WorkerType="G.1X",
        NumberOfWorkers=2,
        Command={"Name": "glueetl", "PythonVersion": "3", "ScriptLocation": f"{code}/glue_jobs/{script}.py"},
        DefaultArguments={"--extra-py-files": f"{code}/trilake.zip", "--settings": f"{code}/settings.json"},
        ExecutionProperty={"MaxConcurrentRuns": 1},
    )


class Loads:
    """One importer call after another on one lake, each an ingest run of its own, held against the ledger's rule."""

    numbers, number = count(1), 0

    def __init__(self, session: Session, folder: Path, importer: Importer) -> None:
        self.session, self.folder, self.importer = session, folder, importer

    def __call__(
        self, contents: dict[str, bytes], *, preview: bool = False, reference: Path | None = None
    ) -> dict[str, FileOutcome]:
        Loads.number = load = next(Loads.numbers)  # Read once: loads may meet.
        folder = self.folder / str(load)
        folder.mkdir()
        quarantine = Quarantine(f"{load:06d}-run", folder)
        run = IngestRun(quarantine.ingest_id, lambda text: None, quarantine, folder, reference)
        files = [a_source(folder, number, name, content) for number, (name, content) in enumerate(contents.items())]
        outcomes = self.importer.preview(files, run) if preview else self.importer.load(self.session, files, run)
        quarantine.close() if preview else quarantine.store(self.session)
        for outcome in outcomes:
            outcome.check()
        assert sorted(outcome.file for outcome in outcomes) == sorted(contents)
        return {outcome.file: outcome for outcome in outcomes}


def a_source(folder: Path, number: int, name: str, content: bytes) -> SourceFile:
    path = folder / f"file-{number}"
    path.write_bytes(content)
    return SourceFile(name, path, hashlib.sha256(content).hexdigest(), len(content), recognise(path).kind)


def rows_of(session: Session, table: str, **wanted: Any) -> list[dict[str, Any]]:
    """The store's rows whose columns have the wanted values."""
    found: pa.Table = open_table(session, table).scan().to_arrow()
    return [row for row in found.to_pylist() if all(row[name] == value for name, value in wanted.items())]

"""One FHIR import job from the first line to the manifest.

Reads NDJSON objects from S3 line by line; writes tables and reports. Behind `make ingest`.
Example: `ImportRun(world, store, job).run()` gives the job's final status.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from localaws.healthlake.progress import Progress, manifest, outcome, success
from localaws.healthlake.prune import prune
from localaws.healthlake.reports import FAILURE, SUCCESS, WARNED, Reports, Write
from localaws.healthlake.shape import shape
from localaws.healthlake.stamps import Stamps
from localaws.healthlake.tables import TableWriter
from localaws.healthlake.validate import Issue, Issues, check_header, check_resource
from localaws.job_access import JobAccess, JobRefused, S3Object, split_uri

if TYPE_CHECKING:
    from localaws.healthlake.datastores import Datastore
    from localaws.world import World

PRINCIPAL = "healthlake.amazonaws.com"
MAX_FILES = 1_000_000
MAX_FILE_BYTES = 50 * 1024**3
MAX_JOB_BYTES = 5_000 * 1024**3
REPORT_EVERY = 500
REFUSE_TAG = ("https://localaws.example/tag", "refuse")
"""System and code of the meta.tag of a resource that localaws refuses whatever it holds: the service's rules are not
published in full, so what only it refuses can be tried no other way."""


class ImportRun:
    """The state of one running import job; `job` is the record that DescribeFHIRImportJob shows."""

    def __init__(self, world: World, store: Datastore, job: dict[str, Any]) -> None:
        self._world = world
        self._store = store
        self._job = job
        self._output = job["JobOutputDataConfig"]["S3Configuration"]
        self._is_lenient = job["ValidationLevel"] == "minimal"
        self._progress = Progress()
        self._stamps = Stamps(store)
        self._writers: dict[str, TableWriter] = {}

    @property
    def folder(self) -> str:
        """Where the job's reports go."""
        base = self._output["S3Uri"].rstrip("/")
        return f"{base}/{self._store.id}-FHIR_IMPORT-{self._job['JobId']}/"

    def run(self) -> str:
        """COMPLETED or COMPLETED_WITH_ERRORS; JobRefused when the job as a whole cannot be done."""
        source = self._store.properties["DatastoreArn"]
        access = JobAccess(self._world, self._job["DataAccessRoleArn"], PRINCIPAL, source)
        access.check_write(f"{self.folder}manifest.json", self._output["KmsKeyId"])
        items = self._input(access)
        with tempfile.TemporaryDirectory(prefix="healthlake-") as scratch:
            reports = Reports(Path(scratch))
            for item in items:
                self._file(access, item, reports, Path(scratch))
            for writer in self._writers.values():
                writer.commit()
            self._show()
            reports.add_manifest(manifest(self._job, self.folder, self._progress))
            reports.upload(access, self.folder, self._output["KmsKeyId"])
        return "COMPLETED_WITH_ERRORS" if self._progress.has_errors else "COMPLETED"

    def _input(self, access: JobAccess) -> list[S3Object]:
        uri = self._job["InputDataConfig"]["S3Uri"]
        items = list(access.objects(uri))
        if not items:
            raise JobRefused(f"There are no files at {uri}")
        if len(items) > MAX_FILES:
            raise JobRefused(f"An import job takes {MAX_FILES} files at most, found {len(items)}")
        if max(item.size for item in items) > MAX_FILE_BYTES:
            raise JobRefused("An import file may have 50 GB at most")
        if sum(item.size for item in items) > MAX_JOB_BYTES:
            raise JobRefused("An import job takes 5000 GB at most")
        return items

    def _file(self, access: JobAccess, item: S3Object, reports: Reports, scratch: Path) -> None:
        progress = self._progress
        progress.files_scanned += 1
        progress.bytes_scanned += item.size
        with reports.of(self._name(item)) as write:
            try:
                path = access.read(item)
            except JobRefused as error:
                progress.files_unreadable += 1
                write(FAILURE, outcome(0, [Issue("processing", "", str(error))], status=400))
                return
            with path.open("rb") as lines:
                for number, line in enumerate(lines, 1):
                    if line := line.strip():
                        self._line(number, line, write, scratch)
        progress.files_imported += 1
        self._show()

    def _name(self, item: S3Object) -> str:
        """The input file's key below the job's prefix, or its last part when the prefix is the file."""
        _, prefix = split_uri(self._job["InputDataConfig"]["S3Uri"])
        below = item.key.removeprefix(prefix[: prefix.rfind("/") + 1])
        return below or item.key.rsplit("/", 1)[-1]

    def _line(self, number: int, line: bytes, write: Write, scratch: Path) -> None:
        progress = self._progress
        progress.resources_scanned += 1
        if progress.resources_scanned % REPORT_EVERY == 0:
            self._show()
        resource, issues = read_resource(line)
        if resource is not None and is_marked(resource):
            resource, issues = None, [Issue("processing", "", f"The resource has the tag {REFUSE_TAG}")]
        if issues and not (self._is_lenient and resource is not None):
            progress.resources_refused += 1
            write(FAILURE, outcome(number, issues, status=400))
            return
        assert resource is not None
        self._stamps.put(resource)
        self._add(prune(resource) if issues else resource, scratch)
        progress.resources_imported += 1
        progress.bytes_imported += len(line)
        if issues:
            write(WARNED, outcome(number, issues, status=201, severity="warning"))
        write(SUCCESS, success(number, resource))

    def _add(self, resource: dict[str, Any], scratch: Path) -> None:
        name = resource["resourceType"]
        if name not in self._writers:
            self._writers[name] = TableWriter(self._world, self._store.id, name, scratch)
        self._writers[name].add(shape(name).row(resource))

    def _show(self) -> None:
        self._job["JobProgressReport"] = self._progress.report()


def is_marked(resource: dict[str, Any]) -> bool:
    """Whether a resource asks to be refused, to see what becomes of one that only the service refuses."""
    tags = (resource.get("meta") or {}).get("tag") or []
    return any(isinstance(tag, dict) and (tag.get("system"), tag.get("code")) == REFUSE_TAG for tag in tags)


def read_resource(line: bytes) -> tuple[dict[str, Any] | None, Issues]:
    """A line's resource and what is wrong with it; no resource when not even its type and id can be known."""
    try:
        resource = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return None, [Issue("structure", "", f"The line is not valid JSON: {error}")]
    issues = check_header(resource)
    if issues:
        return None, issues
    return resource, check_resource(resource)

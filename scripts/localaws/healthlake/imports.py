"""The import jobs of all data stores, and the run of one from the first line to the manifest.

One job runs at a time per store, up to 25 wait, first come first served. NDJSON is read line by line; one data file and
one Iceberg commit per type, at the end, so that a job that fails before leaves nothing in the tables.

Example: ImportJobs(world, state).start(params)
"""

from __future__ import annotations

import logging
import re
import tempfile
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from localaws.healthlake.datastores import Stamps
from localaws.healthlake.reports import FAILURE, SUCCESS, WARNED, Progress, Reports, Write, manifest, outcome, success
from localaws.healthlake.rows import prune, shape
from localaws.healthlake.tables import TableWriter
from localaws.healthlake.validate import Issue, Issues, check_header, check_resource
from localaws.job_access import JobAccess, JobRefused, S3Object, split_uri
from localaws.service import ServiceError

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


if TYPE_CHECKING:
    from localaws.healthlake.datastores import Datastore, HealthLakeState
    from localaws.world import World

log = logging.getLogger("localaws.healthlake")

MAX_QUEUED = 25
MAX_STARTS_A_SECOND = 25
SOURCE = "aws.healthlake"
_EVENTS = {
    "SUBMITTED": "Import Job Submitted",
    "QUEUED": "Import Job Queued",
    "IN_PROGRESS": "Import Job In Progress",
    "COMPLETED": "Import Job Completed",
    "COMPLETED_WITH_ERRORS": "Import Job Completed With Errors",
    "FAILED": "Import Job Failed",
}
_NOT_IN_MESSAGES = re.compile(r"[^\w\s.:/=+\-%@]+")


class ImportJobs:
    """Submitting, running and finishing import jobs."""

    def __init__(self, world: World, state: HealthLakeState) -> None:
        self._world = world
        self._state = state
        self._starts: list[float] = []

    def resume(self) -> None:
        """Take up the queues of a saved state; a job that was running when it was saved is over."""
        for store in self._state.datastores.values():
            if store.running is not None:
                job = store.jobs[store.running]
                job.update(JobStatus="FAILED", Message="The process that ran the job ended", EndTime=datetime.now(UTC))
                store.running = None
            if store.queue:
                self._world.submit(self._drain, store)

    def start(self, params: dict[str, Any]) -> dict[str, Any]:
        """Submit a job; ThrottlingException when 25 wait already."""
        with self._state.lock:
            store = self._state.find(params["DatastoreId"])
            repeated = self._state.tokens.get(f"import:{store.id}:{params.get('ClientToken')}")
            if repeated is not None:
                return store.jobs[repeated]
            if store.status != "ACTIVE":
                raise ServiceError("ValidationException", f"The data store is {store.status}, not ACTIVE.")
            if len(store.queue) >= MAX_QUEUED:
                raise ServiceError("ThrottlingException", f"{MAX_QUEUED} import jobs are queued already.")
            self._starts = [at for at in self._starts if at > time.monotonic() - 1]
            if len(self._starts) >= MAX_STARTS_A_SECOND:
                raise ServiceError("ThrottlingException", "Rate exceeded")
            self._starts.append(time.monotonic())
            job = self._submit(store, params)
        self._world.submit(self._drain, store)
        return job

    def _submit(self, store: Datastore, params: dict[str, Any]) -> dict[str, Any]:
        names = ("JobName", "InputDataConfig", "JobOutputDataConfig", "DataAccessRoleArn")
        job = {
            "ValidationLevel": "strict",
            **{name: params[name] for name in (*names, "ValidationLevel") if name in params},
            "JobId": uuid.uuid4().hex,
            "DatastoreId": store.id,
            "JobStatus": "SUBMITTED",
            "SubmitTime": datetime.now(UTC),
        }
        store.jobs[job["JobId"]] = job
        if "ClientToken" in params:
            self._state.tokens[f"import:{store.id}:{params['ClientToken']}"] = job["JobId"]
        self._tell(job)
        if store.running is not None or store.queue:
            self._set(job, "QUEUED")
        store.queue.append(job["JobId"])
        return job

    def _drain(self, store: Datastore) -> None:
        """Run what waits, unless another thread is at it: it will come to this job too."""
        while True:
            with self._state.lock:
                if store.running is not None or not store.queue:
                    return
                store.running = store.queue.pop(0)
            try:
                self._run(store, store.jobs[store.running])
            finally:
                store.running = None

    def _run(self, store: Datastore, job: dict[str, Any]) -> None:
        self._set(job, "IN_PROGRESS")
        try:
            status = ImportRun(self._world, store, job).run()
        except JobRefused as error:
            job["Message"] = message(str(error))
            status = "FAILED"
        except Exception as error:
            log.exception("import job %s failed", job["JobId"])
            job["Message"] = message(f"{type(error).__name__}: {error}")
            status = "FAILED"
        job["EndTime"] = datetime.now(UTC)
        self._set(job, status)

    def _set(self, job: dict[str, Any], status: str) -> None:
        job["JobStatus"] = status
        self._tell(job)

    def _tell(self, job: dict[str, Any]) -> None:
        detail = {
            "datastoreId": job["DatastoreId"],
            "jobId": job["JobId"],
            "submitTime": job["SubmitTime"].isoformat(),
            "inputDataConfig": {"s3Uri": job["InputDataConfig"]["S3Uri"]},
        }
        self._world.emit_event(SOURCE, _EVENTS[job["JobStatus"]], detail)


def message(text: str) -> str:
    """A text of the characters that the model allows in a Message."""
    return _NOT_IN_MESSAGES.sub(" ", text)[:2048]

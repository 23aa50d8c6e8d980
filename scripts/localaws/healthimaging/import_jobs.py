"""DICOM import jobs: submitted, run in the background from the listing to the manifest, done.

Example: `ImportJobs(world, state).start(params)` is the record of a submitted job.
"""

from __future__ import annotations

import logging
import re
import tempfile
import uuid
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from localaws.healthimaging.datastore import ImageSet, Key
from localaws.healthimaging.events import tell_job
from localaws.healthimaging.image_sets import Gathering, Received
from localaws.healthimaging.instance import InstanceRefused, read_instance
from localaws.job_access import JobAccess, JobRefused, S3Object
from localaws.service import ServiceError

if TYPE_CHECKING:
    from localaws.healthimaging.datastore import Datastore
    from localaws.world import World

log = logging.getLogger("localaws.healthimaging")

PRINCIPAL = "medical-imaging.amazonaws.com"
MAX_FILES = 5_000
MAX_BYTES = 10 * 1024**3
SERVER_ERROR = "InternalServerException"
Line = dict[str, Any]


class ImportRun:
    """The state of one running import job; `job` is the record that GetDICOMImportJob shows."""

    def __init__(self, world: World, store: Datastore, job: dict[str, Any]) -> None:
        self._world = world
        self._store = store
        self._job = job
        self._failures: list[Line] = []
        self._successes: list[Line] = []
        self._warnings: list[Line] = []
        self._matched: dict[str, int] = defaultdict(int)

    @property
    def folder(self) -> str:
        """Where the job's reports go."""
        return f"{self._job['outputS3Uri'].rstrip('/')}/{self._store.id}-DicomImport-{self._job['jobId']}/"

    def run(self) -> None:
        source = self._store.properties["datastoreArn"]
        access = JobAccess(self._world, self._job["dataAccessRoleArn"], PRINCIPAL, source)
        access.check_write(f"{self.folder}job-output-manifest.json")
        items = self._input(access)
        with tempfile.TemporaryDirectory(prefix="healthimaging-") as scratch:
            by_series: dict[Key, list[Received]] = defaultdict(list)
            for item in items:
                received = self._read(access, item)
                if received is not None:
                    by_series[received.instance.study_uid, received.instance.series_uid].append(received)
            with self._store.lock:
                gathering = Gathering(self._world, self._store, Path(scratch))
                for key, group in by_series.items():
                    for image_set, members in gathering.add(key, group):
                        self._report(image_set, members)
            self._write(access, len(items), Path(scratch))

    def _input(self, access: JobAccess) -> list[S3Object]:
        items = list(access.objects(self._job["inputS3Uri"]))
        if not items:
            raise JobRefused(f"There are no files at {self._job['inputS3Uri']}")
        if len(items) > MAX_FILES:
            raise JobRefused(f"An import job takes {MAX_FILES} files at most, found {len(items)}")
        size = sum(item.size for item in items)
        if size > MAX_BYTES:
            raise JobRefused(f"An import job takes {MAX_BYTES} bytes at most, found {size}")
        return items

    def _read(self, access: JobAccess, item: S3Object) -> Received | None:
        try:
            path = access.read(item)
        except JobRefused as error:
            self._fail(item, "AccessDeniedException", str(error))
            return None
        try:
            return Received(item.key, path, read_instance(path, self._store.properties["losslessStorageFormat"]))
        except InstanceRefused as error:
            self._fail(item, "ValidationException", str(error))
        except Exception as error:  # One file's defect, or ours with it, does not end the job.
            log.exception("the file %s cannot be imported", item.key)
            self._fail(item, SERVER_ERROR, type(error).__name__)
        return None

    def _fail(self, item: S3Object, kind: str, message: str) -> None:
        self._failures.append({"inputFile": item.key, "exception": {"exceptionType": kind, "message": message}})

    def _report(self, image_set: ImageSet, members: list[Received]) -> None:
        self._matched[image_set.id] += len({item.instance.sop_uid for item in members})
        for item in members:
            response: Line = {"imageSetId": image_set.id, "isPrimary": image_set.is_primary}
            self._successes.append({"inputFile": item.name, "importResponse": response})
            if item.instance.warned:
                listed = [
                    {"warning_reason_code": warned.code, "type": warned.type, "message": warned.message}
                    for warned in item.instance.warned
                ]
                more = {"imageSetVersion": image_set.latest.number, "warnings": listed}
                self._warnings.append({"inputFile": item.name, "importResponse": {**response, **more}})

    def _write(self, access: JobAccess, n_scanned: int, scratch: Path) -> None:
        reports = {
            "SUCCESS/success.ndjson": self._successes,
            "FAILURE/failure.ndjson": self._failures,
            "WARNING/warning.ndjson": self._warnings,
        }
        path = scratch / "report"
        for name, lines in reports.items():
            if lines:
                path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
                access.write(self.folder + name, path)
        path.write_bytes(orjson.dumps({"jobSummary": self._summary(n_scanned)}))
        access.write(f"{self.folder}job-output-manifest.json", path)

    def _summary(self, n_scanned: int) -> dict[str, Any]:
        n_server_errors = sum(line["exception"]["exceptionType"] == SERVER_ERROR for line in self._failures)
        return {
            "jobId": self._job["jobId"],
            "datastoreId": self._store.id,
            "inputS3Uri": self._job["inputS3Uri"],
            "outputS3Uri": self._job["outputS3Uri"],
            "successOutputS3Uri": f"{self.folder}SUCCESS/",
            "failureOutputS3Uri": f"{self.folder}FAILURE/",
            "warningsOutputS3Uri": f"{self.folder}WARNING/",
            "numberOfScannedFiles": n_scanned,
            "numberOfImportedFiles": len(self._successes),
            "numberOfFilesWithCustomerError": len(self._failures) - n_server_errors,
            "numberOfFilesWithServerError": n_server_errors,
            "numberOfGeneratedImageSets": len(self._matched),
            "imageSetsSummary": [
                {"imageSetId": image_set_id, "numberOfMatchedSOPInstances": count}
                for image_set_id, count in self._matched.items()
            ],
        }


if TYPE_CHECKING:
    from localaws.healthimaging.datastore import Datastore, HealthImagingState
    from localaws.world import World


MAX_RUNNING = 100
_OPEN = {"SUBMITTED", "IN_PROGRESS"}
_NOT_IN_MESSAGES = re.compile(r"[^\w -:`]+")


class ImportJobs:
    """The import jobs of all data stores."""

    def __init__(self, world: World, state: HealthImagingState) -> None:
        self._world = world
        self._state = state

    def resume(self) -> None:
        """Jobs that a saved state has as open will never end: the process that ran them is gone."""
        for store in self._state.datastores.values():
            for job in store.jobs.values():
                if job["jobStatus"] in _OPEN:
                    job.update(jobStatus="FAILED", message="The process that ran the job ended", endedAt=_now())

    def start(self, params: dict[str, Any]) -> dict[str, Any]:
        """Submit a job; the same client token again gives the job that it started first."""
        with self._state.lock:
            store = self._state.active(params["datastoreId"])
            token = f"import:{store.id}:{params['clientToken']}"
            if token in self._state.tokens:
                return store.jobs[self._state.tokens[token]]
            if "importConfiguration" in params:
                raise ServiceError("ValidationException", "localaws imports no DICOM JSON metadata files.")
            if sum(job["jobStatus"] in _OPEN for job in store.jobs.values()) >= MAX_RUNNING:
                raise ServiceError("ServiceQuotaExceededException", f"{MAX_RUNNING} import jobs are under way already.")
            job = _new_job(params)
            store.jobs[job["jobId"]] = job
            self._state.tokens[token] = job["jobId"]
        tell_job(self._world, job)
        answer = dict(job)
        self._world.submit(self._run, store, job)
        return answer

    def _run(self, store: Datastore, job: dict[str, Any]) -> None:
        job["jobStatus"] = "IN_PROGRESS"
        tell_job(self._world, job)
        try:
            ImportRun(self._world, store, job).run()
            status = "COMPLETED"
        except JobRefused as error:
            job["message"] = message(str(error))
            status = "FAILED"
        except Exception as error:
            log.exception("import job %s failed", job["jobId"])
            job["message"] = message(f"{type(error).__name__}: {error}")
            status = "FAILED"
        job["endedAt"] = _now()
        job["jobStatus"] = status
        tell_job(self._world, job)


def _new_job(params: dict[str, Any]) -> dict[str, Any]:
    job_id = uuid.uuid4().hex
    return {
        "jobId": job_id,
        "jobName": params.get("jobName", job_id),
        "jobStatus": "SUBMITTED",
        **{name: params[name] for name in ("datastoreId", "dataAccessRoleArn", "inputS3Uri", "outputS3Uri")},
        "submittedAt": _now(),
    }


def _now() -> datetime:
    return datetime.now(UTC)


def message(text: str) -> str:
    """A text of the characters that the model allows in a message."""
    return _NOT_IN_MESSAGES.sub(" ", text)[:2048]

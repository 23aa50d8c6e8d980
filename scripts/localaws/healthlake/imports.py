"""The import jobs of all data stores: one at a time per store, up to 25 waiting, first come first served.

Reads and writes the HealthLake state; runs jobs in the background. Behind `make ingest`.
Example: `ImportJobs(world, state).start(params)` is the record of a submitted job.
"""

from __future__ import annotations

import logging
import re
import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from localaws.healthlake.import_run import ImportRun
from localaws.job_access import JobRefused
from localaws.service import ServiceError

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

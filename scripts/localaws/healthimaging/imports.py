"""DICOM import jobs: submitted, run in the background, done.

Reads and writes the HealthImaging state. Behind `make ingest`.
Example: `ImportJobs(world, state).start(params)` is the record of a submitted job.
"""

from __future__ import annotations

import logging
import re
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from localaws.healthimaging.events import tell_job
from localaws.healthimaging.import_run import ImportRun
from localaws.job_access import JobRefused
from localaws.service import ServiceError

if TYPE_CHECKING:
    from localaws.healthimaging.state import Datastore, HealthImagingState
    from localaws.world import World

log = logging.getLogger("localaws.healthimaging")

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

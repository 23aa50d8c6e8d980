"""Import jobs into variant and annotation stores: submitted within the quotas, run in the background, told as events.

Reads and writes the HealthOmics state; the work itself is `ImportRun`. Behind `make ingest`.
Example: `jobs.submit("variant", store, properties)`.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from localaws.omics.answers import invalid, new_uuid, now, too_many
from localaws.omics.import_run import ImportRun
from localaws.omics.state import Job, OmicsState, Store

if TYPE_CHECKING:
    from localaws.world import World

log = logging.getLogger("localaws.omics")

SOURCE = "aws.omics"
MAX_CONCURRENT = 5
MAX_FILES = {"variant": 1_000, "annotation": 1}


class ImportJobs:
    """All import jobs of one LocalAws."""

    def __init__(self, world: World, state: OmicsState) -> None:
        self._world, self._state = world, state

    def resume(self) -> None:
        """Jobs that were under way when the state was saved are over."""
        for job in self._state.jobs.values():
            if job.is_running:
                self._end(job, "FAILED", "The process that ran the job ended.")

    def submit(self, store: Store, properties: dict[str, Any]) -> Job:
        """A new job of `items`, `roleArn` and options; ValidationException and ServiceQuotaExceededException."""
        state, items = self._state, properties["items"]
        if store.kind == "annotation" and len(items) != 1:
            raise invalid("An annotation import job takes exactly one file.")
        if len(items) > MAX_FILES[store.kind]:
            raise too_many(f"A {store.kind} import job takes {MAX_FILES[store.kind]} files at most.")
        if store.status != "ACTIVE":
            raise invalid(f"The store {store.name} is {store.status}, not ACTIVE.")
        with state.lock:
            if sum(job.is_running for job in state.jobs.values()) >= MAX_CONCURRENT:
                raise too_many(f"{MAX_CONCURRENT} import jobs are running already.")
            moment = now()
            told = [{"source": item["source"], "jobStatus": "SUBMITTED"} for item in items]
            job = Job(
                store.kind,
                {
                    "runLeftNormalization": False,
                    **properties,
                    "id": new_uuid(),
                    "destinationName": store.name,
                    "status": "SUBMITTED",
                    "statusMessage": "",
                    "creationTime": moment,
                    "updateTime": moment,
                    "items": told,
                },
                store.id,
            )
            state.jobs[job.id] = job
        self._tell(job)
        self._world.submit(self._run, store, job)
        return job

    def cancel(self, job: Job) -> None:
        """End a job before its rows are there; ValidationException when it has ended."""
        with self._state.lock:
            if not job.is_running:
                raise invalid(f"The import job {job.id} is {job.status} and cannot be cancelled.")
            for item in job.properties["items"]:
                item["jobStatus"] = "CANCELLED"
            self._end(job, "CANCELLED", "")

    def _run(self, store: Store, job: Job) -> None:
        with self._state.lock:
            if not job.is_running:
                return
            self._set(job, "IN_PROGRESS")
        try:
            ImportRun(self._world, self._state, store, job).run()
            outcome = outcome_of([item["jobStatus"] for item in job.properties["items"]])
            message = "" if outcome == "COMPLETED" else "Some files could not be imported; see the items."
        except Exception as error:
            log.exception("import job %s failed", job.id)
            outcome, message = "FAILED", f"{type(error).__name__}: {error}"[:1000]
        with self._state.lock:
            if job.is_running:
                self._end(job, outcome, message)

    def _end(self, job: Job, status: str, message: str) -> None:
        if status == "FAILED":
            for item in job.properties["items"]:
                item["jobStatus"] = "FAILED"
        job.properties |= {"statusMessage": message, "completionTime": now()}
        self._set(job, status)

    def _set(self, job: Job, status: str) -> None:
        job.properties |= {"status": status, "updateTime": now()}
        self._tell(job)

    def _tell(self, job: Job) -> None:
        kind = job.kind.capitalize()
        place = f"arn:aws:omics:{self._world.region}:{self._world.account_id}"
        detail = {
            "omicsVersion": "1.0.0",
            "arn": f"{place}:{job.kind}ImportJob/{job.id}",
            "status": job.status,
            "jobId": job.id,
            "storeId": job.store_id,
            "storeName": job.properties["destinationName"],
        }
        self._world.emit_event(SOURCE, f"{kind} Import Job Status Change", detail)


def outcome_of(statuses: list[str]) -> str:
    """A job's status from those of its files."""
    if all(status == "COMPLETED" for status in statuses):
        return "COMPLETED"
    return "FAILED" if all(status == "FAILED" for status in statuses) else "COMPLETED_WITH_FAILURES"

"""Variant stores and their import jobs.

Reads and writes the HealthOmics state; `hosting` makes what a store stands on. Behind `make deploy`, `make ingest`.
Example: `boto3.client("omics").create_variant_store(name="variants", reference={"referenceArn": ...})`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from localaws.omics import stores
from localaws.omics.answers import Params, Result, listed, matches, picked
from localaws.omics.jobs import ImportJobs
from localaws.omics.shapes import VARIANT
from localaws.omics.state import OmicsState
from localaws.service import ServiceError

if TYPE_CHECKING:
    from localaws.caller import Caller
    from localaws.world import World

_CREATED = ("id", "reference", "status", "name", "creationTime")
_UPDATED = (*_CREATED, "description", "updateTime")
_JOB = (
    "id", "destinationName", "roleArn", "status", "creationTime", "updateTime", "completionTime",
    "runLeftNormalization", "annotationFields",
)  # fmt: skip


class VariantOperations:
    """The variant part of the service; `Omics` gives it world, state and jobs."""

    world: World
    _state: OmicsState
    _jobs: ImportJobs

    def create_variant_store(self, params: Params, caller: Caller) -> Result:
        store = stores.create(self.world, self._state, "variant", params)
        answer = picked(store.properties, _CREATED)
        self.world.submit(stores.build, self.world, store, {store.name: VARIANT})
        return answer

    def get_variant_store(self, params: Params, caller: Caller) -> Result:
        store = self._state.store("variant", params["name"])
        return {**picked(store.properties, store.properties), "tags": dict(store.tags)}

    def list_variant_stores(self, params: Params, caller: Caller) -> Result:
        return stores.listing(self._state, "variant", params)

    def update_variant_store(self, params: Params, caller: Caller) -> Result:
        return picked(stores.describe(self._state.store("variant", params["name"]), params), _UPDATED)

    def delete_variant_store(self, params: Params, caller: Caller) -> Result:
        return stores.delete(self.world, self._state, "variant", params)

    def start_variant_import_job(self, params: Params, caller: Caller) -> Result:
        store = self._state.store("variant", params["destinationName"])
        names = ("roleArn", "items", "runLeftNormalization", "annotationFields")
        return {"jobId": self._jobs.submit(store, picked(params, names)).id}

    def get_variant_import_job(self, params: Params, caller: Caller) -> Result:
        job = self._state.job("variant", params["jobId"]).properties
        return picked(job, job)

    def list_variant_import_jobs(self, params: Params, caller: Caller) -> Result:
        return jobs_of(self._state, "variant", params, _JOB)

    def cancel_variant_import_job(self, params: Params, caller: Caller) -> Result:
        self._jobs.cancel(self._state.job("variant", params["jobId"]))
        return {}


def jobs_of(state: OmicsState, kind: str, params: Params, members: tuple[str, ...]) -> Result:
    """One page of the import jobs of a kind, newest first."""
    wanted, ids = params.get("filter", {}), set(params.get("ids", []))
    jobs = [job.properties for job in reversed(state.jobs.values()) if job.kind == kind]
    if unknown := sorted(ids - {job["id"] for job in jobs}):
        raise ServiceError("ResourceNotFoundException", f"The import job {unknown[0]} was not found.")
    kept = [
        picked(job, members)
        for job in jobs
        if (not ids or job["id"] in ids)
        and matches(job, wanted, "status")
        and wanted.get("storeName", job["destinationName"]) == job["destinationName"]
    ]
    return listed(f"{kind}ImportJobs", kept, params)

"""Annotation stores, their versions and their import jobs.

Reads and writes the HealthOmics state; `hosting` makes what a store stands on. Behind `make deploy`, `make ingest`.
Example: `boto3.client("omics").create_annotation_store(name="clinvar", storeFormat="VCF", versionName="v2026_03")`.

Each version has rows and a table of its own. A store begins with one, called as the store when no name is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from localaws.omics import hosting, stores
from localaws.omics.answers import Params, Result, invalid, listed, matches, new_uuid, now, picked, too_many
from localaws.omics.jobs import ImportJobs
from localaws.omics.shapes import annotation_shape
from localaws.omics.state import OmicsState, Store, StoreVersion
from localaws.omics.tables import create_table
from localaws.omics.variants import jobs_of
from localaws.service import ServiceError

if TYPE_CHECKING:
    from localaws.caller import Caller
    from localaws.world import World

MAX_VERSIONS = 10
_CREATED = ("id", "reference", "storeFormat", "storeOptions", "status", "name", "creationTime")
_UPDATED = (*_CREATED, "description", "updateTime")
_VERSION_CREATED = ("id", "versionName", "storeId", "versionOptions", "name", "status", "creationTime")
_VERSION_UPDATED = ("storeId", "id", "status", "name", "versionName", "description", "creationTime", "updateTime")
_LISTED = (*_VERSION_UPDATED, "versionArn", "statusMessage", "versionSizeBytes")
_JOB = (
    "id", "destinationName", "versionName", "roleArn", "status", "creationTime", "updateTime", "completionTime",
    "runLeftNormalization", "annotationFields",
)  # fmt: skip


class AnnotationOperations:
    """The annotation part of the service; `Omics` gives it world, state and jobs."""

    world: World
    _state: OmicsState
    _jobs: ImportJobs

    def create_annotation_store(self, params: Params, caller: Caller) -> Result:
        options = params.get("storeOptions", {}).get("tsvStoreOptions", {})
        if params["storeFormat"] == "TSV" and "schema" not in options:
            raise invalid("A TSV annotation store needs storeOptions with a schema.")
        if params["storeFormat"] != "TSV" and not params.get("reference"):
            raise invalid("A VCF or GFF annotation store needs a reference.")
        store = stores.create(self.world, self._state, "annotation", params)
        store.properties |= {"storeFormat": params["storeFormat"], "numVersions": 1}
        store.properties |= picked(params, ("storeOptions",))
        name = params.get("versionName", store.name)
        version = self._add(store, name, options, {})
        answer = {**picked(store.properties, _CREATED), "versionName": name}
        shape = annotation_shape(params["storeFormat"], options)
        self.world.submit(stores.build, self.world, store, {version.table: shape})
        return answer

    def _add(self, store: Store, name: str, options: dict[str, Any], params: Params) -> StoreVersion:
        moment = now()
        properties = {
            "storeId": store.id,
            "id": new_uuid(),
            "status": "CREATING",
            "statusMessage": "",
            "versionArn": f"{store.properties['storeArn']}/version/{name}",
            "name": store.name,
            "versionName": name,
            "description": params.get("description", ""),
            "creationTime": moment,
            "updateTime": moment,
            "versionSizeBytes": 0,
            **({"versionOptions": {"tsvVersionOptions": options}} if options else {}),
        }
        table = hosting.table_name(store.name, name) if store.versions else store.name
        store.versions[name] = StoreVersion(properties, table, dict(params.get("tags", {})))
        return store.versions[name]

    def get_annotation_store(self, params: Params, caller: Caller) -> Result:
        store = self._state.store("annotation", params["name"])
        counted = {"tags": dict(store.tags), "numVersions": len(store.versions)}
        return {**picked(store.properties, store.properties), **counted}

    def list_annotation_stores(self, params: Params, caller: Caller) -> Result:
        return stores.listing(self._state, "annotation", params)

    def update_annotation_store(self, params: Params, caller: Caller) -> Result:
        return picked(stores.describe(self._state.store("annotation", params["name"]), params), _UPDATED)

    def delete_annotation_store(self, params: Params, caller: Caller) -> Result:
        return stores.delete(self.world, self._state, "annotation", params)

    def create_annotation_store_version(self, params: Params, caller: Caller) -> Result:
        store, name = self._state.store("annotation", params["name"]), params["versionName"]
        with self._state.lock:
            if store.status != "ACTIVE":
                raise ServiceError("ConflictException", f"The store {store.name} is {store.status}, not ACTIVE.")
            if name in store.versions:
                raise ServiceError("ConflictException", f"The store {store.name} has a version {name} already.")
            if len(store.versions) >= MAX_VERSIONS:
                raise too_many(f"An annotation store has {MAX_VERSIONS} versions at most.")
            options = params.get("versionOptions", {}).get("tsvVersionOptions") or store.properties.get(
                "storeOptions", {}
            ).get("tsvStoreOptions", {})
            version = self._add(store, name, options, params)
        answer = picked(version.properties, _VERSION_CREATED)
        self.world.submit(self._build_version, store, version, options)
        return answer

    def _build_version(self, store: Store, version: StoreVersion, options: dict[str, Any]) -> None:
        shape = annotation_shape(store.properties["storeFormat"], options)
        database = hosting.database_name(self.world, store)
        create_table(self.world, hosting.bucket_name(store), database, version.table, shape)
        version.properties |= {"status": "ACTIVE", "updateTime": now()}

    def get_annotation_store_version(self, params: Params, caller: Caller) -> Result:
        version = self._state.store("annotation", params["name"]).version(params["versionName"])
        return {**picked(version.properties, version.properties), "tags": dict(version.tags)}

    def list_annotation_store_versions(self, params: Params, caller: Caller) -> Result:
        store, wanted = self._state.store("annotation", params["name"]), params.get("filter", {})
        versions = [picked(version.properties, _LISTED) for version in store.versions.values()]
        return listed("annotationStoreVersions", versions, params, lambda item: matches(item, wanted, "status"))

    def update_annotation_store_version(self, params: Params, caller: Caller) -> Result:
        version = self._state.store("annotation", params["name"]).version(params["versionName"])
        if "description" in params:
            version.properties |= {"description": params["description"], "updateTime": now()}
        return picked(version.properties, _VERSION_UPDATED)

    def delete_annotation_store_versions(self, params: Params, caller: Caller) -> Result:
        store, errors = self._state.store("annotation", params["name"]), []
        for name in params["versions"]:
            message = self._delete_version(store, name)
            if message:
                errors.append({"versionName": name, "message": message})
        return {"errors": errors}

    def _delete_version(self, store: Store, name: str) -> str | None:
        with self._state.lock:
            version = store.versions.get(name)
            if version is None:
                return f"Version {name} was not found."
            if any(
                job.is_running and job.store_id == store.id and job.properties.get("versionName") == name
                for job in self._state.jobs.values()
            ):
                return f"Version {name} has import jobs under way."
            if len(store.versions) == 1:
                return "A store keeps its last version; delete the store."
            del store.versions[name]
        hosting.remove_table(self.world, store, version.table)
        return None

    def start_annotation_import_job(self, params: Params, caller: Caller) -> Result:
        store = self._state.store("annotation", params["destinationName"])
        name = params.get("versionName") or next(iter(store.versions))
        if store.version(name).properties["status"] != "ACTIVE":
            raise invalid(f"Version {name} of {store.name} is not ACTIVE.")
        options = params.get("formatOptions", {})
        wanted = {"VCF": "vcfOptions", "TSV": "tsvOptions"}.get(store.properties["storeFormat"])
        if options and wanted not in options:
            raise invalid(f"The format options do not fit a {store.properties['storeFormat']} store.")
        names = ("roleArn", "items", "formatOptions", "runLeftNormalization", "annotationFields")
        return {"jobId": self._jobs.submit(store, {**picked(params, names), "versionName": name}).id}

    def get_annotation_import_job(self, params: Params, caller: Caller) -> Result:
        job = self._state.job("annotation", params["jobId"]).properties
        # The model asks for a completion time at any time, and for format options of any job.
        return {"completionTime": job["updateTime"], "formatOptions": {"vcfOptions": {}}, **picked(job, job)}

    def list_annotation_import_jobs(self, params: Params, caller: Caller) -> Result:
        return jobs_of(self._state, "annotation", params, _JOB)

    def cancel_annotation_import_job(self, params: Params, caller: Caller) -> Result:
        self._jobs.cancel(self._state.job("annotation", params["jobId"]))
        return {}

"""Variant and annotation stores and their versions: the operations on them, and on their import jobs.

A store is made and deleted in the background. Each version of an annotation store has rows and a table of its own; a
store begins with one, called as the store when no name is given.

Example: `boto3.client("omics").create_annotation_store(name="clinvar", storeFormat="VCF", versionName="v2026_03")`.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from localaws.omics import hosting
from localaws.omics.answers import (
    Params,
    Result,
    invalid,
    listed,
    matches,
    new_uuid,
    now,
    picked,
    require_entitlement,
    too_many,
)
from localaws.omics.hosting import VARIANT, annotation_columns, create_table
from localaws.omics.jobs import ImportJobs
from localaws.omics.state import OmicsState, Store, StoreVersion
from localaws.service import ServiceError

if TYPE_CHECKING:
    from localaws.world import World

if TYPE_CHECKING:
    from localaws.caller import Caller
    from localaws.world import World

if TYPE_CHECKING:
    from localaws.caller import Caller
    from localaws.world import World

log = logging.getLogger("localaws.omics")
SOURCE = "aws.omics"
MAX_STORES = 10
_HIDDEN = {"storeOptions", "numVersions", "tags"}
_VARIANT_STORE_CREATED = ("id", "reference", "status", "name", "creationTime")
_VARIANT_STORE_UPDATED = (*_VARIANT_STORE_CREATED, "description", "updateTime")
_VARIANT_JOB = (
    "id", "destinationName", "roleArn", "status", "creationTime", "updateTime", "completionTime",
    "runLeftNormalization", "annotationFields",
)  # fmt: skip
MAX_VERSIONS = 10
_ANNOTATION_STORE_CREATED = ("id", "reference", "storeFormat", "storeOptions", "status", "name", "creationTime")
_ANNOTATION_STORE_UPDATED = (*_ANNOTATION_STORE_CREATED, "description", "updateTime")
_VERSION_CREATED = ("id", "versionName", "storeId", "versionOptions", "name", "status", "creationTime")
_VERSION_UPDATED = ("storeId", "id", "status", "name", "versionName", "description", "creationTime", "updateTime")
_LISTED = (*_VERSION_UPDATED, "versionArn", "statusMessage", "versionSizeBytes")
_ANNOTATION_JOB = (
    "id", "destinationName", "versionName", "roleArn", "status", "creationTime", "updateTime", "completionTime",
    "runLeftNormalization", "annotationFields",
)  # fmt: skip


class VariantOperations:
    """The variant part of the service; `Omics` gives it world, state and jobs."""

    world: World
    _state: OmicsState
    _jobs: ImportJobs

    def create_variant_store(self, params: Params, caller: Caller) -> Result:
        store = create_store(self.world, self._state, "variant", params)
        answer = picked(store.properties, _VARIANT_STORE_CREATED)
        self.world.submit(build_store, self.world, store, {store.name: VARIANT})
        return answer

    def get_variant_store(self, params: Params, caller: Caller) -> Result:
        store = self._state.store("variant", params["name"])
        return {**picked(store.properties, store.properties), "tags": dict(store.tags)}

    def list_variant_stores(self, params: Params, caller: Caller) -> Result:
        return list_stores(self._state, "variant", params)

    def update_variant_store(self, params: Params, caller: Caller) -> Result:
        return picked(describe_store(self._state.store("variant", params["name"]), params), _VARIANT_STORE_UPDATED)

    def delete_variant_store(self, params: Params, caller: Caller) -> Result:
        return delete_store(self.world, self._state, "variant", params)

    def start_variant_import_job(self, params: Params, caller: Caller) -> Result:
        store = self._state.store("variant", params["destinationName"])
        names = ("roleArn", "items", "runLeftNormalization", "annotationFields")
        return {"jobId": self._jobs.submit(store, picked(params, names)).id}

    def get_variant_import_job(self, params: Params, caller: Caller) -> Result:
        job = self._state.job("variant", params["jobId"]).properties
        return picked(job, job)

    def list_variant_import_jobs(self, params: Params, caller: Caller) -> Result:
        return list_jobs(self._state, "variant", params, _VARIANT_JOB)

    def cancel_variant_import_job(self, params: Params, caller: Caller) -> Result:
        self._jobs.cancel(self._state.job("variant", params["jobId"]))
        return {}


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
        store = create_store(self.world, self._state, "annotation", params)
        store.properties |= {"storeFormat": params["storeFormat"], "numVersions": 1}
        store.properties |= picked(params, ("storeOptions",))
        name = params.get("versionName", store.name)
        version = self._add(store, name, options, {})
        answer = {**picked(store.properties, _ANNOTATION_STORE_CREATED), "versionName": name}
        columns = annotation_columns(params["storeFormat"], options)
        self.world.submit(build_store, self.world, store, {version.table: columns})
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
        return list_stores(self._state, "annotation", params)

    def update_annotation_store(self, params: Params, caller: Caller) -> Result:
        return picked(
            describe_store(self._state.store("annotation", params["name"]), params), _ANNOTATION_STORE_UPDATED
        )

    def delete_annotation_store(self, params: Params, caller: Caller) -> Result:
        return delete_store(self.world, self._state, "annotation", params)

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
        columns = annotation_columns(store.properties["storeFormat"], options)
        database = hosting.database_name(self.world, store)
        create_table(self.world, hosting.bucket_name(store), database, version.table, columns)
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
        return list_jobs(self._state, "annotation", params, _ANNOTATION_JOB)

    def cancel_annotation_import_job(self, params: Params, caller: Caller) -> Result:
        self._jobs.cancel(self._state.job("annotation", params["jobId"]))
        return {}


# What both kinds of stores have in common.


def create_store(world: World, state: OmicsState, kind: str, params: Params) -> Store:
    """A store that is CREATING; AccessDenied, Conflict, quota and reference errors as the service has them."""
    require_entitlement()
    if "name" not in params:
        raise invalid("A store needs a name.")
    reference = params.get("reference", {})
    if reference:
        state.reference(reference["referenceArn"])
    with state.lock:
        if params["name"] in state.stores[kind]:
            raise ServiceError("ConflictException", f"A {kind} store named {params['name']} exists already.")
        if len(state.stores[kind]) >= MAX_STORES:
            raise too_many(f"An account has {MAX_STORES} {kind} stores at most.")
        moment = now()
        properties = {
            "id": new_uuid(),
            "name": params["name"],
            **({"reference": dict(reference)} if reference else {}),
            "status": "CREATING",
            "statusMessage": "",
            "storeArn": f"arn:aws:omics:{world.region}:{world.account_id}:{kind}Store/{params['name']}",
            "description": params.get("description", ""),
            "sseConfig": params.get("sseConfig", {"type": "KMS"}),
            "creationTime": moment,
            "updateTime": moment,
            "storeSizeBytes": 0,
        }
        store = Store(kind, properties, dict(params.get("tags", {})))
        state.stores[kind][store.name] = store
    tell_of_store(world, store)
    return store


def build_store(world: World, store: Store, tables: dict[str, pa.Schema]) -> None:
    """Make what the store stands on; it is ACTIVE then, or FAILED."""
    try:
        hosting.host(world, store, tables)
    except Exception as error:
        log.exception("store %s failed", store.id)
        set_status(world, store, "FAILED", f"{type(error).__name__}: {error}"[:1000])
        return
    set_status(world, store, "ACTIVE")


def set_status(world: World, store: Store, status: str, message: str = "") -> None:
    moment = now()
    for properties in (store.properties, *(version.properties for version in store.versions.values())):
        if properties["status"] != status:
            properties |= {"status": status, "statusMessage": message, "updateTime": moment}
    tell_of_store(world, store)


def tell_of_store(world: World, store: Store) -> None:
    detail = {
        "omicsVersion": "1.0.0",
        "arn": store.properties["storeArn"],
        "status": store.status,
        "storeId": store.id,
        "storeName": store.name,
    }
    world.emit_event(SOURCE, f"{store.kind.capitalize()} Store Status Change", detail)


def list_stores(state: OmicsState, kind: str, params: Params) -> Result:
    """One page of the stores of a kind."""
    ids, wanted = set(params.get("ids", [])), params.get("filter", {})
    members = [
        picked(store.properties, [name for name in store.properties if name not in _HIDDEN])
        for store in state.stores[kind].values()
    ]
    return listed(
        f"{kind}Stores",
        members,
        params,
        lambda item: (not ids or item["id"] in ids) and matches(item, wanted, "status"),
    )


def describe_store(store: Store, params: Params) -> dict[str, Any]:
    """Give the store another description; its properties."""
    if "description" in params:
        store.properties |= {"description": params["description"], "updateTime": now()}
    return store.properties


def delete_store(world: World, state: OmicsState, kind: str, params: Params) -> Result:
    """Begin a deletion; ConflictException for a store that is busy, or holds rows and is not forced."""
    with state.lock:
        store = state.store(kind, params["name"])
        is_busy = any(job.is_running and job.store_id == store.id for job in state.jobs.values())
        if store.status in {"CREATING", "DELETING"} or is_busy:
            raise ServiceError("ConflictException", f"The store {store.name} is {store.status} or has jobs under way.")
        if any(share["resourceArn"] == store.properties["storeArn"] for share in state.shares.values()):
            raise ServiceError("ConflictException", f"The store {store.name} is shared; delete its shares first.")
        store.properties["status"] = "DELETING"
    tell_of_store(world, store)
    world.submit(_remove_store, world, state, store)
    return {"status": "DELETING"}


def _remove_store(world: World, state: OmicsState, store: Store) -> None:
    hosting.remove(world, store)
    del state.stores[store.kind][store.name]


def list_jobs(state: OmicsState, kind: str, params: Params, members: tuple[str, ...]) -> Result:
    """One page of the import jobs of a kind, newest first."""
    wanted, ids = params.get("filter", {}), set(params.get("ids", []))
    jobs = [job.properties for job in reversed(state.jobs.values()) if job.kind == kind]
    if unknown := sorted(ids - {job["id"] for job in jobs}):
        raise ServiceError("ResourceNotFoundException", f"The import job {unknown[0]} was not found.")
    chosen = [
        picked(job, members)
        for job in jobs
        if (not ids or job["id"] in ids)
        and matches(job, wanted, "status")
        and wanted.get("storeName", job["destinationName"]) == job["destinationName"]
    ]
    return listed(f"{kind}ImportJobs", chosen, params)

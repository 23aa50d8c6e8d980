"""Amazon HealthLake: data stores, FHIR import jobs and tags, as botocore's `healthlake` model has them.

Example: boto3.client("healthlake").start_fhir_import_job(DatastoreId=..., ...)
"""

from __future__ import annotations

import copy
import logging
import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from localaws.healthlake import datastores, fhir_endpoint
from localaws.healthlake.datastores import Datastore, HealthLakeState
from localaws.healthlake.fhir_endpoint import Resources
from localaws.healthlake.fhir_path import is_fhir
from localaws.healthlake.imports import SOURCE, ImportJobs
from localaws.paging import page
from localaws.service import Service, ServiceError

if TYPE_CHECKING:
    from localaws.caller import Caller
    from localaws.request import WireRequest
    from localaws.wire import WireResponse
    from localaws.world import World

log = logging.getLogger("localaws.healthlake")

Params = dict[str, Any]
Result = dict[str, Any]
DEFAULT_PAGE = 100
_UPDATABLE = (
    "DatastoreName",
    "AnalyticsConfiguration",
    "NlpConfiguration",
    "ProfileConfiguration",
    "IdentityProviderConfiguration",
)
_BUSY = {"CREATING", "UPDATING", "DELETING"}


class HealthLake(Service):
    """HealthLake's operations."""

    service_name: ClassVar[str] = "healthlake"
    imitated: ClassVar[dict[str, str]] = {
        "create_fhir_datastore": "R4 with tables for Athena; preloaded data, NLP, SMART and identity providers are "
        "kept and do nothing",
        "update_fhir_datastore": "what is kept changes",
    }

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._state: HealthLakeState = world.state("healthlake", HealthLakeState)
        self._imports = ImportJobs(world, self._state)
        self._resources = Resources(world, self._state)
        self._imports.resume()

    def answer(self, request: WireRequest, caller: Caller) -> WireResponse | None:
        """FHIR requests, which no AWS SDK knows; None for the operations of the model."""
        return fhir_endpoint.answer(self._resources, request) if is_fhir(request.raw_path) else None

    def create_fhir_datastore(self, params: Params, caller: Caller) -> Result:
        token = f"create:{params.get('ClientToken')}"
        with self._state.lock:
            if token in self._state.tokens:
                return _short(self._state.find(self._state.tokens[token]))
            datastores.check_new(self.world, params)
            alive = [store for store in self._state.datastores.values() if store.status != "DELETED"]
            if len(alive) >= datastores.MAX_DATASTORES:
                raise ServiceError("ValidationException", f"An account has {datastores.MAX_DATASTORES} data stores.")
            datastore_id = uuid.uuid4().hex
            properties = datastores.new_properties(self.world, datastore_id, params)
            store = Datastore(properties, datastores.link_name(properties), _tags(params.get("Tags", [])))
            self._state.datastores[datastore_id] = store
            if "ClientToken" in params:
                self._state.tokens[token] = datastore_id
        answer = _short(store)
        self._tell(store, "Data Store Creating")
        self.world.submit(self._build, store)
        return answer

    def _build(self, store: Datastore) -> None:
        try:
            datastores.build(self.world, store)
        except Exception as error:
            log.exception("data store %s failed", store.id)
            store.properties["DatastoreStatus"] = "CREATE_FAILED"
            cause = {"ErrorMessage": f"{type(error).__name__}: {error}", "ErrorCategory": "NON_RETRYABLE_ERROR"}
            store.properties["ErrorCause"] = cause
            self._tell(store, "Data Store Creation Failed")
            return
        store.properties["DatastoreStatus"] = "ACTIVE"
        self._tell(store, "Data Store Active")

    def describe_fhir_datastore(self, params: Params, caller: Caller) -> Result:
        return {"DatastoreProperties": copy.deepcopy(self._state.find(params["DatastoreId"]).properties)}

    def list_fhir_datastores(self, params: Params, caller: Caller) -> Result:
        wanted = params.get("Filter", {})
        matches = [store.properties for store in self._state.datastores.values() if _matches(store.properties, wanted)]
        return _listed("DatastorePropertiesList", matches, params)

    def update_fhir_datastore(self, params: Params, caller: Caller) -> Result:
        with self._state.lock:
            store = self._state.find(params["DatastoreId"])
            if store.status != "ACTIVE":
                raise ServiceError("ConflictException", f"The data store is {store.status}, not ACTIVE.")
            store.properties.update({name: params[name] for name in _UPDATABLE if name in params})
        return {"DatastoreProperties": copy.deepcopy(store.properties)}

    def delete_fhir_datastore(self, params: Params, caller: Caller) -> Result:
        with self._state.lock:
            store = self._state.find(params["DatastoreId"])
            if store.status in _BUSY or store.running is not None or store.queue:
                raise ServiceError("ConflictException", f"The data store is {store.status} or has jobs under way.")
            if store.status == "DELETED":
                raise ServiceError("ResourceNotFoundException", f"The data store {store.id} was not found.")
            store.properties["DatastoreStatus"] = "DELETING"
        answer = _short(store)
        self._tell(store, "Data Store Deleting")
        self.world.submit(self._remove, store)
        return answer

    def _remove(self, store: Datastore) -> None:
        datastores.remove(self.world, store)
        store.properties["DatastoreStatus"] = "DELETED"
        self._tell(store, "Data Store Deleted")

    def start_fhir_import_job(self, params: Params, caller: Caller) -> Result:
        job = self._imports.start(params)
        return {name: job[name] for name in ("JobId", "JobStatus", "DatastoreId")}

    def describe_fhir_import_job(self, params: Params, caller: Caller) -> Result:
        job = self._state.find(params["DatastoreId"]).jobs.get(params["JobId"])
        if job is None:
            raise ServiceError("ResourceNotFoundException", f"The import job {params['JobId']} was not found.")
        return {"ImportJobProperties": copy.deepcopy(job)}

    def list_fhir_import_jobs(self, params: Params, caller: Caller) -> Result:
        jobs = list(self._state.find(params["DatastoreId"]).jobs.values())
        matches = [job for job in reversed(jobs) if _job_matches(job, params)]
        return _listed("ImportJobPropertiesList", matches, params)

    def tag_resource(self, params: Params, caller: Caller) -> Result:
        self._tagged(params).tags.update(_tags(params["Tags"]))
        return {}

    def untag_resource(self, params: Params, caller: Caller) -> Result:
        store = self._tagged(params)
        for key in params["TagKeys"]:
            store.tags.pop(key, None)
        return {}

    def list_tags_for_resource(self, params: Params, caller: Caller) -> Result:
        return {"Tags": [{"Key": key, "Value": value} for key, value in self._tagged(params).tags.items()]}

    def _tagged(self, params: Params) -> Datastore:
        return self._state.find(params["ResourceARN"].rsplit("/", 1)[-1])

    def _tell(self, store: Datastore, detail_type: str) -> None:
        detail = {
            "datastoreId": store.id,
            "datastoreName": store.properties.get("DatastoreName", ""),
            "datastoreTypeVersion": store.properties["DatastoreTypeVersion"],
            "datastoreEndpoint": store.properties["DatastoreEndpoint"],
        }
        self.world.emit_event(SOURCE, detail_type, detail)


def _short(store: Datastore) -> Result:
    return {
        name: store.properties[name] for name in ("DatastoreId", "DatastoreArn", "DatastoreStatus", "DatastoreEndpoint")
    }


def _tags(listed: list[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in listed}


def _listed(name: str, items: list[dict[str, Any]], params: Params) -> Result:
    items, token = page(items, params.get("NextToken"), params.get("MaxResults", DEFAULT_PAGE))
    return {name: copy.deepcopy(items), **({"NextToken": token} if token else {})}


def _matches(properties: dict[str, Any], wanted: dict[str, Any]) -> bool:
    return (
        wanted.get("DatastoreName", properties.get("DatastoreName")) == properties.get("DatastoreName")
        and wanted.get("DatastoreStatus", properties["DatastoreStatus"]) == properties["DatastoreStatus"]
        and _between(properties["CreatedAt"], wanted.get("CreatedAfter"), wanted.get("CreatedBefore"))
    )


def _job_matches(job: dict[str, Any], params: Params) -> bool:
    return (
        params.get("JobName", job.get("JobName")) == job.get("JobName")
        and params.get("JobStatus", job["JobStatus"]) == job["JobStatus"]
        and _between(job["SubmitTime"], params.get("SubmittedAfter"), params.get("SubmittedBefore"))
    )


def _between(moment: datetime, after: datetime | None, before: datetime | None) -> bool:
    return (after is None or moment > after) and (before is None or moment < before)

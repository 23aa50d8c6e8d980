"""HealthLake's FHIR endpoint: read, create, update and delete of single resources, signed as `healthlake`.

A delete appends a row that has only id and meta.lastUpdated, as HealthLake's tables show it; earlier rows stay.
Searches, bundles, history and the other interactions are not there.

Example: `GET /datastore/<id>/r4/Patient/p1` on localaws' own port answers the resource, or an OperationOutcome.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import orjson

from fhir_r4.definitions import resource_types
from localaws.healthlake.datastores import Stamps, text_of
from localaws.healthlake.fhir_path import ACTIONS, PATH
from localaws.healthlake.rows import restore, shape
from localaws.healthlake.tables import append_rows, find_table
from localaws.healthlake.validate import Issue, Issues, check_header, check_resource
from localaws.wire import WireResponse

if TYPE_CHECKING:
    from localaws.healthlake.datastores import Datastore, HealthLakeState
    from localaws.request import WireRequest
    from localaws.world import World

Resource = dict[str, Any]
_HEADERS = {"Content-Type": "application/fhir+json"}


class FhirError(Exception):
    """A refused interaction: an HTTP status and what was wrong."""

    def __init__(self, status: int, issues: Issues) -> None:
        super().__init__(issues[0].diagnostics)
        self.status = status
        self.issues = issues


class Resources:
    """FHIR interactions on one resource."""

    def __init__(self, world: World, state: HealthLakeState) -> None:
        self._world = world
        self._state = state

    def read(self, datastore_id: str, resource_type: str, resource_id: str) -> Resource:
        """The current version; FhirError 404 when there never was one, 410 when it was deleted."""
        row = self._newest(self._store(datastore_id, resource_type), resource_type, resource_id)
        if row is None:
            raise FhirError(404, [Issue("not-found", "", f"{resource_type}/{resource_id} was not found")])
        if row["resourcetype"] is None:
            raise FhirError(410, [Issue("deleted", "", f"{resource_type}/{resource_id} was deleted")])
        return restore(row, resource_type)

    def update(self, datastore_id: str, resource: Any) -> tuple[Resource, bool]:
        """Store a resource; it as stored, and whether it is new. FhirError 400 when it is not valid R4."""
        issues = check_header(resource) or check_resource(resource)
        if issues:
            raise FhirError(400, issues)
        name = resource["resourceType"]
        store = self._store(datastore_id, name)
        with self._state.lock:
            before = self._newest(store, name, resource["id"])
            Stamps(store).put(resource)
            append_rows(self._world, store.id, name, [shape(name).row(resource)])
        return resource, before is None or before["resourcetype"] is None

    def delete(self, datastore_id: str, resource_type: str, resource_id: str) -> None:
        """Append the marker row; nothing when there is no such resource."""
        store = self._store(datastore_id, resource_type)
        with self._state.lock:
            before = self._newest(store, resource_type, resource_id)
            if before is None or before["resourcetype"] is None:
                return
            marker = {"id": resource_id, "meta": {"lastupdated": text_of(Stamps(store).next())}}
            append_rows(self._world, store.id, resource_type, [marker])

    def _store(self, datastore_id: str, resource_type: str) -> Datastore:
        store = self._state.datastores.get(datastore_id)
        if store is None or store.status != "ACTIVE":
            raise FhirError(404, [Issue("not-found", "", f"The data store {datastore_id} was not found")])
        if resource_type not in resource_types():
            raise FhirError(404, [Issue("not-supported", "", f"{resource_type} is not a resource type of FHIR R4")])
        return store

    def _newest(self, store: Datastore, resource_type: str, resource_id: str) -> dict[str, Any] | None:
        table = find_table(self._world, store.id, resource_type)
        if table is None:
            return None
        is_it = f"id = '{resource_id}'"  # an id has no quotes: letters, digits, '-' and '.'
        rows: list[dict[str, Any]] = table.scan(is_it).to_arrow().to_pylist()
        return max(rows, key=lambda row: row["meta"]["lastupdated"], default=None)


def answer(resources: Resources, request: WireRequest) -> WireResponse:
    """Do what the request asks for; refusals are OperationOutcomes."""
    path = PATH.fullmatch(request.raw_path)
    is_known = path is not None and request.method in ACTIONS and (path["id"] is None) == (request.method == "POST")
    if path is None or not is_known:
        return _refused(400, [Issue("not-supported", "", f"{request.method} {request.raw_path} is not supported")])
    try:
        if request.method == "GET":
            return _stored(200, resources.read(path["datastore"], path["type"], path["id"]))
        if request.method == "DELETE":
            resources.delete(path["datastore"], path["type"], path["id"])
            return WireResponse(204, b"", dict(_HEADERS))
        resource = _body(request, path["type"], path["id"] or str(uuid.uuid4()))
        stored, is_new = resources.update(path["datastore"], resource)
        return _stored(201 if is_new else 200, stored)
    except FhirError as error:
        return _refused(error.status, error.issues)


def _body(request: WireRequest, resource_type: str, resource_id: str) -> Resource:
    """The resource in a request; it has to be the one that the path names."""
    try:
        resource: Resource = orjson.loads(request.body)
    except orjson.JSONDecodeError as error:
        raise FhirError(400, [Issue("structure", "", f"The body is not valid JSON: {error}")]) from error
    if not isinstance(resource, dict) or resource.get("resourceType") != resource_type:
        raise FhirError(400, [Issue("invalid", "resourceType", f"The body must be a {resource_type}")])
    if request.method == "POST":
        resource["id"] = resource_id
    if resource.get("id") != resource_id:
        raise FhirError(400, [Issue("invalid", f"{resource_type}.id", "The id of the body and of the address differ")])
    return resource


def _stored(status: int, resource: dict[str, Any]) -> WireResponse:
    meta = resource["meta"]
    headers = {**_HEADERS, "ETag": f'W/"{meta["versionId"]}"', "Last-Modified": meta["lastUpdated"]}
    return WireResponse(status, orjson.dumps(resource), headers)


def _refused(status: int, issues: Issues) -> WireResponse:
    listed = [{"severity": "error", "code": issue.code, "diagnostics": issue.diagnostics} for issue in issues]
    return WireResponse(status, orjson.dumps({"resourceType": "OperationOutcome", "issue": listed}), dict(_HEADERS))

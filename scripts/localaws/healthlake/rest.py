"""HealthLake's FHIR endpoint: read, create, update and delete of single resources, signed as `healthlake`.

Reads and writes the resource tables. Behind `make local-aws`.
Example: `GET /datastore/<id>/r4/Patient/p1` on localaws' own port answers the resource, or an OperationOutcome.

Searches, bundles, history and the other interactions are not there.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import orjson

from localaws.healthlake.fhir_path import ACTIONS, PATH
from localaws.healthlake.resources import FhirError, Resources
from localaws.healthlake.validate import Issue, Issues
from localaws.wire import WireResponse

if TYPE_CHECKING:
    from localaws.request import WireRequest

_HEADERS = {"Content-Type": "application/fhir+json"}


def answer(resources: Resources, request: WireRequest) -> WireResponse:
    """Do what the request asks for; refusals are OperationOutcomes."""
    path = PATH.fullmatch(request.raw_path)
    is_known = path is not None and request.method in ACTIONS and (path["id"] is None) == (request.method == "POST")
    if path is None or not is_known:
        return _refused(400, [Issue("not-supported", "", f"{request.method} {request.raw_path} is not supported")])
    try:
        if request.method == "GET":
            return _found(200, resources.read(path["datastore"], path["type"], path["id"]))
        if request.method == "DELETE":
            resources.delete(path["datastore"], path["type"], path["id"])
            return WireResponse(204, b"", dict(_HEADERS))
        resource = _body(request, path["type"], path["id"] or str(uuid.uuid4()))
        stored, is_new = resources.update(path["datastore"], resource)
        return _found(201 if is_new else 200, stored)
    except FhirError as error:
        return _refused(error.status, error.issues)


def _body(request: WireRequest, resource_type: str, resource_id: str) -> dict[str, Any]:
    """The resource in a request; it has to be the one that the path names."""
    try:
        found = orjson.loads(request.body)
    except orjson.JSONDecodeError as error:
        raise FhirError(400, [Issue("structure", "", f"The body is not valid JSON: {error}")]) from error
    if not isinstance(found, dict) or found.get("resourceType") != resource_type:
        raise FhirError(400, [Issue("invalid", "resourceType", f"The body must be a {resource_type}")])
    if request.method == "POST":
        found["id"] = resource_id
    if found.get("id") != resource_id:
        raise FhirError(400, [Issue("invalid", f"{resource_type}.id", "The id of the body and of the address differ")])
    return found


def _found(status: int, resource: dict[str, Any]) -> WireResponse:
    meta = resource["meta"]
    headers = {**_HEADERS, "ETag": f'W/"{meta["versionId"]}"', "Last-Modified": meta["lastUpdated"]}
    return WireResponse(status, orjson.dumps(resource), headers)


def _refused(status: int, issues: Issues) -> WireResponse:
    listed = [{"severity": "error", "code": issue.code, "diagnostics": issue.diagnostics} for issue in issues]
    return WireResponse(status, orjson.dumps({"resourceType": "OperationOutcome", "issue": listed}), dict(_HEADERS))

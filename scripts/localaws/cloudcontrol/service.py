"""The Cloud Control API: resources of the types we have, created, read, changed, deleted and listed as JSON.

Reads and writes the services behind the types. Make targets: deploy, destroy.
Example: client.create_resource(TypeName="AWS::HealthImaging::Datastore", DesiredState='{"DatastoreName": "scans"}')
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from localaws.cloudcontrol.handlers import HANDLERS, Handler
from localaws.cloudcontrol.model import Properties, ResourceType
from localaws.cloudcontrol.patch import PatchError, apply_patch
from localaws.cloudcontrol.progress import Asked, Event, Requests, error_code
from localaws.service import Service, ServiceError

if TYPE_CHECKING:
    from localaws.caller import Caller
    from localaws.world import World

Params = dict[str, Any]
PAGE = 20
EXCEPTIONS = {
    "NotFound": "ResourceNotFoundException",
    "InvalidRequest": "InvalidRequestException",
    "AccessDenied": "HandlerFailureException",
    "Throttling": "ThrottlingException",
    "ServiceInternalError": "ServiceInternalErrorException",
}


class CloudControl(Service):
    """Cloud Control's operations."""

    service_name = "cloudcontrol"
    imitated = {"create_resource": "the types of HealthLake, HealthImaging and HealthOmics that `handlers.py` lists"}

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.requests = Requests(world)

    def create_resource(self, params: Params, caller: Caller) -> dict[str, Any]:
        handler = self._handler(params, "create")
        wanted = _parsed(params["DesiredState"], "DesiredState")
        _check(handler.type, wanted)
        event = self.requests.start(
            "CREATE", handler, None, lambda _: handler.create(wanted), _asked(params, "DesiredState")
        )
        return {"ProgressEvent": event}

    def update_resource(self, params: Params, caller: Caller) -> dict[str, Any]:
        handler, identifier = self._handler(params, "update"), params["Identifier"]
        before = self._read(handler, identifier)
        try:
            patched = apply_patch(before, _parsed(params["PatchDocument"], "PatchDocument"))
        except PatchError as error:
            raise ServiceError("InvalidRequestException", str(error)) from None
        fixed = sorted(name for name in handler.type.create_only if patched.get(name) != before.get(name))
        if fixed:
            names = ", ".join(f"/properties/{name}" for name in fixed)
            message = f"Invalid patch update: createOnlyProperties [{names}] cannot be updated"
            raise ServiceError("NotUpdatableException", message)
        changed = sorted(name for name in handler.type.read_only if patched.get(name) != before.get(name))
        if changed:
            names = ", ".join(f"/properties/{name}" for name in changed)
            message = f"Invalid patch update: readOnlyProperties [{names}] cannot be updated"
            raise ServiceError("InvalidRequestException", message)
        wanted = handler.type.without_read_only(patched)
        _check(handler.type, wanted)

        def work(_: Event) -> str:
            handler.update(identifier, before, wanted)
            return str(identifier)

        asked = _asked(params, "PatchDocument")
        return {"ProgressEvent": self.requests.start("UPDATE", handler, identifier, work, asked)}

    def delete_resource(self, params: Params, caller: Caller) -> dict[str, Any]:
        handler, identifier = self._handler(params, "delete"), params["Identifier"]

        def work(_: Event) -> str:
            handler.delete(identifier)
            return str(identifier)

        return {"ProgressEvent": self.requests.start("DELETE", handler, identifier, work, _asked(params))}

    def get_resource(self, params: Params, caller: Caller) -> dict[str, Any]:
        handler = self._handler(params, "read")
        properties = self._read(handler, params["Identifier"])
        return {"TypeName": handler.type.name, "ResourceDescription": _described(params["Identifier"], properties)}

    def list_resources(self, params: Params, caller: Caller) -> dict[str, Any]:
        handler = self._handler(params, "list")
        try:
            found = sorted(handler.list())
        except ClientError as error:
            raise _refused(error) from None
        page, following = _page(found, params)
        key = handler.type.identifier
        described = [_described(identifier, {key: identifier}) for identifier in page]
        return {"TypeName": handler.type.name, "ResourceDescriptions": described, **following}

    def get_resource_request_status(self, params: Params, caller: Caller) -> dict[str, Any]:
        return {"ProgressEvent": self.requests.find(params["RequestToken"])}

    def cancel_resource_request(self, params: Params, caller: Caller) -> dict[str, Any]:
        return {"ProgressEvent": self.requests.cancel(params["RequestToken"])}

    def list_resource_requests(self, params: Params, caller: Caller) -> dict[str, Any]:
        kept = params.get("ResourceRequestStatusFilter", {})
        operations, statuses = kept.get("Operations"), kept.get("OperationStatuses")
        found = [
            event
            for event in self.requests.all()
            if (not operations or event["Operation"] in operations)
            and (not statuses or event["OperationStatus"] in statuses)
        ]
        page, following = _page(found, params)
        return {"ResourceRequestStatusSummaries": page, **following}

    def _handler(self, params: Params, action: str) -> Handler:
        name = params["TypeName"]
        if name not in HANDLERS:
            raise ServiceError("TypeNotFoundException", f"The type '{name}' cannot be found.")
        handler = HANDLERS[name](self.world)
        if not handler.type.can(action):
            message = f"Resource type {name} does not support {action.upper()} action"
            raise ServiceError("UnsupportedActionException", message)
        return handler

    @staticmethod
    def _read(handler: Handler, identifier: str) -> Properties:
        message = f"Resource of type '{handler.type.name}' with identifier '{identifier}' was not found."
        try:
            if handler.state(identifier) == "DELETED":
                raise ServiceError("ResourceNotFoundException", message)
            return handler.read(identifier)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                raise ServiceError("ResourceNotFoundException", message) from None
            raise _refused(error) from None


def _parsed(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ServiceError("InvalidRequestException", f"{name} is not valid JSON: {error}") from None


def _check(kind: ResourceType, properties: Any) -> None:
    faults = kind.check(properties)
    given = sorted(kind.read_only & set(properties)) if isinstance(properties, dict) else []
    faults += [f"#: readOnly property [{name}] cannot be specified" for name in given]
    if faults:
        # Cloud Control answers with this code, which its service model does not list.
        raise ServiceError("ValidationException", f"Model validation failed ({'; '.join(faults)})", status=400)


def _asked(params: Params, *members: str) -> Asked:
    what = json.dumps([params["TypeName"], params.get("Identifier"), *(params[name] for name in members)])
    return Asked(params.get("ClientToken"), what)


def _refused(error: ClientError) -> ServiceError:
    said = error.response["Error"]
    code = EXCEPTIONS.get(error_code(said["Code"], "READ"), "GeneralServiceException")
    return ServiceError(code, said.get("Message", ""))


def _described(identifier: str, properties: Properties) -> dict[str, str]:
    return {"Identifier": identifier, "Properties": json.dumps(properties, default=str)}


def _page(found: list[Any], params: Params) -> tuple[list[Any], dict[str, str]]:
    """One page and the token of the next; a token is the number of what was given out already."""
    token = params.get("NextToken", "0")
    if not token.isdigit():
        raise ServiceError("InvalidRequestException", "Invalid NextToken")
    start, size = int(token), params.get("MaxResults", PAGE)
    following = {"NextToken": str(start + size)} if start + size < len(found) else {}
    return found[start : start + size], following

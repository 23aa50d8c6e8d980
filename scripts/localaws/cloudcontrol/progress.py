"""Cloud Control's requests: each runs in the background and leaves a progress event behind.

Keeps its record in the world's state. Make targets: deploy, destroy.
Example: Requests(world).start("CREATE", handler, None, work)
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from localaws.cloudcontrol.handlers import Handler
from localaws.service import ServiceError

if TYPE_CHECKING:
    from localaws.world import World

RUNNING = ("PENDING", "IN_PROGRESS", "CANCEL_IN_PROGRESS")
POLL_SECONDS = 0.05
STABLE_WITHIN_SECONDS = 60.0
UNSETTLED = ("CREATING", "UPDATING", "DELETING")
ERROR_CODES = {
    "AccessDeniedException": "AccessDenied",
    "ResourceNotFoundException": "NotFound",
    "ServiceQuotaExceededException": "ServiceLimitExceeded",
    "ThrottlingException": "Throttling",
    "ValidationException": "InvalidRequest",
    "InternalServerException": "ServiceInternalError",
}
Event = dict[str, Any]
Work = Callable[[Event], str]


@dataclass
class Record:
    """Progress events by request token, oldest first, and which client token asked for what."""

    events: dict[str, Event] = field(default_factory=dict)
    client_tokens: dict[str, tuple[str, str]] = field(default_factory=dict)


class Cancelled(Exception):
    """The request was cancelled before its work was begun."""


@dataclass(frozen=True)
class Asked:
    """A request as its caller put it: equal ones with one client token are one request."""

    client_token: str | None
    what: str


class Requests:
    """All requests of one LocalAws."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.record: Record = world.state("cloudcontrol", Record)
        self._lock = threading.RLock()

    def start(self, operation: str, handler: Handler, identifier: str | None, work: Work, asked: Asked) -> Event:
        """Begin work(event) -> identifier in the background; its progress event, or that of the same request before."""
        with self._lock:
            earlier = self._same_request(asked)
            if earlier:
                return dict(earlier)
            self._refuse_second(handler.type.name, identifier)
            event: Event = {
                "TypeName": handler.type.name,
                "RequestToken": str(uuid.uuid4()),
                "Operation": operation,
                "OperationStatus": "IN_PROGRESS",
                "EventTime": datetime.now(UTC),
                **({"Identifier": identifier} if identifier else {}),
            }
            self.record.events[event["RequestToken"]] = event
            if asked.client_token:
                self.record.client_tokens[asked.client_token] = (asked.what, event["RequestToken"])
            answer = dict(event)
        self.world.submit(self._run, event, handler, work)
        return answer

    def _same_request(self, asked: Asked) -> Event | None:
        known = self.record.client_tokens.get(asked.client_token or "")
        if known is None:
            return None
        if known[0] != asked.what:
            raise ServiceError(
                "ClientTokenConflictException",
                f"The client token {asked.client_token} was used for a different request.",
            )
        return self.record.events[known[1]]

    def _refuse_second(self, type_name: str, identifier: str | None) -> None:
        for event in self.record.events.values():
            is_same = event["TypeName"] == type_name and identifier and event.get("Identifier") == identifier
            if is_same and event["OperationStatus"] in RUNNING:
                raise ServiceError(
                    "ConcurrentOperationException",
                    f"Another {event['Operation']} of {type_name} {identifier} is in progress.",
                )

    def _run(self, event: Event, handler: Handler, work: Work) -> None:
        try:
            if event["OperationStatus"] == "CANCEL_IN_PROGRESS":
                raise Cancelled
            identifier = work(event)
            self._settle(handler, identifier, event["Operation"])
            self._close(event, "SUCCESS", Identifier=identifier)
        except Cancelled:
            self._close(event, "CANCEL_COMPLETE")
        except ClientError as error:
            said = error.response["Error"]
            code = error_code(said["Code"], event["Operation"])
            self._close(event, "FAILED", ErrorCode=code, StatusMessage=f"{said.get('Message', '')}"[:2048])
        except (BotoCoreError, TimeoutError, ValueError) as error:
            is_late = isinstance(error, TimeoutError)
            code = "NotStabilized" if is_late else "InvalidRequest"
            self._close(event, "FAILED", ErrorCode=code, StatusMessage=str(error)[:2048])

    def _settle(self, handler: Handler, identifier: str, operation: str) -> None:
        """Wait until the service is done with it, as Cloud Control does."""
        deadline = time.monotonic() + STABLE_WITHIN_SECONDS
        while time.monotonic() < deadline:
            try:
                state = handler.state(identifier)
            except ClientError as error:
                if operation == "DELETE" and error.response["Error"]["Code"] == "ResourceNotFoundException":
                    return
                raise
            if state.endswith("FAILED"):
                raise ValueError(f"{handler.type.name} {identifier} is {state}.")
            if state not in UNSETTLED and (operation != "DELETE" or state == "DELETED"):
                return
            time.sleep(POLL_SECONDS)
        raise TimeoutError(f"{handler.type.name} {identifier} did not settle.")

    def _close(self, event: Event, status: str, **more: Any) -> None:
        with self._lock:
            event.update(OperationStatus=status, EventTime=datetime.now(UTC), **more)

    def find(self, token: str) -> Event:
        """The event of a request; RequestTokenNotFoundException when there is none."""
        with self._lock:
            event = self.record.events.get(token)
            if event is None:
                message = f"Request with token {token} was not found."
                raise ServiceError("RequestTokenNotFoundException", message)
            return dict(event)

    def cancel(self, token: str) -> Event:
        """Ask a running request to stop; it does unless its work has begun."""
        with self._lock:
            self.find(token)
            event = self.record.events[token]
            if event["OperationStatus"] not in RUNNING:
                message = f"Request {token} is in a terminal state {event['OperationStatus']} and can't be cancelled."
                raise ServiceError("ConcurrentModificationException", message)
            event["OperationStatus"] = "CANCEL_IN_PROGRESS"
            return dict(event)

    def all(self) -> list[Event]:
        """Every request's event, newest first."""
        with self._lock:
            return [dict(event) for event in reversed(self.record.events.values())]


def error_code(code: str, operation: str) -> str:
    """Cloud Control's code for an error of the service behind a type."""
    if code == "ConflictException":
        return "AlreadyExists" if operation == "CREATE" else "ResourceConflict"
    return ERROR_CODES.get(code, "GeneralServiceException")

"""Cloud Control under test: a client, and a way to wait for a request as the waiter of boto3 does, only sooner."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

ENDED = ("SUCCESS", "FAILED", "CANCEL_COMPLETE")


@pytest.fixture
def control(client: Callable[..., Any]) -> Any:
    return client("cloudcontrol")


@pytest.fixture
def done(control: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The last progress event of the request that an answer belongs to."""

    def wait(answer: dict[str, Any]) -> dict[str, Any]:
        event = answer["ProgressEvent"]
        deadline = time.monotonic() + 30
        while event["OperationStatus"] not in ENDED and time.monotonic() < deadline:
            time.sleep(0.02)
            event = control.get_resource_request_status(RequestToken=event["RequestToken"])["ProgressEvent"]
        return dict(event)

    return wait


@pytest.fixture
def create(control: Any, done: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Create a resource from properties and wait; the last progress event."""

    def run(type_name: str, **properties: Any) -> dict[str, Any]:
        return done(control.create_resource(TypeName=type_name, DesiredState=json.dumps(properties)))

    return run


@pytest.fixture
def properties(control: Any) -> Callable[[str, str], dict[str, Any]]:
    def read(type_name: str, identifier: str) -> dict[str, Any]:
        found = control.get_resource(TypeName=type_name, Identifier=identifier)["ResourceDescription"]
        assert found["Identifier"] == identifier
        value: dict[str, Any] = json.loads(found["Properties"])
        return value

    return read

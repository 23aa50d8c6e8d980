"""What every service of our own is made of (a class, its operations, its errors), and where each stands (`TABLE`).

Example: `class HealthLake(Service): service_name = "healthlake"` with a method `create_fhir_datastore(params, caller)`.
"""

from __future__ import annotations

import threading
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar

from botocore import xform_name

from localaws.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from localaws.caller import Caller
    from localaws.request import WireRequest
    from localaws.wire import WireResponse

Operation = "Callable[[dict[str, Any], Caller], dict[str, Any]]"


class ServiceError(Exception):
    """An error the service answers with: `code` as the service model names it.

    `members` are further members of the modelled error shape (`resourceId=...`);
    `status` overrides the HTTP status of the model, for errors that have none.
    """

    def __init__(self, code: str, message: str, *, status: int | None = None, **members: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members = members


class Service:
    """Base of our services; one instance serves all threads of one LocalAws.

    Operations are methods named as boto3 names them (`xform_name`). They take the request's
    parameters and the caller and return the result, both exactly as a boto3 user sees them.
    A service with `overlay = True` adds to a service of moto: what it lacks, moto answers.
    `imitated` and `inert` say, by operation and in a few words, how far one is from what AWS does, for README.md.
    """

    service_name: ClassVar[str]
    overlay: ClassVar[bool] = False
    imitated: ClassVar[dict[str, str]] = {}
    inert: ClassVar[dict[str, str]] = {}

    def __init__(self, world: World) -> None:
        self.world = world

    def resources(self, operation: str, params: dict[str, Any]) -> list[str]:
        """ARNs that only the service can tell a call touches, such as the workgroup of a query's id.

        The gate asks the caller's policies about each of them before the operation runs. None by default.
        """
        return []

    def warm_up(self) -> None:
        """Start what takes long to start, for whoever keeps a LocalAws in the foreground."""

    def close(self) -> None:
        """Let work that goes on end: LocalAws is about to stop answering and to save."""

    def operation(self, name: str) -> Callable[[dict[str, Any], Caller], dict[str, Any]] | None:
        """The method behind a modelled operation name such as `StartQueryExecution`; None when we lack it."""
        method = xform_name(name)
        if method in _OWN_NAMES or not hasattr(type(self), method):
            return None
        found: Callable[[dict[str, Any], Caller], dict[str, Any]] = getattr(self, method)
        return found

    def answer(self, request: WireRequest, caller: Caller) -> WireResponse | None:
        """The answer to a request that is none of the model's operations; None when it is one."""
        return None


_OWN_NAMES = frozenset(vars(Service)) | {"world"}


# signing name -> (boto3 name of the service, module, class)
TABLE = {
    "athena": ("athena", "localaws.athena.service", "Athena"),
    "cloudcontrolapi": ("cloudcontrol", "localaws.cloudcontrol.service", "CloudControl"),
    "glue": ("glue", "localaws.glue.service", "Glue"),
    "healthlake": ("healthlake", "localaws.healthlake.service", "HealthLake"),
    "lakeformation": ("lakeformation", "localaws.lakeformation.service", "LakeFormation"),
    "medical-imaging": ("medical-imaging", "localaws.healthimaging.service", "HealthImaging"),
    "omics": ("omics", "localaws.omics.service", "Omics"),
    "ram": ("ram", "localaws.ram.service", "Ram"),
    "states": ("stepfunctions", "localaws.step_functions", "StepFunctions"),
}


class Services:
    """One instance of each of our services per LocalAws."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._loaded: dict[str, Service] = {}
        self._lock = threading.RLock()

    def find(self, signing_name: str) -> Service | None:
        """The service for a signing name of the table; None while its module is not there."""
        with self._lock:
            if signing_name not in self._loaded:
                _, module, name = TABLE[signing_name]
                if not _exists(module):
                    return None
                self._loaded[signing_name] = getattr(import_module(module), name)(self._world)
            return self._loaded[signing_name]

    def close(self) -> None:
        """Close every service that was used."""
        with self._lock:
            services = list(self._loaded.values())
        for service in services:
            service.close()


def _exists(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False

"""Our own services by the name that requests are signed for, loaded when first called.

Reads nothing. Behind every make target that talks to localaws.
Example: `Services(world).find("athena")`.
"""

from __future__ import annotations

import threading
from importlib import import_module
from importlib.util import find_spec

from localaws.service import Service
from localaws.world import World

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
    "states": ("stepfunctions", "localaws.states", "StepFunctions"),
}


class Services:
    """One instance of each of our services per LocalAws."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._found: dict[str, Service] = {}
        self._lock = threading.RLock()

    def find(self, signing_name: str) -> Service | None:
        """The service for a signing name of the table; None while its module is not there."""
        with self._lock:
            if signing_name not in self._found:
                _, module, name = TABLE[signing_name]
                if not _exists(module):
                    return None
                self._found[signing_name] = getattr(import_module(module), name)(self._world)
            return self._found[signing_name]

    def close(self) -> None:
        """Close every service that was used."""
        with self._lock:
            found = list(self._found.values())
        for service in found:
            service.close()


def _exists(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False

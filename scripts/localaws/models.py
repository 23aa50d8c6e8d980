"""botocore's service models, loaded once each.

Reads botocore's data files. Behind every make target that talks to localaws.
Example: `service_model("athena").operation_names`.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from botocore.loaders import Loader
from botocore.model import ServiceModel

if TYPE_CHECKING:
    from collections.abc import Mapping


@cache
def _loader() -> Loader:
    return Loader()


@cache
def service_model(service_name: str) -> ServiceModel:
    """The model of a service by its boto3 name, the newest API version."""
    description: Mapping[str, object] = _loader().load_service_model(service_name, "service-2")
    return ServiceModel(description, service_name)

"""Addresses of HealthLake's FHIR endpoint, and what IAM calls a request to one.

Apart from `fhir_endpoint`, so that `localaws.iam` names a request's action without importing tables and rows.

Example: action_of("GET", "/datastore/0123/r4/Patient/p1")  ->  ("ReadResource", "0123")
"""

from __future__ import annotations

import re

ACTIONS = {"GET": "ReadResource", "POST": "CreateResource", "PUT": "UpdateResource", "DELETE": "DeleteResource"}
PATH = re.compile(r"/datastore/(?P<datastore>[^/]+)/r4/(?P<type>[A-Za-z]+)(?:/(?P<id>[A-Za-z0-9\-.]{1,64}))?/?")


def is_fhir(raw_path: str) -> bool:
    """Whether a request signed for HealthLake is for its FHIR endpoint: the service's own API has the path `/`."""
    return raw_path.startswith("/datastore/")


def action_of(method: str, raw_path: str) -> tuple[str, str]:
    """The IAM action of a FHIR request and the id of the data store it is for."""
    return ACTIONS.get(method, "Unknown"), raw_path.split("/")[2]

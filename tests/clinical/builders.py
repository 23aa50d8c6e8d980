"""FHIR resources and files with defaults, for tests.

Example: ndjson(a_patient(gender="Male"), an_observation())
"""

from pathlib import Path
from typing import Any

import orjson

from trilake.clinical.preflight import Checked, Checker
from trilake.clinical.reading import Piece, read_pieces

Resource = dict[str, Any]


def a_patient(resource_id: str = "p1", **elements: Any) -> Resource:
    return {"resourceType": "Patient", "id": resource_id, "gender": "female", "birthDate": "1950-03-01", **elements}


def an_observation(resource_id: str = "o1", patient: str = "Patient/p1", **elements: Any) -> Resource:
    return {
        "resourceType": "Observation",
        "id": resource_id,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8480-6", "display": "Systolic blood pressure"}]},
        "subject": {"reference": patient},
        "effectiveDateTime": "2020-05-01T10:00:00Z",
        "valueQuantity": {"value": 120.5, "unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"},
        **elements,
    }


def a_condition(resource_id: str = "c1", patient: str = "Patient/p1", **elements: Any) -> Resource:
    return {
        "resourceType": "Condition",
        "id": resource_id,
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "59621000", "display": "Hypertension"}]},
        "subject": {"reference": patient},
        "onsetDateTime": "2015",
        **elements,
    }


def a_bundle(*resources: Resource, kind: str = "transaction", **elements: Any) -> Resource:
    """A Bundle whose entries are known by urn:uuid:<id>."""
    entries = [{"fullUrl": f"urn:uuid:{one.get('id')}", "resource": one} for one in resources]
    return {"resourceType": "Bundle", "type": kind, "entry": entries, **elements}


def ndjson(*resources: Resource) -> bytes:
    return b"".join(orjson.dumps(resource) + b"\n" for resource in resources)


def check_document(value: Any) -> list[Checked]:
    """The records of a Bundle, an array or a resource, as the exact rules see them."""
    return Checker(usual=10**9).piece(Piece(0, value if isinstance(value, bytes) else orjson.dumps(value))).checked


def check_line(resource: Any) -> Checked:
    """One resource as a line of NDJSON."""
    (checked,) = Checker().piece(Piece(1, orjson.dumps(resource))).checked
    return checked


def check_file(path: Path, **options: int) -> list[Checked]:
    """Every record of a file."""
    checker = Checker()
    return [one for piece in read_pieces(path, **options) for one in checker.piece(piece).checked]

"""FHIR resources and files with defaults, for tests.

Example: ndjson(a_patient(gender="Male"), an_observation())
"""

from typing import Any

import orjson

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

"""How many rows of which governed table a FHIR resource must become: the truth that `views` is held against.

Counted from the resource by the rule of each table's grain, not by the product's SQL: else a fault of the SQL would be
in both.

Example: rows_of({"resourceType": "Patient", "id": "x"})
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

Resource = dict[str, Any]

TABLES = {
    "AllergyIntolerance": "allergy_intolerance",
    "CareTeam": "care_team",
    "Condition": "condition",
    "Consent": "consent",
    "DiagnosticReport": "diagnostic_report",
    "DocumentReference": "document",
    "Encounter": "encounter",
    "FamilyMemberHistory": "family_member_history",
    "ImagingStudy": "imaging_study",
    "Immunization": "immunization",
    "Medication": "medication",
    "MedicationAdministration": "medication_administration",
    "MedicationRequest": "medication_request",
    "Observation": "observation",
    "Organization": "site",
    "Patient": "patient",
    "Procedure": "procedure",
    "Specimen": "specimen",
}
"""Resource type -> table of the clinical room; other types have none."""
PARTS = {
    "CareTeam": "participant",
    "DocumentReference": "content",
    "FamilyMemberHistory": "condition",
    "ImagingStudy": "series",
}
"""Types with one row per part, and at least one."""
CODED = {
    "AllergyIntolerance": ("code",),
    "Condition": ("code",),
    "DiagnosticReport": ("code",),
    "DocumentReference": ("type",),
    "Encounter": ("type", "reasonCode"),
    "FamilyMemberHistory": ("condition.code",),
    "Immunization": ("vaccineCode",),
    "MedicationAdministration": ("medicationCodeableConcept",),
    "MedicationRequest": ("medicationCodeableConcept",),
    "Observation": ("code", "valueCodeableConcept", "component.code", "component.valueCodeableConcept"),
    "Procedure": ("code", "reasonCode"),
}
"""Elements whose codings are rows of clinical.coding."""


def rows_of(resource: Resource) -> Counter[str]:
    """`clinical.<table>` -> rows."""
    kind = resource["resourceType"]
    counts: Counter[str] = Counter()
    if kind in TABLES:
        counts[f"clinical.{TABLES[kind]}"] = n_rows(resource)
    if kind == "Patient":
        counts["clinical.patient_identifier"] = sum("value" in one for one in resource.get("identifier", ()))
    if kind == "DiagnosticReport":
        counts["clinical.report_result"] = len(resource.get("result", ()))
    counts["clinical.coding"] = sum(
        len(concept.get("coding", ())) for path in CODED.get(kind, ()) for concept in at(resource, path.split("."))
    )
    return +counts


def n_rows(resource: Resource) -> int:
    kind = resource["resourceType"]
    if kind == "Observation":
        return 1 + len(resource.get("component", ()))
    if kind == "Medication":
        return max(len(resource.get("code", {}).get("coding", ())), 1)
    return max(len(resource.get(PARTS[kind], ())), 1) if kind in PARTS else 1


def at(value: Any, path: list[str]) -> Iterator[Any]:
    """What stands at a path, through lists."""
    if isinstance(value, list):
        for one in value:
            yield from at(one, path)
    elif not path:
        yield value
    elif path[0] in value:
        yield from at(value[path[0]], path[1:])

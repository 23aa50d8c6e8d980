"""Which rules of FHIR R4 HealthLake applies to a resource, and the OperationOutcome issues it makes of them.

The rules are `fhir_r4`'s. Applied are those of structure (types, cardinality, choices, forms, required codes,
narrative) and per-1; the other invariants, references, profiles and further terminology are not.

Example: check_resource({"resourceType": "Patient", "id": "a", "gender": "M"})[0].code  ->  "code-invalid"
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from fhir_r4.definitions import resource_types
from fhir_r4.invariants import invariants
from fhir_r4.primitives import json_type, problem
from fhir_r4.rules import Fault, structure_of

ISSUE_TYPES = {
    "FHIR_ELEMENT_MISSING": "required",
    "FHIR_CODE": "code-invalid",
    "FHIR_EMPTY": "invariant",  # ele-1: every element has a value or children
    "FHIR_DATE": "value",
    "FHIR_FORM": "value",
    "FHIR_ID_FORM": "value",
    "FHIR_NUMBER_RANGE": "value",
    "FHIR_NARRATIVE": "value",
}
"""Reason code of `fhir_r4` -> hl7.org/fhir/R4/valueset-issue-type.html; what is not listed is `structure`."""
INDEX = re.compile(r"\[(?:\d+|x)\]")
PERIOD_RULES = tuple(rule for rule in invariants("Period") if rule.key == "per-1")


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing wrong: a FHIR issue type, the FHIRPath of the element, and words."""

    code: str
    expression: str
    diagnostics: str


Issues = list[Issue]


def check_header(resource: Any) -> Issues:
    """What no validation level forgives: not an object, an unknown type, a missing or malformed id."""
    if not isinstance(resource, dict):
        return [Issue("structure", "", f"A resource must be a JSON object, found: {json_type(resource)}")]
    name = resource.get("resourceType")
    if not isinstance(name, str) or name not in resource_types():
        value = "nothing" if name is None else repr(name)
        return [Issue("structure", "resourceType", f"resourceType must name a resource of FHIR R4, found {value}")]
    identifier = resource.get("id")
    if identifier is None:
        # R4 leaves the id to the server; HealthLake's import asks for one, in these words.
        return [Issue("required", f"{name}.id", "1 validation error detected: Value null at 'id' must not be null")]
    if problem("id", identifier) is not None:
        return [Issue("value", f"{name}.id", "id must be 1 to 64 letters, digits, '-' and '.'")]
    return []


def check_resource(resource: dict[str, Any]) -> Issues:
    """All that is wrong with a resource whose header is right; nothing for a valid one."""
    structure = structure_of(resource)
    issues = [_issue(fault) for fault in structure.faults]
    for kind, value, path in structure.met:
        if kind == "Period":
            issues += [
                Issue("invariant", INDEX.sub("", path), f"{path}: expected {rule.expected} ({rule.key})")
                for rule in PERIOD_RULES
                if not rule.holds(value)
            ]
    return issues


def _issue(fault: Fault) -> Issue:
    if fault.code == "FHIR_ELEMENT_MISSING":
        words = f"{fault.path}: minimum required = 1, found 0"
    else:
        words = f"{fault.path}: found {fault.found}, expected {fault.expected}"
    return Issue(_issue_type(fault), INDEX.sub("", fault.path), words)


def _issue_type(fault: Fault) -> str:
    if fault.code == "FHIR_WRONG_TYPE" and fault.expected not in ("array", "object"):
        return "value"
    if fault.code == "FHIR_EMPTY" and fault.found == "empty array":
        return "structure"
    return ISSUE_TYPES.get(fault.code, "structure")

"""What FHIR R4 says of each type: its elements, their types, which repeat, which must be there.

Reads the classes of the `fhirclient` package, generated from the FHIR 4.0.1 definitions; a class is read when a
resource of its type is first met.

Example: definition(resource_class("Patient")).elements["birthDate"].primitive  ->  "date"
"""

import re
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from fhirclient.models.resource import Resource

PRIMITIVES = {
    "str": "string",
    "bool": "boolean",
    "int": "integer",
    "float": "decimal",
    "FHIRDate": "date",
    "FHIRDateTime": "dateTime",
    "FHIRInstant": "instant",
    "FHIRTime": "time",
}
ABSTRACT = frozenset({"Resource", "DomainResource", "MetadataResource"})
# Required bindings of the elements that governed tables and the store's search depend on (hl7.org/fhir/R4).
CODES: dict[tuple[str, str], frozenset[str]] = {
    key: frozenset(codes.split(" | "))
    for key, codes in {
        ("Patient", "gender"): "male | female | other | unknown",
        ("Bundle", "type"): "document | message | transaction | transaction-response | batch | batch-response"
        " | history | searchset | collection",
        ("Consent", "status"): "draft | proposed | active | rejected | inactive | entered-in-error",
        ("ConsentProvision", "type"): "deny | permit",
        ("DiagnosticReport", "status"): "registered | partial | preliminary | final | amended | corrected | appended"
        " | cancelled | entered-in-error | unknown",
        ("DocumentReference", "status"): "current | superseded | entered-in-error",
        ("Encounter", "status"): "planned | arrived | triaged | in-progress | onleave | finished | cancelled"
        " | entered-in-error | unknown",
        ("ImagingStudy", "status"): "registered | available | cancelled | entered-in-error | unknown",
        ("MedicationRequest", "status"): "active | on-hold | cancelled | completed | entered-in-error | stopped"
        " | draft | unknown",
        ("MedicationRequest", "intent"): "proposal | plan | order | original-order | reflex-order | filler-order"
        " | instance-order | option",
        ("Observation", "status"): "registered | preliminary | final | amended | corrected | cancelled"
        " | entered-in-error | unknown",
        ("Procedure", "status"): "preparation | in-progress | not-done | on-hold | stopped | completed"
        " | entered-in-error | unknown",
    }.items()
}


@dataclass(frozen=True, slots=True)
class Element:
    """One element as JSON names it. `primitive` is empty for a complex type, whose class is `type`."""

    name: str
    primitive: str
    type: Any
    is_list: bool
    is_resource: bool
    codes: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Definition:
    """One type. `required` are element names; `choices` maps `value` of `value[x]` to its names."""

    name: str
    elements: dict[str, Element]
    required: tuple[str, ...]
    choices: dict[str, tuple[str, ...]]
    required_choices: tuple[str, ...]


@cache
def resource_class(name: str) -> Any:
    """The class of a resource type that can stand alone; None when R4 has no such type."""
    if not re.fullmatch(r"[A-Z][A-Za-z]+", name) or name in ABSTRACT:
        return None
    try:
        module = import_module(f"fhirclient.models.{name.lower()}")
    except ModuleNotFoundError:
        return None
    found = getattr(module, name, None)
    return found if isinstance(found, type) and issubclass(found, Resource) else None


@cache
def definition(cls: Any) -> Definition:
    """The elements of a resource type, data type or nested type."""
    elements: dict[str, Element] = {}
    required: list[str] = []
    choices: dict[str, list[str]] = {}
    required_choices: set[str] = set()
    for _, name, kind, is_list, choice, is_required in cls(strict=False).elementProperties():
        elements[name] = Element(
            name=name,
            primitive=PRIMITIVES.get(kind.__name__, ""),
            type=kind,
            is_list=is_list,
            is_resource=kind is Resource,
            codes=CODES.get((cls.__name__, name)),
        )
        if choice:
            choices.setdefault(choice, []).append(name)
            if is_required:
                required_choices.add(choice)
        elif is_required:
            required.append(name)
    return Definition(
        name=cls.__name__,
        elements=elements,
        required=tuple(required),
        choices={choice: tuple(names) for choice, names in choices.items()},
        required_choices=tuple(sorted(required_choices)),
    )

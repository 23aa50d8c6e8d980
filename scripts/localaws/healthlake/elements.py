"""FHIR R4's elements in the order and with the facts that HealthLake's import and tables go by.

The model is `fhir_r4`; what is HealthLake's own is the order of columns and what counts as a data type.

Example: elements("Patient")["birthDate"].type  ->  "date"
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from keyword import iskeyword

from fhir_r4 import definitions
from fhir_r4.definitions import definition, resource_types

__all__ = ["Element", "elements", "is_backbone", "resource_types"]

BASES = (
    ("id", "implicitRules", "language", "meta"),
    ("contained", "extension", "modifierExtension", "text"),
)
"""Resource's elements, then DomainResource's."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element as JSON names it; `choice` is the `value` of `value[x]`, `codes` all of a required value set."""

    name: str
    type: str
    is_primitive: bool
    is_list: bool
    is_required: bool
    choice: str | None
    codes: frozenset[str] | None


@cache
def elements(type_name: str) -> dict[str, Element]:
    """JSON name -> element of a resource type, data type or nested type (`Consent.provision`); KeyError if unknown."""
    kind = definition(type_name)
    choice_of = {name: choice for choice, names in kind.choices.items() for name in names}
    return {
        name: _element(kind.elements[name], kind, choice_of.get(name))
        for name in sorted(kind.elements, key=lambda name: _place(name, type_name))
    }


def _element(element: definitions.Element, kind: definitions.Definition, choice: str | None) -> Element:
    return Element(
        name=element.name,
        type=element.type,
        is_primitive=element.is_primitive,
        is_list=element.is_list,
        is_required=element.name in kind.required or choice in kind.required_choices,
        choice=choice,
        codes=element.codes,
    )


def _place(name: str, type_name: str) -> tuple[int, str]:
    """Base types' elements first, each group by name: rows are written by position into tables that were made before.

    A word of Python's sorts with `_` behind it, so that `classHistory` stands before `class`, as in those tables.
    """
    if type_name in resource_types():
        return next((place for place, names in enumerate(BASES) if name in names), len(BASES)), _sortable(name)
    return (0 if name in ("extension", "id") else 1 if name == "modifierExtension" else 2), name


def _sortable(name: str) -> str:
    return f"{name}_" if iskeyword(name) else name


def is_backbone(type_name: str) -> bool:
    """Whether a type is defined inside one resource type (`Consent.provision`) rather than for all."""
    return "." in type_name or type_name in ("Timing", "Dosage")

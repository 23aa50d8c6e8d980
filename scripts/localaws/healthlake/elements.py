"""FHIR R4's elements in the order of HealthLake's columns, and what counts as a nested type there.

Example: elements("Patient")["birthDate"].type  ->  "date"
"""

from __future__ import annotations

from functools import cache
from keyword import iskeyword

from fhir_r4.definitions import Element, definition, resource_types

BASES = (
    ("id", "implicitRules", "language", "meta"),
    ("contained", "extension", "modifierExtension", "text"),
)
"""Resource's elements, then DomainResource's."""


@cache
def elements(type_name: str) -> dict[str, Element]:
    """JSON name -> element of a resource type, data type or nested type (`Consent.provision`); KeyError if unknown."""
    by_name = definition(type_name).elements
    return {name: by_name[name] for name in sorted(by_name, key=lambda name: _place(name, type_name))}


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

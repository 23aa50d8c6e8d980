"""What of a resource with faults can still be a row: parts whose JSON kind fits their column.

Needed only under minimal validation. Example: `prune({"resourceType": "Patient", "id": "1", "name": "Ann"})` leaves out
the name.
"""

from __future__ import annotations

from typing import Any

from fhir_r4.definitions import Element
from fhir_r4.primitives import LEAST, problem
from localaws.healthlake.elements import elements


def prune(resource: dict[str, Any]) -> dict[str, Any]:
    """The resource without what its table cannot hold."""
    return {"resourceType": resource["resourceType"], **_fitting(resource, resource["resourceType"])}


def _fitting(value: dict[str, Any], type_name: str) -> dict[str, Any]:
    fitting = {}
    for name, element in elements(type_name).items():
        if name in value:
            part = _fitting_items(value[name], element) if element.is_list else _fitting_value(value[name], element)
            if part is not None:
                fitting[name] = part
    return fitting


def _fitting_items(value: Any, element: Element) -> list[Any] | None:
    if not isinstance(value, list):
        return None
    return [part for item in value if (part := _fitting_value(item, element)) is not None]


def _fitting_value(value: Any, element: Element) -> Any:
    """The value as far as it fits, else None."""
    if element.is_primitive:
        fault = problem(element.type, value)
        is_wrong_type = fault is not None and fault[0] == "FHIR_WRONG_TYPE"
        # Whole numbers are 32-bit columns; one below its type's least (a negative count) still fits.
        is_too_wide = element.type in LEAST and not is_wrong_type and abs(value) >= 2**31
        return None if is_wrong_type or is_too_wide else value
    if element.type in {"Extension", "Resource"}:
        return value
    return _fitting(value, element.type) if isinstance(value, dict) else None

"""What of a resource with faults can still be a row: parts whose JSON kind fits their column.

Reads and writes nothing. Behind `make ingest`; needed only under minimal validation.
Example: `prune({"resourceType": "Patient", "id": "1", "name": "Ann"})` leaves out the name.
"""

from __future__ import annotations

from typing import Any

from localaws.healthlake.elements import Element, elements

_KINDS: dict[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "decimal": (int, float),
    "integer": (int,),
    "unsignedInt": (int,),
    "positiveInt": (int,),
}


def prune(resource: dict[str, Any]) -> dict[str, Any]:
    """The resource without what its table cannot hold."""
    kept = _object(resource, resource["resourceType"])
    return {"resourceType": resource["resourceType"], **kept}


def _object(value: dict[str, Any], type_name: str) -> dict[str, Any]:
    kept = {}
    for name, element in elements(type_name).items():
        if name in value:
            fitting = _many(value[name], element) if element.is_list else _one(value[name], element)
            if fitting is not None:
                kept[name] = fitting
    return kept


def _many(value: Any, element: Element) -> list[Any] | None:
    if not isinstance(value, list):
        return None
    return [fitting for item in value if (fitting := _one(item, element)) is not None]


def _one(value: Any, element: Element) -> Any:
    """The value as far as it fits, else None."""
    if element.is_primitive:
        wanted = _KINDS.get(element.type, (str,))
        fits = isinstance(value, wanted) and isinstance(value, bool) == (bool in wanted)
        return value if fits and not _is_too_wide(value) else None
    if element.type in {"Extension", "Resource"}:
        return value
    return _object(value, element.type) if isinstance(value, dict) else None


def _is_too_wide(value: Any) -> bool:
    return isinstance(value, int) and abs(value) >= 2**31

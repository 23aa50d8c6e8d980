"""A row of a resource table as the FHIR resource it came from.

Reads and writes nothing. Behind `make local-aws`. Example: `restore(row, "Patient")["birthDate"]`.

What the row's shape does not keep (extensions of primitives far down) does not come back.
"""

from __future__ import annotations

from typing import Any

import orjson

from localaws.healthlake.shape import Field, Shape, shape


def restore(row: dict[str, Any], resource_type: str) -> dict[str, Any]:
    """The resource of a row, without its empty columns."""
    return _object(row, shape(resource_type))


def _object(row: dict[str, Any], of: Shape) -> dict[str, Any]:
    found = {}
    for name, field in of.fields.items():
        value = row.get(field.column)
        if value is not None and value != []:  # pyiceberg reads a null array of structs as an empty one
            found[name] = _value(value, field)
    return found


def _value(value: Any, field: Field) -> Any:
    if isinstance(value, list):
        return [None if item is None else _one(item, field) for item in value]
    return _one(value, field)


def _one(value: Any, field: Field) -> Any:
    if field.is_json:
        return orjson.loads(value)
    return value if field.inner is None else _object(value, field.inner)

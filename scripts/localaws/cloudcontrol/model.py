"""What CloudFormation's registry says of a resource type, and whether given properties fit.

Reads types.json: the registry's schemas of the types we have, without prose (taken from cfn-lint, which ships them).
Make targets: deploy, destroy.
Example: find_type("AWS::Omics::VariantStore").check({"Name": "v"})  ->  ["#: required key [Reference] not found"]
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

TYPES_FILE = Path(__file__).with_name("types.json")
Properties = dict[str, Any]
KINDS: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "object": dict,
    "array": list,
}


@dataclass(frozen=True)
class ResourceType:
    """One type: its schema, and the properties that only the service, or only a creation, may set."""

    name: str
    schema: dict[str, Any]

    @property
    def identifier(self) -> str:
        """The one property that identifies a resource of this type."""
        (pointer,) = self.schema["primaryIdentifier"]
        return _leaf(pointer)

    @property
    def read_only(self) -> frozenset[str]:
        return frozenset(_leaf(pointer) for pointer in self.schema.get("readOnlyProperties", []))

    @property
    def create_only(self) -> frozenset[str]:
        return frozenset(_leaf(pointer) for pointer in self.schema.get("createOnlyProperties", []))

    def can(self, action: str) -> bool:
        """Whether the type has a handler: create, read, update, delete, list."""
        return action in self.schema["handlers"]

    def check(self, properties: Properties) -> list[str]:
        """What does not fit the schema, in Cloud Control's words; empty when all does."""
        return list(_faults(self.schema, properties, "#", self.schema.get("definitions", {})))

    def without_read_only(self, properties: Properties) -> Properties:
        return {name: value for name, value in properties.items() if name not in self.read_only}


@cache
def _types() -> dict[str, ResourceType]:
    return {name: ResourceType(name, schema) for name, schema in json.loads(TYPES_FILE.read_text()).items()}


def find_type(name: str) -> ResourceType | None:
    return _types().get(name)


def _leaf(pointer: str) -> str:
    return pointer.removeprefix("/properties/")


def resolve(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """The schema itself, or the definition that it refers to."""
    reference = schema.get("$ref")
    found: dict[str, Any] = definitions[reference.rsplit("/", 1)[-1]] if reference else schema
    if "oneOf" in found and len(found["oneOf"]) == 1:
        return resolve(found["oneOf"][0], definitions)
    return found


def _faults(schema: dict[str, Any], value: Any, place: str, definitions: dict[str, Any]) -> Iterator[str]:
    schema = resolve(schema, definitions)
    kind = schema.get("type") or ("object" if "properties" in schema else None)
    if kind and not _is_kind(value, kind):
        yield f"{place}: expected type: {kind.capitalize()}, found: {type(value).__name__}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{place}: {value} is not a valid enum value"
    if isinstance(value, str):
        yield from _text_faults(schema, value, place)
    elif isinstance(value, dict):
        yield from _object_faults(schema, value, place, definitions)
    elif isinstance(value, list) and "items" in schema:
        for position, item in enumerate(value):
            yield from _faults(schema["items"], item, f"{place}/{position}", definitions)


def _is_kind(value: Any, kind: str) -> bool:
    return isinstance(value, KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _text_faults(schema: dict[str, Any], value: str, place: str) -> Iterator[str]:
    if len(value) < schema.get("minLength", 0):
        yield f"{place}: expected minLength: {schema['minLength']}, actual: {len(value)}"
    if len(value) > schema.get("maxLength", len(value)):
        yield f"{place}: expected maxLength: {schema['maxLength']}, actual: {len(value)}"
    pattern = schema.get("pattern", "")
    # Unicode classes (\p{L}) are Java's and JavaScript's; Python's `re` has none, and they refuse next to nothing.
    if pattern and "\\p{" not in pattern and not re.search(pattern, value):
        yield f"{place}: failed validation constraint for keyword [pattern]"


def _object_faults(schema: dict[str, Any], value: Properties, place: str, definitions: dict[str, Any]) -> Iterator[str]:
    known = schema.get("properties", {})
    patterns = schema.get("patternProperties", {})
    for name in schema.get("required", []):
        if name not in value:
            yield f"{place}: required key [{name}] not found"
    for name, item in value.items():
        inner = known.get(name) or next((found for key, found in patterns.items() if re.search(key, name)), None)
        if inner is not None:
            yield from _faults(inner, item, f"{place}/{name}", definitions)
        elif schema.get("additionalProperties") is False:
            yield f"{place}: extraneous key [{name}] is not permitted"

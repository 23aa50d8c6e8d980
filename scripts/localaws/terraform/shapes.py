"""Between a Terraform object and an AWS API structure: the schema on one side, botocore's model on the other.

Names meet without underscores and capitals (`kms_key_id` is `KmsKeyId`); a table gives those that do not. Pure.
Make targets: deploy, plan, destroy.
Example: to_api(spec, {"name": "etl", "glue_version": "5.0"}, shape_of_CreateJobRequest)
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from localaws.terraform.schemas import Spec
from localaws.terraform.values import Nested, Values, nested_of

Renames = Mapping[str, str]
NO_RENAMES: Renames = {}


def to_api(spec: Spec, values: Values, shape: Any, renames: Renames = NO_RENAMES) -> dict[str, Any]:
    """The structure for an API call: what is set in values and has a member in shape.

    `renames` are Terraform names to member names, at any depth.
    """
    found: dict[str, Any] = {}
    for name, attribute in spec.get("attributes", {}).items():
        member = _member(shape, name, renames)
        value = values.get(name)
        if "type" in attribute and member and not _is_unset(value):
            found[member] = _to_member(value, shape.members[member])
    for child in nested_of(spec):
        member = _member(shape, child.name, renames)
        value = values.get(child.name)
        if member and not _is_unset(value):
            found[member] = _to_structure(child, value, shape.members[member], renames)
    return found


def from_api(spec: Spec, structure: Mapping[str, Any], shape: Any, renames: Renames = NO_RENAMES) -> Values:
    """The Terraform values of an API structure: every schema name with a member in shape, absent ones as None."""
    found: Values = {}
    for name, attribute in spec.get("attributes", {}).items():
        member = _member(shape, name, renames)
        if "type" in attribute and member:
            found[name] = _from_member(structure.get(member))
    for child in nested_of(spec):
        member = _member(shape, child.name, renames)
        if member:
            found[child.name] = _from_structure(child, structure.get(member), shape.members[member], renames)
    return found


def _member(shape: Any, name: str, renames: Renames) -> str | None:
    if name in renames:
        return renames[name] if renames[name] in shape.members else None
    plain = name.replace("_", "")
    return next((member for member in shape.members if member.lower() == plain), None)


def _is_unset(value: Any) -> bool:
    return value is None or value == "" or value == [] or value == {}


def _to_member(value: Any, shape: Any) -> Any:
    if shape.type_name == "list":
        return [_to_member(item, shape.member) for item in value]
    if shape.type_name == "map":
        return {key: _to_member(item, shape.value) for key, item in value.items()}
    if shape.type_name == "string" and not isinstance(value, str):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return int(value) if shape.type_name in ("integer", "long") else value


def _to_structure(child: Nested, value: Any, shape: Any, renames: Renames) -> Any:
    if shape.type_name == "list":
        return [to_api(child.spec, item, shape.member, renames) for item in value]
    if shape.type_name == "map":
        return {key: to_api(child.spec, item, shape.value, renames) for key, item in value.items()}
    return to_api(child.spec, value if child.is_single else value[0], shape, renames)


def _from_member(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return value


def _from_structure(child: Nested, value: Any, shape: Any, renames: Renames) -> Any:
    if value is None:
        return None if child.is_single or child.nesting == "map" else []
    if shape.type_name == "list":
        return [from_api(child.spec, item, shape.member, renames) for item in value]
    if shape.type_name == "map":
        return {key: from_api(child.spec, item, shape.value, renames) for key, item in value.items()}
    found = from_api(child.spec, value, shape, renames)
    return found if child.is_single else [found]

"""Terraform values as plain Python: None, bool, number, str, list, dict, and UNKNOWN for "known after apply".

Blocks and nested attributes are walked by their schema; sets are lists whose order means nothing. Pure.
Make targets: deploy, plan, destroy.
Example: same(spec, {"names": ["a", "b"]}, {"names": ["b", "a"]}) is True where names is a set
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from localaws.terraform.schemas import Spec

Values = dict[str, Any]
Path = tuple[str | int, ...]


class Unknown:
    """The one value that is not known before apply."""

    def __repr__(self) -> str:
        return "(known after apply)"


UNKNOWN: Final = Unknown()


@dataclass(frozen=True)
class Problem:
    """What Terraform shows as a diagnostic."""

    summary: str
    detail: str = ""
    path: Path = ()
    severity: str = "error"


@dataclass(frozen=True)
class Nested:
    """One nested object type of a schema: a block, or an attribute with nested attributes."""

    name: str
    spec: Spec
    nesting: str

    @property
    def is_single(self) -> bool:
        return self.nesting in ("single", "group")

    def map(self, value: Any, change: Callable[[Any, Any], Any]) -> Any:
        """value with change(object, key or position) in place of each object in it."""
        if value is None or value is UNKNOWN:
            return value
        if self.is_single:
            return change(value, None)
        if self.nesting == "map":
            return {key: change(item, key) for key, item in value.items()}
        return [change(item, position) for position, item in enumerate(value)]

    def at(self, value: Any, key: Any) -> Any:
        """The object in value that stands at key; None when there is none."""
        if value is None or value is UNKNOWN:
            return None
        if self.is_single:
            return value
        if self.nesting == "map":
            return value.get(key)
        return value[key] if key < len(value) else None


def nested_of(spec: Spec) -> Iterator[Nested]:
    """Every nested object type directly below spec."""
    for name, child in spec.get("block_types", {}).items():
        yield Nested(name, child["block"], child["nesting_mode"])
    for name, child in spec.get("attributes", {}).items():
        if "nested_type" in child:
            nested = child["nested_type"]
            yield Nested(name, {"attributes": nested.get("attributes", {})}, nested["nesting_mode"])


def holders(spec: Spec, steps: list[str], values: Any) -> Iterator[tuple[Values, str, Spec]]:
    """Each object that a path leads to, with the last name and its schema; objects on the way are made anew."""
    if not isinstance(values, dict):
        return
    if len(steps) == 1:
        yield values, steps[0], spec.get("attributes", {}).get(steps[0], {})
        return
    child = next(item for item in nested_of(spec) if item.name == steps[0])
    held = child.map(values.get(child.name), lambda item, _: dict(item) if isinstance(item, dict) else item)
    values[child.name] = held
    for item in [held] if child.is_single else held if isinstance(held, list) else []:
        yield from holders(child.spec, steps[1:], item)


def blank(spec: Spec) -> Values:
    """An object of this schema with nothing set."""
    values: Values = dict.fromkeys(spec.get("attributes", {}))
    for name, child in spec.get("block_types", {}).items():
        values[name] = {"list": [], "set": [], "map": {}}.get(child["nesting_mode"])
    return values


def known_objects(value: Any) -> list[Values]:
    """The objects of a block list as far as they are known (a dynamic block may not be)."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def is_empty(value: Any) -> bool:
    """None and the zero value of each type, which AWS and the real provider do not tell apart."""
    return value is None or value is False or value == "" or value == 0 or value == [] or value == {}


def same(spec: Spec, first: Any, second: Any) -> bool:
    """Whether two objects of a schema are equal; UNKNOWN equals only UNKNOWN."""
    return normal(spec, first) == normal(spec, second)


def same_as_type(kind: Any, first: Any, second: Any) -> bool:
    """Whether two values of an attribute type (`"string"`, `["set", "string"]`) are equal."""
    return normal_of_type(kind, first) == normal_of_type(kind, second)


def normal(spec: Spec, value: Any) -> Any:
    """A form of an object that is equal for equal objects: sets in one order."""
    if not isinstance(value, dict):
        return value
    done = {
        name: normal_of_type(attribute.get("type"), value.get(name))
        for name, attribute in spec.get("attributes", {}).items()
    }
    for child in nested_of(spec):
        done[child.name] = _normal_below(child, value.get(child.name))
    return done


def _normal_below(child: Nested, value: Any) -> Any:
    items = child.map(value, lambda item, _: normal(child.spec, item))
    return sorted(items, key=repr) if child.nesting == "set" and isinstance(items, list) else items


def normal_of_type(kind: Any, value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(kind, list) or value is None or value is UNKNOWN:
        return value
    if kind[0] == "map":
        return {key: normal_of_type(kind[1], item) for key, item in value.items()}
    if kind[0] == "object":
        return {key: normal_of_type(inner, value.get(key)) for key, inner in kind[1].items()}
    items = [normal_of_type(kind[1], item) for item in value]
    return sorted(items, key=repr) if kind[0] == "set" else items


def same_json(first: Any, second: Any) -> bool:
    """Whether two JSON texts mean the same: key and list order and spacing aside, [x] equal to x as in IAM policies."""
    if not (isinstance(first, str) and isinstance(second, str)):
        return first is second
    try:
        return bool(_meaning(json.loads(first)) == _meaning(json.loads(second)))
    except ValueError:
        return first == second


def _meaning(value: Any) -> Any:
    if isinstance(value, list):
        return _meaning(value[0]) if len(value) == 1 else sorted((_meaning(item) for item in value), key=repr)
    if isinstance(value, dict):
        return {key: _meaning(value[key]) for key in sorted(value)}
    return value

"""Whether a JSON object is a resource of FHIR R4: types, cardinality, required elements, forms, codes.

Reads and writes nothing. Behind `make ingest`. Example: `check_resource({"resourceType": "Patient", "id": "a b"})`
gives one issue. Profiles, terminologies beyond required codes, and invariants other than ele-1, choice of one type
and per-1 (a period ends after it starts) are not looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from localaws.healthlake.elements import Element, elements, resource_types
from localaws.healthlake.primitives import CHECKS, IDENTIFIER, kind


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing wrong: a FHIR issue type, the FHIRPath of the element, and words."""

    code: str
    expression: str
    diagnostics: str


Issues = list[Issue]
Checker = Callable[[Any, str, Issues], None]


@dataclass(frozen=True)
class _Plan:
    """What an object of one type must be."""

    checkers: dict[str, Checker]
    primitives: dict[str, bool]
    required: tuple[str, ...]
    choice_of: dict[str, str]
    required_choices: frozenset[str]


def check_header(resource: Any) -> Issues:
    """What no validation level forgives: not an object, an unknown type, a missing or malformed id."""
    if not isinstance(resource, dict):
        return [Issue("structure", "", f"A resource must be a JSON object, found {kind(resource)}")]
    name = resource.get("resourceType")
    if not isinstance(name, str) or name not in resource_types():
        found = "nothing" if name is None else repr(name)
        return [Issue("structure", "resourceType", f"resourceType must name a resource of FHIR R4, found {found}")]
    identifier = resource.get("id")
    if identifier is None:
        return [Issue("required", f"{name}.id", "1 validation error detected: Value null at 'id' must not be null")]
    if not isinstance(identifier, str) or IDENTIFIER.fullmatch(identifier) is None:
        return [Issue("value", f"{name}.id", "id must be 1 to 64 letters, digits, '-' and '.'")]
    return []


def check_resource(resource: dict[str, Any]) -> Issues:
    """All that is wrong with a resource whose header is right; nothing for a valid one."""
    issues: Issues = []
    _check_object(resource, resource["resourceType"], resource["resourceType"], issues)
    return issues


def _check_object(value: Any, type_name: str, path: str, issues: Issues) -> None:
    if type(value) is not dict:
        issues.append(Issue("structure", path, f"{path} must be an object, found {kind(value)}"))
        return
    if not value:
        issues.append(Issue("invariant", path, f"{path} must not be empty (ele-1)"))
        return
    plan = _plan(type_name)
    checkers = plan.checkers
    for name, content in value.items():
        checker = checkers.get(name)
        if checker is not None:
            checker(content, path, issues)
        elif name != "resourceType":
            _check_companion(name, content, plan, path, issues)
    for name in plan.required:
        if name not in value and "_" + name not in value:
            issues.append(Issue("required", f"{path}.{name}", f"{path}.{name}: minimum required = 1, found 0"))
    if plan.choice_of:
        _check_choices(value, plan, path, issues)
    if type_name == "Period":
        _check_period(value, path, issues)


def _check_companion(name: str, content: Any, plan: _Plan, path: str, issues: Issues) -> None:
    """`_birthDate` carries the id and extensions of `birthDate`; anything else is unknown."""
    is_list = plan.primitives.get(name[1:]) if name.startswith("_") else None
    if is_list is None:
        issues.append(Issue("structure", f"{path}.{name}", f"Unknown element '{name}' in {path}"))
    elif is_list != isinstance(content, list):
        found = kind(content)
        issues.append(Issue("structure", f"{path}.{name}", f"{path}.{name} does not match '{name[1:]}', found {found}"))
    else:
        for item in content if is_list else [content]:
            if item is not None or not is_list:
                _check_object(item, "Element", f"{path}.{name}", issues)


def _check_choices(value: dict[str, Any], plan: _Plan, path: str, issues: Issues) -> None:
    given: dict[str, list[str]] = {}
    for name in value:
        choice = plan.choice_of.get(name)
        if choice is not None:
            given.setdefault(choice, []).append(name)
    for choice, names in given.items():
        if len({name.lstrip("_") for name in names}) > 1:
            words = f"{path}.{choice}[x] takes one type, found {', '.join(sorted(names))}"
            issues.append(Issue("structure", f"{path}.{choice}", words))
    for choice in plan.required_choices:
        if choice not in given:
            words = f"{path}.{choice}[x]: minimum required = 1, found 0"
            issues.append(Issue("required", f"{path}.{choice}", words))


def _check_period(value: dict[str, Any], path: str, issues: Issues) -> None:
    start, end = value.get("start"), value.get("end")
    if isinstance(start, str) and isinstance(end, str) and _is_after(start, end):
        issues.append(Issue("invariant", path, f"{path}: the end must not be before the start (per-1)"))


def _is_after(start: str, end: str) -> bool:
    """Two days of one precision as texts, two times as instants; others are not compared."""
    if len(start) > 10 and len(end) > 10:
        try:
            return datetime.fromisoformat(start) > datetime.fromisoformat(end)
        except (ValueError, TypeError):
            return False
    return len(start) == len(end) and start > end


@cache
def _plan(type_name: str) -> _Plan:
    if type_name == "Element":
        checkers = {name: _checker(elements("Extension")[name]) for name in ("id", "extension")}
        return _Plan(checkers, {}, (), {}, frozenset())
    found = elements(type_name)
    choices = {name: element.choice for name, element in found.items() if element.choice is not None}
    return _Plan(
        checkers={name: _checker(element) for name, element in found.items()},
        primitives={name: element.is_list for name, element in found.items() if element.is_primitive},
        required=tuple(name for name, element in found.items() if element.is_required and name not in choices),
        choice_of={**choices, **{"_" + name: choice for name, choice in choices.items() if found[name].is_primitive}},
        required_choices=frozenset(choice for name, choice in choices.items() if found[name].is_required),
    )


def _checker(element: Element) -> Checker:
    one = _primitive(element) if element.is_primitive else _complex(element)
    return _each(element, one) if element.is_list else one


def _primitive(element: Element) -> Checker:
    check, codes, name = CHECKS[element.type], element.codes, element.name

    def one(value: Any, path: str, issues: Issues) -> None:
        problem = check(value)
        if problem is not None:
            issues.append(Issue("value", f"{path}.{name}", f"{path}.{name} {problem}"))
        elif codes is not None and value not in codes:
            words = f"{path}.{name}: unknown code, expected one of {', '.join(sorted(codes))}"
            issues.append(Issue("code-invalid", f"{path}.{name}", words))

    return one


def _complex(element: Element) -> Checker:
    name, type_name = element.name, element.type

    def one(value: Any, path: str, issues: Issues) -> None:
        _check_object(value, type_name, f"{path}.{name}", issues)

    def resource(value: Any, path: str, issues: Issues) -> None:
        inner = value.get("resourceType") if isinstance(value, dict) else None
        if inner in resource_types():
            _check_object(value, inner, f"{path}.{name}", issues)
        else:
            issues.append(Issue("structure", f"{path}.{name}", f"{path}.{name} must be a resource of FHIR R4"))

    return resource if type_name == "Resource" else one


def _each(element: Element, one: Checker) -> Checker:
    name, may_skip = element.name, element.is_primitive

    def each(value: Any, path: str, issues: Issues) -> None:
        if type(value) is not list:
            words = f"{path}.{name} must be an array, found {kind(value)}"
            issues.append(Issue("structure", f"{path}.{name}", words))
        elif not value:
            issues.append(Issue("structure", f"{path}.{name}", f"{path}.{name} must not be an empty array"))
        else:
            for item in value:
                if item is not None or not may_skip:
                    one(item, path, issues)

    return each

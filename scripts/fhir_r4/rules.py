"""The rules that a FHIR R4 resource must keep before an import job is paid for.

Pure: a parsed resource in, its faults out, all of them. Structure comes first (types, cardinality, forms, codes); of a
resource that is right there, the invariants and the references within are asked too. A fault never carries a patient's
value: `found` is a JSON type, or the shape of a text with every letter as x and every digit as 9.

Example: faults_of({"resourceType": "Patient", "id": "a", "gender": "Male"})[0].code  ->  "FHIR_CODE"
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from fhir_r4 import narrative
from fhir_r4.definitions import Definition, Element, definition, resource_types
from fhir_r4.invariants import invariants
from fhir_r4.parsing import Repeated
from fhir_r4.primitives import json_type, masked, problem
from fhir_r4.typed import TYPED
from fhir_r4.whole import whole_faults

MOST_FAULTS = 20
"""Faults reported of one resource; a resource with more is not mended element by element."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One broken rule. `path` reads like Patient.name[0].family."""

    code: str
    path: str
    found: str
    expected: str


def faults_of(resource: dict[str, Any]) -> list[Fault]:
    """Every rule that the resource breaks (at most 20). R4 asks for no id."""
    name = resource.get("resourceType")
    if not isinstance(name, str) or name not in resource_types():
        found = masked(name) if isinstance(name, str) else json_type(name)
        return [Fault("FHIR_UNKNOWN_TYPE", "resourceType", found, "the name of a FHIR R4 resource type")]
    walk = structure_of(resource)
    if not walk.faults:
        walk.faults += [Fault(*fault) for fault in rules_of(walk.met)]
        walk.faults += [Fault(*fault) for fault in whole_faults(name, resource)]
    return walk.faults[:MOST_FAULTS]


def structure_of(resource: dict[str, Any]) -> "Walk":
    """The faults of structure alone, and the objects that have rules beyond it; KeyError for a type unknown to R4."""
    walk = Walk(resource["resourceType"])
    walk.object(resource, definition(walk.root))
    return walk


def rules_of(met: list[tuple[str, dict[str, Any], str]]) -> Iterator[tuple[str, str, str, str]]:
    """What the objects of a sound structure break: (code, path, found, expected)."""
    for kind, value, path in met:
        for rule in invariants(kind):
            if not rule.holds(value):
                yield "FHIR_INVARIANT", path, rule.key, rule.expected
        for check in TYPED.get(kind, ()):
            for code, below, found, expected in check(value):
                yield code, path + below, found, expected


@dataclass
class Walk:
    """One pass over one resource, collecting faults; `trail` is the path to where it stands.

    `met` are the objects, with type and path, that have rules of their own.
    """

    root: str
    faults: list[Fault] = field(default_factory=list)
    met: list[tuple[str, dict[str, Any], str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.trail = [self.root]

    def fault(self, code: str, found: str, expected: str, *, at: str = "") -> None:
        self.faults.append(Fault(code, "".join(self.trail) + at, found, expected))

    def object(self, value: dict[str, Any], kind: Definition) -> None:
        elements = kind.elements
        is_resource = kind.name in resource_types()
        if isinstance(value, Repeated):
            for name in value.names:
                self.fault("FHIR_KEY_TWICE", "the name twice", "each name once", at=f".{name[:40]}")
        for key, item in value.items():
            element = elements.get(key)
            if element is not None:
                self.trail.append("." + key)
                self.element(item, element, value)
                self.trail.pop()
            elif not (is_resource and key == "resourceType"):
                self.companion(key, item, elements, value)
        self.completeness(value, kind)
        if is_resource and "_id" in value and "id" not in value:
            self.fault("FHIR_ID_FORM", "an extension for an id", "an id of letters, digits, '-' and '.'", at=".id")
        if kind.name in TYPED or invariants(kind.name):
            self.met.append((kind.name, value, "".join(self.trail)))

    def companion(self, key: str, item: Any, elements: dict[str, Element], parent: dict[str, Any]) -> None:
        """`_birthDate` carries id and extensions of the primitive `birthDate`."""
        primitive = elements.get(key[1:]) if key.startswith("_") else None
        if primitive is None or not primitive.is_primitive:
            self.fault("FHIR_ELEMENT_UNKNOWN", "an element that R4 does not have here", "none", at=f".{key[:40]}")
            return
        self.trail.append("." + key)
        if primitive.is_list != isinstance(item, list):
            self.fault("FHIR_WRONG_TYPE", json_type(item), "array" if primitive.is_list else "object")
        elif not item:
            self.fault("FHIR_EMPTY", json_type(item), "an extension, or no element")
        else:
            values = parent.get(primitive.name)
            given = values if isinstance(values, list) else [values]
            for place, one in enumerate(item if isinstance(item, list) else [item]):
                has_value = place < len(given) and given[place] is not None
                if one is not None or not primitive.is_list:
                    self.extension_holder(one, has_value=has_value)
                if not has_value and primitive.codes is not None:
                    self.fault("FHIR_CODE", "no code", wanted(primitive))
        self.trail.pop()

    def extension_holder(self, item: Any, *, has_value: bool) -> None:
        if not isinstance(item, dict):
            self.fault("FHIR_WRONG_TYPE", json_type(item), "object")
        else:
            self.object(item, definition("Element"))
            if not item or not (has_value or item.get("extension")):
                self.fault("FHIR_EMPTY", "no extension", "an extension, or no element")

    def completeness(self, value: dict[str, Any], kind: Definition) -> None:
        for name in kind.required:
            if name not in value and "_" + name not in value:
                self.fault("FHIR_ELEMENT_MISSING", "nothing", "a value", at=f".{name}")
        for choice, names in kind.choices.items():
            n_given = sum(name in value or "_" + name in value for name in names)
            if n_given > 1:
                self.fault("FHIR_CHOICE", f"{n_given} of them", "one type only", at=f".{choice}[x]")
            elif n_given == 0 and choice in kind.required_choices:
                self.fault("FHIR_ELEMENT_MISSING", "nothing", "a value of one of its types", at=f".{choice}[x]")

    def element(self, item: Any, element: Element, parent: dict[str, Any]) -> None:
        if not element.is_list:
            self.value(item, element)
        elif not isinstance(item, list):
            self.fault("FHIR_WRONG_TYPE", json_type(item), "array")
        elif not item:
            self.fault("FHIR_EMPTY", "empty array", "one value or more, or no element")
        else:
            companions = parent.get("_" + element.name)
            held = companions if isinstance(companions, list) else []
            for index, one in enumerate(item):
                if one is None and element.is_primitive and index < len(held) and held[index]:
                    continue
                self.trail.append(f"[{index}]")
                self.value(one, element)
                self.trail.pop()

    def value(self, item: Any, element: Element) -> None:
        if item is None or item == "" or item == {}:
            self.fault("FHIR_EMPTY", json_type(item) if item is None else "empty", "a value, or no element")
        elif element.is_primitive:
            self.primitive(item, element)
        elif not isinstance(item, dict):
            self.fault("FHIR_WRONG_TYPE", json_type(item), "object")
        elif element.type == "Resource":
            self.contained(item)
        else:
            self.object(item, definition(element.type))
            if element.binding is not None:
                self.bound(item, element)

    def contained(self, resource: dict[str, Any]) -> None:
        name = resource.get("resourceType")
        if not isinstance(name, str) or name not in resource_types():
            found = masked(name) if isinstance(name, str) else json_type(name)
            self.fault("FHIR_UNKNOWN_TYPE", found, "the name of a FHIR R4 resource type", at=".resourceType")
        else:
            self.object(resource, definition(name))

    def bound(self, item: dict[str, Any], element: Element) -> None:
        """A concept with a required binding has a coding of the value set; an extension is none (HL7's validator)."""
        codings = item.get("coding") if element.type == "CodeableConcept" else [item]
        if not isinstance(codings, list) or not codings:
            self.fault("FHIR_CODE", "no coding", wanted(element))
            return
        pairs = [(one.get("system"), one.get("code")) for one in codings if isinstance(one, dict)]
        assert element.binding is not None
        known = [(system, code) for system, code in pairs if isinstance(system, str) and isinstance(code, str)]
        if not any(code in element.binding.get(system, ()) for system, code in known):
            self.fault("FHIR_CODE", "no coding of the required value set", wanted(element))

    def primitive(self, item: Any, element: Element) -> None:
        if element.type == "xhtml":
            self.narrative(item)
            return
        found = problem(element.type, item)
        if found is not None:
            code, expected = found
            self.fault(code, json_type(item) if code == "FHIR_WRONG_TYPE" else masked(str(item)), expected)
        elif (codes := element.codes) is not None and item not in codes:
            self.fault("FHIR_CODE", code_found(item, codes), wanted(element))

    def narrative(self, item: Any) -> None:
        if not isinstance(item, str):
            self.fault("FHIR_WRONG_TYPE", json_type(item), "a text of XHTML")
        elif found := narrative.problem(item):
            self.fault("FHIR_NARRATIVE", found, "XHTML in one div, of the elements that R4 allows")


def wanted(element: Element) -> str:
    """The codes that would do, as far as a line takes them."""
    codes = sorted(frozenset().union(*(element.binding or {}).values()))
    return "one of " + ", ".join(codes[:20]) + (" ..." if len(codes) > 20 else "")


def code_found(item: str, codes: frozenset[str]) -> str:
    same = item.strip().lower()
    return f"'{same}' in another spelling" if same in codes else masked(item)

"""The rules that a FHIR R4 resource must keep before an import job is paid for.

Pure: a parsed resource in, its faults out, all of them. A fault never carries a patient's value: `found` is a JSON
type, or the shape of a text with every letter as x and every digit as 9.

Example: faults_of({"resourceType": "Patient", "id": "a", "gender": "Male"})[0].code  ->  "FHIR_CODE"
"""

import calendar
import re
from dataclasses import dataclass
from typing import Any

from trilake.clinical.elements import Definition, Element, definition, resource_class
from trilake.core.ledger import shape

ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
YEAR = r"(?!0000)[0-9]{4}"
MONTH = rf"{YEAR}-(?:0[1-9]|1[0-2])"
DAY = rf"{MONTH}-(?:0[1-9]|[12][0-9]|3[01])"
CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
ZONE = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
FORMS = {
    "date": (re.compile(rf"{YEAR}|{MONTH}|{DAY}"), "YYYY, YYYY-MM or YYYY-MM-DD"),
    "dateTime": (
        re.compile(rf"{YEAR}|{MONTH}|{DAY}(?:T{CLOCK}{ZONE})?"),
        "YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with time zone",
    ),
    "instant": (re.compile(rf"{DAY}T{CLOCK}{ZONE}"), "YYYY-MM-DDThh:mm:ss with time zone"),
    "time": (re.compile(CLOCK), "hh:mm:ss"),
}
JSON_TYPES = {"boolean": bool, "integer": int, "decimal": (int, float)}
MOST_FAULTS = 20
"""Faults reported of one resource; a resource with more is not mended element by element."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One broken rule. `path` reads like Patient.name[0].family."""

    code: str
    path: str
    found: str
    expected: str


def faults_of(resource: dict[str, Any], *, needs_id: bool = True) -> list[Fault]:
    """Every rule that the resource breaks (at most 20). `needs_id` is off where a Bundle may give the id."""
    name = resource.get("resourceType")
    if not isinstance(name, str):
        return [Fault("FHIR_UNKNOWN_TYPE", "resourceType", json_type(name), "the name of a FHIR R4 resource type")]
    cls = resource_class(name)
    if cls is None:
        return [Fault("FHIR_UNKNOWN_TYPE", "resourceType", shape(name), "the name of a FHIR R4 resource type")]
    walk = Walk(name)
    if needs_id:
        walk.check_id(resource)
    walk.object(resource, definition(cls), is_resource=True)
    return walk.faults[:MOST_FAULTS]


class Walk:
    """One pass over one resource, collecting faults; `trail` is the path to where it stands."""

    def __init__(self, root: str) -> None:
        self.faults: list[Fault] = []
        self.trail = [root]

    def fault(self, code: str, found: str, expected: str, *, at: str = "") -> None:
        path = "".join(self.trail) + at
        self.faults.append(Fault(code, path, found, expected))

    def check_id(self, resource: dict[str, Any]) -> None:
        found = resource.get("id")
        if found is None:
            self.fault("FHIR_ID_MISSING", "nothing", "an id of 1 to 64 letters, digits, '-' and '.'", at=".id")
        elif isinstance(found, str) and not ID.fullmatch(found):
            self.fault("FHIR_ID_FORM", shape(found), "1 to 64 letters, digits, '-' and '.'", at=".id")

    def object(self, value: dict[str, Any], kind: Definition, *, is_resource: bool = False) -> None:
        elements = kind.elements
        for key, item in value.items():
            element = elements.get(key)
            if element is not None:
                self.trail.append("." + key)
                self.element(item, element, value)
                self.trail.pop()
            elif not (is_resource and key == "resourceType"):
                self.companion(key, item, elements)
        self.completeness(value, kind)

    def companion(self, key: str, item: Any, elements: dict[str, Element]) -> None:
        """`_birthDate` carries id and extensions of the primitive `birthDate`."""
        primitive = elements.get(key[1:]) if key.startswith("_") else None
        if primitive is None or not primitive.primitive:
            self.fault("FHIR_ELEMENT_UNKNOWN", "an element that R4 does not have here", "none", at=f".{key[:40]}")
        elif not isinstance(item, list if primitive.is_list else dict):
            expected = "array" if primitive.is_list else "object"
            self.fault("FHIR_WRONG_TYPE", json_type(item), expected, at=f".{key}")

    def completeness(self, value: dict[str, Any], kind: Definition) -> None:
        for name in kind.required:
            if name not in value and "_" + name not in value:
                self.fault("FHIR_ELEMENT_MISSING", "nothing", "a value", at=f".{name}")
        for choice, names in kind.choices.items():
            n_given = sum(name in value for name in names)
            if n_given > 1:
                self.fault("FHIR_CHOICE", f"{n_given} of them", "one type only", at=f".{choice}[x]")
            elif n_given == 0 and choice in kind.required_choices and not any("_" + name in value for name in names):
                self.fault("FHIR_ELEMENT_MISSING", "nothing", "a value of one of its types", at=f".{choice}[x]")

    def element(self, item: Any, element: Element, parent: dict[str, Any]) -> None:
        if not element.is_list:
            self.value(item, element)
        elif not isinstance(item, list):
            self.fault("FHIR_WRONG_TYPE", json_type(item), "array")
        elif not item:
            self.fault("FHIR_EMPTY", "empty array", "one value or more, or no element")
        else:
            has_companion = "_" + element.name in parent
            for index, one in enumerate(item):
                if one is None and has_companion:
                    continue
                self.trail.append(f"[{index}]")
                self.value(one, element)
                self.trail.pop()

    def value(self, item: Any, element: Element) -> None:
        if item is None or item == "" or item == {}:
            self.fault("FHIR_EMPTY", json_type(item) if item is None else "empty", "a value, or no element")
        elif element.primitive:
            self.primitive(item, element)
        elif not isinstance(item, dict):
            self.fault("FHIR_WRONG_TYPE", json_type(item), "object")
        elif element.is_resource:
            self.contained(item)
        else:
            self.object(item, definition(element.type))

    def contained(self, resource: dict[str, Any]) -> None:
        name = resource.get("resourceType")
        cls = resource_class(name) if isinstance(name, str) else None
        if cls is None:
            found = shape(name) if isinstance(name, str) else json_type(name)
            self.fault("FHIR_UNKNOWN_TYPE", found, "the name of a FHIR R4 resource type", at=".resourceType")
        else:
            self.object(resource, definition(cls), is_resource=True)

    def primitive(self, item: Any, element: Element) -> None:
        expected = JSON_TYPES.get(element.primitive, str)
        if not isinstance(item, expected) or (isinstance(item, bool) and expected is not bool):  # type: ignore[arg-type]
            self.fault("FHIR_WRONG_TYPE", json_type(item), element.primitive)
        elif element.codes is not None:
            if item not in element.codes:
                self.fault("FHIR_CODE", code_found(item, element.codes), "one of " + ", ".join(sorted(element.codes)))
        elif element.primitive in FORMS:
            form, words = FORMS[element.primitive]
            if not form.fullmatch(item) or not is_real_day(item):
                self.fault("FHIR_DATE", shape(item), words)


def is_real_day(text: str) -> bool:
    """False for 2023-02-30; True for what names no day."""
    if len(text) < 10 or text[4] != "-" or int(text[8:10]) <= 28:
        return True
    return int(text[8:10]) <= calendar.monthrange(int(text[:4]), int(text[5:7]))[1]


def code_found(item: str, codes: frozenset[str]) -> str:
    same = item.strip().lower()
    return f"'{same}' in another spelling" if same in codes else shape(item)


def json_type(value: Any) -> str:
    """The JSON name of a value's type."""
    names = {bool: "boolean", dict: "object", list: "array", str: "string", int: "number", float: "number"}
    return names.get(type(value), "null")

"""What FHIR R4 says of each type: its elements, their types, which repeat, which must be there, which codes they take.

definitions.json beside it holds HL7's definitions of FHIR 4.0.1 (made by `fhir_r4.compile`); a type is unfolded when it
is first asked for.

Example: definition("Patient").elements["birthDate"].type  ->  "date"
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import orjson

PRIMITIVE_NAMES = (
    "base64Binary boolean canonical code date dateTime decimal id instant integer markdown oid positiveInt string time"
    " unsignedInt uri url uuid xhtml"
)
PRIMITIVES = frozenset(PRIMITIVE_NAMES.split())
FHIRPATH_STRING = "http://hl7.org/fhirpath/System.String"
UNBOUND = ("http://dicom.nema.org/",)
"""Systems that grow from year to year by other hands: what R4 lists of them is not all there is."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element as JSON names it.

    `type` is a primitive, a data type, a nested type (`Patient.contact`) or `Resource`. `binding` is the required value
    set, system to codes; `codes` are those of a bound primitive, of whichever system; `targets` are the types a
    reference may lead to, None for any.
    """

    name: str
    type: str
    is_list: bool
    binding: dict[str, frozenset[str]] | None
    targets: frozenset[str] | None
    is_primitive: bool
    codes: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Definition:
    """One type. `required` are element names; `choices` maps `value` of `value[x]` to its names."""

    name: str
    elements: dict[str, Element]
    required: tuple[str, ...]
    choices: dict[str, tuple[str, ...]]
    required_choices: tuple[str, ...]


@cache
def read() -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(Path(__file__).with_name("definitions.json").read_bytes())
    return found


@cache
def resource_types() -> frozenset[str]:
    """The names of all R4 resource types that can stand alone."""
    return frozenset(read()["resources"])


@cache
def definition(name: str) -> Definition:
    """The elements of a resource type, data type or nested type. KeyError for a name that R4 does not have."""
    elements: dict[str, Element] = {}
    required: list[str] = []
    choices: dict[str, tuple[str, ...]] = {}
    required_choices: list[str] = []
    for key, (types, least, is_list, value_set, targets) in read()["types"][name].items():
        names = {f"{key[:-3]}{kind[0].upper()}{kind[1:]}" if key.endswith("[x]") else key: kind for kind in types}
        for element_name, kind in names.items():
            is_primitive = kind in PRIMITIVES or kind == FHIRPATH_STRING
            elements[element_name] = Element(
                name=element_name,
                type="uri" if kind == FHIRPATH_STRING else kind,
                is_list=is_list,
                binding=binding(value_set) if value_set else None,
                targets=frozenset(targets) if targets else None,
                is_primitive=is_primitive,
                codes=codes(value_set) if value_set and is_primitive else None,
            )
        if key.endswith("[x]"):
            choices[key[:-3]] = tuple(names)
            required_choices += [key[:-3]] * bool(least)
        elif least:
            required.append(key)
    return Definition(name, elements, tuple(required), choices, tuple(required_choices))


@cache
def binding(value_set: str) -> dict[str, frozenset[str]]:
    return {system: frozenset(codes) for system, codes in read()["bindings"][value_set].items()}


@cache
def codes(value_set: str) -> frozenset[str]:
    """The codes of a value set, of whichever system."""
    return frozenset().union(*binding(value_set).values())


@cache
def codes_of(system: str) -> tuple[frozenset[str], bool] | None:
    """The codes of a system that HL7 lists in full with R4, and whether their case counts; None of any other."""
    found = read()["systems"].get(system)
    if found is None or system.startswith(UNBOUND):
        return None
    return frozenset(found), found[0] != ""


def is_code_of(system: str, code: str) -> bool:
    """False only where the system is listed in full with R4 and the code is not in it."""
    found = codes_of(system)
    if found is None:
        return True
    codes, is_sensitive = found
    return (code if is_sensitive else code.lower()) in codes

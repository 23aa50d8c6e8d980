"""The structure of FHIR R4: which elements a type has, of what type, how often, and which codes they take.

Reads the classes of the `fhirclient` package, which are generated from the FHIR 4.0.1 definitions; writes nothing.
Behind `make ingest`. Example: `elements("Patient")["birthDate"].type` is `"date"`.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

import fhirclient.models
from fhirclient.models.fhirabstractbase import FHIRAbstractBase
from fhirclient.models.resource import Resource

PRIMITIVES = {
    "str": "string",
    "bool": "boolean",
    "int": "integer",
    "float": "decimal",
    "FHIRDate": "date",
    "FHIRDateTime": "dateTime",
    "FHIRInstant": "instant",
    "FHIRTime": "time",
}
_DOCUMENTED = re.compile(r'self\.(\w+) = None\s+"""(.*?)"""', re.DOTALL)
_CODE = re.compile(r"[A-Za-z0-9_/=<>!-]+")
_CLASS = re.compile(r"^class (\w+)\(", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Element:
    """One element as JSON names it; `choice` is the `value` of `value[x]`, `codes` all of a required value set."""

    name: str
    type: str
    is_primitive: bool
    is_list: bool
    is_required: bool
    choice: str | None
    codes: frozenset[str] | None


@cache
def _classes() -> dict[str, type[FHIRAbstractBase]]:
    found: dict[str, type[FHIRAbstractBase]] = {}
    for module in iter_modules(fhirclient.models.__path__):
        for name, member in vars(import_module(f"fhirclient.models.{module.name}")).items():
            if inspect.isclass(member) and issubclass(member, FHIRAbstractBase):
                found[name] = member
    return found


@cache
def resource_types() -> frozenset[str]:
    """The names of all R4 resource types that can stand alone."""
    return frozenset(
        name
        for name, member in _classes().items()
        if issubclass(member, Resource) and name not in {"Resource", "DomainResource"}
    )


@cache
def elements(type_name: str) -> dict[str, Element]:
    """JSON name -> element, for a resource type, a data type or a nested (backbone) type of R4; KeyError if unknown."""
    cls = _classes()[type_name]
    codes = _codes(cls)
    found = {}
    for attribute, name, kind, is_list, choice, is_required in cls(strict=False).elementProperties():
        found[name] = Element(
            name=name,
            type=_type(name, kind.__name__, choice, attribute in codes),
            is_primitive=kind.__name__ in PRIMITIVES,
            is_list=is_list,
            is_required=is_required,
            choice=choice,
            codes=codes.get(attribute) or None,
        )
    return found


def _type(name: str, kind: str, choice: str | None, is_code: bool) -> str:
    """The FHIR name of a type: `fhirclient` folds codes, URIs and the like into `str`, but `valueUri` tells."""
    if kind not in PRIMITIVES:
        return kind
    if choice is not None and name != choice:
        suffix = name.removeprefix(choice)
        return suffix[0].lower() + suffix[1:]
    return "code" if is_code else PRIMITIVES[kind]


def is_backbone(type_name: str) -> bool:
    """Whether a type is defined inside one resource type (`ConsentProvision`) rather than for all."""
    return any(base.__name__ == "BackboneElement" for base in _classes()[type_name].__mro__)


@cache
def _source(module: str) -> dict[str, str]:
    """Class name -> its source text; `inspect.getsource` of a class parses its whole module each time."""
    parts = _CLASS.split(inspect.getsource(import_module(module)))
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _codes(cls: type[FHIRAbstractBase]) -> dict[str, frozenset[str]]:
    """Attribute that is a code -> the codes of its required value set, or none where the short text lists not all.

    The text reads `home | work | temp - purpose of this address`; one that ends in `+` lists only the first.
    """
    found: dict[str, frozenset[str]] = {}
    for base in cls.__mro__:
        if base is not object:
            for attribute, text in _DOCUMENTED.findall(_source(base.__module__).get(base.__name__, "")):
                short, typed, _ = " ".join(text.split()).partition("`str`")
                if typed and "|" in short:
                    found.setdefault(attribute, _listed(short))
    return found


def _listed(short: str) -> frozenset[str]:
    listed = re.split(r"\. (?:Type|List of) $", short)[0]
    listed = re.sub(r"(\w)- (\w)", r"\1-\2", listed)
    listed = re.split(r" - | \(", listed)[0]
    codes = [code.strip() for code in listed.split("|")]
    return frozenset(codes) if all(_CODE.fullmatch(code) for code in codes) else frozenset()

"""HL7's definitions of FHIR R4 to the one file that the rules read: types, elements, bindings, code systems.

Reads HL7's XML files of FHIR 4.0.1 (CC0) as HAPI FHIR packs them, unpacked into a folder (Maven:
ca.uhn.hapi.fhir:hapi-fhir-validation-resources-r4), and UCUM's units (org.fhir:ucum); writes definitions.json beside
this module, one type or code system a line. Run by hand when the definitions are to be made anew; what it wrote is kept
in the repository.

Example: python -m fhir_r4.compile UNPACKED/org/hl7/fhir/r4/model ucum-essence.xml
"""

import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from fhir_r4.expand import ValueSets, value

NS = "{http://hl7.org/fhir}"
PROFILES = ("profile/profiles-types.xml", "profile/profiles-resources.xml")
TERMINOLOGY = ("valueset/valuesets.xml", "valueset/v3-codesystems.xml", "valueset/v2-tables.xml")
EXTENSIONS = "extension/extension-definitions.xml"
OUT = Path(__file__).with_name("definitions.json")


def structures(folder: Path) -> Iterator[ElementTree.Element]:
    """The definitions of resources and data types, not those of profiles and logical models."""
    for name in PROFILES:
        for found in ElementTree.parse(folder / name).getroot().iter(f"{NS}StructureDefinition"):
            if value(found, "derivation") != "constraint" and value(found, "kind") in ("resource", "complex-type"):
                yield found


def types_of(structure: ElementTree.Element, sets: ValueSets) -> dict[str, dict[str, list[Any]]]:
    """`Patient`, `Patient.contact` ... -> element name -> [types, min, repeats, value set, targets]."""
    found: dict[str, dict[str, list[Any]]] = {}
    is_resource = value(structure, "kind") == "resource"
    snapshot = structure.find(f"{NS}snapshot")
    assert snapshot is not None
    for element in snapshot:
        path = value(element, "path")
        parent, _, name = path.rpartition(".")
        if not parent:
            found[path] = {}
            continue
        given = [one for one in element.findall(f"{NS}type")]
        codes = [value(one, "code") or "string" for one in given]
        if reference := value(element, "contentReference"):
            codes = [reference.removeprefix("#")]
        elif codes and codes[0] in ("BackboneElement", "Element"):
            codes = [path]
            found.setdefault(path, {})
        codes = [("id" if is_resource and "." not in parent else "string") if name == "id" else code for code in codes]
        found.setdefault(parent, {})[name] = [
            codes, int(value(element, "min")), value(element, "max") != "1", sets.required(element), targets(given),
        ]  # fmt: skip
    return found


def targets(given: list[ElementTree.Element]) -> list[str] | None:
    """The resource types that a reference may lead to; None where any may."""
    profiles = [one.get("value", "") for kind in given for one in kind.findall(f"{NS}targetProfile")]
    names = sorted(profile.rpartition("/")[2] for profile in profiles)
    return None if not names or "Resource" in names else names


def extension_types(folder: Path) -> dict[str, list[str]]:
    """Extension URL -> the types of its value; none for one that holds extensions."""
    found: dict[str, list[str]] = {}
    for structure in ElementTree.parse(folder / EXTENSIONS).getroot().iter(f"{NS}StructureDefinition"):
        snapshot = structure.find(f"{NS}snapshot")
        if value(structure, "type") != "Extension" or snapshot is None:
            continue
        for element in snapshot:
            if value(element, "path") == "Extension.value[x]":
                kinds = [value(one, "code") for one in element.findall(f"{NS}type")]
                found[value(structure, "url")] = [] if value(element, "max") == "0" else kinds
    return found


def units_of(path: Path) -> dict[str, list[str]]:
    """UCUM's prefixes, the atoms that take one, and those that do not."""
    root = ElementTree.parse(path).getroot()
    atoms = [*root.iter("base-unit"), *root.iter("unit")]
    metric = [one.get("Code", "") for one in atoms if one.tag.endswith("base-unit") or one.get("isMetric") == "yes"]
    plain = [one.get("Code", "") for one in atoms if one.get("Code", "") not in metric]
    return {
        "prefixes": sorted(one.get("Code", "") for one in root.iter("prefix")),
        "metric": sorted(metric),
        "plain": sorted(plain),
    }


def compile_definitions(folder: Path, ucum: Path) -> dict[str, Any]:
    sets = ValueSets([folder / name for name in TERMINOLOGY])
    types: dict[str, Any] = {}
    resources: list[str] = []
    for structure in structures(folder):
        types |= types_of(structure, sets)
        if value(structure, "kind") == "resource" and value(structure, "abstract") != "true":
            resources.append(value(structure, "type"))
    return {
        "resources": sorted(resources),
        "types": types,
        "bindings": sets.used,
        "systems": sets.complete_systems(),
        "extensions": extension_types(folder),
        "units": units_of(ucum),
    }


def write(definitions: dict[str, Any], path: Path) -> None:
    """One entry a line, so that a change of the definitions can be read."""
    parts = []
    for name, section in definitions.items():
        if isinstance(section, dict):
            lines = [f"{orjson.dumps(key).decode()}:{orjson.dumps(section[key]).decode()}" for key in sorted(section)]
            parts.append(f'"{name}":{{\n' + ",\n".join(lines) + "\n}")
        else:
            parts.append(f'"{name}":{orjson.dumps(section).decode()}')
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n")


if __name__ == "__main__":
    write(compile_definitions(Path(sys.argv[1]), Path(sys.argv[2])), OUT)

"""What is asked of a resource as a whole: its contained resources, and the references between them.

Pure. hl7.org/fhir/R4/references.html#contained and the invariants dom-2 to dom-5 and ref-1.

Example: list(whole_faults("Patient", {"managingOrganization": {"reference": "#org"}}))
"""

from collections.abc import Iterator
from typing import Any

from trilake.clinical.r4.definitions import definition
from trilake.clinical.r4.primitives import SCHEME
from trilake.core.ledger import shape

Found = Iterator[tuple[str, str, str, str]]
LINKS = ("canonical", "uri", "url")
UNBOUND = ("tag", "valueCoding")
"""Codings that no value set is named for: there, as in a Quantity, the system is an absolute URI."""


def whole_faults(kind: str, resource: Any) -> Found:
    """(reason code, path, found, expected) of each thing wrong between the parts of a resource."""
    contained = resource.get("contained") or []
    held = {one.get("id"): one["resourceType"] for one in contained}
    links: set[str] = set()
    containers: set[int] = set()
    yield from walk(resource, kind, kind, held, links)
    for place, one in enumerate(contained):
        path = f"{kind}.contained[{place}]"
        own: set[str] = set()
        yield from walk(one, one["resourceType"], path, held, own)
        containers |= {place} if "#" in own else set()
        links |= own
        yield from contained_faults(one, path)
    for place, one in enumerate(contained):
        if f"#{one.get('id')}" not in links and place not in containers and one.get("url") is None:
            yield "FHIR_CONTAINED", f"{kind}.contained[{place}]", "no reference to it", "one that something refers to"
    if len(held) < len(contained):
        yield "FHIR_CONTAINED", f"{kind}.contained", "an id twice, or none", "an id of its own for each"
    if kind == "Bundle":
        for place, entry in enumerate(resource.get("entry") or []):
            inner = entry.get("resource")
            if inner is not None:
                for code, path, found, expected in whole_faults(inner["resourceType"], inner):
                    below = path[len(inner["resourceType"]) :]
                    yield code, f"Bundle.entry[{place}].resource{below}", found, expected


def contained_faults(one: Any, path: str) -> Found:
    if one.get("id") is None:
        yield "FHIR_ID_MISSING", f"{path}.id", "nothing", "an id, for what refers to it"
    if one.get("contained"):
        yield "FHIR_CONTAINED", path, "dom-2", "no contained resource in a contained one"
    meta = one.get("meta") or {}
    if meta.get("versionId") is not None or meta.get("lastUpdated") is not None:
        yield "FHIR_CONTAINED", f"{path}.meta", "dom-4", "no version of a contained resource"
    if meta.get("security"):
        yield "FHIR_CONTAINED", f"{path}.meta", "dom-5", "no security label of a contained resource"


def walk(value: Any, kind: str, path: str, held: dict[str, str], links: set[str]) -> Found:
    """The faults of references below an object; what starts with # is noted in `links`."""
    for name, item in value.items():
        element = definition(kind).elements.get(name)
        if element is None or name == "contained":
            continue
        if element.type == "Resource":
            continue
        for place, one in enumerate(item if isinstance(item, list) else [item]):
            where = f"{path}.{name}[{place}]" if element.is_list else f"{path}.{name}"
            if element.type in LINKS and isinstance(one, str) and one.startswith("#"):
                links.add(one)
            elif element.type == "Reference":
                yield from reference(one, where, held, links, element.targets)
            elif element.type == "Extension" and kind != "Extension" and not SCHEME.match(one.get("url") or ""):
                yield "FHIR_EXTENSION", f"{where}.url", shape(one.get("url") or ""), "an absolute URL"
            elif (
                (name in UNBOUND or element.type == "Quantity")
                and one.get("system") is not None
                and not SCHEME.match(one["system"])
            ):
                yield "FHIR_FORM", f"{where}.system", shape(one["system"]), "an absolute URI"
            if isinstance(one, dict):
                yield from walk(one, element.type, where, held, links)


def reference(one: Any, path: str, held: dict[str, str], links: set[str], targets: frozenset[str] | None) -> Found:
    text, kind = one.get("reference"), one.get("type")
    if isinstance(text, str) and text.startswith("#"):
        links.add(text)
        if text != "#" and text[1:] not in held:
            yield "FHIR_CONTAINED", path, "a reference to no contained resource", "the id of a contained resource"
        elif text != "#" and targets is not None and held[text[1:]] not in targets:
            yield "FHIR_REFERENCE", path, held[text[1:]], "one of " + ", ".join(sorted(targets))
    if isinstance(kind, str) and not SCHEME.match(kind) and targets is not None and kind not in targets:
        yield "FHIR_REFERENCE", f"{path}.type", shape(kind), "one of " + ", ".join(sorted(targets))

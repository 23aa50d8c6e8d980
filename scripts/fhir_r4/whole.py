"""What is asked of a resource as a whole: its contained resources, and the references between them.

Pure. hl7.org/fhir/R4/references.html#contained and the invariants dom-2 to dom-5 and ref-1.

Example: list(whole_faults("Patient", {"managingOrganization": {"reference": "#org"}}))
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from fhir_r4.definitions import Element, definition, resource_types
from fhir_r4.narrative import narrative
from fhir_r4.primitives import SCHEME, masked

Found = Iterator[tuple[str, str, str, str]]
LINKS = ("canonical", "uri", "url")
LITERAL = re.compile(
    r"(?:https?://\S+/)?(?P<type>[A-Z][A-Za-z]+)/[A-Za-z0-9\-.]{1,64}(?:/_history/[A-Za-z0-9\-.]{1,64})?"
)
UNBOUND = ("tag", "valueCoding", "sopClass", "eventCoding")
"""Codings that no value set is named for: there, as in a Quantity, the system is an absolute URI."""


def whole_faults(kind: str, resource: Any) -> Found:
    """(reason code, path, found, expected) of each thing wrong between the parts of a resource."""
    contained = resource.get("contained") or []
    held = {one.get("id"): one["resourceType"] for one in contained}
    containers: set[int] = set()
    whole = Parts(held)
    yield from walk(resource, kind, kind, whole)
    for place, one in enumerate(contained):
        path = f"{kind}.contained[{place}]"
        own = Parts(held, is_contained=True)
        yield from walk(one, one["resourceType"], path, own)
        containers |= {place} if "#" in own.links else set()
        own.links.discard(f"#{one.get('id')}")
        whole.adopt(own)
        yield from contained_faults(one, path)
    yield from whole.dangling({f"#{name}" for name in (resource.get("id"), *held)})
    for place, one in enumerate(contained):
        if f"#{one.get('id')}" not in whole.links and place not in containers and one.get("url") is None:
            yield "FHIR_CONTAINED", f"{kind}.contained[{place}]", "no reference to it", "one that something refers to"
    for one, path in [(resource, kind), *((one, f"{kind}.contained[{n}]") for n, one in enumerate(contained))]:
        yield from address(one, path)
    if len(held) < len(contained):
        yield "FHIR_CONTAINED", f"{kind}.contained", "an id twice, or none", "an id of its own for each"
    if kind == "Bundle":
        for place, entry in enumerate(resource.get("entry") or []):
            inner = entry.get("resource")
            if inner is not None:
                for code, path, found, expected in whole_faults(inner["resourceType"], inner):
                    below = path[len(inner["resourceType"]) :]
                    yield code, f"Bundle.entry[{place}].resource{below}", found, expected


def address(one: Any, path: str) -> Found:
    """A resource that others name by its URL (a value set, a questionnaire ...) has an absolute one."""
    url = one.get("url")
    if isinstance(url, str) and "publisher" in definition(one["resourceType"]).elements and not SCHEME.match(url):
        yield "FHIR_FORM", f"{path}.url", masked(url), "an absolute URL"


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


@dataclass
class Parts:
    """What one walk over a resource has met: ids of elements, and fragments that something leads to.

    `held` are the contained resources, id to type; `links` the fragments (`#id`) that count as a use of one.
    """

    held: dict[str, str]
    is_contained: bool = False
    links: set[str] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)
    anchors: set[str] = field(default_factory=set)
    hyperlinks: list[tuple[str, str]] = field(default_factory=list)

    def adopt(self, inner: "Parts") -> None:
        """Take over what a contained resource has; its ids are its own."""
        self.links |= inner.links
        self.anchors |= inner.anchors | inner.ids
        self.hyperlinks += inner.hyperlinks

    def dangling(self, names: set[str]) -> Found:
        """Hyperlinks of narratives to an id that stands nowhere."""
        known = names | {f"#{name}" for name in self.ids | self.anchors}
        for path, link in self.hyperlinks:
            if link not in known:
                yield "FHIR_NARRATIVE", path, "a link to an id that is nowhere in the resource", "an id that is there"

    def note(self, one: Any, path: str) -> Found:
        """An element's own id, which no other element of the resource has."""
        given = one.get("id")
        if given is not None and given in self.ids:
            yield "FHIR_ID_TWICE", f"{path}.id", "an id that another element has", "an id of its own for each element"
        if isinstance(given, str):
            self.ids.add(given)

    def read(self, div: str, path: str) -> None:
        found = narrative(div)
        self.anchors |= found.anchors
        self.links |= found.links
        self.hyperlinks += [(path, link) for link in sorted(found.links)]


def walk(value: Any, kind: str, path: str, parts: Parts) -> Found:
    """The faults of references and ids below an object; what it has is noted in `parts`."""
    elements = definition(kind).elements
    for name, item in value.items():
        element = elements.get(name.removeprefix("_"))
        if element is None or name == "contained" or element.type == "Resource":
            continue
        for place, one in enumerate(item if isinstance(item, list) else [item]):
            where = f"{path}.{name}[{place}]" if element.is_list else f"{path}.{name}"
            if not isinstance(one, dict):
                primitive(one, element.type, where, parts)
                continue
            yield from parts.note(one, where)
            if element.is_primitive:
                yield from walk(one, "Element", where, parts)
                continue
            yield from complex_faults(one, element, where, parts, is_nested=kind == "Extension")
            yield from walk(one, element.type, where, parts)


def primitive(one: Any, kind: str, path: str, parts: Parts) -> None:
    if kind in LINKS and isinstance(one, str) and one.startswith("#"):
        parts.links.add(one)
    elif kind == "xhtml":
        parts.read(one, path)


def complex_faults(one: Any, element: Element, path: str, parts: Parts, *, is_nested: bool) -> Found:
    """What is wrong with a reference, an extension's URL or the system of a code that no value set is named for."""
    if element.type == "Reference":
        yield from reference(one, path, parts, element.targets)
    elif element.type == "Extension" and not is_nested and not SCHEME.match(one.get("url") or ""):
        yield "FHIR_EXTENSION", f"{path}.url", masked(one.get("url") or ""), "an absolute URL"
    elif (
        (element.name in UNBOUND or element.type == "Quantity")
        and one.get("system") is not None
        and not SCHEME.match(one["system"])
    ):
        yield "FHIR_FORM", f"{path}.system", masked(one["system"]), "an absolute URI"


def reference(one: Any, path: str, parts: Parts, targets: frozenset[str] | None) -> Found:
    text, kind = one.get("reference"), one.get("type")
    leads_to = literal_type(text) if isinstance(text, str) else None
    if isinstance(text, str) and text.startswith("#") and text != "#":
        parts.links.add(text)
        leads_to = parts.held.get(text[1:])
        if leads_to is None:
            yield "FHIR_CONTAINED", path, "a reference to no contained resource", "the id of a contained resource"
        elif targets is not None and leads_to not in targets:
            yield "FHIR_REFERENCE", path, leads_to, "one of " + ", ".join(sorted(targets))
    elif text == "#":
        parts.links.add(text)
        if not parts.is_contained:
            yield "FHIR_CONTAINED", path, "a reference to itself as a container", "# only in a contained resource"
    if not isinstance(kind, str):
        return
    if not SCHEME.match(kind) and targets is not None and kind not in targets:
        yield "FHIR_REFERENCE", f"{path}.type", masked(kind), "one of " + ", ".join(sorted(targets))
    elif leads_to is not None and kind != leads_to:
        yield "FHIR_REFERENCE", f"{path}.type", "another type than that of the reference", leads_to


def mistargeted(value: Any, kind: str, path: str) -> Iterator[tuple[str, str, str]]:
    """(path, type, types that may stand there) of each reference to a resource of a type that may not.

    HL7's validator asks this only of references that it can follow; here it is worth a warning.
    """
    for name, item in value.items():
        element = definition(kind).elements.get(name)
        if element is None or element.is_primitive or element.type == "Resource":
            continue
        for place, one in enumerate(item if isinstance(item, list) else [item]):
            where = f"{path}.{name}[{place}]" if element.is_list else f"{path}.{name}"
            leads_to = literal_type(one.get("reference") or "") if element.type == "Reference" else None
            if leads_to is not None and element.targets is not None and leads_to not in element.targets:
                yield f"{where}.reference", leads_to, "one of " + ", ".join(sorted(element.targets))
            yield from mistargeted(one, element.type, where)


def literal_type(text: str) -> str | None:
    """The resource type in a reference such as Patient/1 or https://server/Patient/1; None where it says none."""
    found = LITERAL.fullmatch(text)
    return found["type"] if found and found["type"] in resource_types() else None

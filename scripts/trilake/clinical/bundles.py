"""Bundle entries to resources that stand alone: ids, and references that name them.

Pure. In a transaction Bundle, entries refer to each other by fullUrl (`urn:uuid:...`); HealthLake's import wants
`Type/id`. An entry without id takes the one in its fullUrl; an id that FHIR does not allow becomes a UUID made from
it, the same one in every load, and references follow. References out of the Bundle stay as they are.

Example: Names(entries).apply(entry, resource)
"""

import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import orjson

from trilake.clinical.rules import ID, Fault
from trilake.core.ledger import shape

NAMESPACE = uuid.UUID("6f2e8e0c-5a0b-5d52-9a3b-7c1d3f0f2a11")
REFERENCE = re.compile(r"(?:^|/)(?P<type>[A-Z][A-Za-z]+)/(?P<id>[^/]+)(?:/_history/[^/]+)?$")
CONDITIONAL = re.compile(r"(?P<type>[A-Z][A-Za-z]+)\?(?P<query>.+)")


@dataclass
class Names:
    """What the entries of one Bundle are called: fullUrl, or a forbidden `Type/id`, to the `Type/id` they load as.

    `seen` is for the reader of the entries: the content hash of each resource it has met.
    """

    entries: list[Any]
    is_history: bool = False
    by_reference: dict[str, str] = field(default_factory=dict)
    seen: dict[tuple[str, str], bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for entry in self.entries:
            resource = entry.get("resource") if isinstance(entry, dict) else None
            if isinstance(resource, dict) and isinstance(resource.get("resourceType"), str):
                self.learn(entry.get("fullUrl"), resource)

    def learn(self, full_url: Any, resource: dict[str, Any]) -> None:
        kind, given = resource["resourceType"], resource.get("id")
        name = f"{kind}/{id_of(resource, full_url)}"
        if isinstance(full_url, str):
            self.by_reference[full_url] = name
        if isinstance(given, str) and f"{kind}/{given}" != name:
            self.by_reference[f"{kind}/{given}"] = name

    def apply(self, entry: int, resource: dict[str, Any]) -> list[Fault]:
        """Give the resource its id and its references their names, in place; warnings about what was changed."""
        warnings = []
        found = self.entries[entry]
        given, full_url = resource.get("id"), found.get("fullUrl") if isinstance(found, dict) else None
        if given is None or isinstance(given, str):
            resource["id"] = id_of(resource, full_url)
            if given is not None and given != resource["id"]:
                warnings.append(Fault("FHIR_ID_MAPPED", f"Bundle.entry[{entry}].resource.id", shape(given), ID.pattern))
            elif given is None and not id_in(full_url):
                where = f"Bundle.entry[{entry}].fullUrl"
                warnings.append(Fault("FHIR_ID_MAPPED", where, "no id", "an id, or a fullUrl that ends in one"))
        rewrite_references(resource, lambda text: self.by_reference.get(text, text))
        return warnings


def id_of(resource: dict[str, Any], full_url: Any) -> str:
    """The id that an entry's resource loads under."""
    given = resource.get("id")
    if isinstance(given, str) and ID.fullmatch(given):
        return given
    if given is None and (from_url := id_in(full_url)):
        return from_url
    source = (
        f"{resource.get('resourceType')}/{given}"
        if given is not None
        else orjson.dumps(resource, option=orjson.OPT_SORT_KEYS).decode()
    )
    return str(uuid.uuid5(NAMESPACE, source))


def id_in(full_url: Any) -> str | None:
    """The id at the end of `urn:uuid:<id>` or `https://server/Type/<id>`."""
    if not isinstance(full_url, str):
        return None
    if full_url.startswith("urn:uuid:"):
        last = full_url.removeprefix("urn:uuid:")
    elif match := REFERENCE.search(full_url):
        last = match["id"]
    else:
        return None
    return last if ID.fullmatch(last) else None


def rewrite_references(value: Any, change: Callable[[str], str]) -> None:
    """Replace every `reference` text in place, at any depth."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "reference" and isinstance(item, str):
                value[key] = change(item)
            elif isinstance(item, dict | list):
                rewrite_references(item, change)
    else:
        for item in value:
            if isinstance(item, dict | list):
                rewrite_references(item, change)


def references(value: Any) -> Iterator[str]:
    """Every `reference` text of a resource."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "reference" and isinstance(item, str):
                yield item
            elif isinstance(item, dict | list):
                yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def conditional_target(reference: str) -> tuple[str, str] | None:
    """(type, `system|value`) of a reference such as `Practitioner?identifier=system|value`; None for any other."""
    match = CONDITIONAL.fullmatch(reference)
    if not match:
        return None
    tokens = parse_qs(match["query"]).get("identifier")
    return (match["type"], tokens[0]) if tokens and len(tokens) == 1 else None


def identifiers(resource: dict[str, Any]) -> Iterator[str]:
    """The `system|value` tokens that a conditional reference can find a resource by."""
    given = resource.get("identifier")
    for one in given if isinstance(given, list) else [given]:
        if isinstance(one, dict) and isinstance(one.get("value"), str):
            system = one.get("system")
            yield f"{system if isinstance(system, str) else ''}|{one['value']}"

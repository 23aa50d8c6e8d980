"""Bundle entries to resources that stand alone: ids, and references that name them.

Pure, on the bytes of the entries, so that numbers keep their digits. In a transaction Bundle, entries refer to each
other by fullUrl (`urn:uuid:...`); HealthLake's import wants `Type/id`. An entry without id takes that of its fullUrl;
an id that FHIR does not allow becomes a UUID made from it, the same one in every load, and references follow.
References out of the Bundle stay as they are.

Example: Names().learn("urn:uuid:5cbc...", "Patient", None, raw)
"""

import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import msgspec
import orjson

from fhir_r4.primitives import ID

NAMESPACE = uuid.UUID("6f2e8e0c-5a0b-5d52-9a3b-7c1d3f0f2a11")
REFERENCE = re.compile(r"(?:^|/)(?P<type>[A-Z][A-Za-z]+)/(?P<id>[^/]+)(?:/_history/[^/]+)?$")
CONDITIONAL = re.compile(r"(?P<type>[A-Z][A-Za-z]+)\?(?P<query>.+)")
IN_TEXT = re.compile(rb'("reference"\s*:\s*)"([^"\\]+)"')
OUTWARD = re.compile(rb'"reference"\s*:\s*"([^"\\#][^"\\]*)"')
"""A reference in JSON text: `reference` with quotation marks and a colon is a name, never a value."""


@dataclass
class Names:
    """What the entries of one Bundle are called: fullUrl, or a forbidden `Type/id`, to the `Type/id` they load as.

    `seen` is for the reader of the entries: the content hash of each resource it has met.
    """

    is_history: bool = False
    by_reference: dict[bytes, bytes] = field(default_factory=dict)
    seen: dict[tuple[str, str], bytes] = field(default_factory=dict)

    def learn(self, full_url: Any, kind: str, given: Any, raw: bytes) -> str:
        """Note an entry; the id that its resource loads under."""
        loaded_as = id_of(kind, given, full_url, raw)
        name = f"{kind}/{loaded_as}".encode()
        if isinstance(full_url, str):
            self.by_reference[full_url.encode("utf-8", "replace")] = name
        if isinstance(given, str) and given != loaded_as:
            self.by_reference[f"{kind}/{given}".encode("utf-8", "replace")] = name
        return loaded_as

    def rewrite(self, raw: bytes) -> bytes:
        """The text of a resource with the references to other entries put as `Type/id`."""
        known = self.by_reference
        return IN_TEXT.sub(lambda found: renamed(found, known), raw)


def renamed(found: re.Match[bytes], known: dict[bytes, bytes]) -> bytes:
    name = known.get(found[2])
    return found[0] if name is None else b'%s"%s"' % (found[1], name)


def rewrite_all(raw: bytes, target: Callable[[bytes], bytes]) -> bytes:
    """The text with every reference put through a function."""
    return IN_TEXT.sub(lambda found: b'%s"%s"' % (found[1], target(found[2])), raw)


def with_id(raw: bytes, given: str) -> bytes:
    """The text of an object that has no id, with one."""
    rest = raw.lstrip()[1:].lstrip()
    return b'{"id":' + orjson.dumps(given) + (b"" if rest.startswith(b"}") else b",") + rest


def id_of(kind: str, given: Any, full_url: Any, raw: bytes) -> str:
    """The id that an entry's resource loads under."""
    if isinstance(given, str) and ID.fullmatch(given):
        return given
    if given is None and (from_url := id_in(full_url)):
        return from_url
    return str(uuid.uuid5(NAMESPACE, f"{kind}/{given}" if given is not None else canonical_text(raw)))


def canonical_text(raw: bytes) -> str:
    try:
        return orjson.dumps(orjson.loads(raw), option=orjson.OPT_SORT_KEYS).decode()
    except orjson.JSONDecodeError:
        return raw.decode("utf-8", "replace")


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


def references(raw: bytes) -> list[bytes]:
    """Every reference of a resource's text that is not to something contained."""
    return OUTWARD.findall(raw)


def is_open(reference: bytes) -> bool:
    """Whether a reference waits for its target among the other files: `urn:uuid:...` or a search by identifier."""
    return reference.startswith(b"urn:uuid:") or b"?" in reference


def conditional_target(reference: str) -> tuple[str, str] | None:
    """(type, `system|value`) of a reference such as `Practitioner?identifier=system|value`; None for any other."""
    match = CONDITIONAL.fullmatch(reference)
    if not match:
        return None
    tokens = parse_qs(match["query"]).get("identifier")
    return (match["type"], tokens[0]) if tokens and len(tokens) == 1 else None


class Identified(msgspec.Struct):
    """As much of a resource as tells how a conditional reference finds it."""

    id: str
    identifier: Any = None


def identifiers(raw: bytes) -> Iterator[tuple[str, str]]:
    """(`system|value`, id) of each identifier of a sound resource's text."""
    found = msgspec.json.decode(raw, type=Identified)
    for one in found.identifier if isinstance(found.identifier, list) else [found.identifier]:
        if isinstance(one, dict) and isinstance(one.get("value"), str):
            system = one.get("system")
            yield f"{system if isinstance(system, str) else ''}|{one['value']}", found.id

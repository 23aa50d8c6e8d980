"""A JSON document to its resources: the entries of a Bundle, the items of an array, or the one resource that it is.

On bytes: what is cut out keeps the text it had, numbers their digits, but for the blanks between its parts. What the
Bundle around the entries breaks is a warning: its resources are loaded all the same.

In a transaction Bundle, entries refer to each other by fullUrl (`urn:uuid:...`); HealthLake's import wants `Type/id`.
An entry without id takes that of its fullUrl; an id that FHIR does not allow becomes a UUID made from it, the same one
in every load, and references follow. References out of the Bundle stay as they are.

Example: [found.entry for found in resources_in(data)]
"""

import json
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs

import msgspec
import orjson
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from fhir_r4.parsing import NotJson, parse
from fhir_r4.primitives import ID, json_type
from fhir_r4.rules import Fault, faults_of

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


UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
JSON = json.JSONDecoder(strict=False)
BLANKS = re.compile(r"\s*")
REQUESTS = ("batch", "transaction", "history")
TOLD_ELSEWHERE = ("bdl-11", "bdl-12")
"""Invariants that ask for the resources themselves, which are not in the frame that is checked."""


@dataclass
class Found:
    """One resource's text, or `faults` of what should have been one; `entry` is its 0-based place in the document."""

    entry: int | None
    data: bytes
    type: Any = None
    id: Any = None
    full_url: Any = None
    names: Names | None = None
    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)


class Head(Struct):
    """As much of a resource as tells what it is."""

    resourceType: Any = None
    id: Any = None


class Request(Struct, forbid_unknown_fields=True):
    """Bundle.entry.request of a sound Bundle."""

    method: Literal["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"]
    url: Annotated[str, Meta(min_length=1)]
    ifNoneExist: Annotated[str, Meta(min_length=1)] | UnsetType = UNSET


class Entry(Struct, forbid_unknown_fields=True):
    """Bundle.entry of a sound Bundle that carries resources."""

    resource: Raw
    fullUrl: Annotated[str, Meta(pattern=r"^(?:urn:(?:uuid|oid):|https?://(?!.*/_history/))\S+\Z")] | UnsetType = UNSET
    request: Request | UnsetType = UNSET
    search: Raw | UnsetType = UNSET


class SoundBundle(Struct, forbid_unknown_fields=True):
    """A Bundle whose frame needs no second look."""

    resourceType: Literal["Bundle"]
    type: Literal["transaction", "batch", "collection", "searchset", "history"]
    entry: Annotated[list[Entry], Meta(min_length=1)]
    id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9\-.]{1,64}\Z")] | UnsetType = UNSET
    meta: Raw | UnsetType = UNSET


class AnyBundle(Struct):
    """A Bundle of which only the entries are looked at."""

    type: Any = None
    entry: list[Raw] = []


def resources_in(data: bytes) -> Iterator[Found]:
    """What a document or a line holds, in order. A document that is no JSON is one thing found, with its fault."""
    try:
        data = msgspec.json.format(data, indent=-1)
        head = data[:1]
        kind = msgspec.json.decode(data, type=Head) if head == b"{" else None
    except UNREADABLE:
        parts = one_after_another(data)
        found = (one for part in parts for one in resources_in(part))
        yield from (replace(one, entry=place) for place, one in enumerate(found)) if parts else [not_json(data)]
        return
    if kind is not None and kind.resourceType == "Bundle":
        yield from bundle(data)
    elif kind is not None:
        yield Found(None, data, kind.resourceType, kind.id)
    elif head == b"[" and (items := array(data)):
        yield from items
    else:
        fault = Fault("FHIR_NOT_OBJECT", "", json_type(msgspec.json.decode(data)), "a JSON object")
        yield Found(None, data, faults=[fault])


def one_after_another(data: bytes) -> list[bytes]:
    """The values of a text such as jq prints of NDJSON, the last one perhaps broken; none of any other text."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return []
    parts, start = [], 0
    while start < len(text):
        try:
            end = JSON.raw_decode(text, start)[1]
        except (ValueError, RecursionError):
            end = len(text)
        parts.append(text[start:end].encode())
        start = BLANKS.match(text, end).end()  # type: ignore[union-attr]
    is_series = len(parts) > 1 and all(part[:1] == b"{" for part in parts)
    return parts if is_series else []


def not_json(data: bytes) -> Found:
    try:
        parse(data)
        words = "not read as JSON"
    except NotJson as error:
        words = str(error)
    return Found(None, data, faults=[Fault("FHIR_NOT_JSON", "", words, "one JSON object")])


def array(data: bytes) -> list[Found]:
    """The items of an array; none when they are not all objects."""
    items = [bytes(raw) for raw in msgspec.json.decode(data, type=list[Raw])]
    if any(one[:1] != b"{" for one in items):
        return []
    heads = [msgspec.json.decode(one, type=Head) for one in items]
    return [
        Found(place, one, head.resourceType, head.id)
        for place, (one, head) in enumerate(zip(items, heads, strict=True))
    ]


def bundle(data: bytes) -> Iterator[Found]:
    try:
        sound = msgspec.json.decode(data, type=SoundBundle)
        entries = [(one.fullUrl, bytes(one.resource)) for one in sound.entry]
        asks = all((one.request is not UNSET) == (sound.type in REQUESTS) for one in sound.entry)
        is_search = sound.type == "searchset" or all(one.search is UNSET for one in sound.entry)
        urls = [url for url, _ in entries if url is not UNSET]
        is_distinct = len(urls) == len(set(urls)) or sound.type == "history"
        warnings = [] if asks and is_search and is_distinct else frame_faults(data)
        yield from entries_of(entries, sound.type == "history", warnings)
    except msgspec.MsgspecError:
        yield from other_bundle(data)


def other_bundle(data: bytes) -> Iterator[Found]:
    try:
        loose = msgspec.json.decode(data, type=AnyBundle)
    except msgspec.MsgspecError:
        found = json_type(parse(data).get("entry"))
        yield Found(None, data, faults=[Fault("FHIR_WRONG_TYPE", "Bundle.entry", found, "array")])
        return
    entries: list[tuple[Any, bytes | Fault]] = []
    for place, raw in enumerate(loose.entry):
        try:
            entry = msgspec.json.decode(raw, type=dict[str, Raw])
            url = msgspec.json.decode(entry["fullUrl"]) if "fullUrl" in entry else UNSET
            fault = Fault("FHIR_ENTRY_EMPTY", f"Bundle.entry[{place}]", "no resource", "a resource")
            entries.append((url, bytes(entry["resource"]) if "resource" in entry else fault))
        except msgspec.MsgspecError:
            found = json_type(msgspec.json.decode(raw))
            entries.append((UNSET, Fault("FHIR_ENTRY_EMPTY", f"Bundle.entry[{place}]", found, "a resource")))
    yield from entries_of(entries, loose.type == "history", frame_faults(data), list(map(bytes, loose.entry)))


def entries_of(
    entries: list[tuple[Any, Any]], is_history: bool, warnings: list[Fault], raws: list[bytes] | None = None
) -> Iterator[Found]:
    """The entries' resources, once the names of all of them are known; warnings go with the first."""
    names = Names(is_history)
    found = []
    for place, (url, data) in enumerate(entries):
        found.append(entry(place, None if url is UNSET else url, data, raws[place] if raws else b""))
        one = found[-1]
        if not one.faults and isinstance(one.type, str):
            names.learn(one.full_url, one.type, one.id, one.data)
    for one in found:
        one.names = names
        one.warnings, warnings = warnings, []
        yield one


def entry(place: int, full_url: Any, data: Any, raw: bytes) -> Found:
    if isinstance(data, Fault):
        return Found(place, raw, faults=[data])
    path = f"Bundle.entry[{place}]"
    if data[:1] != b"{":
        found = json_type(msgspec.json.decode(data))
        return Found(place, raw or data, faults=[Fault("FHIR_ENTRY_EMPTY", path, found, "a resource")])
    head = msgspec.json.decode(data, type=Head)
    if head.resourceType == "Bundle":
        return Found(place, data, faults=[Fault("FHIR_NESTED_BUNDLE", path, "a Bundle", "a resource of another type")])
    return Found(place, data, head.resourceType, head.id, full_url)


def frame_faults(data: bytes) -> list[Fault]:
    """What the Bundle breaks apart from its resources, as warnings."""
    frame = parse(data)
    for one in frame["entry"] if isinstance(frame.get("entry"), list) else []:
        if isinstance(one, dict) and isinstance(one.get("resource"), dict):
            one["resource"] = {"resourceType": "Parameters", "meta": {"versionId": version_of(one["resource"])}}
    faults = faults_of(frame)
    return [
        Fault("FHIR_BUNDLE", one.path, one.found, one.expected) for one in faults if one.found not in TOLD_ELSEWHERE
    ]


def version_of(resource: dict[str, Any]) -> str:
    meta = resource.get("meta")
    found = meta.get("versionId") if isinstance(meta, dict) else None
    return found if isinstance(found, str) and found.isalnum() else "0"

"""Pieces of a file to what will be staged of them, or to the reasons why not. Pure.

Each resource meets the fast check first and, where that does not take it, the exact rules.

Example: [one.faults for one in Checker().piece(Piece(1, b'{"resourceType":"Patient","id":"a"}')).checked]
"""

import gc
import hashlib
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

from fhir_r4.fast import VOLATILE, Fast, Sound
from fhir_r4.parsing import NotJson, Repeated, parse
from fhir_r4.primitives import ID, json_type
from fhir_r4.rules import Fault, faults_of
from fhir_r4.whole import mistargeted
from trilake.clinical.documents import Found, Names, id_in, id_of, is_open, references, resources_in, with_id
from trilake.clinical.reading import Piece
from trilake.core.ledger import shape

RESOURCE_BYTES = 5 << 20
"""The largest resource that HealthLake takes (docs.aws.amazon.com/healthlake: quotas)."""
WHOLE_SECOND = len("2020-01-01T00:00:00Z")
"""A sound instant of this length is in UTC, to the second."""
BUNDLE = re.compile(rb'"resourceType"\s*:\s*"Bundle"')


class Checked(Struct, array_like=True, gc=False):
    """A record after its checks. `data` is one line of NDJSON, or what was found when there are `faults`.

    `line` counts from 1 and is 0 in a document; `entry` is the 0-based place in a Bundle, -1 for none. `sha` tells two
    contents of one resource apart, whatever their order of names, lastUpdated and versionId; `updated` is
    meta.lastUpdated in UTC and `version` a versionId that is a number. `is_pending` is set where references are still
    to be found among the other files; `given_id` is the id that FHIR does not allow, where one was replaced.
    """

    line: int
    entry: int
    type: str = ""
    id: str = ""
    sha: bytes = b""
    updated: str | None = None
    version: int | None = None
    data: bytes = b""
    faults: list[Fault] = []
    warnings: list[Fault] = []
    is_pending: bool = False
    given_id: str = ""

    @property
    def label(self) -> str:
        """The record's part of an item id: its line, entry, both, or the whole file."""
        parts = [str(self.line) if self.line else "", f"e{self.entry}" if self.entry >= 0 else ""]
        return "-".join(part for part in parts if part) or "file"


class Batch(Struct, array_like=True, gc=False):
    """What became of one piece; `targets` are the references of its sound records, each once."""

    checked: list[Checked]
    targets: list[bytes]


class Checker:
    """The checks of one process."""

    def __init__(self, usual: int | None = None) -> None:
        self.fast = Fast() if usual is None else Fast(usual)
        self.targets: set[bytes] = set()

    def piece(self, piece: Piece) -> Batch:
        """What became of a piece. The collector rests meanwhile: a check makes many objects and no cycles."""
        is_collecting = gc.isenabled()
        gc.disable()
        try:
            return self.batch(piece)
        finally:
            if is_collecting:
                gc.enable()

    def batch(self, piece: Piece) -> Batch:
        self.targets = set()
        if piece.faults:
            checked = [Checked(piece.first_line, -1, faults=piece.faults)]
        elif piece.is_document:
            checked = [self.found(one, 0) for one in resources_in(piece.data)]
        else:
            checked = self.lines(piece)
        return Batch(checked, sorted(self.targets))

    def lines(self, piece: Piece) -> list[Checked]:
        checked: list[Checked] = []
        for number, line in enumerate(piece.data.split(b"\n"), piece.first_line):
            data = line.strip()
            if not data:
                continue
            sound = self.fast.check(data)
            if sound is None and (BUNDLE.search(data[:4096]) or data[:1] == b"["):
                checked += [self.found(one, number) for one in resources_in(data)]
            else:
                checked.append(self.resource(data, number, -1, sound=sound))
        return checked

    def found(self, found: Found, line: int) -> Checked:
        """An entry, an item of an array, or the one resource of a document."""
        entry = -1 if found.entry is None else found.entry
        if found.faults:
            return Checked(line, entry, data=found.data, faults=found.faults, warnings=found.warnings)
        names, data, warnings = found.names, found.data, found.warnings
        if names is not None and isinstance(found.type, str):
            data, mapped = named(found, names)
            warnings = [*warnings, *mapped]
        checked = self.resource(data, line, entry, sound=self.fast.check(data))
        if names is not None and not names.is_history and not checked.faults:
            checked.faults = twice_in_bundle(checked, names)
        checked.warnings = [*warnings, *checked.warnings]
        if isinstance(found.id, str) and found.id != checked.id and names is not None and not checked.faults:
            checked.given_id = found.id
        return checked

    def resource(self, data: bytes, line: int, entry: int, *, sound: Sound | None) -> Checked:
        """One resource, as the fast check sees it or, where that has no answer, as the exact rules do."""
        if len(data) > RESOURCE_BYTES:
            fault = Fault("FHIR_TOO_LARGE", "", f"{len(data):,} bytes", f"at most {RESOURCE_BYTES:,} bytes")
            return Checked(line, entry, data=data, faults=[fault])
        if sound is None:
            checked = exact(data, line, entry)
            data = checked.data
            if checked.faults:
                return checked
        else:
            sha = hashlib.sha256(sound.canonical).digest()[:16]
            updated = utc(sound.updated) if sound.updated else None
            checked = Checked(line, entry, sound.type, sound.id, sha, updated, number(sound.version), data)
        found = references(data)
        if found:
            self.targets.update(found)
            told = b" ".join(found)
            checked.is_pending = (b"urn:" in told or b"?" in told) and any(map(is_open, found))
        return checked


def named(found: Found, names: Names) -> tuple[bytes, list[Fault]]:
    """The entry's text under its id and with its references named; warnings about an id that was made."""
    path, data = f"Bundle.entry[{found.entry}]", names.rewrite(found.data)
    if found.id is None:
        given = names.learn(found.full_url, found.type, None, found.data)
        made = id_in(found.full_url) is None
        fault = Fault(
            "FHIR_ID_MAPPED", f"{path}.fullUrl", f"no id: loaded as {given}", "an id, or a fullUrl that ends in one"
        )
        return with_id(data, given), [fault] if made else []
    if isinstance(found.id, str) and not ID.fullmatch(found.id):
        given = names.learn(found.full_url, found.type, found.id, found.data)
        fault = Fault("FHIR_ID_MAPPED", f"{path}.resource.id", f"{shape(found.id)}: loaded as {given}", ID.pattern)
        return replaced_id(data, given), [fault]
    return data, []


def replaced_id(data: bytes, given: str) -> bytes:
    """The text with another id; as it is when it is not to be read, which the exact rules will say."""
    try:
        resource = parse(data)
    except NotJson:
        return data
    return data if isinstance(resource, Repeated) else msgspec.json.encode({**resource, "id": given})


def exact(data: bytes, line: int, entry: int) -> Checked:
    """A record as the exact rules see it. One without an id gets that of its content, since HealthLake asks for one."""
    try:
        resource = parse(data)
    except NotJson as error:
        return Checked(line, entry, data=data, faults=[Fault("FHIR_NOT_JSON", "", str(error), "one JSON object")])
    if not isinstance(resource, dict):
        return Checked(
            line, entry, data=data, faults=[Fault("FHIR_NOT_OBJECT", "", json_type(resource), "a JSON object")]
        )
    warnings = []
    if "id" not in resource and "_id" not in resource and isinstance(resource.get("resourceType"), str):
        given = id_of(resource["resourceType"], None, None, data)
        data, resource = with_id(data, given), {"id": given, **resource}
        warnings = [Fault("FHIR_ID_MAPPED", f"{resource['resourceType']}.id", f"nothing: loaded as {given}", "an id")]
    faults = faults_of(resource)
    if faults:
        return Checked(line, entry, data=data, faults=[placed(fault, entry, resource) for fault in faults])
    warnings += [
        placed(Fault("FHIR_REFERENCE_TARGET", *told), entry, resource)
        for told in mistargeted(resource, resource["resourceType"], resource["resourceType"])
    ]
    meta = resource.get("meta", {})
    return Checked(
        line, entry, resource["resourceType"], resource["id"], content_hash(resource),
        utc(meta.get("lastUpdated")), number(meta.get("versionId")), data, warnings=warnings,
    )  # fmt: skip


def placed(fault: Fault, entry: int, resource: dict[str, Any]) -> Fault:
    """The fault with its path counted from the Bundle, for a Bundle's entry."""
    if entry < 0:
        return fault
    below = fault.path.removeprefix(str(resource.get("resourceType"))).removeprefix(".")
    return replace(fault, path=f"Bundle.entry[{entry}].resource.{below}")


def content_hash(resource: dict[str, Any]) -> bytes:
    """16 bytes that stand for what the resource says: the same as of the fast check's canonical text."""
    meta = {key: value for key, value in resource.get("meta", {}).items() if key not in VOLATILE}
    bare = {key: value for key, value in resource.items() if key != "meta"} | ({"meta": meta} if meta else {})
    return hashlib.sha256(msgspec.json.encode(bare, order="sorted")).digest()[:16]


def utc(instant: str | None) -> str | None:
    """A FHIR instant in UTC, to compare as text; None for none and for a leap second."""
    if instant and len(instant) == WHOLE_SECOND and instant[17:19] != "60":
        return f"{instant[:-1]}.000000+00:00"
    try:
        return datetime.fromisoformat(instant).astimezone(UTC).isoformat(timespec="microseconds") if instant else None
    except (ValueError, OverflowError):
        return None


def number(version: str | None) -> int | None:
    return int(version) if version and version.isdecimal() and len(version) < 19 else None


def twice_in_bundle(checked: Checked, names: Names) -> list[Fault]:
    """A Bundle (but for a history) may hold one version of a resource; a second, different one is refused."""
    first = names.seen.setdefault((checked.type, checked.id), checked.sha)
    if first == checked.sha:
        return []
    path = f"Bundle.entry[{checked.entry}]"
    return [Fault("FHIR_TWICE_IN_BUNDLE", path, "another content under the same id", "one version of each resource")]

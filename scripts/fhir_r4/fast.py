"""The fast check of a FHIR resource: a line of JSON in, its key and canonical text out, or None for the exact rules.

What it takes is certainly valid; what it does not take may be valid all the same. One decoding into the structs
of `structs`, one encoding back, whose names stand in order, so that it tells two contents apart. The second is as
long as the line, or has as many quotation marks, only where no name stood twice in an object.

Example: Fast().check(b'{"resourceType":"Patient","id":"a"}').id  ->  "a"
"""

import re
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET

from fhir_r4.checks import local_references
from fhir_r4.definitions import resource_types
from fhir_r4.structs import PARENTS, Structs

RESOURCE_TYPE = re.compile(rb'"resourceType"\s*:\s*"([A-Za-z]{1,40})"')
TYPED_REFERENCE = re.compile(rb'"type"\s*:\s*"[A-Z]')
"""What a reference that tells the type of its target has; few other types begin with a capital."""
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
USUAL = 20
"""Resources of a type before its structs are made, which takes some milliseconds."""
VOLATILE = ("lastUpdated", "versionId")
STAMP, VERSION, META = (len(text) for text in ('"lastUpdated":"",', '"versionId":"",', '"meta":{}'))
"""Bytes that go with what is left out; with the last of meta its comma stays and that of meta goes."""


class Sound(NamedTuple):
    """A valid resource. `canonical` is its content without lastUpdated and versionId, its names in order."""

    type: str
    id: str
    updated: str | None
    version: str | None
    canonical: bytes
    resource: Any


class Fast:
    """The decoders of one process, made as types turn up."""

    def __init__(self, usual: int = USUAL) -> None:
        self.usual = usual
        self.seen: dict[bytes, int] = {}
        self.decoders: dict[tuple[bytes, bool], Any] = {}
        self.rich: set[bytes] = set()
        self.structs = {False: Structs(), True: Structs(with_contained=True)}
        self.encoder = msgspec.json.Encoder()

    def decoder(self, kind: bytes, *, is_rich: bool) -> Any:
        """The decoder of a type; None for a type that R4 does not have, or that is met too seldom.

        `is_rich`: for resources with contained ones, or with references that tell a type.
        """
        key = (kind, is_rich)
        if key not in self.decoders:
            self.seen[kind] = self.seen.get(kind, 0) + 1
            if self.seen[kind] <= self.usual:
                return None
            name = kind.decode()
            known = name in resource_types() and name not in PARENTS
            made = msgspec.json.Decoder(self.structs[is_rich].resource(name)) if known else None
            self.decoders[key] = made
        return self.decoders[key]

    def check(self, line: bytes) -> Sound | None:
        """The resource, where it is certainly valid and has an id."""
        found = RESOURCE_TYPE.search(line)
        if found is None or (b"\\" in line and b"\\u0022" in line):
            return None
        kind = found[1]
        one = None if kind in self.rich else self.decoded(kind, line, is_rich=False)
        if one is None:
            one = self.rich_or_rare(kind, line)
        return None if one is None or one.id is UNSET else self.sound(one, line)

    def decoded(self, kind: bytes, line: bytes, *, is_rich: bool) -> Any:
        """The struct of a line; None where it does not fit or there is none."""
        decoder = self.decoder(kind, is_rich=is_rich)
        try:
            return decoder and decoder.decode(line)
        except UNREADABLE:
            return None

    def rich_or_rare(self, kind: bytes, line: bytes) -> Any:
        """The struct of a line that the plain decoder did not take, or of a type that was rich before."""
        is_rich = b'"contained"' in line or TYPED_REFERENCE.search(line) is not None
        if not is_rich:
            return self.decoded(kind, line, is_rich=False) if kind in self.rich else None
        self.rich.add(kind)
        local_references.clear()
        one = self.decoded(kind, line, is_rich=True)
        return one if one is not None and self.settle_contained(one) else None

    def sound(self, one: Any, line: bytes) -> Sound | None:
        """The resource without what is volatile; None where a name may have stood twice or an object is empty."""
        updated = version = None
        n_marks = n_bytes = 0
        meta = one.meta
        if meta is not UNSET:
            if meta.lastUpdated is not UNSET:
                updated, meta.lastUpdated = meta.lastUpdated, UNSET
                n_marks, n_bytes = 4, STAMP + len(updated)
            if meta.versionId is not UNSET:
                version, meta.versionId = meta.versionId, UNSET
                n_marks, n_bytes = n_marks + 4, n_bytes + VERSION + len(version)
            if n_marks and meta == type(meta)():
                one.meta = UNSET
                n_marks, n_bytes = n_marks + 2, n_bytes + META
        canonical = self.encoder.encode(one)
        is_whole = len(canonical) + n_bytes == len(line) or canonical.count(b'"') + n_marks == line.count(b'"')
        if not is_whole or b"{}" in canonical:
            return None
        return Sound(one.resourceType, one.id, updated, version, canonical, one)

    def settle_contained(self, one: Any) -> bool:
        """Contained resources that are valid, all referred to and by the right elements, and no other `#` reference."""
        inner, held = [], {}
        for raw in one.contained if one.contained is not UNSET else ():
            found = RESOURCE_TYPE.search(raw)
            decoder = found and self.decoder(found[1], is_rich=True)
            if not decoder:
                return False
            n_before = len(local_references)
            try:
                part = decoder.decode(raw)
            except UNREADABLE:
                return False
            if any(name == part.id for name, _ in local_references[n_before:]):
                return False
            meta = part.meta
            is_bare = meta is UNSET or not any(meta.get(name) for name in (*VOLATILE, "security"))
            if part.id is UNSET or part.contained is not UNSET or part.id in held or not is_bare:
                return False
            held[part.id] = part.resourceType
            inner.append(part)
        one.contained = inner or UNSET
        if {name for name, _ in local_references} != set(held):
            return False
        return all(targets is None or held[name] in targets for name, targets in local_references)

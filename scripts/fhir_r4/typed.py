"""What HL7's validator asks of data types beyond their invariants: codings, identifiers, attachments, references.

Data and pure functions: type -> checks; a check takes an object of a sound structure and gives
(reason code, path below, found, expected).

Example: list(TYPED["Attachment"][0]({"data": "AAAA", "size": 9}))
"""

import base64
import hashlib
from collections.abc import Callable, Iterator
from typing import Any

from fhir_r4.definitions import codes_of, is_code_of, read, resource_types
from fhir_r4.primitives import SCHEME, decoded, masked
from fhir_r4.ucum import is_unit

Found = Iterator[tuple[str, str, str, str]]
Check = Callable[[Any], Found]
UCUM = "http://unitsofmeasure.org"
IETF = "urn:ietf:rfc:3986"
BLANKS = frozenset(" \t\r\n")


def coding(one: Any) -> Found:
    """A code of a system that R4 lists in full is one of its codes; a UCUM code is a unit."""
    system, code = one.get("system"), one.get("code")
    if not isinstance(system, str) or not isinstance(code, str):
        return
    if not is_code_of(system, code) or (system == UCUM and not is_unit(code)):
        yield "FHIR_CODE_UNKNOWN", ".code", masked(code), f"a code of {system}"


def concept(one: Any) -> Found:
    """A coding of a system that R4 lists in full has a code."""
    for place, each in enumerate(one.get("coding") or ()):
        system = each.get("system")
        if each.get("code") is None and each.get("_code") is None and system is not None and codes_of(system):
            yield "FHIR_CODE_UNKNOWN", f".coding[{place}].code", "nothing", f"a code of {system}"


def identifier(one: Any) -> Found:
    system, value = one.get("system"), one.get("value")
    if system is not None and not SCHEME.match(system):
        yield "FHIR_FORM", ".system", masked(system), "an absolute URI"
    elif system == IETF and value is not None and not SCHEME.match(value):
        yield "FHIR_FORM", ".value", masked(value), "a full URI, since the system is " + IETF


def attachment(one: Any) -> Found:
    """Data whose size or SHA-1 is stated have that size and hash."""
    data = one.get("data")
    if data is None:
        return
    content = decoded(data)
    if content is None:
        yield "FHIR_ATTACHMENT", ".data", "no base64", "base64 without white space"
        return
    size, digest = one.get("size"), one.get("hash")
    if size is not None and size != len(content):
        yield "FHIR_ATTACHMENT", ".size", f"{len(content):,} bytes", "the size that is stated"
    if (
        digest is not None
        and digest != base64.b64encode(hashlib.sha1(content, usedforsecurity=False).digest()).decode()
    ):
        yield "FHIR_ATTACHMENT", ".hash", "another SHA-1", "the hash that is stated"


def extension(one: Any) -> Found:
    """A simple extension that HL7 defines with R4 has a value of a type that its definition allows."""
    kinds = read()["extensions"].get(one.get("url"))
    if not kinds:
        return
    names = {f"value{kind[0].upper()}{kind[1:]}" for kind in kinds}
    given = [name for name in VALUES if one.get(name) is not None]
    if given and given[0] not in names:
        yield "FHIR_EXTENSION", "", given[0], "one of " + ", ".join(sorted(names))


def bundle_entry(one: Any) -> Found:
    """Where an entry says what its resource is called, that is an absolute URL or a URN."""
    url = one.get("fullUrl")
    if url is not None and not SCHEME.match(url):
        yield "FHIR_FORM", ".fullUrl", masked(url), "an absolute URL, or urn:uuid: or urn:oid:"


def include(one: Any) -> Found:
    """What a value set includes comes of a code system named by an absolute URI."""
    system = one.get("system")
    if system is not None and not SCHEME.match(system):
        yield "FHIR_FORM", ".system", masked(system), "an absolute URI"


def reference(one: Any) -> Found:
    text, kind = one.get("reference"), one.get("type")
    if text is not None and not BLANKS.isdisjoint(text):
        yield "FHIR_REFERENCE", ".reference", "white space", "Type/id, a URL, urn:uuid: or #id"
    if kind is not None and kind not in resource_types():
        yield "FHIR_CODE", ".type", masked(kind), "the name of a FHIR R4 resource type"


VALUES = tuple(f"value{kind[0].upper()}{kind[1:]}" for kind in read()["types"]["Extension"]["value[x]"][0])
TYPED: dict[str, tuple[Check, ...]] = {
    "CodeableConcept": (concept,),
    "Coding": (coding,),
    "Quantity": (coding,),
    "Age": (coding,),
    "Count": (coding,),
    "Distance": (coding,),
    "Duration": (coding,),
    "Identifier": (identifier,),
    "Attachment": (attachment,),
    "Extension": (extension,),
    "Reference": (reference,),
    "Bundle.entry": (bundle_entry,),
    "ValueSet.compose.include": (include,),
}
"""Data type -> its checks."""

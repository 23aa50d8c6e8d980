"""The forms of FHIR R4's primitive types: a value in, what is wrong with it out.

Source: hl7.org/fhir/R4/datatypes.html, and HL7's validator where the page leaves room (a code has single blanks inside,
a canonical is absolute, an OID has more than five characters). `FAST` are patterns of text that is certainly right.

Example: problem("date", "2023-02-30")  ->  ("FHIR_DATE", "YYYY, YYYY-MM or YYYY-MM-DD")
"""

import binascii
import calendar
import re
from typing import Any

import msgspec

ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
YEAR = r"(?!0000)[0-9]{4}"
MONTH = rf"{YEAR}-(?:0[1-9]|1[0-2])"
DAY = rf"{MONTH}-(?:0[1-9]|[12][0-9]|3[01])"
CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
ZONE = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
ARC = r"\.(?:0|[1-9][0-9]*)"
OID = re.compile(rf"[0-2](?:{ARC})+")
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SCHEME = re.compile(r"[a-z][a-z0-9+.\-]*:")
CODE = re.compile(r"\S+(?: \S+)*")
BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
DATES = {
    "date": (re.compile(rf"{YEAR}|{MONTH}|{DAY}"), "YYYY, YYYY-MM or YYYY-MM-DD"),
    "dateTime": (
        re.compile(rf"{YEAR}|{MONTH}|{DAY}(?:T{CLOCK}{ZONE})?"),
        "YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with time zone",
    ),
    "instant": (re.compile(rf"{DAY}T{CLOCK}{ZONE}"), "YYYY-MM-DDThh:mm:ss with time zone"),
    "time": (re.compile(CLOCK), "hh:mm:ss"),
}
LONGEST = 1 << 20
"""Characters of a string (hl7.org/fhir/R4/datatypes.html#string)."""
LEAST = {"integer": -(2**31), "unsignedInt": 0, "positiveInt": 1}
# A day that every year has. Whether 29 February is one takes the calendar, which a pattern cannot ask: it is left to
# the exact rule, `is_real_day`.
DAY_OF_ANY_YEAR = (
    rf"{YEAR}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
)
# Three arcs are longer than the validator's least length of an OID (see `uri`), whatever their numbers.
URN_OID, URN_UUID = rf"urn:oid:[0-2](?:{ARC}){{3,}}", rf"urn:uuid:{UUID.pattern}"
# Any scheme makes an absolute URI; these are the ones that occur, the others go to the exact rule.
WEB = r"https?://\S+"
FAST = {
    kind: rf"^(?:{form})\Z"
    for kind, form in {
        "date": f"{DAY_OF_ANY_YEAR}|{MONTH}|{YEAR}",
        "dateTime": f"{DAY_OF_ANY_YEAR}(?:T{CLOCK}{ZONE})?|{MONTH}|{YEAR}",
        "instant": f"{DAY_OF_ANY_YEAR}T{CLOCK}{ZONE}",
        "time": CLOCK,
        "code": CODE.pattern,
        "id": ID.pattern,
        "uri": rf"{WEB}|{URN_OID}|{URN_UUID}|urn:(?:ietf|dicom|iso):\S+",
        "url": WEB,
        "canonical": WEB,
        "oid": URN_OID,
        "uuid": URN_UUID,
        # `BASE64` and its length in one pattern; without the blanks that R4 allows.
        "base64Binary": r"(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?",
    }.items()
}
"""Type -> pattern of text that is certainly right, for the decoder of the fast check: the exact forms above, narrowed
where a pattern cannot decide. What `problem` refuses, none of them takes (tests/fhir_r4/test_primitives.py)."""


def json_type(value: Any) -> str:
    """The JSON name of a value's type."""
    names = {bool: "boolean", str: "string", int: "number", float: "number", msgspec.Raw: "number"}
    if isinstance(value, dict):
        return "object"
    return "array" if isinstance(value, list) else names.get(type(value), "null")


def masked(text: str) -> str:
    """A text without its content, for a message that may carry no patient's value: letters as x, digits as 9."""
    return re.sub(r"[^\W\d_]", "x", re.sub(r"\d", "9", text[:40])) + ("..." if len(text) > 40 else "")


def problem(kind: str, item: Any) -> tuple[str, str] | None:
    """The reason code and what was expected, when a value is not of its primitive type; None when it is."""
    if kind == "boolean":
        return None if isinstance(item, bool) else ("FHIR_WRONG_TYPE", kind)
    if kind in LEAST:
        return whole_number(kind, item)
    if kind == "decimal":
        is_number = isinstance(item, int | float | msgspec.Raw) and not isinstance(item, bool)
        return None if is_number else ("FHIR_WRONG_TYPE", kind)
    if not isinstance(item, str):
        return "FHIR_WRONG_TYPE", kind
    if kind in DATES:
        form, words = DATES[kind]
        return None if form.fullmatch(item) and is_real_day(item) else ("FHIR_DATE", words)
    return text(kind, item)


def whole_number(kind: str, item: Any) -> tuple[str, str] | None:
    if isinstance(item, bool) or not isinstance(item, int | float | msgspec.Raw):
        return "FHIR_WRONG_TYPE", kind
    number = item if isinstance(item, int) else None
    if number is None:
        return "FHIR_WRONG_TYPE", kind
    if not LEAST[kind] <= number < 2**31:
        return "FHIR_NUMBER_RANGE", f"{kind}: {LEAST[kind]} to {2**31 - 1}"
    return None


def text(kind: str, item: str) -> tuple[str, str] | None:
    """What is wrong with the text of an id, a code, a URI or base64; other texts are free."""
    if kind == "code":
        return None if CODE.fullmatch(item) else ("FHIR_FORM", "a code: no blank at its ends, single ones inside")
    if kind == "id":
        return None if ID.fullmatch(item) else ("FHIR_ID_FORM", "1 to 64 letters, digits, '-' and '.'")
    if kind == "base64Binary":
        return None if is_base64(item) else ("FHIR_FORM", "base64")
    if kind in ("uri", "url", "canonical", "oid", "uuid"):
        return uri(kind, item)
    if kind == "string" and len(item) > LONGEST:
        return "FHIR_FORM", f"a string of at most {LONGEST:,} characters"
    return None


def uri(kind: str, item: str) -> tuple[str, str] | None:
    if item and item.split() != [item]:
        return "FHIR_FORM", f"{kind}: no white space"
    if item.startswith("urn:oid:") or kind == "oid":
        oid = item.removeprefix("urn:oid:")
        is_oid = item.startswith("urn:oid:") and OID.fullmatch(oid) is not None and len(oid) > 5
        return None if is_oid else ("FHIR_FORM", "urn:oid: and numbers with points between")
    if item.startswith("urn:uuid:") or kind == "uuid":
        is_uuid = item.startswith("urn:uuid:") and UUID.fullmatch(item[9:]) is not None
        return None if is_uuid else ("FHIR_FORM", "urn:uuid: and a UUID in lower case")
    if kind == "canonical" and not item.startswith("#") and not SCHEME.match(item):
        return "FHIR_FORM", "an absolute canonical URL"
    return None


def is_base64(item: str) -> bool:
    packed = "".join(item.split())
    return len(packed) % 4 == 0 and BASE64.fullmatch(packed) is not None


def decoded(item: str) -> bytes | None:
    """The bytes of a base64 text, None when it has none."""
    try:
        return binascii.a2b_base64(item, strict_mode=True)
    except binascii.Error:
        return None


def is_real_day(item: str) -> bool:
    """False for 2023-02-30; True for what names no day."""
    if len(item) < 10 or item[4] != "-" or int(item[8:10]) <= 28:
        return True
    return int(item[8:10]) <= calendar.monthrange(int(item[:4]), int(item[5:7]))[1]

"""The forms of FHIR R4 primitive values in JSON (hl7.org/fhir/R4/datatypes.html).

Reads and writes nothing. Behind `make ingest`. Example: `CHECKS["date"]("1980-13-01")` says what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

Check = Callable[[Any], "str | None"]

_DAY = r"\d{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)?"
_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d{1,9})?"
_ZONE = r"(?:Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))"
_FORMS = {
    "date": (_DAY, "YYYY, YYYY-MM or YYYY-MM-DD"),
    "dateTime": (rf"{_DAY}|\d{{4}}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T{_CLOCK}{_ZONE}",
                 "YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss+zz:zz"),
    "instant": (rf"\d{{4}}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T{_CLOCK}{_ZONE}", "YYYY-MM-DDThh:mm:ss.sss+zz:zz"),
    "time": (_CLOCK, "hh:mm:ss"),
    "code": (r"[^\s]+(?:\s[^\s]+)*", "a code without leading, trailing or double white space"),
    "id": (r"[A-Za-z0-9\-.]{1,64}", "1 to 64 letters, digits, '-' and '.'"),
    "oid": (r"urn:oid:[0-2](?:\.(?:0|[1-9]\d*))+", "urn:oid:..."),
    "uuid": (r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "urn:uuid:..."),
    "uri": (r"\S+", "a URI without white space"),
    "base64Binary": (r"(?:\s*[0-9a-zA-Z+/=]){4,}\s*", "base64"),
}  # fmt: skip
_CALENDAR = ("date", "dateTime", "instant")
_LIMIT = 1024 * 1024


def _text(value: Any) -> str | None:
    if type(value) is not str:
        return f"must be a string, found {kind(value)}"
    if not value or value.isspace():
        return "must not be empty"
    return "is longer than 1 MB" if len(value) > _LIMIT else None


def _formed(name: str) -> Check:
    pattern, wanted = _FORMS[name]
    fits = re.compile(pattern).fullmatch
    has_calendar = name in _CALENDAR

    def check(value: Any) -> str | None:
        if type(value) is not str:
            return f"must be a string, found {kind(value)}"
        if fits(value) is None:
            return f"is not a valid {name}: expected {wanted}"
        if has_calendar and len(value) >= 10 and not _on_calendar(value[:10]):
            return f"is not a valid {name}: no such day"
        return None

    return check


def _on_calendar(day: str) -> bool:
    try:
        date.fromisoformat(day)
    except ValueError:
        return False
    return True


def _boolean(value: Any) -> str | None:
    return None if value is True or value is False else f"must be true or false, found {kind(value)}"


def _whole(lowest: int) -> Check:
    def check(value: Any) -> str | None:
        if type(value) is not int:
            return f"must be a whole number, found {kind(value)}"
        return None if lowest <= value < 2**31 else f"must be between {lowest} and {2**31 - 1}"

    return check


def _decimal(value: Any) -> str | None:
    return None if type(value) is float or type(value) is int else f"must be a number, found {kind(value)}"


def kind(value: Any) -> str:
    """What JSON calls a value."""
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


CHECKS: dict[str, Check] = {
    **{name: _formed(name) for name in _FORMS},
    "string": _text,
    "markdown": _text,
    "url": _formed("uri"),
    "canonical": _formed("uri"),
    "boolean": _boolean,
    "integer": _whole(-(2**31)),
    "unsignedInt": _whole(0),
    "positiveInt": _whole(1),
    "decimal": _decimal,
}
IDENTIFIER = re.compile(_FORMS["id"][0])

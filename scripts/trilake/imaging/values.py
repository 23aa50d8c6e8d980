"""DICOM values as they stand in metadata JSON, as typed values: a number that is none is missing, never zero.

Keys and value representations: DICOM PS3.5 6.2 and PS3.6.

Example: numbers("1\\\\2") == [1.0, 2.0]
"""

import re
from datetime import date, datetime, time
from math import isfinite
from typing import Any

Json = dict[str, Any]
AGE = re.compile(r"(\d{3})([DWMY])")
DAYS_OF = {"D": 1.0, "W": 7.0, "M": 30.4375, "Y": 365.25}


def text(value: Any) -> str | None:
    """One text of a DICOM value; several values joined by a backslash, as DICOM writes them."""
    joined = "\\".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
    return joined.strip() or None


def number(value: Any) -> float | None:
    """A number that is one; infinity is none."""
    try:
        result = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return result if isfinite(result) else None


def integer(value: Any) -> int | None:
    """A whole number of 32 bits."""
    result = number(value)
    return int(result) if result is not None and abs(result) < 2**31 else None


def numbers(value: Any) -> list[float]:
    """Several numbers, as a list or as DICOM text; empty when one of them is none."""
    parts = value if isinstance(value, list) else str(value or "").split("\\")
    results = [number(part) for part in parts]
    return [result for result in results if result is not None] if None not in results else []


def day(value: Any) -> date | None:
    """A DICOM date (YYYYMMDD, or with dashes or dots); None when it is no day."""
    digits = str(value or "").replace("-", "").replace(".", "")[:8]
    if len(digits) < 8:
        return None
    try:
        return datetime.strptime(digits, "%Y%m%d").date()
    except ValueError:
        return None


def clock(value: Any) -> str | None:
    """A DICOM time (HH, HHMM, HHMMSS, with a fraction or colons) as HH:MM:SS; None when it is none."""
    digits = str(value or "").replace(":", "").split(".")[0].strip()
    if len(digits) not in (2, 4, 6) or not digits.isdigit():
        return None
    hour, minute, second = (int(digits[place : place + 2] or 0) for place in (0, 2, 4))
    try:  # DICOM has leap seconds, 60 (PS3.5, 6.2); Python and SQL have none.
        return time(hour, minute, min(second, 59)).isoformat()
    except ValueError:
        return None


def years(value: Any) -> float | None:
    """A DICOM age ("045Y", "018M", "003D") in years."""
    match = AGE.fullmatch(str(value or "").strip())
    return int(match[1]) * DAYS_OF[match[2]] / DAYS_OF["Y"] if match else None

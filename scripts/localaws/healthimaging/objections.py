"""What UpdateImageSetMetadata changes, what by `force` alone, and what never.

Reads and writes nothing. Behind `make local-aws`. Example: `objection("StudyID", "S9", "Study", change)`.

The rules are those of HealthImaging's developer guide: "DICOM metadata constraints" and "Updating image set metadata".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pydicom import config
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.valuerep import validate_value

from localaws.healthimaging.levels import level_of

UIDS = {"StudyInstanceUID": "Study", "SeriesInstanceUID": "Series", "SOPInstanceUID": "Instance"}
_GENERATED = {
    "SchemaVersion", "DatastoreID", "ImageSetID", "PixelData", "Checksum", "Width", "Height", "MinPixelValue",
    "MaxPixelValue", "FrameSizeInBytes",
}  # fmt: skip
_BY_FORCE = {"StudyID", *UIDS}
_PRIVATE = re.compile(r"[0-9A-Fa-f]{8}")
_NUMBERS = {"US", "SS", "UL", "SL", "UV", "SV", "FL", "FD", "US or SS"}
_TEXT_OF_NUMBERS = {"IS", "DS"}


@dataclass(frozen=True)
class Change:
    """How attributes are changed: taken away or set, by force or not, in a primary image set or another."""

    is_removal: bool
    is_forced: bool
    is_primary: bool


def objection(name: str, value: Any, level: str, how: Change) -> str:
    """Why an attribute may not be changed; an empty text where it may."""
    if name in UIDS and (how.is_removal or how.is_primary):
        return "is not removed" if how.is_removal else "is not changed in a primary image set"
    if name in _GENERATED:
        return "is made by the service"
    if _PRIVATE.fullmatch(name):
        if level != "Instance":
            return "is private, and not an instance's"
        return "" if how.is_forced else "is private: changed by force alone"
    if level_of(name) != level:
        return f"is no attribute of {level}"
    return "" if how.is_forced else _needs_force(name, value, is_removal=how.is_removal)


def _needs_force(name: str, value: Any, *, is_removal: bool) -> str:
    tag = tag_for_keyword(name)
    if tag is None:
        return "is no DICOM attribute; force changes it all the same"
    representation = dictionary_VR(tag)
    if name in _BY_FORCE or representation == "SQ" or isinstance(value, list):
        return "is changed by force alone"
    return "" if is_removal or _fits(representation, value) else f"is no value of {representation}; force takes it"


def _fits(representation: str, value: Any) -> bool:
    """Whether a value is one of its value representation; empty ones always are."""
    if value is None or value == "":
        return True
    if representation in _NUMBERS:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if representation in _TEXT_OF_NUMBERS and isinstance(value, int | float):
        value = str(value)
    if not isinstance(value, str):
        return False
    try:
        validate_value(representation, value, config.RAISE)
    except ValueError:
        return False
    return True

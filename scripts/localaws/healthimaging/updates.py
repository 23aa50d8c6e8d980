"""UpdateImageSetMetadata: attributes changed or removed, or an earlier version taken up again, as a new version.

Reads and writes the vault. Behind `make local-aws`. Example: `update(vault, image_set, params)`.

What may be changed, and what only by `force`, is as the developer guide says ("DICOM metadata constraints"). The
UIDs, which place an instance, are not changed here: HealthImaging asks for `force` for that, and moves the image set;
localaws refuses it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import orjson
from pydicom.datadict import dictionary_VR, tag_for_keyword

from localaws.healthimaging.documents import Document
from localaws.healthimaging.gathering import save_version
from localaws.healthimaging.instance import IDENTITY
from localaws.healthimaging.levels import level_of
from localaws.healthimaging.state import ImageSet, Version
from localaws.healthimaging.vault import Vault
from localaws.service import ServiceError

_FIXED = {"StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"}
_GENERATED = {
    "SchemaVersion", "DatastoreID", "ImageSetID", "PixelData", "Checksum", "Width", "Height", "MinPixelValue",
    "MaxPixelValue", "FrameSizeInBytes",
}  # fmt: skip
_BY_FORCE = {"StudyID"}
_PRIVATE = re.compile(r"[0-9A-Fa-f]{8}")


def update(vault: Vault, image_set: ImageSet, params: dict[str, Any]) -> Version:
    """Apply the request; ConflictException unless it names the latest version."""
    latest = image_set.latest
    if params["latestVersionId"] != str(latest.number):
        raise ServiceError("ConflictException", f"The latest version of the image set is {latest.number}.")
    wanted = params["updateImageSetMetadataUpdates"]
    source = image_set.version(wanted.get("revertToVersionId"))
    document = vault.document(source)
    for name, is_removal in (("removableAttributes", True), ("updatableAttributes", False)):
        content = wanted.get("DICOMUpdates", {}).get(name)
        if content:
            change = _Change(is_removal=is_removal, is_forced=bool(params.get("force")))
            _apply(document, _parsed(content, name), change)
    version = save_version(vault, image_set, document, vault.places(source), workflow="UPDATED")
    image_set.identity = _identity(document)
    return version


def _parsed(content: bytes, name: str) -> Document:
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise ServiceError("ValidationException", f"{name} is not valid JSON: {error}") from error
    if not isinstance(found, dict):
        raise ServiceError("ValidationException", f"{name} must be a JSON object.")
    return found


@dataclass(frozen=True)
class _Change:
    is_removal: bool
    is_forced: bool


def _apply(document: Document, changes: Document, how: _Change) -> None:
    study = changes.get("Study", {})
    _change(document["Patient"], changes.get("Patient", {}), "Patient", how)
    _change(document["Study"], study, "Study", how)
    for series_uid, series in study.get("Series", {}).items():
        target = document["Study"]["Series"].get(series_uid)
        if target is None:
            raise ServiceError("ValidationException", f"The image set has no series {series_uid}.")
        _change(target, series, "Series", how)
        for instance_uid, instance in series.get("Instances", {}).items():
            if instance_uid not in target["Instances"]:
                raise ServiceError("ValidationException", f"The image set has no instance {instance_uid}.")
            _change(target["Instances"][instance_uid], instance, "Instance", how)


def _change(target: Document, change: Document, level: str, how: _Change) -> None:
    for name, value in change.get("DICOM", {}).items():
        if why_not := _objection(name, value, level, how):
            raise ServiceError("ValidationException", f"{name} {why_not}.")
        if how.is_removal:
            target["DICOM"].pop(name, None)
        else:
            target["DICOM"][name] = value


def _objection(name: str, value: Any, level: str, how: _Change) -> str:
    """Why an attribute may not be changed; an empty text where it may."""
    if name in _FIXED:
        return "is not changed by localaws"
    if name in _GENERATED:
        return "is made by the service"
    if _PRIVATE.fullmatch(name):
        return "is private"
    if level_of(name) != level:
        return f"is no attribute of {level}"
    return "" if how.is_forced else _needs_force(name, value)


def _needs_force(name: str, value: Any) -> str:
    tag = tag_for_keyword(name)
    if tag is None:
        return "is no DICOM attribute; force changes it all the same"
    is_special = name in _BY_FORCE or dictionary_VR(tag) == "SQ" or isinstance(value, list)
    return "is changed by force alone" if is_special else ""


def _identity(document: Document) -> tuple[str | None, ...]:
    [series] = document["Study"]["Series"].values()
    levels = {"Patient": document["Patient"], "Study": document["Study"], "Series": series}
    found = [levels[level_of(name)]["DICOM"].get(name) for name in IDENTITY]
    return tuple(None if value is None else str(value) for value in found)

"""UpdateImageSetMetadata: attributes changed or removed, or an earlier version taken up again, as a new version.

Reads and writes the vault. Behind `make local-aws`. Example: `update(vault, image_set, params)`.

Attributes that place an instance (the UIDs) are not changed here: HealthImaging asks for `force` for that, and moves
the image set; localaws refuses it.
"""

from __future__ import annotations

from typing import Any

import orjson

from localaws.healthimaging.documents import Document
from localaws.healthimaging.gathering import save_version
from localaws.healthimaging.instance import IDENTITY
from localaws.healthimaging.levels import level_of
from localaws.healthimaging.state import ImageSet, Version
from localaws.healthimaging.vault import Vault
from localaws.service import ServiceError

_FIXED = {"StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"}


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
            _apply(document, _parsed(content, name), is_removal=is_removal)
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


def _apply(document: Document, changes: Document, *, is_removal: bool) -> None:
    study = changes.get("Study", {})
    _change(document["Patient"], changes.get("Patient", {}), is_removal=is_removal)
    _change(document["Study"], study, is_removal=is_removal)
    for series_uid, series in study.get("Series", {}).items():
        target = document["Study"]["Series"].get(series_uid)
        if target is None:
            raise ServiceError("ValidationException", f"The image set has no series {series_uid}.")
        _change(target, series, is_removal=is_removal)
        for instance_uid, instance in series.get("Instances", {}).items():
            if instance_uid not in target["Instances"]:
                raise ServiceError("ValidationException", f"The image set has no instance {instance_uid}.")
            _change(target["Instances"][instance_uid], instance, is_removal=is_removal)


def _change(target: Document, change: Document, *, is_removal: bool) -> None:
    attributes = change.get("DICOM", {})
    fixed = _FIXED & attributes.keys()
    if fixed:
        raise ServiceError("ValidationException", f"localaws does not change {', '.join(sorted(fixed))}.")
    for name, value in attributes.items():
        if is_removal:
            target["DICOM"].pop(name, None)
        else:
            target["DICOM"][name] = value


def _identity(document: Document) -> tuple[str | None, ...]:
    [series] = document["Study"]["Series"].values()
    levels = {"Patient": document["Patient"], "Study": document["Study"], "Series": series}
    found = [levels[level_of(name)]["DICOM"].get(name) for name in IDENTITY]
    return tuple(None if value is None else str(value) for value in found)

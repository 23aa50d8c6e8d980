"""UpdateImageSetMetadata: attributes changed or removed, or an earlier version taken up again, as a new version.

Reads and writes the vault. Behind `make local-aws`. Example: `update(vault, store, image_set, params)`.

As HealthImaging's developer guide says ("Updating image set metadata"): a series or an instance that stands empty among
the removable attributes is taken out whole; `includeStudyImageSets` changes patient and study of all primary image sets
of the study, or of none; an image set whose UIDs are changed (by force) belongs to the study and series they name.
"""

from __future__ import annotations

from typing import Any

import orjson

from localaws.healthimaging.documents import Document, instances_of
from localaws.healthimaging.gathering import save_version
from localaws.healthimaging.instance import IDENTITY
from localaws.healthimaging.levels import level_of
from localaws.healthimaging.objections import Change, objection
from localaws.healthimaging.state import Datastore, ImageSet, Key
from localaws.healthimaging.vault import Vault
from localaws.service import ServiceError

Changes = list[tuple[Document, Change]]
_WITHIN: dict[str, set[str]] = {
    "": {"SchemaVersion", "DatastoreID", "ImageSetID", "Patient", "Study"},
    "Patient": {"DICOM"},
    "Study": {"DICOM", "Series"},
    "Series": {"DICOM", "Instances"},
    "Instance": {"DICOM"},
}


def update(vault: Vault, store: Datastore, image_set: ImageSet, params: dict[str, Any]) -> list[ImageSet]:
    """Apply the request; the image sets with a new version. ConflictException unless it names the latest one."""
    if params["latestVersionId"] != str(image_set.latest.number):
        message = f"The latest version of the image set is {image_set.latest.number}."
        raise ServiceError("ConflictException", message)
    wanted, is_forced = params["updateImageSetMetadataUpdates"], bool(params.get("force"))
    changes = []
    if "DICOMUpdates" in wanted:
        changes = _changes(wanted["DICOMUpdates"], is_forced=is_forced, is_primary=image_set.is_primary)
    source = image_set.version(wanted.get("revertToVersionId"))
    ready = [(image_set, source, _changed(vault.document(source), changes))]
    if params.get("includeStudyImageSets"):
        if "revertToVersionId" in wanted:
            raise ServiceError("ValidationException", "includeStudyImageSets does not go with revertToVersionId.")
        changes = [(_above_series(content), how) for content, how in changes]
        others = [one for one in store.of_study(image_set.key[0]) if one.is_primary and one is not image_set]
        ready += [(one, one.latest, _changed(vault.document(one.latest), changes)) for one in others]
    for one, version, document in ready:
        save_version(vault, one, document, vault.places(version), workflow="UPDATED", is_forced=is_forced)
        one.identity = _identity(document)
        store.move(one, _key(document))
    return [one for one, _, _ in ready]


def _changes(updates: dict[str, bytes], *, is_forced: bool, is_primary: bool) -> Changes:
    """What to remove, then what to set."""
    found = [
        (_parsed(updates[name], name), Change(is_removal=is_removal, is_forced=is_forced, is_primary=is_primary))
        for name, is_removal in (("removableAttributes", True), ("updatableAttributes", False))
        if updates.get(name)
    ]
    if not found:
        raise ServiceError(
            "ValidationException", "DICOMUpdates has neither removableAttributes nor updatableAttributes."
        )
    return found


def _parsed(content: bytes, name: str) -> Document:
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise ServiceError("ValidationException", f"{name} is not valid JSON: {error}") from error
    _check_form(found, "", name)
    for level in ("Patient", "Study"):
        _check_form(found.get(level, {}), level, name)
    for series in _items(found.get("Study", {}), "Series", name):
        _check_form(series, "Series", name)
        for instance in _items(series, "Instances", name):
            _check_form(instance, "Instance", name)
    return found


def _items(content: Document, key: str, name: str) -> list[Any]:
    """What stands under the UIDs of `Series` or `Instances`."""
    found = content.get(key, {})
    if not isinstance(found, dict):
        raise ServiceError("ValidationException", f"{name}: {key} must be a JSON object of UIDs.")
    return list(found.values())


def _check_form(content: Any, level: str, name: str) -> None:
    """ValidationException unless it is an object of the names that the level has."""
    if not isinstance(content, dict) or not isinstance(content.get("DICOM", {}), dict):
        raise ServiceError("ValidationException", f"{name}: {level or 'the whole'} must be a JSON object.")
    if unknown := content.keys() - _WITHIN[level]:
        message = f"{name}: {level or 'the document'} has no {', '.join(sorted(unknown))}."
        raise ServiceError("ValidationException", message)


def _above_series(content: Document) -> Document:
    """The changes of patient and study."""
    study = {name: value for name, value in content.get("Study", {}).items() if name != "Series"}
    return {"Patient": content.get("Patient", {}), "Study": study}


def _changed(document: Document, changes: Changes) -> Document:
    for content, how in changes:
        study = content.get("Study", {})
        _change(document["Patient"], content.get("Patient", {}), "Patient", how)
        _change(document["Study"], study, "Study", how)
        for uid, series in study.get("Series", {}).items():
            _change_series(document["Study"]["Series"], uid, series, how)
    if not instances_of(document):
        message = "Nothing would be left of the image set; DeleteImageSet deletes it."
        raise ServiceError("ValidationException", message)
    return document


def _change_series(every: Document, uid: str, change: Document, how: Change) -> None:
    target = every.get(uid)
    if target is None:
        raise ServiceError("ValidationException", f"The image set has no series {uid}.")
    if how.is_removal and not change:
        target["Instances"].clear()
    for instance_uid, instance in change.get("Instances", {}).items():
        if instance_uid not in target["Instances"]:
            raise ServiceError("ValidationException", f"The image set has no instance {instance_uid}.")
        if how.is_removal and not instance:
            del target["Instances"][instance_uid]
        else:
            _change(target["Instances"][instance_uid], instance, "Instance", how)
            _rename(target["Instances"], instance_uid, "SOPInstanceUID")
    _change(target, change, "Series", how)
    _rename(every, uid, "SeriesInstanceUID")


def _rename(every: Document, uid: str, keyword: str) -> None:
    """Put an item under the UID that it has now."""
    now = every[uid]["DICOM"].get(keyword, uid)
    if now != uid:
        if now in every:
            raise ServiceError("ValidationException", f"The image set has {keyword} {now} already.")
        every[now] = every.pop(uid)


def _change(target: Document, change: Document, level: str, how: Change) -> None:
    for name, value in change.get("DICOM", {}).items():
        if why_not := objection(name, value, level, how):
            raise ServiceError("ValidationException", f"{name} {why_not}.")
        if how.is_removal:
            target["DICOM"].pop(name, None)
            target.get("DICOMVRs", {}).pop(name, None)
        else:
            target["DICOM"][name] = value


def _key(document: Document) -> Key:
    [series_uid] = document["Study"]["Series"]
    return document["Study"]["DICOM"]["StudyInstanceUID"], series_uid


def _identity(document: Document) -> tuple[str | None, ...]:
    [series] = document["Study"]["Series"].values()
    levels = {"Patient": document["Patient"], "Study": document["Study"], "Series": series}
    found = [levels[level_of(name)]["DICOM"].get(name) for name in IDENTITY]
    return tuple(None if value is None else str(value) for value in found)

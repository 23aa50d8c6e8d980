"""UpdateImageSetMetadata and CopyImageSet: attributes changed or removed, versions reverted to, instances copied.

The rules are those of HealthImaging's developer guide ("DICOM metadata constraints", "Updating image set metadata"): a
series or an instance that stands empty among the removable attributes is taken out whole; `includeStudyImageSets`
changes patient and study of all primary image sets of the study, or of none; an image set whose UIDs are changed (by
force) belongs to the study and series they name. A copy has its own bytes, so that either image set can be deleted;
patient, study and series have to agree with those of the destination, unless `force` says otherwise.

Example: `update(vault, store, image_set, params)`; `copied(vault, store, source, params, scratch)`.
"""

from __future__ import annotations

import copy
import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from pydicom import config
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.valuerep import validate_value

from localaws.healthimaging.attributes import level_of
from localaws.healthimaging.datastore import Datastore, ImageSet, Key, Places, Vault
from localaws.healthimaging.image_sets import Document, instances_of, save_version
from localaws.healthimaging.instance import IDENTITY
from localaws.service import ServiceError

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
        related = store.of_study(image_set.key[0])
        others = [other for other in related if other.is_primary and other is not image_set]
        ready += [(other, other.latest, _changed(vault.document(other.latest), changes)) for other in others]
    # All are checked before the first is saved: the primary image sets of a study change together or not at all.
    for target, version, document in ready:
        save_version(vault, target, document, vault.places(version), workflow="UPDATED", is_forced=is_forced)
        target.identity = _identity(document)
        store.move(target, _key(document))
    return [target for target, _, _ in ready]


def _changes(updates: dict[str, bytes], *, is_forced: bool, is_primary: bool) -> Changes:
    """What to remove, then what to set."""
    changes = [
        (_parsed(updates[name], name), Change(is_removal=is_removal, is_forced=is_forced, is_primary=is_primary))
        for name, is_removal in (("removableAttributes", True), ("updatableAttributes", False))
        if updates.get(name)
    ]
    if not changes:
        raise ServiceError(
            "ValidationException", "DICOMUpdates has neither removableAttributes nor updatableAttributes."
        )
    return changes


def _parsed(content: bytes, name: str) -> Document:
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise ServiceError("ValidationException", f"{name} is not valid JSON: {error}") from error
    _check_form(document, "", name)
    for level in ("Patient", "Study"):
        _check_form(document.get(level, {}), level, name)
    for series in _items(document.get("Study", {}), "Series", name):
        _check_form(series, "Series", name)
        for instance in _items(series, "Instances", name):
            _check_form(instance, "Instance", name)
    return document


def _items(content: Document, key: str, name: str) -> list[Any]:
    """What stands under the UIDs of `Series` or `Instances`."""
    items = content.get(key, {})
    if not isinstance(items, dict):
        raise ServiceError("ValidationException", f"{name}: {key} must be a JSON object of UIDs.")
    return list(items.values())


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
    values = [levels[level_of(name)]["DICOM"].get(name) for name in IDENTITY]
    return tuple(None if value is None else str(value) for value in values)


def copied(vault: Vault, store: Datastore, source: ImageSet, params: dict[str, Any], scratch: Path) -> ImageSet:
    """The image set that holds the copies; ConflictException unless the request names the latest versions."""
    wanted = params["copyImageSetInformation"]
    _check_latest(source, wanted["sourceImageSet"]["latestVersionId"])
    document = vault.document(source.latest)
    _keep_only(document, wanted["sourceImageSet"].get("DICOMCopies"))
    target = wanted.get("destinationImageSet")
    if target and target["imageSetId"] == source.id:
        raise ServiceError("ValidationException", "Source and destination are the same image set.")
    destination = _new(source) if target is None else _destination(store, target)
    is_promoted = bool(params.get("promoteToPrimary"))
    if is_promoted and any(other.is_primary and other.key == source.key for other in store.of_study(source.key[0])):
        raise ServiceError("ConflictException", "The series has a primary image set.")
    if target is None:
        merged, places = {**document, "ImageSetID": destination.id}, {}
    else:
        merged = _merged(vault.document(destination.latest), document, is_forced=bool(params.get("force")))
        places = vault.places(destination.latest)
    places.update(_placed(vault, source, document, destination, scratch))
    save_version(vault, destination, merged, places, workflow="COPIED", is_forced=bool(params.get("force")))
    destination.is_primary = destination.is_primary or is_promoted
    if target is None:
        store.add(destination)
    return destination


def _check_latest(image_set: ImageSet, number: str) -> None:
    if number != str(image_set.latest.number):
        message = f"The latest version of image set {image_set.id} is {image_set.latest.number}."
        raise ServiceError("ConflictException", message)


def _destination(store: Datastore, target: dict[str, str]) -> ImageSet:
    destination = store.image_set(target["imageSetId"])
    if destination.is_deleted:
        raise ServiceError("ResourceNotFoundException", f"The image set {destination.id} is deleted.")
    _check_latest(destination, target["latestVersionId"])
    return destination


def _new(source: ImageSet) -> ImageSet:
    now = datetime.now(UTC)
    return ImageSet(
        id=uuid.uuid4().hex,
        key=source.key,
        identity=source.identity,
        is_primary=False,
        tags={},
        n_instances=0,
        created_at=now,
        last_accessed_at=now,
    )


def _keep_only(document: Document, copies: dict[str, str] | None) -> None:
    """Take away the instances that the request does not name; without names, all are copied."""
    if copies is None:
        return
    named = _named(copies["copiableAttributes"])
    unknown = named - instances_of(document).keys()
    if unknown or not named:
        raise ServiceError("ValidationException", f"{len(unknown)} of {len(named)} instances are not in the image set.")
    for series in document["Study"]["Series"].values():
        series["Instances"] = {uid: item for uid, item in series["Instances"].items() if uid in named}


def _named(text: str) -> set[str]:
    try:
        names = orjson.loads(text)
        return {uid for series in names["Study"]["Series"].values() for uid in series["Instances"]}
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError) as error:
        raise ServiceError("ValidationException", "copiableAttributes names no Study.Series.*.Instances.") from error


def _merged(document: Document, added: Document, *, is_forced: bool) -> Document:
    """The destination's document with the instances of the source's."""
    [ours], [theirs] = document["Study"]["Series"].values(), added["Study"]["Series"].values()
    levels = [(document["Patient"], added["Patient"]), (document["Study"], added["Study"]), (ours, theirs)]
    differ = sum(left["DICOM"] != right["DICOM"] for left, right in levels)
    if differ and not is_forced:
        message = "Patient, study or series of the image sets differ; force copies in spite of it."
        raise ServiceError("ValidationException", message)
    ours["Instances"].update(copy.deepcopy(theirs["Instances"]))
    return document


def _placed(vault: Vault, source: ImageSet, document: Document, destination: ImageSet, scratch: Path) -> Places:
    """Where the copied instances' files lie, after they were put there."""
    known = vault.places(source.latest)
    frames = [frame["ID"] for item in instances_of(document).values() for frame in item.get("ImageFrames", [])]
    files = list(dict.fromkeys(known[frame][0] for frame in frames))
    paths = [scratch / str(number) for number in range(len(files))]
    for path, file in zip(paths, files, strict=True):
        path.write_bytes(vault.file(file))
    new = dict(zip(files, vault.pack(destination.id, paths, scratch), strict=True)) if files else {}
    return {frame: (new[known[frame][0]], known[frame][1]) for frame in frames}

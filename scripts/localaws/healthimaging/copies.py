"""CopyImageSet: instances of one image set into a new one, or into a new version of another.

Reads and writes the vault. Behind `make local-aws`. Example: `copied(vault, store, source, params, scratch)`.

A copy has its own bytes, so that either image set can be deleted. Patient, study and series have to agree with those of
the destination, unless `force` says otherwise; then instances stand under the destination's own.
"""

from __future__ import annotations

import copy
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from localaws.healthimaging.documents import Document, instances_of
from localaws.healthimaging.gathering import save_version
from localaws.healthimaging.state import Datastore, ImageSet
from localaws.healthimaging.vault import Places, Vault
from localaws.service import ServiceError


def copied(vault: Vault, store: Datastore, source: ImageSet, params: dict[str, Any], scratch: Path) -> ImageSet:
    """The image set that holds the copies; ConflictException unless the request names the latest versions."""
    wanted = params["copyImageSetInformation"]
    _check_latest(source, wanted["sourceImageSet"]["latestVersionId"])
    document = vault.document(source.latest)
    _keep_only(document, wanted["sourceImageSet"].get("DICOMCopies"))
    target = wanted.get("destinationImageSet")
    if target and target["imageSetId"] == source.id:
        raise ServiceError("ValidationException", "Source and destination are the same image set.")
    destination = _new(source) if target is None else _found(store, target)
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


def _found(store: Datastore, target: dict[str, str]) -> ImageSet:
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
        found = orjson.loads(text)
        return {uid for series in found["Study"]["Series"].values() for uid in series["Instances"]}
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError) as error:
        raise ServiceError("ValidationException", "copiableAttributes names no Study.Series.*.Instances.") from error


def _merged(document: Document, added: Document, *, is_forced: bool) -> Document:
    """The destination's document with the instances of the source's."""
    [ours], [theirs] = document["Study"]["Series"].values(), added["Study"]["Series"].values()
    levels = [(document["Patient"], added["Patient"]), (document["Study"], added["Study"]), (ours, theirs)]
    differ = sum(one["DICOM"] != other["DICOM"] for one, other in levels)
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

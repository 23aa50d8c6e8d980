"""Image sets: their metadata documents, how imported instances become new ones or new versions, and their frames.

An instance is primary unless one of seven attributes of patient, study and series contradicts what the data store holds
of its study or series as primary. The same instance again replaces the one before, in a new version.

Example: `Gathering(world, store, scratch).add(series_key, received)`.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from localaws.healthimaging.datastore import Identity, ImageSet, Key, Place, Places, Vault, Version
from localaws.healthimaging.events import tell_image_set
from localaws.healthimaging.instance import IDENTITY, Instance, open_dataset
from localaws.healthimaging.pixels import Pixels, encode
from localaws.service import ServiceError

if TYPE_CHECKING:
    from localaws.healthimaging.datastore import Datastore
    from localaws.world import World

Document = dict[str, Any]
SCHEMA_VERSION = "1.1"
_OF_STUDY = [IDENTITY.index(name) for name in ("StudyDate", "AccessionNumber", "PatientID", "StudyID")]
# Search result -> level and attribute it is taken from.
SEARCH_TAGS = {
    "DICOMPatientId": ("Patient", "PatientID"),
    "DICOMPatientName": ("Patient", "PatientName"),
    "DICOMPatientBirthDate": ("Patient", "PatientBirthDate"),
    "DICOMPatientSex": ("Patient", "PatientSex"),
    "DICOMStudyInstanceUID": ("Study", "StudyInstanceUID"),
    "DICOMStudyId": ("Study", "StudyID"),
    "DICOMStudyDescription": ("Study", "StudyDescription"),
    "DICOMAccessionNumber": ("Study", "AccessionNumber"),
    "DICOMStudyDate": ("Study", "StudyDate"),
    "DICOMStudyTime": ("Study", "StudyTime"),
    "DICOMSeriesInstanceUID": ("Series", "SeriesInstanceUID"),
    "DICOMSeriesModality": ("Series", "Modality"),
    "DICOMSeriesBodyPart": ("Series", "BodyPartExamined"),
    "DICOMSeriesNumber": ("Series", "SeriesNumber"),
}


def empty(datastore_id: str, image_set_id: str) -> Document:
    return {
        "SchemaVersion": SCHEMA_VERSION,
        "DatastoreID": datastore_id,
        "ImageSetID": image_set_id,
        "Patient": {"DICOM": {}},
        "Study": {"DICOM": {}, "Series": {}},
    }


def with_instances(document: Document, instances: Iterable[Instance]) -> Document:
    """Add instances of one series, the later over the earlier where they are the same; the document itself changes."""
    for instance in instances:
        document["Patient"]["DICOM"] = instance.levels["Patient"]
        document["Study"]["DICOM"] = instance.levels["Study"]
        series = document["Study"]["Series"].setdefault(instance.series_uid, {"DICOM": {}, "Instances": {}})
        series["DICOM"] = instance.levels["Series"]
        series["Instances"][instance.sop_uid] = _instance(instance)
    return document


def _instance(instance: Instance) -> Document:
    entry: Document = {
        "DICOM": instance.levels["Instance"],
        "DICOMVRs": instance.representations,
        "ImageFrames": instance.frames,
    }
    if instance.stored_syntax is not None:
        entry["StoredTransferSyntaxUID"] = instance.stored_syntax
    return entry


def instances_of(document: Document) -> dict[str, Document]:
    """SOP instance UID -> its part of the document."""
    return {uid: item for series in document["Study"]["Series"].values() for uid, item in series["Instances"].items()}


def search_tags(document: Document) -> dict[str, Any]:
    """What SearchImageSets shows of a document; empty attributes are left out."""
    [series] = document["Study"]["Series"].values()
    levels = {"Patient": document["Patient"]["DICOM"], "Study": document["Study"]["DICOM"], "Series": series["DICOM"]}
    tags = {name: levels[level].get(keyword) for name, (level, keyword) in SEARCH_TAGS.items()}
    tags["DICOMSeriesNumber"] = _whole(tags["DICOMSeriesNumber"])
    return {name: value for name, value in tags.items() if value is not None}


def _whole(value: Any) -> int | None:
    try:
        return int(str(value))
    except ValueError:
        return None


@dataclass(frozen=True)
class Received:
    """One file of a job that was read: its name in the report, its bytes, what is in it."""

    name: str
    path: Path
    instance: Instance


class Gathering:
    """The image sets of one data store while a job adds to them; hold the store's lock."""

    def __init__(self, world: World, store: Datastore, scratch: Path) -> None:
        self._world = world
        self._store = store
        self._scratch = scratch
        self._vault = Vault(world, store.bucket)

    def add(self, key: Key, received: list[Received]) -> list[tuple[ImageSet, list[Received]]]:
        """Put the files of one series into image sets; each image set with the files that went into it."""
        groups: dict[Identity, list[Received]] = defaultdict(list)
        for item in received:
            groups[item.instance.identity].append(item)
        return [(self._put(key, identity, items), items) for identity, items in groups.items()]

    def _put(self, key: Key, identity: Identity, items: list[Received]) -> ImageSet:
        of_series = (other for other in self._store.of_study(key[0]) if other.key == key)
        image_set = next((other for other in of_series if other.identity == identity), None)
        if image_set is None:
            return self._create(key, identity, items)
        document = self._vault.document(image_set.latest)
        places = self._vault.places(image_set.latest)
        self._save(image_set, document, places, items, workflow="UPDATED")
        tell_image_set(self._world, self._store, image_set, "Image Set Updated")
        return image_set

    def _create(self, key: Key, identity: Identity, items: list[Received]) -> ImageSet:
        now = datetime.now(UTC)
        image_set = ImageSet(
            id=uuid.uuid4().hex,
            key=key,
            identity=identity,
            is_primary=self._agrees(key, identity),
            tags={},
            n_instances=0,
            created_at=now,
            last_accessed_at=now,
        )
        self._save(image_set, empty(self._store.id, image_set.id), {}, items, workflow="CREATED")
        self._store.add(image_set)
        tell_image_set(self._world, self._store, image_set, "Image Set Created")
        return image_set

    def _agrees(self, key: Key, identity: Identity) -> bool:
        """Whether nothing primary of the same series or study says otherwise."""
        for other in self._store.of_study(key[0]):
            if other.is_primary:
                is_same_study = all(other.identity[index] == identity[index] for index in _OF_STUDY)
                if not is_same_study or (other.key == key and other.identity != identity):
                    return False
        return True

    def _save(
        self, image_set: ImageSet, document: Document, places: Places, items: list[Received], *, workflow: str
    ) -> None:
        items = list({item.instance.sop_uid: item for item in items}.values())
        files = self._vault.pack(image_set.id, [item.path for item in items], self._scratch)
        for item, file in zip(items, files, strict=True):
            places.update(_frame_places(item.instance, file))
        with_instances(document, [item.instance for item in items])
        save_version(self._vault, image_set, document, places, workflow=workflow)


def save_version(
    vault: Vault, image_set: ImageSet, document: Document, places: Places, *, workflow: str, is_forced: bool = False
) -> Version:
    """Store a document as the next version of an image set, with the places of the frames that it names."""
    named = {frame["ID"] for item in instances_of(document).values() for frame in item.get("ImageFrames", [])}
    places = {frame_id: place for frame_id, place in places.items() if frame_id in named}
    number = image_set.latest.number + 1 if image_set.versions else 1
    now = datetime.now(UTC)
    version = Version(
        number=number,
        created_at=image_set.created_at,
        updated_at=now,
        state="ACTIVE",
        workflow=workflow,
        metadata_key=vault.put_metadata(image_set.id, number, orjson.dumps(document)),
        places_key=vault.put_places(image_set.id, number, places),
        is_forced=is_forced,
    )
    image_set.tags = search_tags(document)
    image_set.n_instances = len(instances_of(document))
    image_set.versions.append(version)
    return version


def _frame_places(instance: Instance, file: Place) -> Places:
    return {frame["ID"]: (file, index) for index, frame in enumerate(instance.frames)}


def read_frame(vault: Vault, version: Version, frame_id: str, storage_format: str) -> tuple[bytes, str]:
    """The frame's bytes and content type; encoded when asked for, from the file as it was imported."""
    place_and_index = vault.places(version).get(frame_id)
    if place_and_index is None:
        raise ServiceError("ResourceNotFoundException", f"The image frame {frame_id} was not found.")
    place, index = place_and_index
    pixels = Pixels(open_dataset(BytesIO(vault.file(place))))
    if pixels.is_kept:
        return pixels.stream(index)
    return encode(pixels.frame(index), storage_format)

"""Imported instances become image sets: new ones, new versions of old ones, primary or not.

Reads and writes the data store's state and vault. Behind `make ingest`.
Example: `Gathering(world, store, scratch).add(series_key, received)`.

An instance is primary unless one of seven attributes of patient, study and series contradicts what the data store
holds of its study or series as primary. The same instance again replaces the one before, in a new version.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from localaws.healthimaging.documents import Document, empty, instances_of, search_tags, with_instances
from localaws.healthimaging.events import tell_image_set
from localaws.healthimaging.instance import IDENTITY, Instance
from localaws.healthimaging.state import Identity, ImageSet, Key, Version
from localaws.healthimaging.vault import Place, Places, Vault

if TYPE_CHECKING:
    from localaws.healthimaging.state import Datastore
    from localaws.world import World

_OF_STUDY = [IDENTITY.index(name) for name in ("StudyDate", "AccessionNumber", "PatientID", "StudyID")]


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
        known = (found for found in self._store.of_study(key[0]) if found.key == key)
        image_set = next((found for found in known if found.identity == identity), None)
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
        for found in self._store.of_study(key[0]):
            if found.is_primary:
                is_same_study = all(found.identity[index] == identity[index] for index in _OF_STUDY)
                if not is_same_study or (found.key == key and found.identity != identity):
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

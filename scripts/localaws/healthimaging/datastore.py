"""What HealthImaging holds: data stores, import jobs, image sets and their versions, and the bytes behind them.

Records are kept by localaws between commands; metadata, places of frames and DICOM files are objects in a bucket of the
service's own account, one bucket a data store (`Vault`). The files that one job adds to an image set lie end to end in
one object: one request instead of thousands.

Example: `state.find(datastore_id).image_set(image_set_id).version()`.
"""

from __future__ import annotations

import gzip
import threading
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from localaws.service import ServiceError

if TYPE_CHECKING:
    from localaws.world import World

Identity = tuple[str | None, ...]
Key = tuple[str, str]


@dataclass
class Version:
    """One version of an image set; `metadata_key` and `places_key` name its objects in the service's bucket."""

    number: int
    created_at: datetime
    updated_at: datetime
    state: str
    workflow: str
    metadata_key: str
    places_key: str
    deleted_at: datetime | None = None
    is_forced: bool = False


@dataclass
class ImageSet:
    """The instances of one series that agree about patient, study and series; `tags` are what a search shows."""

    id: str
    key: Key
    identity: Identity
    is_primary: bool
    tags: dict[str, Any]
    n_instances: int
    created_at: datetime
    last_accessed_at: datetime
    versions: list[Version] = field(default_factory=list)
    resource_tags: dict[str, str] = field(default_factory=dict)

    @property
    def latest(self) -> Version:
        return self.versions[-1]

    @property
    def is_deleted(self) -> bool:
        return self.latest.state == "DELETED"

    def version(self, number: str | None = None) -> Version:
        """A version by its id, the latest when none is named; ResourceNotFoundException when it is not there."""
        if number is None:
            return self.latest
        match = next((version for version in self.versions if str(version.number) == number), None)
        if match is None:
            raise ServiceError("ResourceNotFoundException", f"Image set {self.id} has no version {number}.")
        return match


@dataclass
class Datastore:
    """One data store; `properties` are as GetDatastore gives them, `studies` lists image set ids by study UID."""

    properties: dict[str, Any]
    tags: dict[str, str] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    image_sets: dict[str, ImageSet] = field(default_factory=dict)
    studies: dict[str, list[str]] = field(default_factory=dict)
    lock: Any = field(default_factory=threading.RLock)

    @property
    def id(self) -> str:
        return str(self.properties["datastoreId"])

    @property
    def status(self) -> str:
        return str(self.properties["datastoreStatus"])

    @property
    def bucket(self) -> str:
        """The bucket in the service's account that holds everything of this data store."""
        return f"healthimaging-{self.id}"

    def living(self) -> list[ImageSet]:
        return [image_set for image_set in self.image_sets.values() if not image_set.is_deleted]

    def image_set(self, image_set_id: str) -> ImageSet:
        """An image set, also a deleted one; ResourceNotFoundException when there never was one of that id."""
        image_set = self.image_sets.get(image_set_id)
        if image_set is None:
            raise ServiceError("ResourceNotFoundException", f"The image set {image_set_id} was not found.")
        return image_set

    def add(self, image_set: ImageSet) -> None:
        self.image_sets[image_set.id] = image_set
        self.studies.setdefault(image_set.key[0], []).append(image_set.id)

    def move(self, image_set: ImageSet, key: Key) -> None:
        """Put an image set where its UIDs say that it belongs."""
        if key != image_set.key:
            self.studies[image_set.key[0]].remove(image_set.id)
            self.studies.setdefault(key[0], []).append(image_set.id)
            image_set.key = key

    def of_study(self, study_uid: str) -> list[ImageSet]:
        """The living image sets of a study, oldest first."""
        image_sets = (self.image_sets[image_set_id] for image_set_id in self.studies.get(study_uid, []))
        return [image_set for image_set in image_sets if not image_set.is_deleted]


@dataclass
class HealthImagingState:
    """All data stores of the account."""

    datastores: dict[str, Datastore] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    lock: Any = field(default_factory=threading.RLock)

    def find(self, datastore_id: str) -> Datastore:
        """The data store of an id; ResourceNotFoundException when there is none."""
        store = self.datastores.get(datastore_id)
        if store is None:
            raise ServiceError("ResourceNotFoundException", f"The data store {datastore_id} was not found.")
        return store

    def active(self, datastore_id: str) -> Datastore:
        """The data store of an id if it is in use; ResourceNotFoundException when it is not there any more."""
        store = self.find(datastore_id)
        if store.status != "ACTIVE":
            raise ServiceError("ResourceNotFoundException", f"The data store {datastore_id} is {store.status}.")
        return store


class Place(NamedTuple):
    """Where a DICOM file lies: object, first byte, length."""

    key: str
    offset: int
    length: int


Places = dict[str, tuple[Place, int]]  # frame id -> its file and its index in it


class Vault:
    """One data store's bucket."""

    def __init__(self, world: World, bucket: str) -> None:
        self._world = world
        self._bucket = bucket
        self._s3 = world.client("s3", world.service_account_id)

    def pack(self, image_set_id: str, paths: Iterable[Path], scratch: Path) -> list[Place]:
        """Store files end to end in one new object; where each of them lies."""
        key = f"files/{image_set_id}/{uuid.uuid4().hex}"
        packed = scratch / "packed"
        places: list[Place] = []
        offset = 0
        with packed.open("wb") as target:
            for path in paths:
                content = path.read_bytes()
                target.write(content)
                places.append(Place(key, offset, len(content)))
                offset += len(content)
        with packed.open("rb") as body:
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=body)
        packed.unlink()
        return places

    def file(self, place: Place) -> bytes:
        with self._world.object_path(self._bucket, place.key).open("rb") as file:
            file.seek(place.offset)
            return file.read(place.length)

    def put_metadata(self, image_set_id: str, number: int, content: bytes) -> str:
        """Store a version's metadata document (JSON text); its key."""
        key = f"metadata/{image_set_id}/{number}.json.gz"
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=gzip.compress(content, compresslevel=6, mtime=0))
        return key

    def put_places(self, image_set_id: str, number: int, places: Places) -> str:
        key = f"places/{image_set_id}/{number}.json"
        plain = {frame_id: [list(place), index] for frame_id, (place, index) in places.items()}
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=orjson.dumps(plain))
        return key

    def metadata(self, version: Version) -> bytes:
        """A version's metadata as gzip JSON."""
        return self._world.object_path(self._bucket, version.metadata_key).read_bytes()

    def document(self, version: Version) -> dict[str, Any]:
        content: dict[str, Any] = orjson.loads(gzip.decompress(self.metadata(version)))
        return content

    def places(self, version: Version) -> Places:
        content = orjson.loads(self._world.object_path(self._bucket, version.places_key).read_bytes())
        return {frame_id: (Place(*place), index) for frame_id, (place, index) in content.items()}

    def forget(self, image_set_id: str) -> None:
        """Delete everything of an image set."""
        for folder in ("files", "metadata", "places"):
            pages = self._s3.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=f"{folder}/{image_set_id}/"
            )
            for page in pages:
                keys = [{"Key": item["Key"]} for item in page.get("Contents", [])]
                if keys:
                    self._s3.delete_objects(Bucket=self._bucket, Delete={"Objects": keys, "Quiet": True})

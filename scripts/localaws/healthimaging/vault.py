"""The bytes of image sets, in a bucket of the service's own account: metadata, places of frames, DICOM files.

Reads object files; writes S3 objects. Behind `make ingest`.
Example: `Vault(world, bucket).metadata(version)` is the gzip JSON that GetImageSetMetadata answers.

The files that one job adds to one image set lie end to end in one object: one request instead of thousands.
"""

from __future__ import annotations

import gzip
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

if TYPE_CHECKING:
    from localaws.healthimaging.state import Version
    from localaws.world import World


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
        found: dict[str, Any] = orjson.loads(gzip.decompress(self.metadata(version)))
        return found

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

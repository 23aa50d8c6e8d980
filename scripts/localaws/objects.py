"""S3 object bytes as files: moto keeps the names and headers, the state folder keeps the bytes.

Reads and writes `<state>/objects/<xx>/<id>`; a file is never changed once written, so a saved state stays true.
Behind every make target that moves data. Example: `path_of("raw-bucket", "fhir/a.ndjson")`.
"""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import moto.s3.models as s3_models
from moto.s3.models import FakeDeleteMarker, FakeKey, s3_backends

CHUNK = 1024 * 1024


class ObjectStore:
    """The folder of object files; one is in place at a time, as moto's backends are per process too."""

    def __init__(self) -> None:
        self.root: Path | None = None

    def open(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.root = root

    def close(self) -> None:
        self.root = None

    def path(self, file_id: str) -> Path:
        if self.root is None:
            raise RuntimeError("the object store is closed: no LocalAws is running in this process")
        return self.root / file_id[:2] / file_id

    def new_file(self) -> tuple[str, Path]:
        file_id = uuid.uuid4().hex
        path = self.path(file_id)
        path.parent.mkdir(exist_ok=True)
        return file_id, path

    def file_ids(self) -> Iterator[str]:
        if self.root is not None:
            for folder in self.root.iterdir():
                if folder.is_dir():
                    yield from (path.name for path in folder.iterdir())


store = ObjectStore()


class ObjectBytes:
    """The bytes of one object: sliced and iterated from its file, whole only on demand."""

    def __init__(self, path: Path, start: int, length: int) -> None:
        self.path = path
        self.start = start
        self.length = length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, part: slice) -> ObjectBytes:
        start, stop, step = part.indices(self.length)
        if step != 1:
            raise ValueError("object bytes are read forwards only")
        return ObjectBytes(self.path, self.start + start, max(0, stop - start))

    def __iter__(self) -> Iterator[bytes]:
        left = self.length
        with self.path.open("rb") as file:
            file.seek(self.start)
            while left > 0 and (block := file.read(min(CHUNK, left))):
                left -= len(block)
                yield block

    def __bytes__(self) -> bytes:
        return b"".join(self)


class ObjectKey(FakeKey):
    """moto's S3 object with its bytes in a file; pickles without them."""

    def __init__(self, name: str, value: bytes | ObjectBytes, account_id: str, region_name: str, **rest: Any) -> None:
        super().__init__(name, value, account_id, region_name, **rest)  # type: ignore[arg-type]
        self.__dict__.pop("_value_buffer").close()
        type(self).instances_tracked.clear()  # type: ignore[attr-defined]

    @property
    def value(self) -> bytes:
        return self.path.read_bytes()

    @value.setter
    def value(self, new_value: bytes | str) -> None:
        content = new_value.encode() if isinstance(new_value, str) else new_value
        self.file_id, path = store.new_file()
        path.write_bytes(content)
        self.contentsize = len(content)
        if self._etag is None:
            self._etag = hashlib.md5(content, usedforsecurity=False).hexdigest()

    @property
    def path(self) -> Path:
        return store.path(self.file_id)

    @property
    def etag(self) -> str:
        return f'"{self._etag}"'

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.lock = threading.Lock()

    def dispose(self, garbage: bool = False) -> None:
        """Forget the object; its file stays until a state without it is in place."""
        self.disposed = True


def install() -> None:
    """Make moto's S3 build our keys from now on."""
    s3_models.FakeKey = ObjectKey  # type: ignore[misc, assignment]


def find_key(bucket: str, key: str) -> ObjectKey:
    """The newest version of an object in any account's bucket; KeyError when it is not there or deleted."""
    partition, account_id = s3_backends.bucket_accounts[bucket]
    found = s3_backends[account_id][partition].buckets[bucket].keys.get(key)
    if found is None or isinstance(found, FakeDeleteMarker):
        raise KeyError(f"s3://{bucket}/{key}")
    assert isinstance(found, ObjectKey)
    return found


def path_of(bucket: str, key: str) -> Path:
    """The file with the bytes of `s3://bucket/key`; KeyError when there is no such object."""
    return find_key(bucket, key).path


def referenced_ids() -> set[str]:
    """The files that moto's S3 still knows: every version of every object, and parts of unfinished uploads."""
    found: set[str] = set()
    for _, _, backend in s3_backends.iter_backends():
        for bucket in backend.buckets.values():  # type: ignore[attr-defined]
            for versions in (bucket.keys.getlist(name, []) for name in list(bucket.keys)):
                found.update(_ids_of(version) for version in versions)
            for upload in bucket.multiparts.values():
                found.update(_ids_of(part) for part in upload.parts.values())
    found.discard("")
    return found


def _ids_of(version: object) -> str:
    return version.file_id if isinstance(version, ObjectKey) else ""

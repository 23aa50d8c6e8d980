"""S3 object bytes as files: moto keeps the names and headers, the state folder keeps the bytes.

Reads and writes `<state>/objects/<xx>/<id>`; a file is never changed once written, so a saved state stays true.
Behind every make target that moves data. Example: `path_of("raw-bucket", "fhir/a.ndjson")`.
"""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import moto.s3.models as s3_models
from moto.s3.models import FakeDeleteMarker, FakeKey, s3_backends

CHUNK = 1024 * 1024


class ObjectStore:
    """The folder of object files; one is in place at a time, as moto's backends are per process too."""

    def __init__(self) -> None:
        self.root: Path | None = None
        self._folders: set[str] = set()

    def open(self, root: Path) -> None:
        root.mkdir(exist_ok=True)
        self.root = root
        self._folders = {path.name for path in root.iterdir()}

    def close(self) -> None:
        self.root = None

    def path(self, file_id: str) -> Path:
        if self.root is None:
            raise RuntimeError("the object store is closed: no LocalAws is running in this process")
        return self.root / file_id[:2] / file_id

    def write(self, blocks: Iterable[bytes]) -> ObjectBytes:
        """A new file with these bytes; nothing is left of it when they cannot all be written."""
        file_id, path = self._new_file()
        digest = hashlib.md5(usedforsecurity=False)
        length = 0
        try:
            with path.open("wb", buffering=0) as file:
                for block in blocks:
                    file.write(block)
                    digest.update(block)
                    length += len(block)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return ObjectBytes(file_id, 0, length, digest.hexdigest())

    def _new_file(self) -> tuple[str, Path]:
        file_id = uuid.uuid4().hex
        path = self.path(file_id)
        if file_id[:2] not in self._folders:
            path.parent.mkdir(exist_ok=True)
            self._folders.add(file_id[:2])
        return file_id, path

    def file_ids(self) -> Iterator[str]:
        if self.root is not None:
            for folder in self.root.iterdir():
                if folder.is_dir():
                    yield from (path.name for path in folder.iterdir())


store = ObjectStore()


class ObjectBytes:
    """Some bytes of an object file: sliced and iterated in place, whole only on demand."""

    def __init__(self, file_id: str, start: int, length: int, md5: str | None = None) -> None:
        self.file_id = file_id
        self.start = start
        self.length = length
        self.md5 = md5

    @property
    def path(self) -> Path:
        return store.path(self.file_id)

    def __len__(self) -> int:
        return self.length

    def part(self, start: int, stop: int) -> ObjectBytes:
        return ObjectBytes(self.file_id, self.start + start, max(0, stop - start))

    def __iter__(self) -> Iterator[bytes]:
        left = self.length
        with self.path.open("rb", buffering=0) as file:
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
        return bytes(self.content)

    @value.setter
    def value(self, new_value: bytes | str | ObjectBytes) -> None:
        if isinstance(new_value, str):
            new_value = new_value.encode()
        self.content = new_value if isinstance(new_value, ObjectBytes) else store.write([new_value])
        self.contentsize = len(self.content)
        if self._etag is None:
            self._etag = self.content.md5

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
    """Make moto's S3 build our keys and uploads from now on."""
    from localaws.s3 import multipart

    s3_models.FakeKey = ObjectKey  # type: ignore[misc, assignment]
    multipart.install()


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
    return find_key(bucket, key).content.path


def referenced_ids() -> set[str]:
    """The files that moto's S3 still knows: every version of every object, and parts of unfinished uploads."""
    found: set[str] = set()
    for _, _, backend in s3_backends.iter_backends():
        for bucket in backend.buckets.values():  # type: ignore[attr-defined]
            for versions in (bucket.keys.getlist(name, []) for name in list(bucket.keys)):
                found.update(version.content.file_id for version in versions if isinstance(version, ObjectKey))
            for upload in bucket.multiparts.values():
                found.update(part.content.file_id for part in upload.parts.values())
    return found

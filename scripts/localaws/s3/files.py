"""Object files for pyiceberg, without HTTP on the way: our own services read and write S3 where it lies.

Reads and writes moto's S3 backend and object files. Behind `make ingest` and every Iceberg commit of our services.
Example: `load_catalog(..., **{"py-io-impl": "localaws.s3.files.ObjectFiles"})`, as `world.iceberg_catalog` does.

No policy is asked: it is for services, which have asked already; customers' code goes through HTTP.
"""

from __future__ import annotations

import io
import tempfile
from typing import Any

from moto.s3.models import S3Backend, s3_backends
from pyiceberg.io import FileIO, InputFile, InputStream, OutputFile, OutputStream

from localaws.s3 import object_files
from localaws.s3.chunked import plain

_IN_MEMORY = 8 * 1024 * 1024


class ObjectFiles(FileIO):
    """pyiceberg's files over our object store."""

    def new_input(self, location: str) -> ObjectInput:
        return ObjectInput(location)

    def new_output(self, location: str) -> ObjectOutput:
        return ObjectOutput(location)

    def delete(self, location: str | InputFile | OutputFile) -> None:
        address = location if isinstance(location, str) else location.location
        bucket, key = _split(address)
        _backend(bucket).delete_object(bucket, key)


class ObjectInput(InputFile):
    """An object to read."""

    def __len__(self) -> int:
        return self._key().size

    def exists(self) -> bool:
        try:
            self._key()
        except FileNotFoundError:
            return False
        return True

    def open(self, seekable: bool = True) -> InputStream:
        return self._key().content.path.open("rb")

    def _key(self) -> object_files.ObjectKey:
        try:
            return object_files.find_key(*_split(self.location))
        except KeyError:
            raise FileNotFoundError(f"{self.location} does not exist") from None


class ObjectOutput(OutputFile):
    """An object to write; it is there once the stream is closed."""

    def __len__(self) -> int:
        return len(self.to_input_file())

    def exists(self) -> bool:
        return self.to_input_file().exists()

    def to_input_file(self) -> ObjectInput:
        return ObjectInput(self.location)

    def create(self, overwrite: bool = False) -> OutputStream:
        bucket, _ = _split(self.location)
        _backend(bucket)
        if not overwrite and self.exists():
            raise FileExistsError(f"{self.location} exists")
        return _Upload(self.location)


class _Upload(io.BufferedIOBase):
    """Bytes on their way into an object: nothing is there when the writer fails half-way."""

    def __init__(self, location: str) -> None:
        self._location = location
        self._buffer = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed in close()
        self._has_failed = False

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        return self._buffer.write(content)

    def tell(self) -> int:
        return self._buffer.tell()

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self._has_failed = kind is not None
        self.close()

    def close(self) -> None:
        if self.closed:
            return
        super().close()
        with self._buffer:
            if not self._has_failed:
                self._buffer.seek(0)
                bucket, key = _split(self._location)
                content = object_files.store.write(plain(self._buffer))
                backend = _backend(bucket)
                backend.put_object(bucket, key, content).set_acl(backend.buckets[bucket].acl)  # type: ignore[arg-type]


def _split(location: str) -> tuple[str, str]:
    bucket, _, key = location.partition("://")[2].partition("/")
    return bucket, key


def _backend(bucket: str) -> S3Backend:
    """The S3 of the account that owns a bucket; FileNotFoundError when nobody does."""
    where = s3_backends.bucket_accounts.get(bucket)
    if where is None:
        raise FileNotFoundError(f"The bucket {bucket} does not exist")
    partition, account_id = where
    return s3_backends[account_id][partition]

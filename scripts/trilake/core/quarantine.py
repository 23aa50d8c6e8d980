"""Quarantine: the bytes of every refused record, kept so that each can be mended and replayed alone.

Writes s3://<raw bucket>/quarantine/<ingest_id>/<first 12 of the file's sha256>.zip, one zip a file, one member a
record. An item id, as the ledger and `trilake replay` have it, is `<ingest_id>.<those 12>.<record>`.

Example: item = quarantine.keep(file.sha256, line_bytes, record="17")
"""

import io
import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from botocore.exceptions import ClientError

from trilake.core.errors import InputError
from trilake.core.session import Session

WHOLE_FILE = "file"
ITEM = re.compile(r"(?P<ingest_id>[0-9A-Za-z-]+)\.(?P<content>[0-9a-f]{12})\.(?P<record>[0-9A-Za-z_-]+)")


@dataclass
class Quarantine:
    """What one ingest run refused; on disk until `store`."""

    ingest_id: str
    folder: Path
    _archives: dict[str, zipfile.ZipFile] = field(default_factory=dict)
    _kept: set[str] = field(default_factory=set)

    def keep(self, sha256: str, data: bytes, *, record: str = WHOLE_FILE) -> str:
        """The item id under which `data` is kept, for `Reason(item=...)`.

        `sha256` is the source file's; `record` its line, entry or object number, or the whole file. `data` must load
        alone: a VCF record goes with its header. Keeping the same record again changes nothing.
        """
        item = f"{self.ingest_id}.{sha256[:12]}.{record}"
        if item not in self._kept:
            self._kept.add(item)
            self._archive(sha256).writestr(record, data)
        return item

    def keep_file(self, sha256: str, path: Path) -> str:
        """The same for a whole file, of any size."""
        item = f"{self.ingest_id}.{sha256[:12]}.{WHOLE_FILE}"
        if item not in self._kept:
            self._kept.add(item)
            self._archive(sha256).write(path, WHOLE_FILE)
        return item

    def _archive(self, sha256: str) -> zipfile.ZipFile:
        name = sha256[:12]
        if name not in self._archives:
            path = self.folder / f"{name}.zip"
            self._archives[name] = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        return self._archives[name]

    def store(self, session: Session) -> dict[str, str]:
        """Upload what was kept since the last call; its S3 address by the first 12 of the file's sha256."""
        stored = {}
        for name, archive in self._archives.items():
            archive.close()
            key = archive_key(self.ingest_id, name)
            session.client("s3").upload_file(str(archive.filename), session.settings.core.raw_bucket, key)
            stored[name] = f"s3://{session.settings.core.raw_bucket}/{key}"
        self._archives.clear()
        return stored

    def close(self) -> None:
        """Forget what was kept and not stored."""
        for archive in self._archives.values():
            archive.close()
        self._archives.clear()


def archive_key(ingest_id: str, content: str) -> str:
    return f"quarantine/{ingest_id}/{content}.zip"


def fetch_item(session: Session, item: str) -> bytes:
    """The bytes kept under an item id. InputError when it is malformed or unknown."""
    match = ITEM.fullmatch(item)
    if not match:
        raise InputError(f"'{item}' is no item id; expected <ingest>.<content>.<record>", next_step="trilake ledger")
    bucket, key = session.settings.core.raw_bucket, archive_key(match["ingest_id"], match["content"])
    try:
        body = session.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            return archive.read(match["record"])
    except (ClientError, KeyError):
        raise InputError(f"Nothing is quarantined under '{item}'", next_step="trilake ledger") from None

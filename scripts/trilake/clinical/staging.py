"""Accepted records to NDJSON files by type in the raw bucket, under the hash of their content.

Writes s3://<raw bucket>/clinical/staged/<hash>/<Type>-<n>.ndjson. Here references to other files of the load find
their target: `urn:uuid:` by id, `Practitioner?identifier=...` by identifier; what is not found stays, with a warning.

Example: staged = stage(session, register, run.work_dir)
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import orjson

from trilake.clinical.bundles import conditional_target, references, rewrite_references
from trilake.clinical.register import Register
from trilake.core.errors import InputError
from trilake.core.session import Session

FILE_BYTES = 256 << 20
"""A staged file is closed beyond this; the service takes 50 GB a file."""
JOB_BYTES = 5000 * 1000**3
"""What the service takes in one job; in files of 256 MiB it is far below the 1,000,000 files of a job."""


@dataclass
class Staged:
    """What one import job reads: the folder's S3 address, its files with their number of lines, and its hash."""

    uri: str
    content: str
    n_lines: dict[str, int]


@dataclass
class Writer:
    """Local NDJSON files of one load, a new one for each type and each 256 MiB."""

    folder: Path
    hash: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    n_lines: dict[str, int] = field(default_factory=dict)

    def write_type(self, register: Register, kind: str) -> None:
        number = 0
        lines = register.accepted(kind)
        following = next(lines, None)
        while following is not None:
            number += 1
            name, places = f"{kind}-{number:04d}.ndjson", []
            with (self.folder / name).open("wb") as file:
                while following is not None and file.tell() < FILE_BYTES:
                    seq, line, is_pending = following
                    self.write_line(file, name, resolve(register, seq, line) if is_pending else line)
                    places.append((name, self.n_lines[name], seq))
                    following = next(lines, None)
            register.staged(places)

    def write_line(self, file: BinaryIO, name: str, line: bytes) -> None:
        self.n_lines[name] = self.n_lines.get(name, 0) + 1
        self.hash.update(line)
        file.write(line)
        file.write(b"\n")


def stage(session: Session, register: Register, work_dir: Path) -> Staged:
    """Write and upload every accepted record, and note in the register where it went.

    InputError when there is more than one import job takes.
    """
    folder = work_dir / "staged"
    folder.mkdir(exist_ok=True)
    writer = Writer(folder)
    for kind in register.types():
        writer.write_type(register, kind)
    n_bytes = sum((folder / name).stat().st_size for name in writer.n_lines)
    if n_bytes > JOB_BYTES:
        found = f"{n_bytes:,} bytes of resources; one HealthLake import takes {JOB_BYTES:,}"
        raise InputError(found, next_step="trilake ingest, folder by folder")
    content = writer.hash.hexdigest()[:32]
    bucket, s3 = session.settings.core.raw_bucket, session.client("s3")
    for name in writer.n_lines:
        s3.upload_file(str(folder / name), bucket, f"clinical/staged/{content}/{name}")
        (folder / name).unlink()
    return Staged(f"s3://{bucket}/clinical/staged/{content}/", content, writer.n_lines)


def resolve(register: Register, seq: int, line: bytes) -> bytes:
    """The line with its references to other records of the load put as `Type/id`."""
    resource = orjson.loads(line)
    rewrite_references(resource, lambda text: target(register, text) or text)
    left = sum(text.startswith("urn:uuid:") or conditional_target(text) is not None for text in references(resource))
    if left:
        register.warn(seq, "FHIR_REFERENCE_UNRESOLVED", f"{left} of them", "a resource of the same load")
    return orjson.dumps(resource)


def target(register: Register, reference: str) -> str | None:
    if reference.startswith("urn:uuid:"):
        return register.by_id(reference.removeprefix("urn:uuid:"))
    conditional = conditional_target(reference)
    found = register.by_identifier(*conditional) if conditional else None
    return f"{conditional[0]}/{found}" if conditional and found else None

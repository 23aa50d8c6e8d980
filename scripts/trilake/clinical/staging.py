"""Accepted records to NDJSON files by type in the raw bucket, under the hash of their content.

Writes s3://<raw bucket>/clinical/staged/<hash>/<Type>-<n>.ndjson. Here references to other files of the load find
their target (`clinical.links`); what is not found stays, with a warning. Files that lie there already, from a run that
was killed, are not sent again.

Example: staged = stage(session, register, run.work_dir)
"""

import hashlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from botocore.exceptions import ClientError

from trilake.clinical.links import Links
from trilake.clinical.register import Register
from trilake.core.session import Session

FILE_BYTES = 256 << 20
"""A staged file is closed beyond this; the service takes 50 GB a file."""
JOB_BYTES, JOB_FILES = 5000 * 1000**3, 1_000_000
"""What the service takes in one job."""
BUFFER = 1 << 20


@dataclass
class Staged:
    """What one import job reads: the folder's S3 address, its files with their number of lines, and its hash.

    `records` are the register's numbers of the lines, by file; `job_id` is the import job, once there is one.
    """

    uri: str
    content: str
    n_lines: dict[str, int]
    records: dict[str, "array[int]"] = field(default_factory=dict)
    job_id: str = ""


@dataclass
class TypeFile:
    """The staged files of one type, one open at a time."""

    folder: Path
    kind: str
    hashes: dict[str, str] = field(default_factory=dict)
    records: dict[str, "array[int]"] = field(default_factory=dict)
    held: list[bytes] = field(default_factory=list)
    n_held: int = 0
    n_bytes: int = 0
    name: str = ""

    def write(self, seq: int, line: bytes) -> None:
        if not self.name:
            self.name = f"{self.kind}-{len(self.records) + 1:04d}.ndjson"
            self.records[self.name] = array("q")
            self.hash = hashlib.sha256()
        self.records[self.name].append(seq)
        self.held += (line, b"\n")
        self.n_held += len(line) + 1
        if self.n_held > BUFFER:
            self.flush()
        if self.n_bytes >= FILE_BYTES:
            self.close()

    def flush(self) -> None:
        data = b"".join(self.held)
        self.hash.update(data)
        with (self.folder / self.name).open("ab") as file:
            file.write(data)
        self.n_bytes += len(data)
        self.held, self.n_held = [], 0

    def close(self) -> None:
        if self.name:
            self.flush()
            self.hashes[self.name] = self.hash.hexdigest()
        self.name, self.n_bytes = "", 0


def stage(session: Session, register: Register, work_dir: Path) -> list[Staged]:
    """Write and upload every accepted record; what each import job is to read, one job unless a quota asks for more."""
    folder = work_dir / "staged"
    folder.mkdir(exist_ok=True)
    links = Links(session, register, work_dir)
    types: dict[str, TypeFile] = {}
    for seq, kind, line, is_pending in register.accepted():
        if kind not in types:
            types[kind] = TypeFile(folder, kind)
        types[kind].write(seq, links.settle(seq, line, is_pending=is_pending))
    links.finish()
    hashes: dict[str, str] = {}
    records: dict[str, array[int]] = {}
    for _, one in sorted(types.items()):
        one.close()
        hashes |= one.hashes
        records |= one.records
    sizes = {name: (folder / name).stat().st_size for name in hashes}
    return [send(session, folder, {name: hashes[name] for name in names}, records) for names in jobs(sizes)]


def jobs(sizes: dict[str, int]) -> Iterator[list[str]]:
    """The files of each import job, within what the service takes in one."""
    names: list[str] = []
    n_bytes = 0
    for name, size in sizes.items():
        if names and (len(names) >= JOB_FILES or n_bytes + size > JOB_BYTES):
            yield names
            names, n_bytes = [], 0
        names.append(name)
        n_bytes += size
    if names:
        yield names


def send(session: Session, folder: Path, hashes: dict[str, str], records: dict[str, "array[int]"]) -> Staged:
    """Upload the files of one job that are not there; their prefix is the hash of their content."""
    content = hashlib.sha256("".join(f"{name} {sha}\n" for name, sha in hashes.items()).encode()).hexdigest()[:32]
    bucket, prefix, s3 = session.settings.core.raw_bucket, f"clinical/staged/{content}/", session.client("s3")
    for name in hashes:
        path = folder / name
        if size_of(session, prefix + name) != path.stat().st_size:
            s3.upload_file(str(path), bucket, prefix + name)
        path.unlink()
    ours = {name: records[name] for name in hashes}
    return Staged(f"s3://{bucket}/{prefix}", content, {name: len(found) for name, found in ours.items()}, ours)


def size_of(session: Session, key: str) -> int | None:
    try:
        found = session.client("s3").head_object(Bucket=session.settings.core.raw_bucket, Key=key)
    except ClientError:
        return None
    return int(found["ContentLength"])

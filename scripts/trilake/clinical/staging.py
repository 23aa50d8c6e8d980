"""Accepted records to NDJSON files by type in the raw bucket, under the hash of their content.

Writes s3://<raw bucket>/clinical/staged/<hash>/<Type>-<n>.ndjson. Files that lie there already, from a run that was
killed, are not sent again. Here references to other files of the load find their target: `urn:uuid:` the record of that
id, `Practitioner?identifier=system|value` the one record of the type with that identifier. What is found neither in the
load nor in what earlier loads left stays, with a warning.

Example: staged = stage(session, register, run.work_dir)
"""

import hashlib
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from fhir_r4.parsing import parse
from trilake.clinical.documents import conditional_target, identifiers, is_open, references, rewrite_all
from trilake.clinical.held import held_ids
from trilake.clinical.register import Register
from trilake.core.session import Session

TOLD = 1000
"""Records of a load of which an unresolved reference is told one by one; of the others, how many."""
EXPECTED = "a resource of the same load or in the store"
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


class Links:
    """The targets of one load."""

    def __init__(self, session: Session, register: Register, work_dir: Path) -> None:
        self.register = register
        self.found: dict[bytes, bytes] = {}
        self.by_token = by_token(register)
        self.absent = register.absent_targets()
        for kind, ids in by_type(self.absent).items():
            self.absent -= {f"{kind}/{one}".encode() for one in held_ids(session, kind, ids, work_dir)}
        self.n_unresolved: Counter[int] = Counter()

    def settle(self, seq: int, line: bytes, *, is_pending: bool) -> bytes:
        """The line with its references to other records of the load put as `Type/id`."""
        if is_pending:
            line = rewrite_all(line, self.target)
        if is_pending or self.absent:
            left = [one for one in references(line) if is_open(one) or one in self.absent]
            if left:
                self.unresolved(seq, left, line)
        return line

    def unresolved(self, seq: int, left: list[bytes], line: bytes) -> None:
        file = self.register.file_of(seq)
        self.n_unresolved[file] += 1
        if self.n_unresolved[file] <= TOLD:
            path = path_of(parse(line), left[0].decode("utf-8", "replace"))
            self.register.warn(seq, "FHIR_REFERENCE_UNRESOLVED", f"{len(left)} of them", EXPECTED, path=path)
        self.last = seq

    def finish(self) -> None:
        """Say how many more records there are than were told."""
        for n in self.n_unresolved.values():
            if n > TOLD:
                self.register.warn(self.last, "FHIR_REFERENCE_UNRESOLVED", f"in {n - TOLD:,} more resources", EXPECTED)

    def target(self, reference: bytes) -> bytes:
        if not is_open(reference):
            return reference
        if reference not in self.found:
            self.found[reference] = self.search(reference.decode("utf-8", "replace")) or reference
        return self.found[reference]

    def search(self, reference: str) -> bytes | None:
        if reference.startswith("urn:uuid:"):
            name = self.register.by_id(reference.removeprefix("urn:uuid:"))
            return name.encode() if name else None
        conditional = conditional_target(reference)
        ids = self.by_token.get(conditional, set()) if conditional else set()
        return f"{conditional[0]}/{next(iter(ids))}".encode() if conditional and len(ids) == 1 else None


def by_token(register: Register) -> dict[tuple[str, str], set[str]]:
    """(type, `system|value`) of each search in the load -> the ids that it finds."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for reference in register.open_targets():
        if conditional := conditional_target(reference):
            wanted[conditional[0]].add(conditional[1])
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for kind, tokens in wanted.items():
        for line in register.sound(kind):
            for token, resource_id in identifiers(line):
                if token in tokens:
                    found[(kind, token)].add(resource_id)
    return found


def path_of(resource: Any, reference: str) -> str:
    """Where a resource refers so for the first time; its name alone when that cannot be told."""

    def walk(value: Any, path: str) -> Iterator[str]:
        for name, item in value.items() if isinstance(value, dict) else ():
            if name == "reference" and item == reference:
                yield f"{path}.{name}"
            for place, one in enumerate(item if isinstance(item, list) else [item]):
                yield from walk(one, f"{path}.{name}[{place}]" if isinstance(item, list) else f"{path}.{name}")

    return next(walk(resource, resource["resourceType"]), resource["resourceType"])


def by_type(targets: set[bytes]) -> dict[str, set[str]]:
    """`Type/id` texts -> type -> ids; addresses of servers are left out."""
    found: dict[str, set[str]] = defaultdict(set)
    for target in targets:
        kind, _, resource_id = target.decode("utf-8", "replace").partition("/")
        if kind.isalpha() and "/" not in resource_id:
            found[kind].add(resource_id)
    return found

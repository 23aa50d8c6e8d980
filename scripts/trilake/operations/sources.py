"""Paths, folders and s3:// prefixes to the files below them, each with the name that the ledger will know it by.

Reads folders, and fetches what lies below s3:// into the run's work folder; writes nothing else. `make ingest`.

Example: find_files(session, ["data/", "s3://bucket/incoming/"], work_dir)
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import ClientError

from trilake.core.errors import InputError
from trilake.core.importer import SourceFile
from trilake.core.recognise import recognise
from trilake.core.session import Session


@dataclass(frozen=True)
class FoundFile:
    """A file before it was opened. `root` is the last part of what was given: it tells equal names apart."""

    name: str
    root: str
    path: Path


def find_files(session: Session, paths: Iterable[str], work_dir: Path) -> list[FoundFile]:
    """Every file below the paths, in a stable order, each under a name of its own; one given twice is there once.

    InputError lists all paths that do not exist or cannot be listed.
    """
    found: dict[Path, FoundFile] = {}
    faults: list[str] = []
    for number, path in enumerate(paths):
        try:
            files = from_s3(session, path, work_dir / f"s3-{number}") if path.startswith("s3://") else from_disk(path)
            for file in files:
                found.setdefault(file.path.resolve(), file)
        except InputError as error:
            faults.append(error.message)
    if faults:
        raise InputError("\n  ".join(faults), next_step="trilake ingest PATH…")
    return with_own_names(found.values())


def from_disk(path: str) -> Iterator[FoundFile]:
    root = Path(path)
    if root.is_file():
        yield FoundFile(root.name, root.absolute().parent.name, root)
    elif root.is_dir():
        for folder, below, names in os.walk(root):
            below.sort()
            for name in sorted(names):
                file = Path(folder, name)
                if file.is_file() or not file.exists():  # A link to nothing is named, not passed over.
                    yield FoundFile(file.relative_to(root).as_posix(), root.absolute().name, file)
    else:
        raise InputError(f"No such file or folder: {path}")


def from_s3(session: Session, uri: str, folder: Path) -> Iterator[FoundFile]:
    """The objects below a prefix, fetched; local names are numbers, since keys need not be file names."""
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    s3 = session.client("s3")
    folder.mkdir(parents=True)
    try:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        keys = [item["Key"] for page in pages for item in page.get("Contents", []) if not item["Key"].endswith("/")]
        for number, key in enumerate(sorted(keys)):
            local = folder / str(number)
            s3.download_file(bucket, key, str(local))
            below = key if key == prefix else key.removeprefix(prefix[: prefix.rfind("/") + 1])
            yield FoundFile(below.rsplit("/", 1)[-1] if key == prefix else below, bucket, local)
    except ClientError as error:
        raise InputError(f"Cannot read {uri}: {error.response['Error']['Message']}") from None
    if not keys:
        raise InputError(f"Nothing lies below {uri}")


def with_own_names(files: Iterable[FoundFile]) -> list[FoundFile]:
    """Files of equal names in several folders get the folder's name in front, and a number if that is not enough."""
    taken: set[str] = set()
    named = []
    for file in files:
        name = file.name if file.name not in taken else f"{file.root}/{file.name}"
        number = 2
        while name in taken:
            name, number = f"{file.root}/{file.name}~{number}", number + 1
        taken.add(name)
        named.append(FoundFile(name, file.root, file.path))
    return named


def open_file(found: FoundFile) -> tuple[SourceFile, str]:
    """The file with its hash, size and kind, and what it looks like if it is of no kind that is known."""
    digest, n_bytes = hashlib.sha256(), 0
    with found.path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
            n_bytes += len(block)
    answer = recognise(found.path)
    return SourceFile(found.name, found.path, digest.hexdigest(), n_bytes, answer.kind), answer.found

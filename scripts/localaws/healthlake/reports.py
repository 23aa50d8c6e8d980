"""The files an import job leaves in S3: SUCCESS, FAILURE and warnings per input file, and the manifest.

Writes NDJSON to a temporary folder, then to S3 under the job's role. Behind `make ingest`.
Example: `with reports.of("Patient.ndjson") as write: write("FAILURE", line)`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import orjson

from localaws.job_access import JobAccess

SUCCESS = "SUCCESS"
FAILURE = "FAILURE"
WARNED = "SUCCESS_WITH_SEARCH_VALIDATION_FAILURES"
Write = Callable[[str, dict[str, Any]], None]


class Reports:
    """All report files of one job; local file names are numbers, since S3 keys need not be file names."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, Path] = {}

    @contextmanager
    def of(self, name: str) -> Iterator[Write]:
        """A function that adds a line to a group's file for one input file; the files close with the block."""
        opened: dict[str, IO[bytes]] = {}

        def write(group: str, line: dict[str, Any]) -> None:
            if group not in opened:
                opened[group] = self._path(f"{group}/{name}").open("ab")
            opened[group].write(orjson.dumps(line) + b"\n")

        try:
            yield write
        finally:
            for file in opened.values():
                file.close()

    def _path(self, key: str) -> Path:
        return self._files.setdefault(key, self._folder / f"report-{len(self._files)}")

    def add_manifest(self, content: dict[str, Any]) -> None:
        self._path("manifest.json").write_bytes(orjson.dumps(content))

    def upload(self, access: JobAccess, uri: str, kms_key_id: str) -> None:
        """Put every file below `uri`."""
        for key, path in self._files.items():
            access.write(uri + key, path, kms_key_id)

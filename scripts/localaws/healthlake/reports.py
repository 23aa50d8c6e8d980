"""What an import job tells: its progress, and in S3 SUCCESS, FAILURE and warnings per input file, and the manifest.

FAILURE files and `manifest.json` are strict JSON here; the samples in AWS's guide are not.
(docs.aws.amazon.com/healthlake/latest/devguide/import-job-manifest.html)

Example: with reports.of("Patient.ndjson") as write: write("FAILURE", line)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import orjson

from localaws.healthlake.validate import Issue
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


MB = 1024 * 1024
MAX_ISSUES = 100


@dataclass
class Progress:
    """Counters of one job."""

    files_scanned: int = 0
    bytes_scanned: int = 0
    files_imported: int = 0
    files_unreadable: int = 0
    resources_scanned: int = 0
    resources_imported: int = 0
    resources_refused: int = 0
    bytes_imported: int = 0
    started: float = field(default_factory=time.monotonic)

    @property
    def has_errors(self) -> bool:
        return bool(self.resources_refused or self.files_unreadable)

    def report(self) -> dict[str, Any]:
        """The counters as DescribeFHIRImportJob gives them; throughput in resources per second."""
        seconds = max(time.monotonic() - self.started, 0.001)
        return {
            "TotalNumberOfScannedFiles": self.files_scanned,
            "TotalSizeOfScannedFilesInMB": round(self.bytes_scanned / MB, 6),
            "TotalNumberOfImportedFiles": self.files_imported,
            "TotalNumberOfResourcesScanned": self.resources_scanned,
            "TotalNumberOfResourcesImported": self.resources_imported,
            "TotalNumberOfResourcesWithCustomerError": self.resources_refused,
            "TotalNumberOfFilesReadWithCustomerError": self.files_unreadable,
            "Throughput": round(self.resources_scanned / seconds, 3),
        }


def manifest(job: dict[str, Any], folder: str, progress: Progress) -> dict[str, Any]:
    """The job's `manifest.json`, as HealthLake writes it; `folder` is the job's output address with its slash."""
    return {
        "inputDataConfig": {"s3Uri": job["InputDataConfig"]["S3Uri"]},
        "outputDataConfig": {
            "s3Uri": folder,
            "encryptionKeyID": job["JobOutputDataConfig"]["S3Configuration"]["KmsKeyId"],
        },
        "successOutput": {"successOutputS3Uri": f"{folder}SUCCESS/"},
        "failureOutput": {"failureOutputS3Uri": f"{folder}FAILURE/"},
        "numberOfScannedFiles": progress.files_scanned,
        "numberOfFilesImported": progress.files_imported,
        "sizeOfScannedFilesInMB": round(progress.bytes_scanned / MB, 6),
        "sizeOfDataImportedSuccessfullyInMB": round(progress.bytes_imported / MB, 6),
        "numberOfResourcesScanned": progress.resources_scanned,
        "numberOfResourcesImportedSuccessfully": progress.resources_imported,
        "numberOfResourcesWithCustomerError": progress.resources_refused,
        "numberOfResourcesWithServerError": 0,
    }


def outcome(line_id: int, issues: list[Issue], *, status: int, severity: str = "error") -> dict[str, Any]:
    """One line of a FAILURE file, or of one with warnings: the line's number and an OperationOutcome."""
    listed = [
        {
            "severity": severity,
            "code": issue.code,
            "diagnostics": issue.diagnostics,
            **({"location": [issue.expression], "expression": [issue.expression]} if issue.expression else {}),
        }
        for issue in issues[:MAX_ISSUES]
    ]
    blob = {"resourceType": "OperationOutcome", "issue": listed}
    return {"lineId": line_id, "UpdateResourceResponse": {"jsonBlob": blob, "statusCode": status}}


def success(line_id: int, resource: dict[str, Any]) -> dict[str, Any]:
    """One line of a SUCCESS file: the line's number and what was stored under which version."""
    blob = {name: resource[name] for name in ("resourceType", "id", "meta")}
    return {"lineId": line_id, "UpdateResourceResponse": {"jsonBlob": blob, "statusCode": 201}}

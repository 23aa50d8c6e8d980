"""What an import job has done so far, and how it says so: counters, manifest, lines of the reports.

Reads and writes nothing. Behind `make ingest`. Example: `Progress().report()` is a JobProgressReport.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from localaws.healthlake.validate import Issue

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

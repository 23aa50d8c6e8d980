"""What a HealthImaging import job did with each file, from its manifest and the reports that this names.

Reads <output>/<data store>-DicomImport-<job>/: `job-output-manifest.json`, then SUCCESS, FAILURE and WARNING. COMPLETED
can hide failed files, so the reports are read, never the status alone. Source: HealthImaging developer guide,
"Understanding import jobs" and "Warning codes".

Example: for one in results(session, job): one.image_set_id
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from trilake.core.job import bucket_and_key
from trilake.core.session import Session

PASSING = ("InternalServer", "Throttling", "ServiceUnavailable", "ServiceQuota", "Timeout")


@dataclass(frozen=True)
class Imported:
    """What the service did with one file: its image set, or why not; `is_passing` where another try may do better."""

    sha256: str
    image_set_id: str = ""
    is_primary: bool = True
    version: int | None = None
    warnings: tuple[str, ...] = field(default=())
    problem: str = ""
    is_passing: bool = False


def results(session: Session, job: dict[str, Any]) -> Iterator[Imported]:
    """One result per input file that the reports name."""
    folder = f"{job['outputS3Uri'].rstrip('/')}/{job['datastoreId']}-DicomImport-{job['jobId']}"
    summary = orjson.loads(read(session, f"{folder}/job-output-manifest.json"))["jobSummary"]
    warned = {
        content_of(entry["inputFile"]): entry["importResponse"]
        for entry in lines(session, summary.get("warningsOutputS3Uri"))
    }
    for entry in lines(session, summary.get("successOutputS3Uri")):
        sha256, response = content_of(entry["inputFile"]), entry["importResponse"]
        yield loaded(sha256, response | warned.pop(sha256, {}))
    for sha256, response in warned.items():
        yield loaded(sha256, response)
    for entry in lines(session, summary.get("failureOutputS3Uri")):
        told = entry["exception"]
        kind, message = told.get("exceptionType", "no type"), told.get("message", "no message")
        is_passing = any(word in kind for word in PASSING)
        yield Imported(content_of(entry["inputFile"]), problem=f"{kind}: {message}", is_passing=is_passing)


def loaded(sha256: str, response: dict[str, Any]) -> Imported:
    version = response.get("imageSetVersion")
    return Imported(
        sha256,
        image_set_id=response["imageSetId"],
        is_primary=bool(response.get("isPrimary", True)),
        version=int(version) if version is not None else None,
        warnings=tuple(in_words(warning) for warning in response.get("warnings", [])),
    )


def in_words(warning: dict[str, Any]) -> str:
    """A warning's kind and code; its message may quote values, so it is left out."""
    return f"{warning.get('type', 'OTHER')} {warning.get('warning_reason_code', '')}".strip()


def content_of(input_file: str) -> str:
    """The content hash that names a staged file."""
    return input_file.rsplit("/", 1)[-1].removesuffix(".dcm")


def lines(session: Session, folder: str | None) -> Iterator[dict[str, Any]]:
    """The objects of every NDJSON file in a folder of reports; a line that is none is passed over."""
    if not folder:
        return
    bucket, prefix = bucket_and_key(f"{folder.rstrip('/')}/")
    pages = session.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    for key in [entry["Key"] for page in pages for entry in page.get("Contents", [])]:
        for line in read(session, f"s3://{bucket}/{key}").splitlines():
            try:
                found = orjson.loads(line) if line.strip() else None
            except orjson.JSONDecodeError:
                continue
            if isinstance(found, dict):
                yield found


def read(session: Session, uri: str) -> bytes:
    bucket, key = bucket_and_key(uri)
    body: bytes = session.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return body

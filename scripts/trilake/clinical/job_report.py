"""What a HealthLake import job left in S3: its manifest, and the lines it refused, read leniently.

Reads `<datastore>-FHIR_IMPORT-<job>/` below the job's output. The documented samples are no strict JSON, so that what
is needed is looked for in the text.
(docs.aws.amazon.com/healthlake/latest/devguide/import-job-manifest.html)

Example: list(read_failures(session, output, {"Patient-0001.ndjson": 3}))
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from trilake.core.session import Session

LINE_ID = re.compile(rb'"?lineId"?\s*:\s*"?(\d+)')
DIAGNOSTICS = re.compile(rb'"(?:diagnostics|text)"\s*:\s*"((?:[^"\\]|\\.)*)')
COUNT = re.compile(rb'"?(numberOf\w+)"?\s*:\s*"?(\d+)')


@dataclass(frozen=True)
class Failure:
    """A line that the service refused: staged file, line from 1, and its words."""

    file: str
    line: int
    diagnostics: str


def output_folder(session: Session, job_id: str, properties: dict[str, Any]) -> tuple[str, str]:
    """Bucket and prefix of `<datastore>-FHIR_IMPORT-<job>/`; the job names it, or the folder above it."""
    uri = properties["JobOutputDataConfig"]["S3Configuration"]["S3Uri"]
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    name = f"{session.settings.clinical.datastore_id}-FHIR_IMPORT-{job_id}"
    if name not in prefix:
        prefix = f"{prefix.rstrip('/')}/{name}".lstrip("/")
    return bucket, prefix.rstrip("/") + "/"


def read_manifest(session: Session, output: tuple[str, str]) -> dict[str, int]:
    """The counts of manifest.json, however it is punctuated; none when the job ended before it wrote one."""
    bucket, prefix = output
    try:
        body = session.client("s3").get_object(Bucket=bucket, Key=f"{prefix}manifest.json")["Body"].read()
    except ClientError:
        return {}
    return {name.decode(): int(count) for name, count in COUNT.findall(body)}


def count_imported(manifest: dict[str, int], properties: dict[str, Any]) -> int:
    """What the manifest says was imported or, without one, the job's own report."""
    reported = properties.get("JobProgressReport", {}).get("TotalNumberOfResourcesImported", 0)
    return manifest.get("numberOfResourcesImportedSuccessfully", int(reported))


def read_failures(session: Session, output: tuple[str, str], n_lines: dict[str, int]) -> Iterator[Failure]:
    """The lines under FAILURE/. The service does not say whether its lineId counts from 0 or from 1: both are read."""
    bucket, prefix = output
    failed = dict(read_lines(session, bucket, f"{prefix}FAILURE/", n_lines))
    if not failed:
        return
    first = first_line_id(failed, n_lines) or first_line_id(
        dict(read_lines(session, bucket, f"{prefix}SUCCESS/", n_lines)), n_lines
    )
    for name, lines in failed.items():
        for line_id, text in lines:
            yield Failure(name, line_id + 1 - (first or 0), text)


def first_line_id(lines: dict[str, list[tuple[int, str]]], n_lines: dict[str, int]) -> int | None:
    """0 or 1 when the line ids tell from which they count, None when they do not."""
    for name, found in lines.items():
        ids = [line_id for line_id, _ in found]
        if 0 in ids:
            return 0
        if n_lines[name] in ids:
            return 1
    return None


def read_lines(
    session: Session, bucket: str, prefix: str, n_lines: dict[str, int]
) -> Iterator[tuple[str, list[tuple[int, str]]]]:
    """(staged file, [(lineId, diagnostics)]) of each file below SUCCESS/ or FAILURE/."""
    s3 = session.client("s3")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for found in page.get("Contents", []):
            name = next((name for name in n_lines if name.removesuffix(".ndjson") in found["Key"]), None)
            if name is not None:
                body = s3.get_object(Bucket=bucket, Key=found["Key"])["Body"]
                yield name, [parsed for line in body.iter_lines() if (parsed := read_line(line))]


def read_line(line: bytes) -> tuple[int, str] | None:
    """(lineId, diagnostics). The documented form is not strict JSON, so the two are looked for in the text."""
    line_id = LINE_ID.search(line)
    if line_id is None:
        return None
    words = DIAGNOSTICS.search(line.replace(b'\\"', b'"').replace(b"\\\\", b"\\"))
    return int(line_id[1]), words[1].decode("utf-8", "replace") if words else ""

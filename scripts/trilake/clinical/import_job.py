"""HealthLake import jobs: started within the service's quotas, watched to their end, their manifests read.

One job of a store runs at a time and 25 wait; when the service throttles, is full or fails for a moment, the call is
tried again with growing, jittered pauses. A job that a killed run left behind is taken up, not paid for twice. A job's
status never tells what was loaded: the lines under `<datastore>-FHIR_IMPORT-<job>/FAILURE/` do.
(docs.aws.amazon.com/healthlake/latest/devguide: importing-fhir-data, import-job-manifest, quotas)

Example: failures = run_import(session, staged, say=print)
"""

import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

from trilake.clinical.held import is_remembered
from trilake.clinical.staging import Staged
from trilake.core.errors import ServiceError
from trilake.core.session import Session

# AWS's samples of FAILURE lines and of manifest.json are no strict JSON: what is needed is looked for in the text.
LINE_ID = re.compile(rb'"?lineId"?\s*:\s*"?(\d+)')
DIAGNOSTICS = re.compile(rb'"(?:diagnostics|text)"\s*:\s*"((?:[^"\\]|\\.)*)')
COUNT = re.compile(rb'"?(numberOf\w+)"?\s*:\s*"?(\d+)')
BUSY = (
    "ThrottlingException", "TooManyRequestsException", "LimitExceededException", "ConflictException",
    "InternalServerException", "ServiceUnavailableException", "RequestTimeout", "SlowDown",
)  # fmt: skip
ENDED = ("COMPLETED", "COMPLETED_WITH_ERRORS", "FAILED", "CANCEL_COMPLETED", "CANCEL_FAILED")
LOADED = ("COMPLETED", "COMPLETED_WITH_ERRORS")
LONGEST_PAUSE = 60.0
ATTEMPTS = 200
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Failure:
    """A line that the service refused: staged file, line from 1, and its words."""

    file: str
    line: int
    diagnostics: str


def run_import(
    session: Session, staged: Staged, *, say: Callable[[str], None], pause: float = 0.05
) -> Iterator[Failure]:
    """Import the staged files; the lines that the service refused. ServiceError when the job as a whole failed.

    `pause` is the first wait in seconds, each following one half as long again, up to a minute. The id of the job is
    left in `staged.job_id`.
    """
    job_id = left_behind(session, staged, pause=pause)
    if job_id is None:
        job_id = start(session, staged, pause=pause)
    else:
        say(f"  HealthLake import job {job_id} of a run that was cut short is taken up")
    staged.job_id = job_id
    n_staged = sum(staged.n_lines.values())
    properties = wait(session, job_id, say=lambda found: say(progress(found, n_staged)), pause=pause)
    if properties["JobStatus"] not in LOADED:
        words = f"ended as {properties['JobStatus']}: {properties.get('Message', 'no message')}"
        raise ServiceError(f"HealthLake import job {job_id} {words}", next_step="make ingest again")
    output = output_folder(session, job_id, properties)
    failures = list(read_failures(session, output, staged.n_lines))
    imported = count_imported(read_manifest(session, output), properties)
    if imported + len(failures) != n_staged:
        words = f"{n_staged:,} resources were staged, {imported:,} imported and {len(failures):,} refused"
        raise ServiceError(f"HealthLake import job {job_id} does not add up: {words}", next_step="make ingest again")
    yield from failures


def left_behind(session: Session, staged: Staged, *, pause: float) -> str | None:
    """The job of an earlier run over the same staged files that ended well or will, and that no load has counted."""
    client, store = session.client("healthlake"), session.settings.clinical.datastore_id
    request: dict[str, Any] = {"DatastoreId": store, "JobName": job_name(staged)}
    found: list[dict[str, Any]] = []
    while True:
        answer = patiently(lambda: client.list_fhir_import_jobs(**request), pause=pause)
        found += answer["ImportJobPropertiesList"]
        if not answer.get("NextToken"):
            break
        request["NextToken"] = answer["NextToken"]
    kinds = {name.rpartition("-")[0] for name in staged.n_lines}
    for job in sorted(found, key=lambda one: one["SubmitTime"], reverse=True):
        is_hopeful = job["JobStatus"] in LOADED or job["JobStatus"] not in ENDED
        is_same = job.get("JobName") == job_name(staged) and job["InputDataConfig"]["S3Uri"] == staged.uri
        if is_same and is_hopeful and not is_remembered(session, job["JobId"], kinds):
            return str(job["JobId"])
    return None


def job_name(staged: Staged) -> str:
    return f"load-{staged.content}"


def start(session: Session, staged: Staged, *, pause: float, attempts: int = ATTEMPTS) -> str:
    """The id of a new import job. ServiceError when the service refuses it, or stays busy."""
    settings = session.settings
    request = {
        "JobName": job_name(staged),
        "InputDataConfig": {"S3Uri": staged.uri},
        "JobOutputDataConfig": {
            "S3Configuration": {
                "S3Uri": f"s3://{settings.core.raw_bucket}/clinical/import_output/",
                "KmsKeyId": settings.core.kms_key_arn,
            }
        },
        "DatastoreId": settings.clinical.datastore_id,
        "DataAccessRoleArn": settings.clinical.import_role_arn,
    }
    client = session.client("healthlake")
    return str(patiently(lambda: client.start_fhir_import_job(**request), pause=pause, attempts=attempts)["JobId"])


def patiently(call: Callable[[], Answer], *, pause: float, attempts: int = ATTEMPTS) -> Answer:
    """The answer of a call, tried again while the service is busy or out of reach."""
    for _ in range(attempts):
        try:
            return call()
        except ClientError as error:
            code = error.response["Error"]["Code"]
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            if code not in BUSY and status < 500:
                message = error.response["Error"]["Message"]
                raise ServiceError(f"HealthLake refused the import job: {message}") from None
        except (ConnectionError, HTTPClientError):
            pass
        time.sleep(pause * random.uniform(0.5, 1.5))
        pause = min(pause * 1.5, LONGEST_PAUSE)
    raise ServiceError("HealthLake was too busy to take an import job", next_step="make ingest again later")


def wait(session: Session, job_id: str, *, say: Callable[[dict[str, Any]], None], pause: float) -> dict[str, Any]:
    """The job's properties once it has ended; `say` hears of each change on the way."""
    client, last = session.client("healthlake"), None
    store = session.settings.clinical.datastore_id
    while True:
        answer = patiently(lambda: client.describe_fhir_import_job(DatastoreId=store, JobId=job_id), pause=pause)
        properties: dict[str, Any] = answer["ImportJobProperties"]
        state = (properties["JobStatus"], n_imported(properties))
        if state != last:
            say(properties)
            last = state
        if properties["JobStatus"] in ENDED:
            return properties
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE)


def progress(properties: dict[str, Any], n_staged: int) -> str:
    done = n_imported(properties)
    counts = f": {done:,} of {n_staged:,} resources" if done else ""
    return f"  HealthLake import job {properties['JobStatus'].lower().replace('_', ' ')}{counts}"


def n_imported(properties: dict[str, Any]) -> int:
    return int(properties.get("JobProgressReport", {}).get("TotalNumberOfResourcesImported", 0))


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

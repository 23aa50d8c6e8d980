"""HealthImaging import jobs: files staged, jobs within the quotas, manifests read.

Writes s3://<raw>/imaging/staged/<ingest_id>/<job>/<hash>.dcm; reads the service's output below imaging/imports/.
Quotas (service page "endpoints and quotas"): 5,000 files and 10 GB a job, one StartDICOMImportJob a second. COMPLETED
can hide failed files, so SUCCESS and FAILURE are read, never the status alone.

Example: for result in run_imports(session, staged, run): ...
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from botocore.exceptions import ClientError

from trilake.core.errors import ServiceError
from trilake.core.importer import IngestRun, SourceFile
from trilake.core.job import Polling, bucket_and_key
from trilake.core.session import Session
from trilake.core.uploads import upload_all

MOST_FILES = 5_000
MOST_BYTES = 10 * 10**9
SECONDS_BETWEEN_STARTS = 1.0
ENDED = {"COMPLETED", "FAILED"}


@dataclass(frozen=True)
class Imported:
    """What the service did with one file: its image set, or why not."""

    sha256: str
    image_set_id: str = ""
    problem: str = ""


def portions(files: list[SourceFile]) -> Iterator[list[SourceFile]]:
    """Files in order, cut where a job's quota of files or bytes is reached."""
    held: list[SourceFile] = []
    n_bytes = 0
    for file in files:
        n_bytes += file.n_bytes
        if held and (len(held) == MOST_FILES or n_bytes > MOST_BYTES):
            yield held
            held, n_bytes = [], file.n_bytes
        held.append(file)
    if held:
        yield held


def run_imports(session: Session, files: list[SourceFile], run: IngestRun) -> Iterator[Imported]:
    """Every file's fate, job by job. ServiceError when a job fails as a whole."""
    started = 0.0
    for number, portion in enumerate(portions(files), start=1):
        prefix = stage(session, portion, f"imaging/staged/{run.ingest_id}/{number}")
        time.sleep(max(0.0, started + SECONDS_BETWEEN_STARTS - time.monotonic()) if started else 0)
        started = time.monotonic()
        run.say(f"  HealthImaging import of {len(portion):,} files (job {number})")
        job = wait(session, start(session, prefix, f"{run.ingest_id}-{number}", run.ingest_id))
        yield from results(session, job)


def stage(session: Session, files: list[SourceFile], prefix: str) -> str:
    bucket = session.settings.core.raw_bucket
    upload_all(session.client("s3"), bucket, [(file.path, f"{prefix}/{file.sha256}.dcm") for file in files])
    return f"s3://{bucket}/{prefix}/"


def start(session: Session, prefix: str, token: str, ingest_id: str) -> str:
    """Start one job; a throttled start is tried again."""
    polling = Polling(seconds=SECONDS_BETWEEN_STARTS)
    while True:
        try:
            answer = session.client("medical-imaging").start_dicom_import_job(
                jobName=token[:256],
                dataAccessRoleArn=session.settings.imaging.import_role_arn,
                clientToken=token,
                datastoreId=session.settings.imaging.datastore_id,
                inputS3Uri=prefix,
                outputS3Uri=f"s3://{session.settings.core.raw_bucket}/imaging/imports/{ingest_id}/",
            )
            return str(answer["jobId"])
        except ClientError as error:
            if error.response["Error"]["Code"] != "ThrottlingException":
                raise
            polling.pause()


def wait(session: Session, job_id: str) -> dict[str, Any]:
    polling = Polling()
    while True:
        job: dict[str, Any] = session.client("medical-imaging").get_dicom_import_job(
            datastoreId=session.settings.imaging.datastore_id, jobId=job_id
        )["jobProperties"]
        if job["jobStatus"] in ENDED:
            break
        polling.pause()
    if job["jobStatus"] == "FAILED":
        raise ServiceError(f"HealthImaging import {job_id} failed: {job.get('message', 'no message')}")
    return job


def results(session: Session, job: dict[str, Any]) -> Iterator[Imported]:
    """One result per input file, from the job's manifest and the files it names."""
    folder = f"{job['outputS3Uri'].rstrip('/')}/{job['datastoreId']}-DicomImport-{job['jobId']}"
    summary = orjson.loads(read(session, f"{folder}/job-output-manifest.json"))["jobSummary"]
    for entry in lines(session, summary.get("successOutputS3Uri"), "success.ndjson"):
        yield Imported(content_of(entry["inputFile"]), image_set_id=entry["importResponse"]["imageSetId"])
    for entry in lines(session, summary.get("failureOutputS3Uri"), "failure.ndjson"):
        told = entry["exception"]
        yield Imported(content_of(entry["inputFile"]), problem=f"{told['exceptionType']}: {told['message']}")


def content_of(input_file: str) -> str:
    """The content hash that names a staged file."""
    return input_file.rsplit("/", 1)[-1].removesuffix(".dcm")


def lines(session: Session, folder: str | None, name: str) -> Iterator[dict[str, Any]]:
    if not folder:
        return
    try:
        body = read(session, f"{folder.rstrip('/')}/{name}")
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("NoSuchKey", "404"):
            raise
        return
    for line in body.splitlines():
        if line.strip():
            yield orjson.loads(line)


def read(session: Session, uri: str) -> bytes:
    bucket, key = bucket_and_key(uri)
    body: bytes = session.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return body

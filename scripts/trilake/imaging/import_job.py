"""HealthImaging import jobs: files staged, jobs within the quotas, several at once, each begun again where it ended.

Files are staged below imaging/staged/<token>/ in the raw bucket. A job's token is made of the contents that it imports:
a run that was killed and is started again asks for the same jobs, and the service answers with those it has. COMPLETED
can hide failed files, so a job's manifest and reports are read, never its status alone (HealthImaging developer guide,
"Understanding import jobs" and "Warning codes").

Example: for token, imported in run_imports(session, staged, run): ...
"""

import gzip
import hashlib
import random
import shutil
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import orjson
from botocore.exceptions import ClientError

from trilake.core.glue_job import Polling, bucket_and_key
from trilake.core.importer import IngestRun, SourceFile
from trilake.core.lakehouse.uploads import upload_all
from trilake.core.session import Session
from trilake.imaging.part10 import with_part10

# Parts of exception types that are the service's own trouble: another try may do better.
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
        exception = entry["exception"]
        kind, message = exception.get("exceptionType", "no type"), exception.get("message", "no message")
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
                entry = orjson.loads(line) if line.strip() else None
            except orjson.JSONDecodeError:
                continue
            if isinstance(entry, dict):
                yield entry


def read(session: Session, uri: str) -> bytes:
    bucket, key = bucket_and_key(uri)
    body: bytes = session.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


# HealthImaging endpoints and quotas. Of jobs at once most Regions allow 100, the smallest 20; of starts, one a second.
MOST_FILES = 5_000
MOST_BYTES = 10 * 10**9
MOST_JOBS = 20
MOST_TRIES = 3
SECONDS_BETWEEN_STARTS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
LONGEST_WAIT_SECONDS = 4 * 3600.0
ENDED = {"COMPLETED", "FAILED"}
BUSY = {"ThrottlingException", "ServiceQuotaExceededException", "TooManyRequestsException", "InternalServerException"}
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Staged:
    """A file to import; one that is packed is unpacked, and one without a part 10 header gets it, when it is staged."""

    file: SourceFile
    is_part10: bool = True
    unpacked_bytes: int = 0

    @property
    def n_bytes(self) -> int:
        return self.unpacked_bytes or self.file.n_bytes


@dataclass(frozen=True)
class RunningJob:
    """One job under way: the files that it imports, by the token they make, and which try this is."""

    job_id: str
    token: str
    files: list[Staged]
    attempt: int


@dataclass
class Starts:
    """The pace of starts: no more than one a second; and how many there were."""

    number: int = 0
    last: float = field(default=-SECONDS_BETWEEN_STARTS)

    def pause(self) -> None:
        time.sleep(max(0.0, self.last + SECONDS_BETWEEN_STARTS - time.monotonic()))
        self.last = time.monotonic()
        self.number += 1


def portions(files: list[Staged]) -> Iterator[list[Staged]]:
    """Files in order, cut where a job's quota of files or bytes is reached."""
    portion: list[Staged] = []
    n_bytes = 0
    for staged in files:
        n_bytes += staged.n_bytes
        if portion and (len(portion) == MOST_FILES or n_bytes > MOST_BYTES):
            yield portion
            portion, n_bytes = [], staged.n_bytes
        portion.append(staged)
    if portion:
        yield portion


def run_imports(session: Session, files: list[Staged], run: IngestRun) -> Iterator[tuple[str, list[Imported]]]:
    """The fate of every file, job by job, each with the job's token.

    What the service itself failed on (its own errors, a job that failed as a whole) is tried again in a job of its own.
    """
    waiting = deque((portion, 1) for portion in portions(files))
    running: deque[RunningJob] = deque()
    starts = Starts()
    while waiting or running:
        if waiting and len(running) < MOST_JOBS:
            portion, attempt = waiting.popleft()
            running.append(begin(session, portion, attempt, run, starts))
            continue
        ended = running.popleft()
        imported = outcome_of(session, ended)
        again = {result.sha256 for result in imported if result.is_passing and ended.attempt < MOST_TRIES}
        if again:
            waiting.append(([staged for staged in ended.files if staged.file.sha256 in again], ended.attempt + 1))
        yield ended.token, [result for result in imported if result.sha256 not in again]


def begin(session: Session, files: list[Staged], attempt: int, run: IngestRun, starts: Starts) -> RunningJob:
    token = token_of(session, files, attempt, run)
    prefix = stage(session, files, f"imaging/staged/{token}/", run.work_dir)
    starts.pause()
    job_id = start(session, prefix, token)
    run.say(f"  HealthImaging import of {len(files):,} files (job {starts.number})")
    return RunningJob(job_id, token, files, attempt)


def token_of(session: Session, files: list[Staged], attempt: int, run: IngestRun) -> str:
    """The same for the same contents, store and try; a replay is always new, since it may bring old content back."""
    words = [session.settings.imaging.datastore_id, str(attempt), run.ingest_id if run.is_replay else ""]
    words += sorted(staged.file.sha256 for staged in files)
    return hashlib.sha256("/".join(words).encode()).hexdigest()[:40]


def stage(session: Session, files: list[Staged], prefix: str, work_dir: Path) -> str:
    """The files under their hashes; those that an earlier try staged are there already."""
    bucket, s3 = session.settings.core.raw_bucket, session.client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    present = {entry["Key"] for page in pages for entry in page.get("Contents", [])}
    keys = [(staged, f"{prefix}{staged.file.sha256}.dcm") for staged in files]
    upload_all(s3, bucket, [(path_of(staged, work_dir), key) for staged, key in keys if key not in present])
    return f"s3://{bucket}/{prefix}"


def path_of(staged: Staged, work_dir: Path) -> Path:
    """What is uploaded: the file, or what is made of it."""
    path = staged.file.path
    if staged.unpacked_bytes:
        packed, path = path, work_dir / f"{staged.file.sha256}.unpacked"
        with gzip.open(packed) as source, path.open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
    return path if staged.is_part10 else with_part10(path, work_dir / f"{staged.file.sha256}.part10")


def start(session: Session, prefix: str, token: str) -> str:
    """Start one job, or find it started: all that is sent follows from the token."""
    client = session.client("medical-imaging")
    answer = patiently(
        lambda: client.start_dicom_import_job(
            jobName=token,
            dataAccessRoleArn=session.settings.imaging.import_role_arn,
            clientToken=token,
            datastoreId=session.settings.imaging.datastore_id,
            inputS3Uri=prefix,
            outputS3Uri=f"s3://{session.settings.core.raw_bucket}/imaging/imports/{token}/",
        )
    )
    return str(answer["jobId"])


def patiently(call: Callable[[], Answer]) -> Answer:
    """The answer of a service that is busy at times: asked again after growing pauses, each cut by chance."""
    pause, waited = SECONDS_BETWEEN_STARTS, 0.0
    while True:
        try:
            return call()
        except ClientError as error:
            if error.response["Error"]["Code"] not in BUSY or waited > LONGEST_WAIT_SECONDS:
                raise
        seconds = random.uniform(pause / 2, pause)
        time.sleep(seconds)
        waited += seconds
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


def outcome_of(session: Session, running: RunningJob) -> list[Imported]:
    """What became of each of the job's files; one that no report names is refused, not forgotten."""
    job = wait(session, running.job_id)
    if job["jobStatus"] == "FAILED":
        problem = f"the import job failed: {job.get('message', 'no message')}"
        return [Imported(staged.file.sha256, problem=problem, is_passing=True) for staged in running.files]
    named = {result.sha256: result for result in results(session, job)}
    nothing = "the job's reports do not name the file"
    hashes = [staged.file.sha256 for staged in running.files]
    return [named.get(sha256) or Imported(sha256, problem=nothing) for sha256 in hashes]


def wait(session: Session, job_id: str) -> dict[str, Any]:
    client, polling = session.client("medical-imaging"), Polling()
    name = {"datastoreId": session.settings.imaging.datastore_id, "jobId": job_id}
    while True:
        job: dict[str, Any] = patiently(lambda: client.get_dicom_import_job(**name))["jobProperties"]
        if job["jobStatus"] in ENDED:
            return job
        polling.pause()

"""HealthLake import jobs: started within the service's quotas, watched to their end, their manifests read.

One job of a store runs at a time and 25 wait; when the service throttles, is full or fails for a moment, the call is
tried again with growing, jittered pauses. A job that a killed run left behind is taken up, not paid for twice. A job's
status never tells what was loaded: the lines under FAILURE/ do (`clinical.job_report`).
(docs.aws.amazon.com/healthlake/latest/devguide: importing-fhir-data, import-job-manifest, quotas)

Example: failures = run_import(session, staged, say=print)
"""

import random
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

from trilake.clinical.held import is_remembered
from trilake.clinical.job_report import Failure, count_imported, output_folder, read_failures, read_manifest
from trilake.clinical.staging import Staged
from trilake.core.errors import ServiceError
from trilake.core.session import Session

BUSY = (
    "ThrottlingException", "TooManyRequestsException", "LimitExceededException", "ConflictException",
    "InternalServerException", "ServiceUnavailableException", "RequestTimeout", "SlowDown",
)  # fmt: skip
ENDED = ("COMPLETED", "COMPLETED_WITH_ERRORS", "FAILED", "CANCEL_COMPLETED", "CANCEL_FAILED")
LOADED = ("COMPLETED", "COMPLETED_WITH_ERRORS")
LONGEST_PAUSE = 60.0
ATTEMPTS = 200
Answer = TypeVar("Answer")


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

"""Glue jobs: the start of one (arguments, settings, session) and the run of one from outside.

A job script is a pure Arrow function from a room and a short main. `core.lakehouse.store_table` runs it over the job's
work items: on Spark one task an item (`mapInArrow`), and without Spark one after the other in this process.
The rows are the same; only who calls the function differs.

Example (in glue_jobs/x.py): fill_store(Job.start(sys.argv))
"""

import json
import tempfile
import time
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlparse

import pyarrow as pa
from botocore.exceptions import ClientError

from trilake.core.errors import ServiceError, SettingsError
from trilake.core.session import SETTINGS_FILE, CallerSession, Session
from trilake.core.settings import Settings

Answer = TypeVar("Answer")
Item = dict[str, str]
ReadItem = Callable[[Item], Iterator[pa.RecordBatch]]
SLOWEST_POLL_SECONDS = 15.0
ENDED = {"SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT", "ERROR"}


@dataclass(frozen=True)
class Job:
    """One running job: its arguments and the session of its role."""

    arguments: dict[str, str]
    session: Session

    @classmethod
    def start(cls, argv: list[str]) -> "Job":
        """The job that Glue started with these arguments (`--settings s3://...` is always there)."""
        arguments = parse_arguments(argv)
        boto = CallerSession()
        bucket, key = bucket_and_key(arguments["settings"])
        values = json.loads(boto.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
        settings = Settings.parse(values, source=arguments["settings"])
        folder = Path(tempfile.mkdtemp(prefix="trilake-job-"))
        (folder / SETTINGS_FILE).write_text(json.dumps(values))
        return cls(arguments, Session(settings.core.environment, folder, boto))


def parse_arguments(argv: list[str]) -> dict[str, str]:
    """`--name value` pairs by name. SettingsError when `--settings` is missing."""
    words = argv[1:]
    found = {word[2:]: value for word, value in zip(words, words[1:], strict=False) if word.startswith("--")}
    if "settings" not in found:
        raise SettingsError("The job got no --settings", next_step="make deploy")
    return found


def bucket_and_key(uri: str) -> tuple[str, str]:
    """("bucket", "a/b") of s3://bucket/a/b."""
    parts = urlparse(uri)
    return parts.netloc, parts.path.lstrip("/")


def has_spark() -> bool:
    return find_spec("pyspark") is not None


@dataclass
class Polling:
    """Growing pauses between looks at something that takes its time: quick at first, patient later."""

    seconds: float = 0.1
    waited: float = field(default=0.0, init=False)

    def pause(self) -> None:
        time.sleep(self.seconds)
        self.waited += self.seconds
        self.seconds = min(self.seconds * 1.5, SLOWEST_POLL_SECONDS)


def patiently(call: Callable[[], Answer], *, busy: Container[str], longest: float, seconds: float = 0.1) -> Answer:
    """The call's answer; where the service says one of `busy`, it is asked again, for about `longest` seconds.

    The first pause is of `seconds`. ClientError for any other refusal, and for one that lasts longer.
    """
    polling = Polling(seconds)
    while True:
        try:
            return call()
        except ClientError as error:
            if error.response["Error"]["Code"] not in busy or polling.waited > longest:
                raise
            polling.pause()


def run_job(session: Session, name: str, arguments: dict[str, str]) -> None:
    """Start a Glue job and wait for its end. ServiceError with the job's own message when it did not succeed."""
    glue = session.client("glue")
    run_id = start_run(glue, name, arguments)
    polling = Polling()
    while True:
        run: dict[str, Any] = glue.get_job_run(JobName=name, RunId=run_id)["JobRun"]
        if run["JobRunState"] in ENDED:
            break
        polling.pause()
    if run["JobRunState"] != "SUCCEEDED":
        message = run.get("ErrorMessage", "no message")
        raise ServiceError(f"Glue job {name} ended as {run['JobRunState']}: {message}", next_step="make ingest (again)")


def start_run(glue: Any, name: str, arguments: dict[str, str]) -> str:
    """The run's id; waits while another run of the job is going on."""
    polling = Polling(seconds=1.0)
    words = {f"--{key}": value for key, value in arguments.items()}
    while True:
        try:
            return str(glue.start_job_run(JobName=name, Arguments=words)["JobRunId"])
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConcurrentRunsExceededException":
                raise
            polling.pause()

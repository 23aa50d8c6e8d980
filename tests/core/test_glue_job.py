"""Glue jobs from inside (arguments, settings) and from outside (started, waited for, their failure told)."""

import json
import sys
from typing import Any

import pytest

from trilake.core import glue_job as job_module
from trilake.core.errors import ServiceError, SettingsError
from trilake.core.glue_job import SLOWEST_POLL_SECONDS, Job, Polling, bucket_and_key, parse_arguments, run_job
from trilake.core.session import SETTINGS_FILE, Session


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("--settings s3://b/k", {"settings": "s3://b/k"}),
        ("--JOB_NAME load --settings s --load_id 1", {"JOB_NAME": "load", "settings": "s", "load_id": "1"}),
        ("--settings old --settings new", {"settings": "new"}),
    ],
)
def test_arguments_are_read_by_name(words: str, expected: dict[str, str]) -> None:
    assert parse_arguments(["job.py", *words.split()]) == expected


def test_an_argument_without_value_takes_none_of_the_others() -> None:
    found = parse_arguments(["job.py", "--enable-metrics", "--settings", "s", "--load_id", "1", "--last"])
    assert (found["settings"], found["load_id"]) == ("s", "1")


@pytest.mark.parametrize("words", ["", "--load_id 1", "--settings", "settings s3://b/k"])
def test_settings_are_always_given(words: str) -> None:
    with pytest.raises(SettingsError, match="--settings"):
        parse_arguments(["job.py", *words.split()])


@pytest.mark.parametrize(("uri", "expected"), [("s3://b/a/c.json", ("b", "a/c.json")), ("s3://b", ("b", ""))])
def test_addresses_are_taken_apart(uri: str, expected: tuple[str, str]) -> None:
    assert bucket_and_key(uri) == expected


def test_a_job_reads_its_settings_from_the_artifact_bucket(lake: Session) -> None:
    values = json.loads((lake.folder / SETTINGS_FILE).read_text())
    bucket = lake.settings.core.artifact_bucket
    lake.client("s3").put_object(Bucket=bucket, Key="code/settings.json", Body=json.dumps(values).encode())
    job = Job.start(["job.py", "--settings", f"s3://{bucket}/code/settings.json", "--load_id", "7"])
    assert (job.session.settings, job.arguments["load_id"]) == (lake.settings, "7")


def test_a_job_with_settings_that_do_not_fit_says_which(lake: Session) -> None:
    bucket = lake.settings.core.artifact_bucket
    lake.client("s3").put_object(Bucket=bucket, Key="bad.json", Body=b'{"core": {}}')
    with pytest.raises(SettingsError, match="core.account_id"):
        Job.start(["job.py", "--settings", f"s3://{bucket}/bad.json"])


def test_pauses_grow_and_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(job_module.time, "sleep", pauses.append)
    polling = Polling()
    for _ in range(40):
        polling.pause()
    assert pauses[0] < 0.2 and pauses == sorted(pauses)
    assert max(pauses) == SLOWEST_POLL_SECONDS
    assert polling.waited == sum(pauses)


def create_job(session: Session, name: str, script: str, **more: Any) -> None:
    bucket = session.settings.core.artifact_bucket
    session.client("s3").put_object(Bucket=bucket, Key=f"{name}.py", Body=script.encode())
    session.client("glue").create_job(
        Name=name,
        Role=session.settings.genomic.job_role_arn,
        Command={"Name": "glueetl", "ScriptLocation": f"s3://{bucket}/{name}.py", "PythonVersion": "3"},
        GlueVersion="5.1",
        **more,
    )


def runs(session: Session, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = session.client("glue").get_job_runs(JobName=name)["JobRuns"]
    return found


def test_a_job_that_succeeds_was_given_its_arguments(lake: Session) -> None:
    create_job(lake, "sound", "import sys; sys.exit('--load_id' not in sys.argv or '7' not in sys.argv)")
    run_job(lake, "sound", {"load_id": "7"})
    assert [run["JobRunState"] for run in runs(lake, "sound")] == ["SUCCEEDED"]


def test_a_job_that_fails_is_a_service_error_in_the_job_s_words(lake: Session) -> None:
    create_job(lake, "failing", "raise LookupError('no such table')")
    with pytest.raises(ServiceError, match=r"Glue job failing ended as FAILED: LookupError: no such table") as error:
        run_job(lake, "failing", {})
    assert error.value.next_step is not None


def test_a_job_that_was_stopped_is_a_service_error(lake: Session) -> None:
    create_job(lake, "endless", "import time; time.sleep(60)", Timeout=1)
    glue = lake.client("glue")

    class Stopping:
        """Glue, whose job is stopped at the first look at it."""

        def client(self, service: str) -> Any:
            return self

        def start_job_run(self, **arguments: Any) -> Any:
            return glue.start_job_run(**arguments)

        def get_job_run(self, **name: Any) -> Any:
            answer = glue.get_job_run(**name)
            if answer["JobRun"]["JobRunState"] == "RUNNING":
                glue.batch_stop_job_run(JobName=name["JobName"], JobRunIds=[name["RunId"]])
            return answer

    with pytest.raises(ServiceError, match="ended as STOPPED"):
        run_job(Stopping(), "endless", {})  # type: ignore[arg-type]


def test_a_second_run_waits_for_the_first(lake: Session) -> None:
    create_job(lake, "slow", "import time; time.sleep(1)", ExecutionProperty={"MaxConcurrentRuns": 1})
    lake.client("glue").start_job_run(JobName="slow")
    run_job(lake, "slow", {})
    second, first = runs(lake, "slow")
    assert second["StartedOn"] >= first["CompletedOn"]


def test_an_unknown_job_is_no_endless_wait(lake: Session) -> None:
    with pytest.raises(lake.client("glue").exceptions.EntityNotFoundException):
        run_job(lake, "nothing", {})


def test_this_python_runs_the_job_s_script(lake: Session) -> None:
    create_job(lake, "version", f"import sys; assert sys.version_info[:2] == {tuple(sys.version_info[:2])}")
    run_job(lake, "version", {})

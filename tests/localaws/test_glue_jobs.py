"""Glue job runs run the job's real script, as the job's role, and end in the state that tells what happened.

Reads and writes temporary folders. Make target: `test`. Example: `pytest tests/localaws/test_glue_jobs.py`.
"""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from localaws import LocalAws

Client = Callable[..., Any]
SCRIPT = """
import sys, boto3
from tool import greeting
args = dict(zip(sys.argv[1::2], sys.argv[2::2]))
print(boto3.client("sts").get_caller_identity()["Arn"])
print(greeting(args["--who"]), args["--JOB_NAME"], args["--kept"])
boto3.client("s3").put_object(Bucket=args["--bucket"], Key="out/done", Body=b"done")
"""


def a_job(client: Client, script: str, name: str = "load", trusted: str = "glue.amazonaws.com", **more: Any) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket="code-bucket")
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("tool/__init__.py", "def greeting(who): return f'hello {who}'")
    s3.put_object(Bucket="code-bucket", Key="tool.zip", Body=package.getvalue())
    s3.put_object(Bucket="code-bucket", Key="load.py", Body=script.encode())
    trust = {"Effect": "Allow", "Principal": {"Service": trusted}, "Action": "sts:AssumeRole"}
    role = client("iam").create_role(RoleName="job", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
    allow = [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::code-bucket/*"},
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::code-bucket/out/*"},
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": allow})
    client("iam").put_role_policy(RoleName="job", PolicyName="s3", PolicyDocument=document)
    client("glue").create_job(
        Name=name,
        Role=role["Role"]["Arn"],
        Command={"Name": "glueetl", "ScriptLocation": "s3://code-bucket/load.py", "PythonVersion": "3"},
        DefaultArguments={"--extra-py-files": "s3://code-bucket/tool.zip", "--who": "nobody", "--kept": "yes"},
        GlueVersion="5.1",
        WorkerType="G.1X",
        NumberOfWorkers=2,
        **more,
    )


def finished(glue: Any, run_id: str, job: str = "load") -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        run: dict[str, Any] = glue.get_job_run(JobName=job, RunId=run_id)["JobRun"]
        if run["JobRunState"] not in {"STARTING", "RUNNING", "STOPPING"}:
            return run
        time.sleep(0.1)
    raise AssertionError("the run did not end")


def test_a_run_runs_the_script_with_its_package_arguments_and_role(client: Client, tmp_path: Path) -> None:
    a_job(client, SCRIPT)
    glue = client("glue")
    arguments = {"--who": "you", "--bucket": "code-bucket"}
    run_id = glue.start_job_run(JobName="load", Arguments=arguments)["JobRunId"]
    run = finished(glue, run_id)
    assert (run["JobRunState"], run.get("ErrorMessage")) == ("SUCCEEDED", None)
    assert run["Arguments"] | arguments == run["Arguments"] and run["MaxCapacity"] == 2.0
    log = (tmp_path / "local" / "logs" / "glue" / "load" / f"{run_id}.log").read_text().splitlines()
    assert log == [
        "arn:aws:sts::123456789012:assumed-role/job/GlueJobRunnerSession",
        "hello you load yes",
    ]
    assert client("s3").get_object(Bucket="code-bucket", Key="out/done")["Body"].read() == b"done"
    assert [run["Id"] for run in glue.get_job_runs(JobName="load")["JobRuns"]] == [run_id]


def test_the_roles_policies_bind_the_script(client: Client) -> None:
    a_job(client, "import boto3; boto3.client('s3').list_objects_v2(Bucket='code-bucket')")
    run = finished(client("glue"), client("glue").start_job_run(JobName="load")["JobRunId"])
    assert run["JobRunState"] == "FAILED"
    assert "AccessDenied" in run["ErrorMessage"] and "s3:ListBucket" in run["ErrorMessage"]


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("raise ValueError('no such table')", "ValueError: no such table"),
        ("import sys; sys.exit(3)", "The script ended with status 3."),
    ],
)
def test_a_script_that_fails_says_why(client: Client, script: str, message: str) -> None:
    a_job(client, script)
    run = finished(client("glue"), client("glue").start_job_run(JobName="load")["JobRunId"])
    assert (run["JobRunState"], run["ErrorMessage"]) == ("FAILED", message)


def test_a_role_that_does_not_trust_glue_runs_nothing(client: Client) -> None:
    a_job(client, SCRIPT, trusted="ec2.amazonaws.com")
    run = finished(client("glue"), client("glue").start_job_run(JobName="load")["JobRunId"])
    assert run["JobRunState"] == "FAILED" and "does not trust glue.amazonaws.com" in run["ErrorMessage"]


def test_a_missing_script_fails_the_run(client: Client) -> None:
    a_job(client, SCRIPT)
    client("s3").delete_object(Bucket="code-bucket", Key="load.py")
    run = finished(client("glue"), client("glue").start_job_run(JobName="load")["JobRunId"])
    assert run["JobRunState"] == "FAILED" and "s3://code-bucket/load.py cannot be read" in run["ErrorMessage"]


def test_runs_beyond_the_limit_are_refused_and_a_run_can_be_stopped(client: Client) -> None:
    a_job(client, "import time; time.sleep(60)")
    glue = client("glue")
    run_id = glue.start_job_run(JobName="load")["JobRunId"]
    with pytest.raises(glue.exceptions.ConcurrentRunsExceededException):
        glue.start_job_run(JobName="load")
    while glue.get_job_run(JobName="load", RunId=run_id)["JobRun"]["JobRunState"] == "STARTING":
        time.sleep(0.05)
    assert glue.batch_stop_job_run(JobName="load", JobRunIds=[run_id])["Errors"] == []
    assert finished(glue, run_id)["JobRunState"] == "STOPPED"


def test_the_end_of_a_run_is_an_event(client: Client) -> None:
    a_job(client, "pass")
    sqs, events = client("sqs"), client("events")
    queue = sqs.create_queue(QueueName="q")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="r", EventPattern=json.dumps({"source": ["aws.glue"]}))
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": arn}])
    finished(client("glue"), client("glue").start_job_run(JobName="load")["JobRunId"])
    received: list[Any] = []
    while not received:
        received = sqs.receive_message(QueueUrl=queue).get("Messages", [])
    event = json.loads(received[0]["Body"])
    assert (event["detail-type"], event["detail"]["state"]) == ("Glue Job State Change", "SUCCEEDED")


def test_leaving_waits_for_runs_and_their_end_is_kept(tmp_path: Path) -> None:
    with LocalAws(tmp_path) as aws:
        a_job(aws.world.client, "import time; time.sleep(0.5)")
        run_id = aws.world.client("glue").start_job_run(JobName="load")["JobRunId"]
    with LocalAws(tmp_path) as aws:
        run = aws.world.client("glue").get_job_run(JobName="load", RunId=run_id)["JobRun"]
    assert run["JobRunState"] == "SUCCEEDED"


def test_a_job_is_read_as_it_was_written_and_updated_whole(client: Client) -> None:
    a_job(client, SCRIPT, Tags={"team": "data"}, Timeout=30, ExecutionProperty={"MaxConcurrentRuns": 3})
    glue = client("glue")
    job = glue.get_job(JobName="load")["Job"]
    assert (job["Timeout"], job["ExecutionProperty"], job["MaxCapacity"]) == (30, {"MaxConcurrentRuns": 3}, 2.0)
    arn = "arn:aws:glue:us-east-1:123456789012:job/load"
    assert glue.get_tags(ResourceArn=arn)["Tags"] == {"team": "data"}
    glue.update_job(JobName="load", JobUpdate={"Role": job["Role"], "Command": job["Command"], "Timeout": 5})
    updated = glue.get_job(JobName="load")["Job"]
    assert updated["Timeout"] == 5 and "DefaultArguments" not in updated
    glue.delete_job(JobName="load")
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.get_job(JobName="load")
    assert glue.list_jobs()["JobNames"] == []

"""State survives restarts, kills and full disks; two users never share it; one state never shows in another.

Reads and writes temporary folders. Make target: `test`. Example: `pytest tests/localaws/test_state.py`.
"""

from __future__ import annotations

import json
import pickle
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from localaws import LocalAws, LocalAwsBusy, LocalAwsStateError, saved_state
from localaws.world import World

SCRIPTS = Path(__file__).parents[2] / "scripts"
TRUST = json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]})


def outside(code: str, folder: Path, **options: Any) -> subprocess.Popen[str]:
    """Another process that runs `code` with `folder` and LocalAws at hand."""
    source = (
        f"import sys, time\nfrom pathlib import Path\nfrom localaws import LocalAws\nfolder = Path({str(folder)!r})\n"
    )
    source += textwrap.dedent(code)
    environment = {"PYTHONPATH": str(SCRIPTS), "PATH": "/usr/bin:/bin"}
    return subprocess.Popen(
        [sys.executable, "-c", source],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        **options,
    )


# service -> (make something, what is there of it)
THINGS: dict[str, tuple[Callable[[World], Any], Callable[[World], Any]]] = {
    "s3": (
        lambda w: w.client("s3").create_bucket(Bucket="some-bucket"),
        lambda w: [b["Name"] for b in w.client("s3").list_buckets()["Buckets"]],
    ),
    "iam": (
        lambda w: w.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=TRUST),
        lambda w: [r["RoleName"] for r in w.client("iam").list_roles()["Roles"]],
    ),
    "kms": (
        lambda w: w.client("kms").create_key(KeyUsage="SIGN_VERIFY", KeySpec="RSA_2048"),
        lambda w: [k["KeyId"] for k in w.client("kms").list_keys()["Keys"]],
    ),
    "glue": (
        lambda w: w.client("glue").create_database(DatabaseInput={"Name": "d"}),
        lambda w: [d["Name"] for d in w.client("glue").get_databases()["DatabaseList"]],
    ),
    "events": (
        lambda w: w.client("events").put_rule(Name="r", EventPattern="{}"),
        lambda w: [r["Name"] for r in w.client("events").list_rules()["Rules"]],
    ),
    "sns": (
        lambda w: w.client("sns").create_topic(Name="t"),
        lambda w: [t["TopicArn"] for t in w.client("sns").list_topics()["Topics"]],
    ),
    "sqs": (
        lambda w: w.client("sqs").create_queue(QueueName="q"),
        lambda w: [u.rpartition("/")[2] for u in w.client("sqs").list_queues().get("QueueUrls", [])],
    ),
    "stepfunctions": (
        lambda w: w.client("stepfunctions").create_state_machine(
            name="m",
            definition='{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}',
            roleArn="arn:aws:iam::123456789012:role/r",
        ),
        lambda w: [m["name"] for m in w.client("stepfunctions").list_state_machines()["stateMachines"]],
    ),
    "ram": (
        lambda w: w.client("ram").create_resource_share(name="s"),
        lambda w: [s["name"] for s in w.client("ram").get_resource_shares(resourceOwner="SELF")["resourceShares"]],
    ),
    "logs": (
        lambda w: w.client("logs").create_log_group(logGroupName="g"),
        lambda w: [g["logGroupName"] for g in w.client("logs").describe_log_groups()["logGroups"]],
    ),
    "cloudwatch": (
        lambda w: w.client("cloudwatch").put_metric_alarm(
            AlarmName="a",
            MetricName="m",
            Namespace="n",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
            Statistic="Sum",
        ),
        lambda w: [a["AlarmName"] for a in w.client("cloudwatch").describe_alarms()["MetricAlarms"]],
    ),
    "cloudtrail": (
        lambda w: w.client("cloudtrail").create_trail(Name="trail", S3BucketName="some-bucket"),
        lambda w: [t["Name"] for t in w.client("cloudtrail").describe_trails()["trailList"]],
    ),
    "ssm": (
        lambda w: w.client("ssm").put_parameter(Name="p", Value="v", Type="String"),
        lambda w: [p["Name"] for p in w.client("ssm").describe_parameters()["Parameters"]],
    ),
    "secretsmanager": (
        lambda w: w.client("secretsmanager").create_secret(Name="x", SecretString="y"),
        lambda w: [s["Name"] for s in w.client("secretsmanager").list_secrets()["SecretList"]],
    ),
    "sagemaker": (
        lambda w: w.client("sagemaker").create_model_package_group(ModelPackageGroupName="g"),
        lambda w: [
            g["ModelPackageGroupName"]
            for g in w.client("sagemaker").list_model_package_groups()["ModelPackageGroupSummaryList"]
        ],
    ),
    "quicksight": (
        lambda w: w.client("quicksight").create_group(AwsAccountId="123456789012", Namespace="default", GroupName="g"),
        lambda w: [
            g["GroupName"]
            for g in w.client("quicksight").list_groups(AwsAccountId="123456789012", Namespace="default")["GroupList"]
        ],
    ),
    "budgets": (
        lambda w: w.client("budgets").create_budget(
            AccountId="123456789012",
            Budget={
                "BudgetName": "b",
                "TimeUnit": "MONTHLY",
                "BudgetType": "COST",
                "BudgetLimit": {"Amount": "1", "Unit": "USD"},
            },
        ),
        lambda w: [b["BudgetName"] for b in w.client("budgets").describe_budgets(AccountId="123456789012")["Budgets"]],
    ),
    "scheduler": (
        lambda w: w.client("scheduler").create_schedule_group(Name="g"),
        lambda w: [g["Name"] for g in w.client("scheduler").list_schedule_groups()["ScheduleGroups"]],
    ),
    "lakeformation": (
        lambda w: w.client("lakeformation").register_resource(ResourceArn="arn:aws:s3:::b", UseServiceLinkedRole=True),
        lambda w: [r["ResourceArn"] for r in w.client("lakeformation").list_resources()["ResourceInfoList"]],
    ),
}


def test_what_every_service_holds_is_there_again(tmp_path: Path) -> None:
    with LocalAws(tmp_path) as aws:
        for make, _ in THINGS.values():
            make(aws.world)
        before = {name: look(aws.world) for name, (_, look) in THINGS.items()}
    with LocalAws(tmp_path) as aws:
        after = {name: look(aws.world) for name, (_, look) in THINGS.items()}
    assert all(before.values())
    assert after == before


def test_a_second_process_is_told_who_has_the_state(tmp_path: Path) -> None:
    with LocalAws(tmp_path):
        other = outside("LocalAws(folder).__enter__()", tmp_path)
        _, error = other.communicate(timeout=60)
        assert "LocalAwsBusy" in error and "in use by process" in error
        with pytest.raises(LocalAwsBusy):
            LocalAws(tmp_path / "another").__enter__()
    with LocalAws(tmp_path):
        pass


def test_a_killed_process_leaves_the_last_good_state(tmp_path: Path) -> None:
    with LocalAws(tmp_path) as aws:
        s3 = aws.world.client("s3")
        s3.create_bucket(Bucket="some-bucket")
        s3.put_object(Bucket="some-bucket", Key="kept", Body=b"old")
        s3.put_object(Bucket="some-bucket", Key="deleted", Body=b"old")
    code = """
        with LocalAws(folder) as aws:
            s3 = aws.world.client("s3")
            s3.put_object(Bucket="some-bucket", Key="kept", Body=b"new")
            s3.delete_object(Bucket="some-bucket", Key="deleted")
            s3.put_object(Bucket="some-bucket", Key="added", Body=b"new")
            print("ready", flush=True)
            time.sleep(60)
    """
    with outside(code, tmp_path) as other:
        assert other.stdout is not None and other.stdout.readline() == "ready\n"
        other.send_signal(signal.SIGKILL)
    with LocalAws(tmp_path) as aws:
        s3 = aws.world.client("s3")
        listed = s3.list_objects_v2(Bucket="some-bucket")["Contents"]
        found = {i["Key"]: s3.get_object(Bucket="some-bucket", Key=i["Key"])["Body"].read() for i in listed}
        assert found == {"kept": b"old", "deleted": b"old"}
    assert len([path for path in (tmp_path / "objects").rglob("*") if path.is_file()]) == 2


def test_a_full_disk_keeps_the_last_good_state_and_says_so(tmp_path: Path) -> None:
    with LocalAws(tmp_path) as aws:
        aws.world.client("s3").create_bucket(Bucket="some-bucket")
    code = """
        import resource, signal
        from localaws import LocalAwsStateError
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        try:
            with LocalAws(folder) as aws:
                for n in range(50):
                    aws.world.client("s3").create_bucket(Bucket=f"more-{n}")
                resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
        except LocalAwsStateError as error:
            print(error)
    """
    said, error = outside(code, tmp_path).communicate(timeout=60)
    assert "could not be written" in said, error
    with LocalAws(tmp_path) as aws:
        assert [b["Name"] for b in aws.world.client("s3").list_buckets()["Buckets"]] == ["some-bucket"]
    assert not (tmp_path / "state.new").exists()


def test_one_state_never_shows_in_another(tmp_path: Path) -> None:
    with LocalAws(tmp_path / "one") as aws:
        for make, _ in THINGS.values():
            make(aws.world)
        aws.world.state("healthlake", dict)["x"] = 1
    with LocalAws(tmp_path / "two") as aws:
        assert {name: look(aws.world) for name, (_, look) in THINGS.items()} == {
            name: ["default"] if name == "scheduler" else [] for name in THINGS
        }
        assert aws.world.state("healthlake", dict) == {}


def test_a_state_of_another_version_is_named_not_guessed(tmp_path: Path) -> None:
    with LocalAws(tmp_path):
        pass
    file = tmp_path / "state.pickle"
    stamp = pickle.loads(file.read_bytes())
    file.write_bytes(pickle.dumps({**stamp, "moto": "1.0"}) + b"whatever")
    with pytest.raises(LocalAwsStateError, match=r"was written by .*moto 1\.0.*Move .* away"):
        LocalAws(tmp_path).__enter__()
    file.write_bytes(pickle.dumps(stamp) + b"\x80\x04cut off")
    with pytest.raises(LocalAwsStateError, match="cannot be read"):
        LocalAws(tmp_path).__enter__()


def test_secrets_of_the_state_are_the_owners_alone(tmp_path: Path) -> None:
    with LocalAws(tmp_path / "local") as aws:
        kept = json.loads((tmp_path / "local" / "credentials.json").read_text())
        assert kept["secret_access_key"] == aws.credentials.secret_access_key
    for name in ("credentials.json", "state.pickle"):
        assert (tmp_path / "local" / name).stat().st_mode & 0o077 == 0


def test_expired_sessions_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import timedelta

    from moto.core.utils import utcnow
    from moto.sts.models import sts_backends

    with LocalAws(tmp_path) as aws:
        aws.world.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
        arn = "arn:aws:iam::123456789012:role/r"
        aws.world.client("sts").assume_role(RoleArn=arn, RoleSessionName="test", DurationSeconds=900)
        assert len(sts_backends["123456789012"]["aws"].assumed_roles) == 1
        monkeypatch.setattr(saved_state, "utcnow", lambda: utcnow() + timedelta(hours=1))
    with LocalAws(tmp_path):
        assert sts_backends["123456789012"]["aws"].assumed_roles == []


def test_background_work_is_waited_for_and_kept(tmp_path: Path) -> None:
    def work(world: World) -> None:
        time.sleep(0.3)
        world.state("healthlake", dict)["done"] = True
        world.submit(lambda: world.state("omics", dict).update(then=True))

    with LocalAws(tmp_path) as aws:
        aws.world.submit(work, aws.world)
    with LocalAws(tmp_path) as aws:
        assert aws.world.state("healthlake", dict) == {"done": True}
        assert aws.world.state("omics", dict) == {"then": True}

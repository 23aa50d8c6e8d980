"""LocalAws starts, answers through real clients, saves, and finds everything again.

Reads and writes temporary folders. Make target: `test`. Example: `pytest tests/localaws/test_server.py`.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from localaws import LocalAws
from localaws.connection import Credentials
from localaws.world import make_client

SCRIPTS = Path(__file__).parents[2] / "scripts"


def test_state_is_there_again_after_a_restart(tmp_path: Path) -> None:
    with LocalAws(tmp_path) as aws:
        s3 = aws.world.client("s3")
        s3.create_bucket(Bucket="raw-bucket")
        s3.put_object(Bucket="raw-bucket", Key="a/b c.txt", Body=b"bytes")
        key = aws.world.client("kms").create_key()["KeyMetadata"]["KeyId"]
        sealed = aws.world.client("kms").encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    with LocalAws(tmp_path) as aws:
        assert aws.world.client("s3").get_object(Bucket="raw-bucket", Key="a/b c.txt")["Body"].read() == b"bytes"
        assert aws.world.client("kms").decrypt(CiphertextBlob=sealed)["Plaintext"] == b"secret"


def test_each_account_calls_as_itself(aws: LocalAws) -> None:
    mine = aws.world.client("sts").get_caller_identity()
    theirs = aws.world.client("sts", aws.world.service_account_id).get_caller_identity()
    assert (mine["Account"], mine["Arn"]) == ("123456789012", "arn:aws:iam::123456789012:user/deployer")
    assert theirs["Account"] == "888888888888"


def test_the_foreground_server_prints_what_a_shell_needs_and_saves(tmp_path: Path) -> None:
    folder = tmp_path / "local"
    command = [sys.executable, "-m", "localaws", str(folder)]
    environment = {"PYTHONPATH": str(SCRIPTS), "PATH": os.environ["PATH"]}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as server:
        assert server.stdout is not None
        lines = iter(server.stdout.readline, "")
        exported = dict(
            line.removeprefix("export ").strip().split("=", 1)
            for line in itertools.takewhile(lambda line: not line.startswith("unset"), lines)
            if line.startswith("export ")
        )
        keys = Credentials(exported["AWS_ACCESS_KEY_ID"], exported["AWS_SECRET_ACCESS_KEY"])
        make_client("s3", exported["AWS_ENDPOINT_URL"], keys).create_bucket(Bucket="some-bucket")
        busy = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        assert busy.returncode == 15 and f"in use by process {server.pid}" in busy.stderr
        deadline = time.monotonic() + 30
        while not (folder / "state.pickle").exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert (folder / "state.pickle").exists(), "it saves while it runs"
        server.terminate()
        assert server.wait() == 0
    with LocalAws(folder) as aws:
        assert [bucket["Name"] for bucket in aws.world.client("s3").list_buckets()["Buckets"]] == ["some-bucket"]


def test_it_starts_within_a_second_and_a_half(tmp_path: Path) -> None:
    """CPU time of import, start, a first call and the end: what a quiet machine takes."""
    code = "import time, sys; from pathlib import Path; from localaws import LocalAws\n"
    code += "with LocalAws(Path(sys.argv[1])) as aws: aws.world.client('s3').list_buckets()\n"
    code += "print(time.process_time())"
    command = [sys.executable, "-c", code, str(tmp_path / "local")]
    done = subprocess.run(command, capture_output=True, text=True, env={"PYTHONPATH": str(SCRIPTS)}, check=True)
    assert float(done.stdout) < 1.5


def test_the_request_log_has_operations_and_no_values(aws: LocalAws, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="localaws.requests"):
        aws.world.client("s3").create_bucket(Bucket="secret-name")
        aws.world.client("glue").create_database(DatabaseInput={"Name": "secret_name"})
        aws.world.client("iam").list_roles(PathPrefix="/secret/")
    lines = [record.getMessage().rsplit(" ", 2)[0] for record in caplog.records]
    assert lines == ["s3 PUT 200", "glue CreateDatabase 200", "iam ListRoles 200"]


def test_many_clients_at_once_are_served(aws: LocalAws) -> None:
    s3 = aws.world.client("s3")
    s3.create_bucket(Bucket="some-bucket")

    def use(number: int) -> bytes:
        s3.put_object(Bucket="some-bucket", Key=str(number), Body=str(number).encode())
        s3.list_objects_v2(Bucket="some-bucket")
        body: bytes = s3.get_object(Bucket="some-bucket", Key=str(number))["Body"].read()
        return body

    with ThreadPoolExecutor(16) as threads:
        assert list(threads.map(use, range(200))) == [str(number).encode() for number in range(200)]


@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        ("glue", "list_usage_profiles", {}),
        ("s3", "get_bucket_analytics_configuration", {"Bucket": "some-bucket", "Id": "x"}),
        ("iam", "generate_service_last_accessed_details", {"Arn": "arn:aws:iam::123456789012:role/r"}),
        ("quicksight", "list_themes", {"AwsAccountId": "123456789012"}),
        ("freetier", "get_free_tier_usage", {}),
    ],
)
def test_what_is_not_there_is_said_not_a_crash(
    aws: LocalAws, capfd: pytest.CaptureFixture[str], service: str, operation: str, params: dict[str, str]
) -> None:
    with pytest.raises(ClientError) as caught:
        getattr(aws.world.client(service), operation)(**params)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] in {404, 501}
    assert capfd.readouterr() == ("", "")


def test_a_profile_or_proxy_of_the_user_does_not_lead_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with LocalAws(tmp_path) as aws:
        assert aws.world.client("s3").list_buckets()["Buckets"] == []

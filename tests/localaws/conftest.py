"""A real LocalAws in a folder of its own, for every test of tests/localaws.

Reads and writes the test's temporary folder. Make target: `test`.
Example: `def test_buckets(client): client("s3").create_bucket(Bucket="raw-bucket")`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from localaws import LocalAws
from localaws.connection import Credentials
from localaws.world import make_client


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalAws]:
    """A running LocalAws with an empty state; the environment points every AWS client at it."""
    with LocalAws(tmp_path / "local") as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.endpoint)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", running.credentials.access_key_id)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", running.credentials.secret_access_key)
        monkeypatch.setenv("AWS_DEFAULT_REGION", running.world.region)
        monkeypatch.setenv("AWS_DISABLE_HOST_PREFIX_INJECTION", "true")
        monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
        monkeypatch.delenv("AWS_PROFILE", raising=False)
        yield running


@pytest.fixture
def client(aws: LocalAws) -> Callable[..., Any]:
    """`client(service)` as the deployer; `client(service, role_arn=...)` as a session of that role."""

    def build(service: str, role_arn: str | None = None) -> Any:
        if role_arn is None:
            return aws.world.client(service)
        answer = aws.world.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="test")["Credentials"]
        keys = Credentials(answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"])
        return make_client(service, aws.endpoint, keys)

    return build

"""A real LocalAws for the tests of the Terraform provider, one for each module of tests.

Example: def test_bucket(bench): bench.create("aws_s3_bucket", bucket="raw-files")
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from localaws import LocalAws
from tests.localaws.terraform.workbench import Workbench


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """A running LocalAws; the environment points boto3 and the provider at it."""
    with LocalAws(tmp_path_factory.mktemp("state") / "local") as running, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", running.endpoint)
        patch.setenv("AWS_ACCESS_KEY_ID", running.credentials.access_key_id)
        patch.setenv("AWS_SECRET_ACCESS_KEY", running.credentials.secret_access_key)
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.delenv("AWS_SESSION_TOKEN", raising=False)
        patch.delenv("AWS_PROFILE", raising=False)
        yield running


@pytest.fixture(scope="module")
def bench(aws: LocalAws) -> Workbench:
    """Terraform's side of the provider, in-process."""
    return Workbench()


@pytest.fixture(scope="module")
def client(aws: LocalAws) -> Callable[[str], Any]:
    """boto3 clients of the deployer."""
    return aws.world.client

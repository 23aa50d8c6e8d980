"""pytest-terraform over localaws: a fixture applies a module for real and a test looks at what is there with boto3.

pytest-terraform writes a lock file and a recording beside the module it applies, so it gets a copy; it would destroy at
the end, which `prevent_destroy` refuses, so it does not: the localaws of the test module goes as a whole.
It never replays: a recording cannot notice a changed .tf.

Example:
    from tests.core.applied import terraform

    @terraform("core_module", scope="module", teardown=terraform.TEARDOWN_OFF)
    def test_buckets(core_module, client): ...
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from py.path import local
from pytest_terraform.tf import TerraformFixture, TerraformRunner, terraform

from localaws import LocalAws
from localaws.terraform.mirror import lay_out
from trilake.core.paths import ROOT

__all__ = ["aws", "client", "terraform"]


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
def client(aws: LocalAws) -> Callable[[str], Any]:
    """boto3 clients of the deployer."""
    return aws.world.client


class AppliedModule(TerraformFixture):  # type: ignore[misc]
    """A root module of this folder, applied in a copy, with the local provider and whatever Terraform there is."""

    def __call__(self, request: Any, tmpdir_factory: Any, worker_id: Any) -> Any:
        request.getfixturevalue("aws")
        self.place = tmpdir_factory.mktemp("checkout")
        with pytest.MonkeyPatch.context() as patch:
            layout = lay_out(Path(self.place) / "mirror")
            self.executable = layout.executable
            patch.setenv("TF_CLI_CONFIG_FILE", str(layout.configuration))
            patch.setenv("TF_DISABLE_PLUGIN_TLS", "1")
            patch.delenv("TF_DATA_DIR", raising=False)
            return super().__call__(request, tmpdir_factory, worker_id)

    def resolve_module_dir(self) -> Any:
        """A copy of the module, with the checkout's folders where its relative paths look for them."""
        source = ROOT / "tests" / "core" / self.tf_root_module
        copy = Path(self.place) / "tests" / "core" / self.tf_root_module
        if not copy.exists():
            shutil.copytree(source, copy)
            for name in ("terraform", "sql"):
                (copy.parents[2] / name).symlink_to(ROOT / name)
        return local(copy)

    def get_runner(self, module_dir: Any, work_dir: Any) -> TerraformRunner:
        return TerraformRunner(str(work_dir), module_dir=str(module_dir), tf_bin=self.executable)


for scope in ("function", "class", "module", "session"):
    terraform.scope_class_map[scope] = AppliedModule

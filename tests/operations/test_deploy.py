"""The verbs deploy, plan and destroy on the whole of terraform/: made once, drift seen, nothing left."""

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from localaws import LocalAws
from localaws.world import make_client
from trilake.core.paths import ROOT
from trilake.operations import deploy

# Whatever a user's shell says of Terraform must not matter.
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "scripts"), "TF_CLI_CONFIG_FILE": "/nowhere/terraform.rc"}


def command(state: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "trilake.core.cli", *words, "--state", str(state), "--json"]


def trilake(state: Path, *words: str, code: int = 0) -> dict:
    """One verb as a user calls it, with --json; its result."""
    asked = command(state, *words)
    done = subprocess.run(asked, capture_output=True, text=True, env=ENVIRONMENT, cwd=state, check=False)
    assert done.returncode == code, done.stderr[-4000:]
    result: dict = json.loads(done.stdout)
    return {**result, "said": done.stderr}


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    return tmp_path_factory.mktemp("lake")


def kill_midway(state):
    """Begin a deployment and kill it while Terraform applies."""
    asked = command(state, "deploy")
    with subprocess.Popen(asked, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT, cwd=state) as run:
        assert any(line.strip().startswith("25 of") for line in run.stderr or ())
        run.kill()


@pytest.fixture(scope="module")
def deployed(state):
    """A deployment after one that was killed: it starts from the last good state, which is an empty one."""
    kill_midway(state)
    return trilake(state, "deploy")


def looked_at(state, look):
    with LocalAws(state / "local") as aws:
        return look(lambda service: make_client(service, aws.endpoint, aws.credentials))


def test_a_deployment_makes_everything_and_says_what(deployed, state):
    assert deployed["resources"]["create"] > 100
    assert deployed["roots"]["account"]["create"] == 1
    assert deployed["inert"] == {}
    assert {"settings.json", "trilake.zip"} <= set(deployed["uploaded"])
    assert "resources" not in deployed["review"] and deployed["review"]["changes"]
    assert "of" in deployed["said"] and "Plan review" in deployed["said"]


def test_code_and_settings_are_where_jobs_find_them(deployed, state):
    settings = json.loads((state / "local/settings.json").read_text())
    bucket = settings["core"]["artifact_bucket"]
    body = looked_at(state, lambda c: c("s3").get_object(Bucket=bucket, Key="code/settings.json")["Body"].read())
    assert json.loads(body) == settings


def test_a_second_deployment_changes_nothing(deployed, state):
    again = trilake(state, "deploy")
    assert again["resources"] == {"create": 0, "update": 0, "replace": 0, "destroy": 0}
    assert "settings.json" not in again["uploaded"]


def test_the_package_for_jobs_is_the_same_for_the_same_files(tmp_path, monkeypatch):
    for name in ("trilake/core/a.py", "trilake/core/rules.yaml", "trilake/core/__pycache__/a.pyc", "localaws/b.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    monkeypatch.setattr(deploy, "SCRIPTS", tmp_path)
    first = deploy.package()
    (tmp_path / "trilake/core/a.py").touch()
    assert deploy.package() == first
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert archive.namelist() == ["trilake/core/a.py", "trilake/core/rules.yaml"]


def test_a_grant_that_was_taken_back_by_hand_is_planned_again(deployed, state):
    def revoke(client):
        lakeformation = client("lakeformation")
        grants = lakeformation.list_permissions()["PrincipalResourcePermissions"]
        grant = next(item for item in grants if "DataCellsFilter" in item["Resource"])
        names = ("Principal", "Resource", "Permissions")
        lakeformation.revoke_permissions(**{name: grant[name] for name in names})
        return grant["Resource"]["DataCellsFilter"]

    lost = looked_at(state, revoke)
    planned = trilake(state, "plan")
    assert planned["resources"]["create"] == 1
    (change,) = planned["review"]["changes"]
    assert lost["TableName"] in change["table"] and lost["Name"] == change["persona"]
    assert trilake(state, "deploy", "--brief")["resources"]["create"] == 1


OPEN = """
resource "aws_lakeformation_permissions" "open" {
  principal   = "IAM_ALLOWED_PRINCIPALS"
  permissions = ["ALL"]

  database {
    name = "trilake_local_clinical"
  }
}
"""


def test_a_review_that_blocks_stops_a_deployment(deployed, state):
    opened = state / "local/terraform/checkout/terraform/open.tf"
    opened.write_text(OPEN)
    stopped = trilake(state, "deploy", code=3)
    opened.unlink()
    assert stopped["resources"]["create"] == 1
    assert stopped["review"]["blocking"]
    assert "uploaded" not in stopped, "nothing was applied"


def test_the_checkout_stays_as_it_was(deployed):
    assert not list((ROOT / "terraform").rglob(".terraform*"))
    assert not list((ROOT / "terraform").rglob("*.tfstate*"))


def test_a_destroy_leaves_nothing_even_of_data(deployed, state):
    settings = json.loads((state / "local/settings.json").read_text())

    def fill(client):
        client("s3").put_object(Bucket=settings["core"]["raw_bucket"], Key="a", Body=b"1")

    looked_at(state, fill)
    gone = trilake(state, "destroy")
    assert gone["resources"]["destroy"] > 100
    assert gone["left"] == []
    assert not (state / "local/settings.json").exists()

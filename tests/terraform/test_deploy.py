"""The verbs deploy, plan and destroy on the whole of terraform/: made once, drift seen, nothing left."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from localaws import LocalAws
from localaws.world import make_client
from trilake.core.paths import ROOT


def trilake(state: Path, *words: str, code: int = 0) -> dict:
    """One verb as a user calls it, with --json; its result."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "scripts"), "TF_CLI_CONFIG_FILE": "/nowhere/terraform.rc"}
    command = [sys.executable, "-m", "trilake.core.cli", *words, "--state", str(state), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=state, check=False)
    assert done.returncode == code, done.stderr[-4000:]
    result: dict = json.loads(done.stdout)
    return {**result, "said": done.stderr}


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    return tmp_path_factory.mktemp("lake")


@pytest.fixture(scope="module")
def deployed(state):
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
    assert again["uploaded"] == []


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

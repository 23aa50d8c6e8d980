"""The plugin under the real Terraform: start, mirror, validation, errors, drift and import, in small configurations."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from localaws.terraform.mirror import find_executable, lay_out, platform_name
from localaws.terraform.schemas import version

REQUIRED = """
terraform {
  required_providers {
    aws   = { source = "hashicorp/aws" }
    awscc = { source = "hashicorp/awscc" }
  }
}
"""


class Here:
    """A folder with a configuration, and Terraform in it."""

    def __init__(self, folder: Path, executable: str | None = None) -> None:
        self.layout, self.folder = lay_out(folder / "plugins"), folder / "work"
        self.executable = executable or self.layout.executable
        self.folder.mkdir()

    def write(self, text: str) -> None:
        (self.folder / "main.tf").write_text(REQUIRED + text)

    def run(self, *words: str, code: int | None = 0, **variables: str) -> str:
        environment = {**os.environ, "TF_CLI_CONFIG_FILE": str(self.layout.configuration), **variables}
        done = subprocess.run(
            [self.executable, *words, "-no-color"],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        text = done.stdout + done.stderr
        assert code is None or done.returncode == code, text
        return text


@pytest.fixture
def here(tmp_path):
    return Here(tmp_path)


BUCKET = 'resource "aws_s3_bucket" "this" {{\n  bucket = "{name}"\n{more}}}\n'


def test_a_bucket_from_init_to_destroy_with_drift_between(aws, here, client):
    here.write(BUCKET.format(name="whole-life", more='  tags = { a = "b" }\n'))
    here.run("init")
    here.run("apply", "-auto-approve")
    here.run("plan", "-detailed-exitcode", code=0)
    client("s3").put_bucket_tagging(Bucket="whole-life", Tagging={"TagSet": [{"Key": "a", "Value": "c"}]})
    assert '"c" -> "b"' in here.run("plan", "-detailed-exitcode", code=2)
    client("s3").delete_bucket(Bucket="whole-life")
    assert "1 to add" in here.run("plan")
    here.run("apply", "-auto-approve")
    here.run("destroy", "-auto-approve")
    assert client("s3").list_buckets()["Buckets"] == []


def test_a_misspelt_argument_and_a_bad_name_are_refused_with_their_line(here):
    here.write(BUCKET.format(name="raw", more="  forced_destroy = true\n"))
    here.run("init")
    assert "forced_destroy" in here.run("validate", code=1)
    here.write(BUCKET.format(name="Not_A_Bucket", more=""))
    text = here.run("validate", code=1)
    assert "Invalid bucket name" in text and 'on main.tf line 9, in resource "aws_s3_bucket" "this"' in text


def test_an_error_of_a_service_names_the_resource_and_the_services_words(aws, here):
    text = 'resource "aws_s3_bucket_versioning" "this" {\n  bucket = "nowhere"\n'
    here.write(text + '  versioning_configuration { status = "Enabled" }\n}\n')
    here.run("init")
    found = " ".join(here.run("apply", "-auto-approve", code=1).split())
    assert "creating aws_s3_bucket_versioning (nowhere): NoSuchBucket" in found
    assert "with aws_s3_bucket_versioning.this" in found
    assert "The specified bucket does not exist" in found


def test_an_argument_without_effect_is_said_to_have_none(here):
    text = 'resource "aws_s3_bucket_logging" "this" {\n  bucket = "raw"\n  expected_bucket_owner = "1"\n'
    here.write(text + '  target_bucket = "logs"\n  target_prefix = "x"\n}\n')
    here.run("init")
    assert "expected_bucket_owner has no effect on the laptop" in here.run("validate")


def test_a_provider_argument_without_effect_is_said_to_have_none(aws, here):
    role = 'provider "aws" {\n  region = "us-east-1"\n  assume_role {\n    role_arn = "arn:aws:iam::1:role/x"\n  }\n}\n'
    here.write(role + 'data "aws_caller_identity" "this" {}\n')
    here.run("init")
    assert "assume_role has no effect on the laptop" in here.run("plan")


def test_it_works_on_no_aws_but_this_machines(here):
    here.write(BUCKET.format(name="far-away", more=""))
    here.run("init")
    text = " ".join(here.run("apply", "-auto-approve", code=1, AWS_ENDPOINT_URL="https://s3.amazonaws.com").split())
    assert "This is the provider for the laptop" in text


def test_the_terraform_from_pypi_does_the_same(aws, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr("shutil.which", lambda name: None)
    embedded = find_executable(tmp_path)
    here = Here(tmp_path, embedded)
    here.write(BUCKET.format(name="embedded", more=""))
    here.run("init")
    here.run("apply", "-auto-approve")
    assert "aws_s3_bucket.this" in here.run("state", "list")
    here.run("destroy", "-auto-approve")


def test_the_mirror_is_for_this_platform_and_the_plugin_the_same_everywhere(tmp_path):
    first, second = (lay_out(tmp_path / name).configuration.parent for name in ("one", "two"))
    path = Path("mirror/registry.terraform.io/hashicorp/aws") / version("aws") / platform_name()
    (plugin,) = (first / path).iterdir()
    assert plugin.read_text() == (second / path / plugin.name).read_text()
    assert os.access(plugin, os.X_OK)


def test_a_plugin_started_by_hand_says_what_it_is():
    done = subprocess.run(
        [sys.executable, "-m", "localaws.terraform", "aws"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3] / "scripts")},
    )
    assert done.returncode == 1 and "Terraform starts it" in done.stderr


def test_schemas_are_cut_down_to_the_types_in_use(tmp_path, monkeypatch):
    from localaws.terraform.schemas import __main__ as cut

    name = {
        "type": "string",
        "required": True,
        "description": "its name",
        "description_kind": "plain",
        "computed": False,
    }
    kinds = {kind: {"block": {"attributes": {"description": name}}} for kind in ("aws_budgets_budget", "aws_vpc")}
    full = {"provider_schemas": {"registry.terraform.io/hashicorp/aws": {"provider": {}, "resource_schemas": kinds}}}
    (tmp_path / "full.json").write_text(json.dumps(full))
    (tmp_path / "main.tf").write_text('resource "aws_budgets_budget" "this" {}\n')
    monkeypatch.setattr(cut, "FOLDER", tmp_path)
    monkeypatch.setattr(sys, "argv", ["schemas", str(tmp_path / "full.json"), "--terraform", str(tmp_path)])
    cut.main()
    kept = json.loads((tmp_path / "aws.json").read_text())
    assert kept["resource_schemas"] == {
        "aws_budgets_budget": {"block": {"attributes": {"description": {"type": "string", "required": True}}}}
    }


def test_what_was_made_elsewhere_is_imported_and_needs_no_change(aws, here, client):
    client("s3").create_bucket(Bucket="made-by-hand")
    client("iam").create_role(RoleName="by-hand", AssumeRolePolicyDocument='{"Version": "2012-10-17", "Statement": []}')
    client("sqs").create_queue(QueueName="by-hand")
    queue = client("sqs").get_queue_url(QueueName="by-hand")["QueueUrl"]
    imports = {"aws_s3_bucket": "made-by-hand", "aws_iam_role": "by-hand", "aws_sqs_queue": queue}
    here.write("".join(f'import {{\n  to = {kind}.this\n  id = "{given}"\n}}\n' for kind, given in imports.items()))
    here.run("init")
    arguments = {
        "aws_s3_bucket": 'bucket = "made-by-hand"',
        "aws_iam_role": 'name = "by-hand"\nassume_role_policy = jsonencode({ Statement = [], Version = "2012-10-17" })',
        "aws_sqs_queue": 'name = "by-hand"\n  max_message_size = 1048576',
    }
    (here.folder / "made.tf").write_text(
        "".join(f'resource "{kind}" "this" {{\n  {text}\n}}\n' for kind, text in arguments.items())
    )
    assert "3 to import, 0 to add, 0 to change, 0 to destroy" in here.run("plan")
    here.run("apply", "-auto-approve")
    here.run("plan", "-detailed-exitcode", code=0)

"""Where Terraform runs and keeps its state: the tree of links, and the S3 backend of an AWS environment at work."""

import json
from pathlib import Path

import pytest

from localaws.terraform.mirror import lay_out
from tests.core.applied import aws, client
from trilake.core import terraform
from trilake.core.errors import SettingsError
from trilake.core.terraform import ROOTS, TerraformError, lay_tree, open_terraform

__all__ = ["aws", "client"]

PROVIDER = 'terraform {\n  required_providers {\n    aws = { source = "hashicorp/aws" }\n  }\n}\nvariable "name" {}\n'
BUCKET = (
    'resource "aws_s3_bucket" "this" {\n  bucket = "${var.name}-%s"\n  lifecycle {\n    prevent_destroy = %s\n  }\n}\n'
)
OUTPUT = 'output "core" {\n  value = { bucket = aws_s3_bucket.this.id }\n}\n'
BACKEND = 'bucket = "state-files"\nkey = "lab/%s.tfstate"\nregion = "us-east-1"\nuse_path_style = true\n'


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A small terraform/ with two roots, and an environment `lab` of it."""
    root = tmp_path / "checkout"
    for name, place in (("account", root / "terraform/account"), ("main", root / "terraform")):
        write(place / "main.tf", PROVIDER + BUCKET % (name, "true" if name == "main" else "false"))
        write(place / "environments/lab.tfvars", 'name = "lab"\n')
        write(place / "environments/lab.s3.tfbackend", BACKEND % name)
    write(root / "terraform/outputs.tf", OUTPUT)
    write(root / "sql/core/row_keys.yaml", "[]")
    monkeypatch.setattr(terraform, "TERRAFORM", root / "terraform")
    monkeypatch.setattr(terraform, "SQL", root / "sql")
    return root


def test_the_tree_follows_the_checkout(checkout, tmp_path):
    tree = lay_tree(tmp_path / "state")
    assert (tree / "account/main.tf").resolve() == checkout / "terraform/account/main.tf"
    assert (tree.parent / "sql/core/row_keys.yaml").is_symlink()
    (checkout / "terraform/outputs.tf").rename(checkout / "terraform/results.tf")
    write(checkout / "terraform/.terraform/x", "")
    write(checkout / "terraform/local_override.tf", "")
    write(tree / "kept_override.tf", "an override of this environment stays")
    lay_tree(tmp_path / "state")
    names = {path.name for path in tree.iterdir()}
    assert names == {"account", "environments", "kept_override.tf", "main.tf", "results.tf"}


def test_an_environment_without_a_place_for_its_state_is_refused(checkout, tmp_path):
    (checkout / "terraform/environments/lab.s3.tfbackend").unlink()
    with (
        open_terraform(tmp_path / "lab", "lab") as terraform,
        pytest.raises(SettingsError, match="No place for the state"),
    ):
        terraform.plan(ROOTS[-1])


def test_an_aws_environment_keeps_its_state_in_s3_and_its_protection(aws, checkout, tmp_path, client, monkeypatch):
    client("s3").create_bucket(Bucket="state-files")
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(lay_out(tmp_path / "mirror").configuration))
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    with open_terraform(tmp_path / "lab", "lab") as terraform:
        for root in ROOTS:
            plan = terraform.plan(root)
            assert plan.counts == {"create": 1, "update": 0, "replace": 0, "destroy": 0}
            terraform.apply(plan)
        assert terraform.outputs(ROOTS[-1])["core"]["value"] == {"bucket": "lab-main"}
        assert not terraform.plan(ROOTS[-1]).has_changes
        with pytest.raises(TerraformError, match="prevent_destroy"):
            terraform.plan_removal(ROOTS[-1])
    keys = [item["Key"] for item in client("s3").list_objects_v2(Bucket="state-files")["Contents"]]
    assert keys == ["lab/account.tfstate", "lab/main.tfstate"], "and no lock is left"
    state = json.loads(client("s3").get_object(Bucket="state-files", Key=keys[1])["Body"].read())
    assert [item["type"] for item in state["resources"]] == ["aws_s3_bucket"]
    assert not list(checkout.rglob("*.tfstate*"))

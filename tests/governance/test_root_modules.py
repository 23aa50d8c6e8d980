"""The whole configuration: Terraform's own tests, its form, its plan for each environment, and the access planned."""

import re

import pytest

from tests.governance.conftest import RootPlan, Workspace
from trilake.core.paths import TERRAFORM
from trilake.governance.policy import load_access

FOLDERS = {"main": TERRAFORM, "account": TERRAFORM / "account"}
FILES = [
    (root, path.name) for root, folder in FOLDERS.items() for path in sorted((folder / "tests").glob("*.tftest.hcl"))
]


@pytest.fixture(scope="module")
def reports(roots: dict[str, Workspace]) -> dict[str, str]:
    """What `terraform test` says of each root. One process for all files: each spends seconds on providers' schemas."""
    return {root: workspace.terraform("test", "-no-color") for root, workspace in roots.items()}


@pytest.mark.parametrize(("root", "file"), FILES)
def test_terraform_test(reports: dict[str, str], root: str, file: str) -> None:
    runs = re.findall(r'^run "(\w+)"', (FOLDERS[root] / "tests" / file).read_text(), re.MULTILINE)
    section = (
        reports[root].partition(f"tests/{file}... in progress\n")[2].partition(f"tests/{file}... tearing down\n")[0]
    )
    assert re.findall(r'^ +run "(\w+)"\.\.\. pass$', section, re.MULTILINE) == runs


@pytest.mark.parametrize("root", FOLDERS)
def test_valid(roots: dict[str, Workspace], root: str) -> None:
    assert "Success!" in roots[root].terraform("validate", "-no-color")


def test_formatted(roots: dict[str, Workspace]) -> None:
    roots["main"].terraform("fmt", "-check", "-recursive")


def test_every_environment_can_be_planned(root_plans: dict[str, RootPlan]) -> None:
    assert set(root_plans) == {path.stem for path in (TERRAFORM / "environments").glob("*.tfvars")}
    for plan in root_plans.values():
        assert "0 to change, 0 to destroy" in plan.printed


def test_terraform_and_python_give_the_same_access(root_plans: dict[str, RootPlan]) -> None:
    planned = root_plans["local"].content["output_changes"]["access"]["after"]
    from_terraform = {
        tuple(key.split("/")): (sorted(entry["columns"]), entry["rows"]) for key, entry in planned.items()
    }
    from_python = {
        (persona, *path.split(".")): (sorted(entry.columns), entry.rows)
        for persona, tables in load_access().items()
        for path, entry in tables.items()
    }
    assert from_terraform == from_python


def test_what_is_planned_as_filters_is_the_access(root_plans: dict[str, RootPlan]) -> None:
    filters = {
        change["index"]: change["change"]["after"]["table_data"][0]
        for change in root_plans["local"].content["resource_changes"]
        if change["type"] == "aws_lakeformation_data_cells_filter"
    }
    for persona, tables in load_access().items():
        for path, entry in tables.items():
            planned = filters.pop(f"{persona}/{path.replace('.', '/')}")
            assert sorted(planned["column_names"]) == sorted(entry.columns)
            assert planned["row_filter"][0].get("filter_expression") == entry.rows
    assert not filters

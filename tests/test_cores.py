"""How the tests share the cores: those of a file run on one, for they share what it takes seconds to make."""

import pytest


def test_tests_of_a_file_run_on_one_core(request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("loadgroup", False):
        pytest.skip("this run does not share out groups (-n 2 --dist loadgroup)")
    assert request.node.nodeid.endswith(f"@{request.path}")

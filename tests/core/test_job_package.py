"""What a Glue job brings along: the package alone, without sql/ or anything else of the checkout beside it."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from trilake.core.paths import GLUE_JOBS
from trilake.operations.deploy import PACKAGE, package


@pytest.fixture(scope="module")
def package_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("job") / PACKAGE
    path.write_bytes(package())
    return path


@pytest.mark.parametrize("script", sorted(GLUE_JOBS.glob("*.py")), ids=lambda path: path.stem)
def test_a_job_imports_what_it_needs_from_the_package_alone(package_path: Path, script: Path) -> None:
    imports = [node for node in ast.parse(script.read_text()).body if isinstance(node, ast.Import | ast.ImportFrom)]
    program = "\n".join(ast.unparse(node) for node in imports) + "\nimport trilake\nprint(trilake.__file__)"
    environment = {**os.environ, "PYTHONPATH": str(package_path)}
    job = subprocess.run(
        [sys.executable, "-c", program], cwd=package_path.parent, env=environment, capture_output=True, text=True
    )
    assert job.returncode == 0, job.stderr[-2000:]
    assert PACKAGE in job.stdout

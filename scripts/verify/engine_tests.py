"""Tier engine_tests: Athena's tests that `make test` leaves out: hostile queries in number, and all that needs a Trino.

Example: python -m verify --only engine_tests
"""

import os
import subprocess
import sys
from collections.abc import Callable

from localaws.installed import EnginesMissing, installed_engines
from trilake.core.paths import ROOT
from verify.tier import Failed, NotRun, Tier

ON_TRINO = "tests/localaws/engines"
# Generated queries of a persona, on DuckDB; `make test` asks 25.
HOSTILE = "tests/localaws/athena/test_hostile_generated.py"
HOSTILE_QUERIES = {"HOSTILE_QUERIES": "400"}


def run(say: Callable[[str], None]) -> str:
    run_pytest(HOSTILE, say, HOSTILE_QUERIES)
    try:
        installed_engines().need_trino()
    except EnginesMissing as error:
        raise NotRun(str(error)) from None
    return f"Queries, writes, views, enforcement and the server itself on Trino 476: {run_pytest(ON_TRINO, say)}"


def run_pytest(path: str, say: Callable[[str], None], environment: dict[str, str] | None = None) -> str:
    """The last line of pytest's report; Failed with the whole report before it."""
    say(f"pytest {path}")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", path]
    variables = {**os.environ, **(environment or {})}
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    last = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else done.stderr.strip()
    if done.returncode:
        say(done.stdout)
        raise Failed(f"{path}: {last}")
    return last


TIER = Tier("engine_tests", "Athena on Trino: results, errors, writes, views, who may, nothing left behind", run)

"""Tier engine_tests: the tests that need a real Trino behind localaws' Athena (tests/localaws/engines).

Example: python -m verify --only engine_tests
"""

import subprocess
import sys
from collections.abc import Callable

from localaws.installed import EnginesMissing, installed_engines
from trilake.core.paths import ROOT
from verify.tier import Failed, NotRun, Tier

FOLDER = "tests/localaws/engines"


def run(say: Callable[[str], None]) -> str:
    try:
        installed_engines().need_trino()
    except EnginesMissing as error:
        raise NotRun(str(error)) from None
    say(f"pytest {FOLDER}")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", FOLDER]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    last = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else done.stderr.strip()
    if done.returncode:
        say(done.stdout)
        raise Failed(f"{FOLDER}: {last}")
    return f"Queries, writes, views, enforcement and the server itself on Trino 476: {last}"


TIER = Tier("engine_tests", "Athena on Trino: results, errors, writes, views, who may, nothing left behind", run)

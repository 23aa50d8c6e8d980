"""How a tier ends, and what that makes of the run."""

import os
import subprocess
import sys

import pytest

from verify.__main__ import exit_code
from verify.listing import tiers
from verify.tier import Failed, NotRun, Tier, outcome


def a_tier(error=None):
    def run(say):
        if error:
            raise error
        return "all of it"

    return Tier("one", "something holds", run)


@pytest.mark.parametrize(
    ("error", "verdict", "code", "strict_code"),
    [(None, "holds", 0, 0), (Failed("this differs"), "FAILS", 1, 1), (NotRun("no Java"), "not run", 0, 1)],
)
def test_a_tier_ends_in_one_of_three_ways(error, verdict, code, strict_code, capsys):
    ended = outcome(a_tier(error))
    assert ended.verdict == verdict
    assert str(error or "all of it") in capsys.readouterr().err
    assert exit_code([ended], strict=False) == code
    assert exit_code([ended], strict=True) == strict_code


def test_a_fault_of_a_tier_fails_it_and_shows_where(capsys):
    assert outcome(a_tier(KeyError("a"))).verdict == "FAILS"
    assert "Traceback" in capsys.readouterr().err


def test_every_module_with_a_tier_is_listed():
    assert {"terraform"} <= set(tiers())


def test_each_tier_is_run_and_told_of(tmp_path):
    """Two whose parts are not there, so that they end at once."""
    done = subprocess.run(
        [sys.executable, "-m", "verify", "--only", "engine_tests", "--only", "spark"],
        env={**os.environ, "LOCALAWS_ENGINES": str(tmp_path), "STRICT": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, "a tier that is not run fails in strict mode"
    assert [line.split()[:3] for line in done.stdout.splitlines()[2:]] == [
        ["engine_tests", "not", "run"],
        ["spark", "not", "run"],
    ]
    assert "spark: not run: " in done.stderr

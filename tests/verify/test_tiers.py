"""How a tier ends, and what that makes of the run."""

import pytest

from verify.__main__ import exit_code, outcome_apart, tiers
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


def test_a_tier_has_a_process_of_its_own(monkeypatch, tmp_path, capfd):
    """One whose parts are not there, so that it ends at once; what it says carries its name."""
    monkeypatch.setenv("LOCALAWS_ENGINES", str(tmp_path))
    ended = outcome_apart("engine_tests")
    assert (ended.name, ended.verdict) == ("engine_tests", "not run")
    assert f"engine_tests: not run: {ended.words}" in capfd.readouterr().err

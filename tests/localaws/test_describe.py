"""COVERAGE.md's tables come from the code: what a class says of an operation, or no longer has, changes them."""

from __future__ import annotations

import pytest

from localaws import describe
from localaws.healthlake.service import HealthLake


def test_a_word_in_a_class_and_a_new_operation_change_the_page(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(HealthLake, "inert", {"tag_resource": "kept, never read"})
    monkeypatch.setattr(HealthLake, "start_fhir_export_job", lambda self, params, caller: {}, raising=False)
    line = next(line for line in describe.described().splitlines() if line.startswith("| healthlake "))
    assert "| 12 of 26 |" in line and "`tag_resource`: kept, never read" in line
    assert describe.main(["--check"]) == 1
    assert "python -m localaws.describe" in capsys.readouterr().err


def test_words_of_an_operation_that_is_not_there_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HealthLake, "inert", {"no_such_operation": "gone"})
    with pytest.raises(ValueError, match="no_such_operation"):
        describe.described()

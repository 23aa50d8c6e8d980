"""A LocalAws in the foreground is found by other programs; one that is gone, or of another version, is not used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from localaws import LocalAws, LocalAwsBusy, connection
from localaws.installed import EnginesMissing, installed_engines


def test_it_is_found_while_it_runs_and_not_after(tmp_path: Path) -> None:
    with LocalAws(tmp_path, autosave_seconds=60) as aws:
        found = connection.running(tmp_path)
        assert found == connection.Running(aws.endpoint, aws.credentials, "duckdb", found.pid if found else 0)
        assert (tmp_path / connection.FILE).stat().st_mode & 0o77 == 0
    assert connection.running(tmp_path) is None
    assert not (tmp_path / connection.FILE).exists()


def test_one_that_is_embedded_is_not_offered(tmp_path: Path) -> None:
    with LocalAws(tmp_path):
        assert connection.running(tmp_path) is None


def test_what_a_killed_one_left_is_not_used_and_goes(tmp_path: Path) -> None:
    with LocalAws(tmp_path, autosave_seconds=60):
        left = (tmp_path / connection.FILE).read_text()
    (tmp_path / connection.FILE).write_text(left)
    assert connection.running(tmp_path) is None
    with LocalAws(tmp_path):
        assert not (tmp_path / connection.FILE).exists()


def test_another_version_is_told(tmp_path: Path) -> None:
    with LocalAws(tmp_path, autosave_seconds=60):
        content = json.loads((tmp_path / connection.FILE).read_text())
        content["written_by"]["moto"] = "0.1"
        (tmp_path / connection.FILE).write_text(json.dumps(content))
        with pytest.raises(LocalAwsBusy, match="of another version"):
            connection.running(tmp_path)


def test_engines_that_are_missing_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCALAWS_ENGINES", str(tmp_path / "none"))
    with pytest.raises(EnginesMissing, match=r"Spark is not in .*make setup-engines ARGS=spark"):
        installed_engines().spark_jars  # noqa: B018
    with pytest.raises(EnginesMissing, match=r"Trino is not in .*make setup-engines ARGS=trino"):
        LocalAws(tmp_path / "state", engine="trino").__enter__()
    with LocalAws(tmp_path / "state"):
        pass


def test_what_is_listed_is_where_it_is(tmp_path: Path) -> None:
    parts = {
        "trino_java": "jdk",
        "trino_home": "trino",
        "spark_jars": ["a.jar"],
        "spark_path": "spark",
        "spark_java": "j",
    }
    (tmp_path / "engines.json").write_text(json.dumps(parts))
    found = installed_engines(tmp_path)
    assert (found.trino_home, found.spark_jars) == (tmp_path / "trino", [tmp_path / "a.jar"])
    with pytest.raises(EnginesMissing):
        found.need_trino()

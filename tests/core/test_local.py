"""Which LocalAws a verb works with: one in the foreground, one of its own, and what is said when that cannot be."""

import subprocess
import sys
import threading

import pytest

from localaws.saved_state import StateStore
from trilake.core.errors import SettingsError
from trilake.core.paths import SCRIPTS, State
from trilake.core.session import _agree, open_session


@pytest.fixture
def foreground(tmp_path):
    command = [sys.executable, "-m", "localaws", str(tmp_path / "local")]
    process = subprocess.Popen(command, cwd=SCRIPTS, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    while "unset AWS_PROFILE" not in process.stdout.readline():
        assert process.poll() is None
    yield State(tmp_path)
    process.terminate()
    process.communicate()


def test_the_one_in_the_foreground_is_used_by_all(foreground):
    with open_session("local", foreground) as session:
        session.client("s3").create_bucket(Bucket="mine")
    with open_session("local", foreground, "duckdb") as session:
        assert [bucket["Name"] for bucket in session.client("s3").list_buckets()["Buckets"]] == ["mine"]
    other = open_session("local", foreground, "trino")
    with pytest.raises(SettingsError, match="runs queries on duckdb, not on trino") as refused, other:
        pass
    assert "make local-aws ENGINE=trino" in str(refused.value)


def test_one_that_runs_trino_is_not_used_for_duckdb(tmp_path):
    with pytest.raises(SettingsError, match="runs queries on trino, not on duckdb"):
        _agree(tmp_path, "trino", "duckdb")


def test_a_verb_within_a_verb_shares(tmp_path):
    with open_session("local", State(tmp_path)) as outer:
        outer.client("s3").create_bucket(Bucket="mine")
        with open_session("local", State(tmp_path)) as inner:
            assert inner.client("s3").list_buckets()["Buckets"][0]["Name"] == "mine"
        other = open_session("local", State(tmp_path), "trino")
        with pytest.raises(SettingsError, match="not on trino"), other:
            pass
        assert outer.client("s3").list_buckets()["Buckets"]


def test_an_engine_that_is_not_installed(tmp_path, monkeypatch):
    monkeypatch.setenv("LOCALAWS_ENGINES", str(tmp_path / "none"))
    missing = open_session("local", State(tmp_path), "trino")
    with pytest.raises(SettingsError, match="Trino is not in") as refused, missing:
        pass
    assert "make setup-engines ARGS=trino" in str(refused.value)


def test_on_aws_the_engine_is_not_ours_to_choose(tmp_path):
    chosen = open_session("prod", State(tmp_path), "trino")
    with pytest.raises(SettingsError, match="--engine trino is for the environment local"), chosen:
        pass


def test_a_command_that_ends_is_waited_for(tmp_path, capsys):
    held = StateStore(tmp_path / "local")
    held.lock()
    threading.Timer(0.3, held.unlock).start()
    with open_session("local", State(tmp_path)) as session:
        assert session.client("s3").list_buckets()["Buckets"] == []
    assert capsys.readouterr().err.count("waiting for it, 60 s at most") == 1


def test_a_command_that_does_not_end_is_waited_for_no_longer_than_said(tmp_path, monkeypatch):
    monkeypatch.setenv("TRILAKE_WAIT_SECONDS", "0")
    held = StateStore(tmp_path / "local")
    held.lock()
    refused = open_session("local", State(tmp_path))
    with pytest.raises(SettingsError, match="in use by process"), refused:
        pass
    held.unlock()

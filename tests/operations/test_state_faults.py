"""A verb on a state that cannot be read, held or written: a sentence, an exit code, and an intact state."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from localaws import LocalAws
from tests.lake import a_lake
from trilake.core.paths import ROOT

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "scripts")}
LIMITED = (
    "import resource, signal, sys\n"
    "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    "from trilake.core.cli import main\n"
    "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)),) * 2)\n"
    "main()\n"
)


def trilake(state: Path, *words: str, room: int | None = None) -> subprocess.CompletedProcess[str]:
    """A verb as a user calls it; `room`: no file may grow beyond that many bytes, as on a full disk."""
    start = ["-m", "trilake.core.cli"] if room is None else ["-c", LIMITED, str(room)]
    asked = [sys.executable, *start, *words, "--state", str(state)]
    return subprocess.run(asked, capture_output=True, text=True, env=ENVIRONMENT, cwd=state, check=False)


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lake")
    with a_lake(folder):
        pass
    return folder


def saved(state: Path) -> bytes:
    return (state / "local" / "state.pickle").read_bytes()


def test_a_state_of_another_version_is_named(state: Path) -> None:
    file = state / "local" / "state.pickle"
    before = saved(state)
    stamp = pickle.loads(before)
    file.write_bytes(pickle.dumps({**stamp, "moto": "1.0"}) + b"whatever")
    try:
        told = trilake(state, "ledger")
    finally:
        file.write_bytes(before)
    assert told.returncode == 10
    assert "was written by" in told.stderr and "Traceback" not in told.stderr


def test_a_state_that_another_command_holds_is_named(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = saved(state)
    monkeypatch.setitem(ENVIRONMENT, "TRILAKE_WAIT_SECONDS", "1")
    with LocalAws(state / "local"):
        told = trilake(state, "ledger")
    assert told.stderr.count("waiting for it, 1 s at most") == 1
    assert told.returncode == 10
    assert "in use by process" in told.stderr and "Traceback" not in told.stderr
    assert trilake(state, "ledger").returncode == 0
    assert len(saved(state)) == pytest.approx(len(before), rel=0.2)


@pytest.mark.parametrize("room", [2_000, 100_000])
def test_a_full_disk_ends_an_import_in_a_sentence_and_loses_nothing(state: Path, tmp_path: Path, room: int) -> None:
    patients = "".join(f'{{"resourceType": "Patient", "id": "p{n}", "gender": "female"}}\n' for n in range(500))
    (tmp_path / "patients.ndjson").write_text(patients)
    before = saved(state)
    told = trilake(state, "ingest", str(tmp_path), room=room)
    assert told.returncode in (11, 15), told.stderr[-2000:]
    assert "Traceback" not in told.stderr
    assert saved(state) == before
    again = trilake(state, "ingest", str(tmp_path))
    assert again.returncode == 0, again.stderr[-2000:]

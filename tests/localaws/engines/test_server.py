"""A LocalAws with Trino in the foreground: used by others, and nothing of it left when it is killed. `make verify`."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import localaws
from localaws import EnginesMissing, connection
from localaws.installed import installed_engines
from localaws.world import make_client

from .conftest import Both
from .test_queries import client_of

IMPORTABLE_FROM = Path(localaws.__file__).parents[1]


@pytest.fixture
def foreground(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    try:
        installed_engines().need_trino()
    except EnginesMissing as error:
        pytest.skip(str(error))
    folder = tmp_path / "local"
    command = [sys.executable, "-m", "localaws", str(folder), "--engine", "trino"]
    process = subprocess.Popen(command, cwd=IMPORTABLE_FROM, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    output = ""
    while "ready" not in output:
        output = process.stderr.readline()
        assert output, "it ended"
    yield process, folder
    if process.poll() is None:
        process.kill()
    process.communicate()


def servers() -> dict[int, str]:
    """Trino's processes and their keepers, by number."""
    processes = {}
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if "localaws-trino-" in words:
            processes[int(path.parent.name)] = words
    return processes


def descendants(parent: int) -> set[int]:
    family = {parent}
    for _ in range(4):
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = path.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) in family:
                family.add(int(path.parent.name))
    return family - {parent}


def test_it_is_shared_and_leaves_nothing_when_killed(foreground: tuple[subprocess.Popen[str], Path]) -> None:
    process, folder = foreground
    running = connection.running(folder)
    assert running is not None and running.engine == "trino" and running.pid == process.pid
    make_client("s3", running.endpoint, running.credentials).create_bucket(Bucket="answers")
    athena = make_client("athena", running.endpoint, running.credentials)
    query = athena.start_query_execution(
        QueryString="SELECT version()", ResultConfiguration={"OutputLocation": "s3://answers/"}
    )["QueryExecutionId"]
    rows = athena.get_query_results(QueryExecutionId=query)["ResultSet"]["Rows"]
    assert rows[1]["Data"][0]["VarCharValue"] == "476"
    trinos = descendants(process.pid) & servers().keys()
    assert len(trinos) == 2
    places = {
        words.split("localaws-trino-")[1].split()[0].split("/")[0]
        for number, words in servers().items()
        if number in trinos
    }
    process.send_signal(signal.SIGKILL)
    process.wait()
    until = time.monotonic() + 20
    while trinos & servers().keys() and time.monotonic() < until:
        time.sleep(0.2)
    assert not trinos & servers().keys()
    assert not [place for place in places if (Path("/tmp") / f"localaws-trino-{place}").exists()]
    assert connection.running(folder) is None


def test_a_server_that_has_ended_is_started_again(lake: Both) -> None:
    lake.done("SELECT count(*) FROM word")
    before = client_of(lake)._server
    before._process.kill()
    before._process.wait()
    assert lake.rows("SELECT count(*) FROM word") == [["3"]]
    assert client_of(lake)._server is not before

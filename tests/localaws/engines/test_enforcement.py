"""What Trino never gets to see, and who may not ask it. `make verify`."""

from __future__ import annotations

import http.client
import os
from pathlib import Path

import pytest

from tests.localaws.athena.hostile import MARK, VISIBLE, Stage

from .conftest import Both
from .test_queries import client_of


def ask(lake: Both, stage: Stage, sql: str, engine: str = "trino") -> object:
    lake.aws.world.engine = engine
    return stage.ask(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM patient",
        "SELECT count(*), min(birth_year), max(score) FROM patient",
        "SELECT family_name FROM patient",
        "SELECT p.patient_id FROM patient p WHERE mrn LIKE '%0%'",
        "SELECT 1 / (birth_year - 1888) FROM patient",
        "SELECT CAST(gender AS integer) FROM patient WHERE birth_year < 1900",
        "SELECT * FROM patient WHERE birth_year < 1900 OR 1 = 1",
        'SELECT * FROM "patient$snapshots"',
        "SELECT * FROM patient FOR TIMESTAMP AS OF current_timestamp",
        "EXPLAIN SELECT patient_id FROM patient",
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'patient' ORDER BY 1",
        "WITH patient AS (SELECT * FROM patient) SELECT count(*) FROM patient",
    ],
)
def test_a_persona_gets_the_same_of_both_and_no_secret(lake: Both, stage: Stage, sql: str) -> None:
    lake.aws.world.engine = "duckdb"
    duckdb = stage.ask(sql)
    lake.aws.world.engine = "trino"
    trino = stage.ask(sql)
    assert MARK not in trino.everything
    assert trino.state == duckdb.state, (trino.reason, duckdb.reason)
    assert trino.error == duckdb.error
    if not sql.startswith("EXPLAIN"):
        assert trino.comparable()[3] == duckdb.comparable()[3]


def test_the_visible_part_is_read(lake: Both, stage: Stage) -> None:
    lake.aws.world.engine = "trino"
    answer = stage.ask("SELECT * FROM patient")
    assert tuple(answer.header) == VISIBLE
    assert len(answer.rows) == 13


def test_the_server_answers_nobody_else(lake: Both) -> None:
    lake.done("SELECT 1")
    host, port = client_of(lake)._server.address()
    assert host == "127.0.0.1"
    for headers in (
        {},
        {"X-Forwarded-Proto": "https"},
        {"X-Forwarded-Proto": "https", "Authorization": "Bearer x.y.z"},
    ):
        connection = http.client.HTTPConnection(host, port)
        connection.request("POST", "/v1/statement", body="SELECT 1", headers={"X-Trino-User": "localaws", **headers})
        assert connection.getresponse().status in (401, 403)
        connection.close()
    listening = [
        line.split()[1] for line in Path("/proc/net/tcp6").read_text().splitlines()[1:] if line.split()[3] == "0A"
    ]
    ours = [place for place in listening if place.endswith(f":{port:04X}")]
    assert ours and all(place.startswith("0000000000000000FFFF00000100007F") for place in ours)


def test_its_files_are_for_the_owner_alone(lake: Both) -> None:
    lake.done("SELECT 1")
    folder = client_of(lake)._server.folder
    assert os.stat(folder).st_mode & 0o77 == 0
    assert all(path.stat().st_mode & 0o77 == 0 for path in folder.iterdir() if path.suffix in (".key", ".properties"))

"""One LocalAws with a real Trino behind its Athena for all tests of this folder; skipped where Trino is not installed.

Example: `python -m pytest tests/localaws/engines`
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from localaws import EnginesMissing, LocalAws
from localaws.installed import installed_engines
from tests.localaws.athena.conftest import RESULTS, Answer, Lake
from tests.localaws.athena.hostile import Stage

LONGEST = 120.0
WORDS = """CREATE TABLE word (id bigint, name string, tags array<string>, at timestamp, price decimal(10,2))
PARTITIONED BY (bucket(4, id)) LOCATION 's3://lake-bucket/word/' TBLPROPERTIES ('table_type' = 'ICEBERG')"""
ROWS = """INSERT INTO word VALUES
(1, 'one', ARRAY['a', 'b'], TIMESTAMP '2020-01-01 10:00:00.123456', DECIMAL '1.50'),
(2, 'two, "quoted"', ARRAY[], NULL, NULL), (3, NULL, NULL, TIMESTAMP '1999-12-31 23:59:59', DECIMAL '-0.05')"""


class Both(Lake):
    """A lake whose queries run on the engine that `on` names, waited for to their end."""

    on = "trino"

    def ask(self, sql: str, values: Sequence[str] = (), **more: Any) -> Answer:
        self.aws.world.engine = self.on
        request: dict[str, Any] = {
            "QueryString": sql,
            "QueryExecutionContext": {"Database": "lake"},
            "ResultConfiguration": {"OutputLocation": RESULTS},
            **({"ExecutionParameters": list(values)} if values else {}),
            **more,
        }
        query_id = self.athena.start_query_execution(**request)["QueryExecutionId"]
        execution = self.ended(query_id)
        if execution["Status"]["State"] != "SUCCEEDED":
            return Answer(execution, {})
        return Answer(execution, self.athena.get_query_results(QueryExecutionId=query_id))

    def ended(self, query_id: str) -> dict[str, Any]:
        """The execution once it is over."""
        until = time.monotonic() + LONGEST
        while time.monotonic() < until:
            execution: dict[str, Any] = self.athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
            if execution["Status"]["State"] not in ("QUEUED", "RUNNING"):
                return execution
            time.sleep(0.05)
        raise AssertionError("the query does not end")

    def on_both(self, sql: str) -> tuple[Answer, Answer]:
        """DuckDB's answer, and Trino's."""
        answers = []
        for self.on in ("duckdb", "trino"):
            answers.append(self.ask(sql))
        return answers[0], answers[1]


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    try:
        installed_engines().need_trino()
    except EnginesMissing as error:
        pytest.skip(str(error))
    with LocalAws(tmp_path_factory.mktemp("local"), engine="trino") as running:
        yield running


@pytest.fixture(scope="session")
def filled(aws: LocalAws) -> Both:
    lake = Both(aws)
    lake.done(WORDS)
    lake.done(ROWS)
    return lake


@pytest.fixture
def lake(filled: Both) -> Both:
    filled.on = "trino"
    return filled


@pytest.fixture(scope="session")
def stage(aws: LocalAws) -> Stage:
    """Tables that a persona sees a part of."""
    aws.world.engine = "duckdb"
    return Stage(aws.world)

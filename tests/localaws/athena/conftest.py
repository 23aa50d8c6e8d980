"""A small lake for the Athena tests: one LocalAws a module, two buckets, one database, and a way to ask.

Example: `def test_one(lake): assert lake.rows("SELECT 1") == [["1"]]`
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from localaws import LocalAws

RESULTS = "s3://results-bucket/answers/"


@dataclass
class Answer:
    """One query execution and, when it succeeded, its first page of results."""

    execution: dict[str, Any]
    results: dict[str, Any]

    @property
    def state(self) -> str:
        return str(self.execution["Status"]["State"])

    @property
    def reason(self) -> str:
        return str(self.execution["Status"].get("StateChangeReason", ""))

    @property
    def scanned(self) -> int:
        return int(self.execution["Statistics"]["DataScannedInBytes"])

    @property
    def location(self) -> str:
        return str(self.execution["ResultConfiguration"]["OutputLocation"])

    @property
    def lines(self) -> list[list[str | None]]:
        return [[datum.get("VarCharValue") for datum in row["Data"]] for row in self.results["ResultSet"]["Rows"]]

    @property
    def columns(self) -> list[dict[str, Any]]:
        columns: list[dict[str, Any]] = self.results["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
        return columns


class Lake:
    """A LocalAws with `lake-bucket`, `results-bucket` and the database `lake`."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        self.athena = aws.world.client("athena")
        self.s3 = aws.world.client("s3")
        self.glue = aws.world.client("glue")
        for bucket in ("lake-bucket", "results-bucket"):
            self.s3.create_bucket(Bucket=bucket)
        self.glue.create_database(DatabaseInput={"Name": "lake"})

    def ask(self, sql: str, values: Sequence[str] = (), **more: Any) -> Answer:
        """The finished execution of one query."""
        request: dict[str, Any] = {
            "QueryString": sql,
            "QueryExecutionContext": {"Database": "lake"},
            "ResultConfiguration": {"OutputLocation": RESULTS},
            **more,
        }
        if values:
            request["ExecutionParameters"] = list(values)
        query_id = self.athena.start_query_execution(**request)["QueryExecutionId"]
        execution = self.athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
        if execution["Status"]["State"] != "SUCCEEDED":
            return Answer(execution, {})
        return Answer(execution, self.athena.get_query_results(QueryExecutionId=query_id))

    def done(self, sql: str, values: Sequence[str] = (), **more: Any) -> Answer:
        """The answer of a query that must succeed."""
        answer = self.ask(sql, values, **more)
        assert answer.state == "SUCCEEDED", answer.reason
        return answer

    def rows(self, sql: str, values: Sequence[str] = ()) -> list[list[str | None]]:
        """A SELECT's rows without the heading."""
        return self.done(sql, values).lines[1:]

    def failure(self, sql: str) -> str:
        """What a query that must fail says."""
        answer = self.ask(sql)
        assert answer.state == "FAILED", answer.lines
        return answer.reason

    def count(self, sql: str) -> int:
        """The rows that a change has touched."""
        return int(self.done(sql).results["UpdateCount"])


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    with LocalAws(tmp_path_factory.mktemp("local")) as aws, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", aws.endpoint)
        patch.setenv("AWS_ACCESS_KEY_ID", aws.credentials.access_key_id)
        patch.setenv("AWS_SECRET_ACCESS_KEY", aws.credentials.secret_access_key)
        patch.setenv("AWS_DEFAULT_REGION", aws.world.region)
        patch.delenv("AWS_SESSION_TOKEN", raising=False)
        patch.delenv("AWS_PROFILE", raising=False)
        yield Lake(aws)

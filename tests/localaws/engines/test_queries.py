"""Queries on Trino and on DuckDB: the same objects in S3, the same words when they fail. Make target: `verify`."""

from __future__ import annotations

import time
from typing import Any

import pytest

from .conftest import Both

TYPES = """SELECT TRUE AS yes, TINYINT '1' AS t, SMALLINT '2' AS s, 3 AS i, BIGINT '4' AS b, REAL '1.5' AS r, 1e10 AS d,
DECIMAL '1.50' AS dec, CAST('x' AS varchar) AS v, CAST('x' AS char(3)) AS c, X'00ff' AS bin, DATE '2020-02-29' AS day,
TIME '10:00:00' AS time, TIMESTAMP '2020-01-01 00:00:00.123' AS at,
TIMESTAMP '2020-06-01 00:00:00 Europe/Berlin' AS zoned,
INTERVAL '1' DAY AS days, INTERVAL '14' MONTH AS months, ARRAY[1, NULL] AS list, MAP(ARRAY['k'], ARRAY[1.5]) AS map,
CAST(ROW(1, ARRAY['q']) AS ROW(a integer, b ARRAY(varchar))) AS pair, JSON '{"a":1}' AS doc, NULL AS nothing,
nan() AS not_a_number, '' AS empty, 'two
lines, "quoted"' AS text"""


def test_a_result_is_the_same_object_whichever_engine(lake: Both) -> None:
    for sql in (TYPES, "SELECT * FROM word ORDER BY id", "SELECT count(*), sum(price), max(at) FROM word WHERE id < 3"):
        files = []
        for answer in lake.on_both(sql):
            assert answer.state == "SUCCEEDED", answer.reason
            bucket, key = answer.location.removeprefix("s3://").split("/", 1)
            endings = ("", ".metadata")
            files.append([lake.s3.get_object(Bucket=bucket, Key=key + end)["Body"].read() for end in endings])
        assert files[0] == files[1]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT nothing FROM word",
        "SELECT id,\n  w.nothing\nFROM word w",
        "SELECT missing_function(id) FROM word",
        "SELECT id + name FROM word",
        "SELECT * FROM nowhere",
        "SELECT id FROM word GROUP BY name",
        "SELECT id / 0 FROM word",
        "SELECT CAST(name AS integer) FROM word",
        "SELECT tags[7] FROM word WHERE id = 1",
    ],
)
def test_a_failure_is_told_in_the_same_words(lake: Both, sql: str) -> None:
    duckdb, trino = lake.on_both(sql)
    assert (duckdb.state, trino.state) == ("FAILED", "FAILED")
    code = duckdb.reason.split(":")[0]
    assert trino.reason.split(":")[0] == code
    if code in {"COLUMN_NOT_FOUND", "TABLE_NOT_FOUND", "DIVISION_BY_ZERO", "FUNCTION_NOT_FOUND"}:
        assert trino.reason == duckdb.reason
    assert "one" not in trino.reason.split()


def test_no_value_of_a_row_stands_in_an_error(lake: Both) -> None:
    for wrong in ("CAST(name AS integer)", "CAST(name AS date)", "json_parse(name)", "from_iso8601_date(name)"):
        reason = lake.failure(f"SELECT {wrong} FROM word WHERE id = 2")
        assert "two" not in reason and "quoted" not in reason


def test_a_running_query_is_stopped_in_trino_too(lake: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("localaws.athena.service.PATIENCE", 0.0)
    lake.aws.world.engine = "trino"
    numbers = " CROSS JOIN ".join(f"UNNEST(sequence(1, 9000)) AS {name}(n)" for name in "abcd")
    query_id = lake.athena.start_query_execution(
        QueryString=f"SELECT count(DISTINCT a.n * b.n + c.n * d.n) FROM {numbers}",
        ResultConfiguration={"OutputLocation": "s3://results-bucket/answers/"},
    )["QueryExecutionId"]
    time.sleep(1)
    lake.athena.stop_query_execution(QueryExecutionId=query_id)
    status = lake.ended(query_id)["Status"]
    assert (status["State"], status["StateChangeReason"]) == ("CANCELLED", "Query cancelled by user")
    for _ in range(50):
        if not running(lake):
            return
        time.sleep(0.1)
    assert running(lake) == []


def running(lake: Both) -> list[Any]:
    """Trino's own list of queries that go on, but for the asking."""
    from localaws.athena.engine import Work

    sql = "SELECT query FROM system.runtime.queries WHERE state = 'RUNNING' AND query LIKE '%count(DISTINCT%'"
    sql += " AND query NOT LIKE '%system.runtime%'"
    return [row for page in client_of(lake).pages(sql, Work()) for row in page.rows]


def client_of(lake: Both) -> Any:
    """The server's client, past Athena."""
    return lake.aws._dispatcher._services.find("athena").engines.named("trino")._client  # type: ignore[union-attr]


def test_a_query_that_reads_too_much_is_stopped(lake: Both) -> None:
    lake.done(
        "CREATE TABLE big WITH (table_type = 'ICEBERG', location = 's3://lake-bucket/big/', is_external = false) AS "
        "SELECT a.n * 1000 + b.n AS n, to_hex(sha256(to_utf8(CAST(a.n * 1000 + b.n AS varchar)))) AS t "
        "FROM UNNEST(sequence(1, 400)) AS a(n) CROSS JOIN UNNEST(sequence(1, 1000)) AS b(n)"
    )
    configuration = {
        "ResultConfiguration": {"OutputLocation": "s3://results-bucket/answers/"},
        "BytesScannedCutoffPerQuery": 10_000_000,
    }
    lake.athena.create_work_group(Name="thrifty", Configuration=configuration)
    answer = lake.ask("SELECT max(t) FROM big", WorkGroup="thrifty")
    assert (answer.state, answer.reason) == ("CANCELLED", "Query cancelled! : Bytes scanned limit was exceeded")
    assert lake.ask("SELECT count(*) FROM big", WorkGroup="thrifty").lines[1:] == [["400000"]]


def test_information_schema_and_metadata_tables(lake: Both) -> None:
    for sql in (
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'word' ORDER BY 1",
        'SELECT operation, committed_at, cardinality(summary) FROM "word$snapshots"',
        'SELECT sum(record_count), count(DISTINCT file_path) FROM "word$files"',
    ):
        duckdb, trino = lake.on_both(sql)
        assert trino.state == "SUCCEEDED", trino.reason
        assert (trino.lines, trino.columns) == (duckdb.lines, duckdb.columns)


def test_tables_that_are_not_iceberg(lake: Both) -> None:
    lake.s3.put_object(Bucket="lake-bucket", Key="csv/day=1/a.csv", Body=b"a,1\nb,\n")
    lake.s3.put_object(Bucket="lake-bucket", Key="csv/day=2/a.csv", Body=b"c,3\n")
    lake.done(
        "CREATE EXTERNAL TABLE csv (name string, n int) PARTITIONED BY (day int) "
        "ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 's3://lake-bucket/csv/'"
    )
    lake.done("MSCK REPAIR TABLE csv")
    duckdb, trino = lake.on_both("SELECT * FROM csv ORDER BY name")
    assert trino.lines == duckdb.lines == [["name", "n", "day"], ["a", "1", "1"], ["b", None, "1"], ["c", "3", "2"]]

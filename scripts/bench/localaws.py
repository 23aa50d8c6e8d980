"""Speed of the AWS on the laptop: start-up, objects, queries, scans, memory.

Processor time of client and server together, which share a process here; Athena by the clock, as its caller sees it.

Example: python -m bench --only s3 --only scan
"""

import http.client
import logging
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb
import numpy as np
import pyarrow as pa
from moto.server import ThreadedMotoServer

from bench.figure import Data, Figure, beside, busy, timed
from localaws import LocalAws

N_OBJECTS, N_QUERIES, N_ROWS, N_FILES, N_CALLS = 500, 20, 10_000_000, 4, 400
OBJECT = bytes(100_000)
KEYS = {"aws_access_key_id": "bench", "aws_secret_access_key": "bench"}
KEYS_IN_ENVIRONMENT = {name.upper(): value for name, value in KEYS.items()} | {"AWS_DEFAULT_REGION": "us-east-1"}
PLACE = {"OutputLocation": "s3://bench/results/"}
BIG = "CREATE TABLE bench.big (id bigint, kind string, value double, n int) LOCATION 's3://bench/big/'"
ICEBERG = "TBLPROPERTIES ('table_type' = 'ICEBERG')"
SCANS = {
    "grouped": "SELECT kind, count(*), sum(value), max(n) FROM {} GROUP BY kind ORDER BY kind",
    "filtered": "SELECT count(*), avg(value) FROM {} WHERE n < 100 AND kind = 'beta'",
}
START_LOCALAWS = """
import sys
from pathlib import Path
from localaws import LocalAws
with LocalAws(Path(sys.argv[1])) as aws:
    aws.world.client("s3").list_buckets()
"""
START_MOTO = """
import boto3
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(port=0)
server.start()
endpoint = "http://{}:{}".format(*server.get_host_and_port())
boto3.client("s3", endpoint_url=endpoint, aws_access_key_id="k", aws_secret_access_key="k").list_buckets()
server.stop()
"""


def start(data: Data) -> Iterator[Figure]:
    """A process that starts AWS on the laptop, asks it once and ends."""
    words = [sys.executable, "-c"]
    environment = os.environ | KEYS_IN_ENVIRONMENT
    ours = busy(lambda: subprocess.run([*words, START_LOCALAWS, data.folder / "start"], check=True))
    peer = busy(lambda: subprocess.run([*words, START_MOTO], check=True, env=environment, capture_output=True))
    yield Figure("localaws starts and ends", 1, "process", ours, beside("moto alone", peer))


@contextmanager
def clients(data: Data) -> Iterator[Callable[[str], Any]]:
    """Clients of a local AWS with a bucket."""
    with LocalAws(data.folder / "aws") as aws:
        aws.world.client("s3").create_bucket(Bucket="bench")
        yield aws.world.client


def s3(data: Data) -> Iterator[Figure]:
    """Objects of 100 KB put and got over HTTP: boto3 would take three quarters of the time for itself."""
    n = data.size(N_OBJECTS)
    # In a process of its own: where a LocalAws has run, moto's objects are localaws' from then on.
    words = [sys.executable, "-c", f"from bench.localaws import moto_alone; print(*moto_alone({n}))"]
    told = subprocess.run(words, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=True).stdout
    peers = [float(seconds) for seconds in told.split()]
    with LocalAws(data.folder / "aws-s3") as aws:
        ours = put_and_get(aws.endpoint, aws.credentials.access_key_id, n)
    for name, mine, peer in zip(("S3 put", "S3 get"), ours, peers, strict=True):
        yield Figure(name, n, "objects of 100 KB", mine, beside("moto alone", peer))


def moto_alone(n: int) -> tuple[float, float]:
    """What `put_and_get` takes of moto's own server."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    try:
        return put_and_get("http://{}:{}".format(*server.get_host_and_port()), "key", n)
    finally:
        server.stop()


def put_and_get(endpoint: str, key_id: str, n: int) -> tuple[float, float]:
    """Processor seconds of `n` puts and of `n` gets on one kept connection."""
    place = urlsplit(endpoint)
    connection = http.client.HTTPConnection(place.hostname or "", place.port)
    scope = f"Credential={key_id}/20260101/us-east-1/s3/aws4_request"
    headers = {"Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"}

    def status(method: str, path: str, body: bytes | None = None) -> int:
        connection.request(method, path, body=body, headers=headers | {"Content-Type": "application/octet-stream"})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{method} {path}: {answer.status}")
        return answer.status

    status("PUT", "/bench")
    put = busy(lambda: [status("PUT", f"/bench/{number}", OBJECT) for number in range(n)])
    get = busy(lambda: [status("GET", f"/bench/{number}") for number in range(n)])
    connection.close()
    return put, get


def athena(data: Data) -> Iterator[Figure]:
    """A small query of an Iceberg table, started, waited for and fetched through boto3."""
    n, question = data.size(N_QUERIES), "SELECT kind, count(*), sum(value) FROM {} GROUP BY kind ORDER BY kind"
    values = ", ".join(f"('{'abc'[i % 3]}', {i})" for i in range(1_000))
    with clients(data) as client:
        small_table(client, values)
        ours = timed(lambda: [ask(client("athena"), question.format("bench.facts")) for _ in range(n)])
    with duckdb.connect() as engine:
        engine.execute(f"CREATE TABLE facts AS SELECT * FROM (VALUES {values}) AS given (kind, value)")
        peer = timed(lambda: [engine.execute(question.format("facts")).fetchall() for _ in range(n)])
    yield Figure("Athena, 1,000 rows grouped", n, "queries", ours, beside("DuckDB's own table", peer))


def small_table(client: Callable[[str], Any], values: str) -> None:
    client("glue").create_database(DatabaseInput={"Name": "bench"})
    table = "CREATE TABLE bench.facts (kind string, value bigint) LOCATION 's3://bench/facts/'"
    ask(client("athena"), f"{table} {ICEBERG}")
    ask(client("athena"), f"INSERT INTO bench.facts VALUES {values}")


def ask(client: Any, statement: str) -> object:
    query = client.start_query_execution(QueryString=statement, ResultConfiguration=PLACE)["QueryExecutionId"]
    while True:
        status = client.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
        if status["State"] not in ("QUEUED", "RUNNING"):
            break
        time.sleep(0.01)
    if status["State"] != "SUCCEEDED":
        raise RuntimeError(status["StateChangeReason"])
    return client.get_query_results(QueryExecutionId=query)["ResultSet"]


def scan(data: Data) -> Iterator[Figure]:
    """Ten million rows of an Iceberg table, read by Athena and by DuckDB from the same Parquet files."""
    n = data.size(N_ROWS)
    with LocalAws(data.folder / "aws-scan") as aws, duckdb.connect() as engine:
        client = aws.world.client
        client("s3").create_bucket(Bucket="bench")
        client("glue").create_database(DatabaseInput={"Name": "bench"})
        ask(client("athena"), f"{BIG} {ICEBERG}")
        table = aws.world.iceberg_catalog().load_table("bench.big")
        for part in range(N_FILES):
            table.append(rows(n // N_FILES, part))
        keys = [task.file.file_path.removeprefix("s3://bench/") for task in table.scan().plan_files()]
        files = ", ".join(f"'{aws.world.object_path('bench', key)}'" for key in keys)
        for name, question in SCANS.items():
            ours = least(partial(ask, client("athena"), question.format("bench.big")))
            peer = least(partial(fetched, engine, question.format(f"read_parquet([{files}])")))
            yield Figure(f"Athena scan, {name}", n, "rows", ours, beside("DuckDB, same files", peer))


def fetched(engine: duckdb.DuckDBPyConnection, sql: str) -> list[Any]:
    return engine.execute(sql).fetchall()


def rows(n: int, part: int) -> pa.Table:
    random = np.random.default_rng(part)
    kinds = np.array(["alpha", "beta", "gamma", "delta"])
    return pa.table(
        {
            "id": np.arange(part * n, (part + 1) * n),
            "kind": pa.array(kinds[random.integers(0, len(kinds), n)]),
            "value": random.random(n),
            "n": pa.array(random.integers(0, 1000, n), pa.int32()),
        }
    )


def least(action: Callable[[], object]) -> float:
    """The smallest of three times, after one that is not counted."""
    action()
    return min(busy(action) for _ in range(3))


def memory(data: Data) -> Iterator[Figure]:
    """Objects put and got and queries asked, over and over: what the process has grown by after the first half."""
    n = data.size(N_CALLS)
    with LocalAws(data.folder / "aws-memory") as aws:
        client = aws.world.client
        client("s3").create_bucket(Bucket="bench")
        small_table(client, "('a', 1), ('b', 2)")

        def use() -> None:
            for number in range(n // 2):
                client("s3").put_object(Bucket="bench", Key=str(number % 10), Body=OBJECT)
                client("s3").get_object(Bucket="bench", Key=str(number % 10))["Body"].read()
                ask(client("athena"), "SELECT kind, sum(value) FROM bench.facts GROUP BY kind")

        first = busy(use)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        second = busy(use)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    yield Figure(
        f"puts, gets, queries: {grown:.1f} MB more", n // 2, "of each", second, beside("the same before", first)
    )


BENCHMARKS = {"start": start, "s3": s3, "athena": athena, "scan": scan, "memory": memory}

"""Speed of the AWS on the laptop: start-up, objects, queries.

Example: python -m bench --only s3 --only athena
"""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import duckdb
from moto.server import ThreadedMotoServer

from bench.figure import Data, Figure, beside, timed
from localaws import LocalAws

N_OBJECTS, N_QUERIES = 200, 20
OBJECT = bytes(100_000)
KEYS = {"aws_access_key_id": "bench", "aws_secret_access_key": "bench"}
KEYS_IN_ENVIRONMENT = {name.upper(): value for name, value in KEYS.items()} | {"AWS_DEFAULT_REGION": "us-east-1"}
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
    ours = timed(lambda: subprocess.run([*words, START_LOCALAWS, data.folder / "start"], check=True))
    peer = timed(lambda: subprocess.run([*words, START_MOTO], check=True, env=environment, capture_output=True))
    yield Figure("localaws starts and ends", 1, "process", ours, beside("moto alone", peer))


@contextmanager
def clients(data: Data) -> Iterator[Callable[[str], Any]]:
    """Clients of a local AWS with a bucket."""
    with LocalAws(data.folder / "aws") as aws:
        aws.world.client("s3").create_bucket(Bucket="bench")
        yield aws.world.client


def s3(data: Data) -> Iterator[Figure]:
    """Objects of 100 KB put and got, through boto3."""
    n = data.size(N_OBJECTS)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    try:
        endpoint = "http://{}:{}".format(*server.get_host_and_port())
        plain = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", **KEYS)
        plain.create_bucket(Bucket="bench")
        peers = put(plain, n), get(plain, n)
    finally:
        server.stop()
    with clients(data) as client:
        ours = put(client("s3"), n), get(client("s3"), n)
    for name, mine, peer in zip(("S3 put", "S3 get"), ours, peers, strict=True):
        yield Figure(name, n, "objects of 100 KB", mine, beside("moto alone", peer))


def put(client: Any, n: int) -> float:
    return timed(lambda: [client.put_object(Bucket="bench", Key=str(number), Body=OBJECT) for number in range(n)])


def get(client: Any, n: int) -> float:
    return timed(lambda: [client.get_object(Bucket="bench", Key=str(number))["Body"].read() for number in range(n)])


def athena(data: Data) -> Iterator[Figure]:
    """A small query of an Iceberg table, started, waited for and fetched through boto3."""
    n, question = data.size(N_QUERIES), "SELECT kind, count(*), sum(value) FROM {} GROUP BY kind ORDER BY kind"
    values = ", ".join(f"('{'abc'[i % 3]}', {i})" for i in range(1_000))
    with clients(data) as client:
        client("glue").create_database(DatabaseInput={"Name": "bench"})
        table = "CREATE TABLE bench.facts (kind string, value bigint) LOCATION 's3://bench/facts/'"
        ask(client("athena"), f"{table} TBLPROPERTIES ('table_type' = 'ICEBERG')")
        ask(client("athena"), f"INSERT INTO bench.facts VALUES {values}")
        ours = timed(lambda: [ask(client("athena"), question.format("bench.facts")) for _ in range(n)])
    with duckdb.connect() as engine:
        engine.execute(f"CREATE TABLE facts AS SELECT * FROM (VALUES {values}) AS given (kind, value)")
        peer = timed(lambda: [engine.execute(question.format("facts")).fetchall() for _ in range(n)])
    yield Figure("Athena, 1,000 rows grouped", n, "queries", ours, beside("DuckDB's own table", peer))


def ask(client: Any, statement: str) -> object:
    place = {"OutputLocation": "s3://bench/results/"}
    query = client.start_query_execution(QueryString=statement, ResultConfiguration=place)["QueryExecutionId"]
    while True:
        status = client.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
        if status["State"] not in ("QUEUED", "RUNNING"):
            break
        time.sleep(0.005)
    if status["State"] != "SUCCEEDED":
        raise RuntimeError(status["StateChangeReason"])
    return client.get_query_results(QueryExecutionId=query)["ResultSet"]


BENCHMARKS = {"start": start, "s3": s3, "athena": athena}

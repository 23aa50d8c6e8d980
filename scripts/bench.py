"""Speed, each figure beside a peer's on the same data. Run by `make bench`; nothing here is a test.

Reads nothing; writes to a temporary folder. `--scale 0.1` takes a tenth of the data.

Example: python scripts/bench.py --only vcf --only dicom
"""

import argparse
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import duckdb
import orjson
import pydicom
import pysam
from moto.server import ThreadedMotoServer

from localaws import LocalAws
from trilake.clinical.preflight import check
from trilake.clinical.reading import read_records
from trilake.core.text_table import text_table
from trilake.genomic.reader import open_vcf
from trilake.imaging.header import read_header
from trilake.sample.generate import Plan, generate

COLUMNS = ("benchmark", "size", "seconds", "a second", "beside it")
N_PATIENTS, N_RESOURCES, N_VCF_RECORDS, N_OBJECTS, N_QUERIES = 100, 20_000, 200_000, 200, 20
OBJECT = bytes(100_000)
KEYS = {"aws_access_key_id": "bench", "aws_secret_access_key": "bench"}
VCF_HEADER = """##fileformat=VCFv4.3
##reference=GRCh38
##contig=<ID=1>
##INFO=<ID=AC,Number=A,Type=Integer,Description="x">
##INFO=<ID=DP,Number=1,Type=Integer,Description="x">
##FORMAT=<ID=GT,Number=1,Type=String,Description="x">
##FORMAT=<ID=AD,Number=R,Type=Integer,Description="x">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="x">
##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="x">
##FORMAT=<ID=PL,Number=G,Type=Integer,Description="x">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS1
"""
VCF_RECORD = "1\t{0}\trs{0}\tA\tG\t50\tPASS\tAC=1;DP=31\tGT:AD:DP:GQ:PL\t0/1:15,16:31:{1}:{1},0,99\n"
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


@dataclass(frozen=True)
class Figure:
    """One line of the table. `peer` says how long something else takes for the same."""

    name: str
    n: int
    unit: str
    seconds: float
    peer: str

    def row(self) -> list[Any]:
        rate = self.n / self.seconds
        return [self.name, f"{self.n:,} {self.unit}", f"{self.seconds:.3f}", f"{rate:,.0f}", self.peer]


@dataclass(frozen=True)
class Data:
    """What the benchmarks work on, made when first asked for."""

    folder: Path
    scale: float

    def size(self, full: int) -> int:
        return max(2, round(full * self.scale))

    def sample(self) -> Path:
        out = self.folder / "sample"
        if not out.exists():
            generate(Plan(7, self.size(N_PATIENTS), "tiny", out), workers=1, say=lambda text: None)
        return out

    def ndjson(self, n: int) -> Path:
        """`n` resources of the sample, over and over."""
        lines = [line for path in sorted((self.sample() / "fhir/ndjson").iterdir()) for line in path.open("rb")]
        path = self.folder / f"{n}.ndjson"
        path.write_bytes(b"".join(lines[i % len(lines)] for i in range(n)))
        return path

    def vcf(self, n: int) -> Path:
        path = self.folder / f"{n}.vcf"
        path.write_text(VCF_HEADER + "".join(VCF_RECORD.format(10 * i + 1, i % 90 + 10) for i in range(n)))
        return path


def timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def beside(peer: str, seconds: float) -> str:
    return f"{peer}: {seconds:.3g} s"


def doubled(figures: Sequence[Figure]) -> Figure:
    """How the time of the second figure, of twice the data, compares with that of the first."""
    half, whole = figures
    ratio = whole.seconds / half.seconds
    return Figure(f"{whole.name}, twice the data", whole.n, whole.unit, whole.seconds, f"{ratio:.2f} times; in line: 2")


def fhir(data: Data) -> Iterator[Figure]:
    """Resources checked against R4."""
    fhir_figure(data.ndjson(2), 2)  # Element definitions are read once a process.
    found = [fhir_figure(data.ndjson(n), n) for n in halves(data.size(N_RESOURCES))]
    yield found[1]
    yield doubled(found)


def fhir_figure(path: Path, n: int) -> Figure:
    ours = timed(lambda: [check(record).faults for record in read_records(path)])
    parsed = timed(lambda: [orjson.loads(line) for line in path.open("rb")])
    counted = f"SELECT count(*) FROM read_json_objects('{path}', format = 'newline_delimited')"
    loaded = timed(lambda: duckdb.execute(counted).fetchall())
    return Figure("FHIR check", n, "resources", ours, f"{beside('orjson', parsed)}; {beside('DuckDB', loaded)}")


def halves(n: int) -> tuple[int, int]:
    return n // 2, n // 2 * 2


def vcf(data: Data) -> Iterator[Figure]:
    """Single-sample records checked and split into Arrow."""
    found = [vcf_figure(data.vcf(n), n) for n in halves(data.size(N_VCF_RECORDS))]
    yield found[1]
    yield doubled(found)


def vcf_figure(path: Path, n: int) -> Figure:
    reading = open_vcf(path, path.name, load_id="l", job_id="j", default_genome="GRCh38")
    ours = timed(lambda: sum(batch.num_rows for batch in reading.batches()))
    peer = timed(lambda: [htslib_values(record) for record in pysam.VariantFile(str(path))])
    return Figure("VCF to Arrow", n, "records", ours, beside("pysam, values taken out, no checks", peer))


def htslib_values(record: pysam.VariantRecord) -> tuple[Any, ...]:
    sample = record.samples[0]
    info = dict(record.info)
    return record.chrom, record.pos, record.ref, record.alts, info, *(sample[key] for key in ("GT", "AD", "DP", "PL"))


def dicom(data: Data) -> Iterator[Figure]:
    """Headers held against what an import needs."""
    paths = sorted((data.sample() / "dicom").rglob("*.dcm"))
    found = [dicom_figure(paths[:n]) for n in halves(len(paths))]
    yield found[1]
    yield doubled(found)


def dicom_figure(paths: list[Path]) -> Figure:
    ours = timed(lambda: [read_header(path) for path in paths])
    peer = timed(lambda: [pydicom.dcmread(path, stop_before_pixels=True) for path in paths])
    return Figure("DICOM headers", len(paths), "files", ours, beside("pydicom", peer))


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


BENCHMARKS = {"fhir": fhir, "vcf": vcf, "dicom": dicom, "start": start, "s3": s3, "athena": athena}
KEYS_IN_ENVIRONMENT = {name.upper(): value for name, value in KEYS.items()} | {"AWS_DEFAULT_REGION": "us-east-1"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", choices=BENCHMARKS, action="append", help="run this one alone (may be given twice)")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full sizes")
    given = parser.parse_args()
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        data = Data(Path(folder), given.scale)
        for name in given.only or list(BENCHMARKS):
            sys.stderr.write(f"== {name}\n")
            figures += BENCHMARKS[name](data)
    sys.stdout.write(text_table(COLUMNS, [figure.row() for figure in figures], widest=90) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

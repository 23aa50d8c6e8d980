"""Speed, each figure with its peer beside it. Run by `make bench`; nothing here is a test.

Reads nothing; writes to a temporary folder.

Example: python scripts/bench.py --only vcf
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import boto3
import pydicom
import pydicom.data
import pysam

from localaws import LocalAws
from trilake.core.text_table import text_table
from trilake.genomic.reader import open_vcf
from trilake.imaging.header import read_header

Row = tuple[str, str, float, str]
N_RECORDS, N_HEADERS, N_OBJECTS, N_QUERIES = 100_000, 500, 200, 20
HEADER = """##fileformat=VCFv4.3
##reference=GRCh38
##contig=<ID=1>
##INFO=<ID=DP,Number=1,Type=Integer,Description="x">
##FORMAT=<ID=GT,Number=1,Type=String,Description="x">
##FORMAT=<ID=AD,Number=R,Type=Integer,Description="x">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS1
"""


def timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def vcf(folder: Path) -> list[Row]:
    """VCF records checked and split into Arrow, once and twice the records, beside htslib reading the same file."""
    rows = []
    for n_records in (N_RECORDS, 2 * N_RECORDS):
        path = folder / f"{n_records}.vcf"
        path.write_text(
            HEADER + "".join(f"1\t{i}\t.\tA\tG\t50\tPASS\tDP=9\tGT:AD\t0/1:4,5\n" for i in range(1, n_records))
        )
        reading = open_vcf(path, path.name, load_id="l", job_id="j", default_genome="GRCh38")
        ours = timed(lambda reading=reading: sum(batch.num_rows for batch in reading.batches()))
        peer = timed(lambda path=path: sum(1 for _ in pysam.VariantFile(str(path))))
        rows.append((f"VCF to Arrow, {n_records:,} records", "seconds", ours, f"pysam reads alone: {peer:.2f} s"))
    return rows


def dicom(folder: Path) -> list[Row]:
    path = Path(str(pydicom.data.get_testdata_file("MR_small.dcm")))
    ours = timed(lambda: [read_header(path) for _ in range(N_HEADERS)])
    peer = timed(lambda: [pydicom.dcmread(path, stop_before_pixels=True) for _ in range(N_HEADERS)])
    return [("DICOM headers checked", "a second", N_HEADERS / ours, f"pydicom alone: {N_HEADERS / peer:,.0f} a second")]


def localaws(folder: Path) -> list[Row]:
    aws = LocalAws(folder / "state")
    start = timed(aws.__enter__)
    try:
        keys = {"aws_access_key_id": aws.credentials.access_key_id}
        keys["aws_secret_access_key"] = aws.credentials.secret_access_key
        session = boto3.Session(region_name="us-east-1", **keys)
        s3, athena = (session.client(name, endpoint_url=aws.endpoint) for name in ("s3", "athena"))
        s3.create_bucket(Bucket="bench")
        body = bytes(100_000)
        puts = timed(lambda: [s3.put_object(Bucket="bench", Key=str(i), Body=body) for i in range(N_OBJECTS)])
        ask(athena)
        queries = timed(lambda: [ask(athena) for _ in range(N_QUERIES)])
    finally:
        aws.__exit__(None, None, None)
    return [
        ("localaws starts", "seconds", start, "goal: 1.5 s"),
        ("S3 put of 100 KB", "a second", N_OBJECTS / puts, "plain moto over HTTP: 190 a second"),
        ("Athena, SELECT 1", "seconds", queries / N_QUERIES, "goal: 0.1 s"),
    ]


def ask(athena: object) -> None:
    place = {"OutputLocation": "s3://bench/results/"}
    started = athena.start_query_execution(QueryString="SELECT 1", ResultConfiguration=place)  # type: ignore[attr-defined]
    athena.get_query_results(QueryExecutionId=started["QueryExecutionId"])  # type: ignore[attr-defined]


BENCHMARKS = {"vcf": vcf, "dicom": dicom, "localaws": localaws}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", choices=BENCHMARKS, action="append", help="run this one alone (may be given twice)")
    rows: list[Row] = []
    for name in parser.parse_args().only or list(BENCHMARKS):
        sys.stderr.write(f"== {name}\n")
        with tempfile.TemporaryDirectory() as folder:
            rows += BENCHMARKS[name](Path(folder))
    table = text_table(
        ["what", "unit", "figure", "beside it"], [[what, unit, round(n, 3), peer] for what, unit, n, peer in rows]
    )
    sys.stdout.write(table + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

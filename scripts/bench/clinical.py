"""Speed of the clinical room: FHIR checked, Bundles converted, a load staged and imported.

By the clock, on every core; a megabyte is a million bytes of NDJSON.

Example: python -m bench --only fhir
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import orjson

from bench.figure import Data, Figure, beside, doubled, halves, processor_seconds, timed
from localaws import LocalAws
from trilake.clinical.importer import Importer
from trilake.clinical.pool import checked
from trilake.clinical.preflight import Checker
from trilake.clinical.reading import Piece, read_pieces
from trilake.core.importer import IngestRun, SourceFile
from trilake.core.quarantine import Quarantine
from trilake.core.recognise import Kind

N_RESOURCES, N_BUNDLES, N_IMPORTED = 400_000, 200, 20_000
CORES = os.cpu_count() or 1


def fhir(data: Data) -> Iterator[Figure]:
    """Resources checked against R4, beside the same file parsed and typed by others."""
    figures = [fhir_figure(ndjson(data, n), n) for n in halves(data.size(N_RESOURCES))]
    yield figures[1]
    yield doubled(figures)
    yield memory(ndjson(data, figures[1].n), figures[1].n)


def fhir_figure(path: Path, n: int) -> Figure:
    begun = processor_seconds()
    ours = timed(lambda: n_faulty(path))
    worked = processor_seconds() - begun
    table = f"CREATE OR REPLACE TEMP TABLE loaded AS SELECT * FROM read_json('{path}')"
    loaded = timed(lambda: duckdb.execute(table))
    parsed = timed(lambda: [bool(orjson.loads(line)) for line in path.open("rb")])
    n_bytes = path.stat().st_size / 1e6
    speed = f"{n_bytes / ours:.0f} MB/s on {CORES} cores, {n_bytes / worked:.0f} MB a processor second"
    return Figure(
        "FHIR check", n, "resources", ours, f"{speed}; {beside('DuckDB read_json', loaded)}; {beside('orjson', parsed)}"
    )


def n_faulty(path: Path) -> int:
    pieces = ((0, piece) for piece in read_pieces(path))
    return sum(bool(one.faults) for _, batch in checked(pieces, CORES) for one in batch.checked)


def memory(path: Path, n: int) -> Figure:
    """The memory of a process that checks the file and of the largest of its workers, beside the file's size."""
    script = path.with_suffix(".py")
    script.write_text(CHECK_ALONE)
    seconds = timed(lambda: used.append(run(sys.executable, str(script), str(path), str(CORES))))
    own, worker = (int(text) // 1024 for text in used[-1].stdout.split())
    words = f"{own} MB, a worker {worker} MB; the file {path.stat().st_size >> 20} MB, in {seconds:.3g} s"
    return Figure("FHIR check, memory", n, "resources", seconds, words)


CHECK_ALONE = """
import multiprocessing, os, re, sys
from pathlib import Path
from trilake.clinical.pool import checked
from trilake.clinical.reading import read_pieces
def peak(pid):
    return int(re.search("VmHWM:\\s+([0-9]+)", Path(f"/proc/{pid}/status").read_text())[1])
if __name__ == "__main__":
    pieces = ((0, piece) for piece in read_pieces(Path(sys.argv[1])))
    worker = 0
    for _ in checked(pieces, int(sys.argv[2])):
        worker = max([worker, *(peak(one.pid) for one in multiprocessing.active_children())])
    print(peak(os.getpid()), worker)
"""
used: list[Any] = []


def convert(data: Data) -> Iterator[Figure]:
    """Transaction Bundles to lines of NDJSON, checked, beside parsing and printing them again."""
    bundles = [bundle(data, number) for number in range(data.size(N_BUNDLES))]
    n = sum(text.count(b'"fullUrl"') for text in bundles)
    checker = Checker()
    checker.piece(Piece(0, bundles[0]))
    ours = timed(lambda: [checker.piece(Piece(0, text)) for text in bundles])
    again = timed(lambda: [[orjson.dumps(one["resource"]) for one in orjson.loads(text)["entry"]] for text in bundles])
    speed = f"{sum(map(len, bundles)) / ours / 1e6:.0f} MB/s on one core"
    yield Figure("Bundle to NDJSON", n, "entries", ours, f"{speed}; {beside('orjson, unchecked', again)}")


def bundle(data: Data, number: int) -> bytes:
    """A transaction Bundle of 500 resources of the sample."""
    lines = [line for path in sorted((data.sample() / "fhir/ndjson").iterdir()) for line in path.open("rb")]
    entries = []
    for place in range(500):
        one = orjson.loads(lines[(number * 500 + place) % len(lines)])
        one["id"] = f"00000000-0000-4000-8000-{number * 500 + place:012d}"
        request = {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}
        entries.append({"fullUrl": f"urn:uuid:{one['id']}", "resource": one, "request": request})
    return orjson.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}, option=orjson.OPT_INDENT_2)


def load(data: Data) -> Iterator[Figure]:
    """A whole load into the laptop's HealthLake, and the same again, which loads nothing."""
    n = data.size(N_IMPORTED)
    path = ndjson(data, n)
    with LocalAws(data.folder / "healthlake") as aws:
        session = a_session(aws)
        first = timed(lambda: used.append(loaded(session, path, data.folder / "first")))
        again = timed(lambda: used.append(loaded(session, path, data.folder / "again")))
    limit = beside("HealthLake's 3,000 writes a second", n / 3000)
    yield Figure("FHIR import", n, "resources", first, f"{used[-2]:,} loaded; {limit}")
    yield Figure("FHIR import again", n, "resources", again, f"{used[-1]:,} loaded; {beside('the first time', first)}")


def loaded(session: Any, path: Path, folder: Path) -> int:
    """How many resources the importer loads of a file."""
    folder.mkdir()
    quarantine = Quarantine(folder.name, folder)
    file = SourceFile(path.name, path, folder.name.ljust(64, "0"), path.stat().st_size, Kind.FHIR)
    (outcome,) = Importer().load(session, [file], IngestRun(folder.name, lambda text: None, quarantine, folder))
    quarantine.close()
    return outcome.loaded


def a_session(aws: LocalAws) -> Any:
    """As much of a session as the importer asks for, on a store, a bucket and a role of its own."""
    client = aws.world.client
    client("s3").create_bucket(Bucket="bench")
    trust = {"Effect": "Allow", "Principal": {"Service": "healthlake.amazonaws.com"}, "Action": "sts:AssumeRole"}
    every = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    allowed = {"Version": "2012-10-17", "Statement": [every]}
    iam = client("iam")
    role = iam.create_role(RoleName="bench", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))["Role"]["Arn"]
    iam.put_role_policy(RoleName="bench", PolicyName="all", PolicyDocument=json.dumps(allowed))
    healthlake = client("healthlake")
    store = healthlake.create_fhir_datastore(DatastoreTypeVersion="R4", DatastoreName="bench")["DatastoreId"]
    while healthlake.describe_fhir_datastore(DatastoreId=store)["DatastoreProperties"]["DatastoreStatus"] == "CREATING":
        time.sleep(0.05)
    key = client("kms").create_key()["KeyMetadata"]["Arn"]
    core = SimpleNamespace(raw_bucket="bench", kms_key_arn=key)
    clinical = SimpleNamespace(datastore_id=store, import_role_arn=role)
    return SimpleNamespace(settings=SimpleNamespace(core=core, clinical=clinical), client=client)


def run(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(words, capture_output=True, check=True, text=True)


def ndjson(data: Data, n: int) -> Path:
    """`n` resources of the sample, over and over, each under an id of its own."""
    path = data.folder / f"{n}.ndjson"
    if not path.exists():
        lines = [line for found in sorted((data.sample() / "fhir/ndjson").iterdir()) for line in found.open("rb")]
        with path.open("wb") as file:
            for number in range(n):
                copy = number // len(lines)
                line = lines[number % len(lines)]
                file.write(line.replace(b'"id":"', b'"id":"%d-' % copy, 1) if copy else line)
    return path


BENCHMARKS = {"fhir": fhir, "convert": convert, "import": load}

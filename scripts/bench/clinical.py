"""Speed of the clinical room: FHIR checked.

Example: python -m bench --only fhir
"""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import orjson

from bench.figure import Data, Figure, beside, doubled, halves, timed
from trilake.clinical.preflight import check
from trilake.clinical.reading import read_records

N_RESOURCES = 20_000


def fhir(data: Data) -> Iterator[Figure]:
    """Resources checked against R4."""
    fhir_figure(ndjson(data, 2), 2)  # Element definitions are read once a process.
    found = [fhir_figure(ndjson(data, n), n) for n in halves(data.size(N_RESOURCES))]
    yield found[1]
    yield doubled(found)


def fhir_figure(path: Path, n: int) -> Figure:
    ours = timed(lambda: [check(record).faults for record in read_records(path)])
    parsed = timed(lambda: [orjson.loads(line) for line in path.open("rb")])
    counted = f"SELECT count(*) FROM read_json_objects('{path}', format = 'newline_delimited')"
    loaded = timed(lambda: duckdb.execute(counted).fetchall())
    return Figure("FHIR check", n, "resources", ours, f"{beside('orjson', parsed)}; {beside('DuckDB', loaded)}")


def ndjson(data: Data, n: int) -> Path:
    """`n` resources of the sample, over and over."""
    lines = [line for path in sorted((data.sample() / "fhir/ndjson").iterdir()) for line in path.open("rb")]
    path = data.folder / f"{n}.ndjson"
    path.write_bytes(b"".join(lines[i % len(lines)] for i in range(n)))
    return path


BENCHMARKS = {"fhir": fhir}

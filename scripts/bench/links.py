"""Speed of linkage: whose each study is, judged by the product's own SQL, beside half as many studies and patients.

Nine in ten studies are named by the chart, by number or with zeros in front; one in twenty in conflict, one unknown.
Seconds are of processor time.

Example: python -m bench --only links
"""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from bench.figure import Data, Figure, beside, busy, doubled, halves
from bench.lake import a_lake, work
from trilake.core.athena import run
from trilake.core.iceberg import append, open_catalog, open_table
from trilake.core.session import Session
from trilake.imaging.tables import SERIES
from trilake.operations.filling import fill
from trilake.operations.incremental import Lookout

N_STUDIES, PER_PATIENT = 200_000, 2
LINK_TABLES = ("clinical.patient", "clinical.link_key", "clinical.link_rule", "clinical.link_decision", "imaging.study")
UID = "1.2.826.0.1."


def links(data: Data) -> Iterator[Figure]:
    """Studies of two series each, linked to half as many patients."""
    figures = [of_studies(data, n) for n in halves(data.size(N_STUDIES))]
    yield from figures
    yield doubled(figures)


def of_studies(data: Data, n: int) -> Figure:
    with a_lake(data.folder / f"links-{n}", LINK_TABLES) as (_, session):
        put(session, n)
        for table in ("clinical.link_rule", "imaging.study"):
            fill(work(session, Lookout(session), table))
        judged = busy(lambda: fill(work(session, Lookout(session), "imaging.study"), full=True))
        grouped = busy(lambda: run(session, "SELECT link_reason, count(*) AS n FROM imaging.study GROUP BY 1"))
        return Figure("studies linked", n, "studies", judged, beside("counting them", grouped))


def put(session: Session, n: int) -> None:
    """Patients, what names them, and series in the image store's raw table."""
    people = n // PER_PATIENT
    append_rows(session, "clinical.patient", [{"patient_id": f"p{i}", "mrn": f"{i + 1000}"} for i in range(people)])
    append_rows(session, "clinical.link_key", [key for i in range(people) for key in keys_of(i)])
    session.client("glue").create_database(DatabaseInput={"Name": "bench_imaging_store"})
    store = open_catalog(session).create_table(("bench_imaging_store", "series"), SERIES, location="s3://bench/series")
    rows = [series(i, one, people) for i in range(n) for one in range(2)]
    store.append(pa.Table.from_pylist(rows, schema=store.schema().as_arrow()))


def keys_of(i: int) -> list[dict[str, str]]:
    """What names a patient; of their studies the chart names the first."""
    told = [("patient_id", f"P{i}"), ("mrn", f"{i + 1000}"), ("study_uid", f"{UID}{i * PER_PATIENT}")]
    return [
        {"key_kind": kind, "form": form, "key": key, "patient_id": f"p{i}"}
        for kind, key in told
        for form in (("folded", "without_zeros") if key.isdigit() else ("folded",))
    ]


def series(i: int, one: int, people: int) -> dict[str, Any]:
    owner = i // PER_PATIENT
    named = {0: f"000{owner + 1000}", 1: f"{(owner + 1) % people + 1000}", 2: f"stranger {i}"}
    return {
        "study_instance_uid": f"{UID}{i}",
        "series_instance_uid": f"{UID}{i}.{one}",
        "dicom_patient_id": named.get(i % 20, f"{owner + 1000}"),
        "modality": "MR",
        "n_instances": 24,
    }


def append_rows(session: Session, name: str, rows: list[dict[str, Any]]) -> None:
    schema = open_table(session, name).schema().as_arrow()
    append(session, name, pa.Table.from_pylist(rows, schema=schema))


BENCHMARKS = {"links": links}

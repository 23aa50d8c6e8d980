"""Speed of the governed tables, filled by the product's own SQL and merges: one more patient, and linkage of studies.

What one more patient costs stands beside a rebuild, in a lake and in one of twice the size: that the cost of a change
does not grow with the lake is the point. Of the studies nine in ten are named by the chart, by number or with zeros in
front; one in twenty is in conflict, one unknown. Seconds are of processor time.

Example: python -m bench --only tables --only links
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa

from bench.figure import Data, Figure, beside, busy, doubled, halves
from localaws import LocalAws
from localaws.healthlake.datastores import text_of
from localaws.healthlake.rows import shape
from localaws.healthlake.tables import append_rows
from trilake.core.athena import run
from trilake.core.contract import load_contract
from trilake.core.lakehouse.iceberg import append, open_catalog, open_table
from trilake.core.session import CallerSession, Session, environment_variables
from trilake.core.sql import load_relations
from trilake.imaging.tables import SERIES
from trilake.operations.changes import SourceWatermarks
from trilake.operations.filling import Filled, Refill, fill
from trilake.operations.refresh import missing_sources, without_missing

ROOMS = ("clinical", "linkage", "genomic", "imaging", "cohort")


@contextmanager
def a_lake(folder: Path, names: Sequence[str]) -> Iterator[tuple[LocalAws, Session]]:
    """A FHIR data store, a workgroup, and the named tables as Terraform makes them, empty."""
    with LocalAws(folder) as aws:
        keys = aws.credentials
        with environment_variables(
            AWS_ENDPOINT_URL=aws.endpoint,
            AWS_ACCESS_KEY_ID=keys.access_key_id,
            AWS_SECRET_ACCESS_KEY=keys.secret_access_key,
            AWS_DEFAULT_REGION="us-east-1",
        ):
            session = Session("local", folder, CallerSession())
            administrator = {"DataLakePrincipalIdentifier": session.client("sts").get_caller_identity()["Arn"]}
            session.client("lakeformation").put_data_lake_settings(DataLakeSettings={"DataLakeAdmins": [administrator]})
            datastore = session.client("healthlake").create_fhir_datastore(DatastoreTypeVersion="R4")["DatastoreId"]
            session.__dict__["settings"] = settings(datastore)
            make_tables(session, names)
            yield aws, session


def settings(datastore: str) -> Any:
    """As much of the settings as the tables ask for."""
    rooms = {room: SimpleNamespace(database=f"bench_{room}", store_database=f"bench_{room}_store") for room in ROOMS}
    rooms["clinical"].datastore_id = datastore
    core = SimpleNamespace(workgroup="bench", operations_database="bench_operations")
    return SimpleNamespace(core=core, **rooms)


def make_tables(session: Session, names: Sequence[str]) -> None:
    session.client("s3").create_bucket(Bucket="bench")
    place = {"ResultConfiguration": {"OutputLocation": "s3://bench/results/"}}
    session.client("athena").create_work_group(Name="bench", Configuration=place)
    glue = session.client("glue")
    for room in {name.split(".")[0] for name in names}:
        glue.create_database(DatabaseInput={"Name": f"bench_{room}"})
    for name in names:
        table = load_contract()[name]
        columns = [{"Name": column.name, "Type": column.type} for column in table.columns]
        storage = {"Columns": columns, "Location": f"s3://bench/{name}"}
        glue.create_table(
            DatabaseName=f"bench_{table.room}",
            TableInput={"Name": table.name, "TableType": "EXTERNAL_TABLE", "StorageDescriptor": storage},
            OpenTableFormatInput={"IcebergInput": {"MetadataOperation": "CREATE", "Version": "2"}},
        )


def work(session: Session, watermarks_now: SourceWatermarks, name: str) -> Refill:
    """What `fill` takes to bring a table up to date."""
    relation = load_relations()[name]
    missing = missing_sources(session, relation)
    tree = without_missing(relation.tree, missing)
    return Refill(session, watermarks_now, relation, load_contract()[name], tree, missing)


N_OBSERVATIONS, OBSERVATIONS_EACH = 100_000, 50
TABLES = ("clinical.patient", "clinical.patient_identifier", "clinical.observation")


def tables(data: Data) -> Iterator[Figure]:
    """One more patient with as many observations as everyone has, in a lake and in one of twice the size."""
    for n in halves(data.size(N_OBSERVATIONS)):
        with a_lake(data.folder / f"tables-{n}", TABLES) as (aws, session):
            datastore = session.settings.clinical.datastore_id
            put_observations(aws, datastore, 0, n)
            busy(lambda: refresh(session))
            idle, rebuilt = busy(lambda: refresh(session)), busy(lambda: refresh(session, full=True))
            put_observations(aws, datastore, n, n + OBSERVATIONS_EACH)
            merged = busy(lambda: expect_merged(session))
            others = f"{beside('nothing changed', idle)}; {beside('rebuild', rebuilt)}"
            yield Figure(f"one more patient beside {n:,}", OBSERVATIONS_EACH, "observations", merged, others)


def put_observations(aws: LocalAws, datastore: str, first: int, last: int) -> None:
    """Observations, and the patients that come with them, stamped by the service's clock."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    people = [
        {"resourceType": "Patient", "id": f"p{i}", "identifier": [{"system": "urn:x", "value": str(i)}]}
        for i in range(-(-first // OBSERVATIONS_EACH), -(-last // OBSERVATIONS_EACH))
    ]
    for kind, resources in (("Patient", people), ("Observation", [observation(i) for i in range(first, last)])):
        stamped = [
            shape(kind).row({**one, "meta": {"lastUpdated": text_of(start + timedelta(seconds=first + place))}})
            for place, one in enumerate(resources)
        ]
        append_rows(aws.world, datastore, kind, stamped)


def observation(i: int) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": f"o{i}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "2093-3"}], "text": "Cholesterol"},
        "subject": {"reference": f"Patient/p{i // OBSERVATIONS_EACH}"},
        "effectiveDateTime": "2020-01-02T03:04:05Z",
        "valueQuantity": {"value": 100 + i % 150, "unit": "mg/dL", "code": "mg/dL"},
    }


def refresh(session: Session, *, full: bool = False) -> list[Filled]:
    """The three tables brought up to date, in the order of what reads what."""
    watermarks_now = SourceWatermarks(session)
    return [fill(work(session, watermarks_now, name), full=full) for name in TABLES]


def expect_merged(session: Session) -> None:
    """What is measured is a merge, not a rebuild that passes for one."""
    assert [filled.how for filled in refresh(session)] == ["merged"] * len(TABLES)


N_STUDIES, STUDIES_EACH = 200_000, 2
LINK_TABLES = (
    "clinical.patient",
    "linkage.key",
    "linkage.rule",
    "linkage.decision",
    "linkage.object",
    "imaging.study",
)
UID = "1.2.826.0.1."


def links(data: Data) -> Iterator[Figure]:
    """Studies of two series each, linked to half as many patients."""
    figures = [of_studies(data, n) for n in halves(data.size(N_STUDIES))]
    yield from figures
    yield doubled(figures)


def of_studies(data: Data, n: int) -> Figure:
    with a_lake(data.folder / f"links-{n}", LINK_TABLES) as (_, session):
        put_studies(session, n)
        for table in ("linkage.rule", "linkage.object", "imaging.study"):
            fill(work(session, SourceWatermarks(session), table))
        judged = busy(lambda: fill(work(session, SourceWatermarks(session), "linkage.object"), full=True))
        grouped = busy(lambda: run(session, "SELECT link_reason, count(*) AS n FROM linkage.object GROUP BY 1"))
        return Figure("studies linked", n, "studies", judged, beside("counting them", grouped))


def put_studies(session: Session, n: int) -> None:
    """Patients, what names them, and series in the image store's raw table."""
    people = n // STUDIES_EACH
    append_to(session, "clinical.patient", [{"patient_id": f"p{i}", "mrn": f"{i + 1000}"} for i in range(people)])
    append_to(session, "linkage.key", [key for i in range(people) for key in keys_of(i)])
    session.client("glue").create_database(DatabaseInput={"Name": "bench_imaging_store"})
    store = open_catalog(session).create_table(("bench_imaging_store", "series"), SERIES, location="s3://bench/series")
    rows = [series(i, one, people) for i in range(n) for one in range(2)]
    store.append(pa.Table.from_pylist(rows, schema=store.schema().as_arrow()))


def keys_of(i: int) -> list[dict[str, str]]:
    """What names a patient; of their studies the chart names the first."""
    told = [("patient_id", f"P{i}"), ("mrn", f"{i + 1000}"), ("study_uid", f"{UID}{i * STUDIES_EACH}")]
    return [
        {"key_kind": kind, "form": form, "key": key, "patient_id": f"p{i}"}
        for kind, key in told
        for form in (("folded", "without_zeros") if key.isdigit() else ("folded",))
    ]


def series(i: int, one: int, people: int) -> dict[str, Any]:
    owner = i // STUDIES_EACH
    named = {0: f"000{owner + 1000}", 1: f"{(owner + 1) % people + 1000}", 2: f"stranger {i}"}
    return {
        "study_instance_uid": f"{UID}{i}",
        "series_instance_uid": f"{UID}{i}.{one}",
        "dicom_patient_id": named.get(i % 20, f"{owner + 1000}"),
        "modality": "MR",
        "n_instances": 24,
    }


def append_to(session: Session, name: str, rows: list[dict[str, Any]]) -> None:
    schema = open_table(session, name).schema().as_arrow()
    append(session, name, pa.Table.from_pylist(rows, schema=schema))


BENCHMARKS = {"tables": tables, "links": links}

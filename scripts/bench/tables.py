"""Speed of the governed tables: what one more patient costs, beside a rebuild, in a lake and in one of twice the size.

Patients, their identifiers and observations, as HealthLake stores them, filled by the product's own SQL and merges.
The cost of a change that does not grow with the lake is the figure's point: seconds are of processor time.

Example: python -m bench --only tables
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from bench.figure import Data, Figure, beside, busy, halves
from localaws import LocalAws
from localaws.healthlake.shape import shape
from localaws.healthlake.stamps import text_of
from localaws.healthlake.tables import append_rows
from trilake.core.contract import load_contract
from trilake.core.session import CallerSession, Session, environment_variables
from trilake.core.sql import load_relations, parse
from trilake.operations.filling import Filled, Work, fill
from trilake.operations.incremental import Lookout
from trilake.operations.refresh import missing_sources, without_missing

N_OBSERVATIONS, PER_PATIENT = 100_000, 50
TABLES = ("clinical.patient", "clinical.patient_identifier", "clinical.observation")
ROOMS = ("clinical", "genomic", "imaging", "cohort")


def tables(data: Data) -> Iterator[Figure]:
    """One more patient with as many observations as everyone has, in a lake and in one of twice the size."""
    for n in halves(data.size(N_OBSERVATIONS)):
        with a_lake(data, n) as (session, store):
            store(0, n)
            busy(lambda: refresh(session))
            idle, rebuilt = busy(lambda: refresh(session)), busy(lambda: refresh(session, full=True))
            store(n, n + PER_PATIENT)
            merged = busy(lambda: expect_merged(session))
            others = f"{beside('nothing changed', idle)}; {beside('rebuild', rebuilt)}"
            yield Figure(f"one more patient beside {n:,}", PER_PATIENT, "observations", merged, others)


@contextmanager
def a_lake(data: Data, n: int) -> Iterator[tuple[Session, Callable[[int, int], None]]]:
    """A lake with the three tables, empty, and what puts observations from one number to another into its store."""
    folder = data.folder / f"tables-{n}"
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
            make_tables(session)
            yield session, lambda first, last: put(aws, datastore, first, last)


def settings(datastore: str) -> Any:
    """As much of the settings as the tables ask for."""
    rooms = {room: SimpleNamespace(database=f"bench_{room}", store_database=f"bench_{room}_store") for room in ROOMS}
    rooms["clinical"].datastore_id = datastore
    core = SimpleNamespace(workgroup="bench", operations_database="bench_operations")
    return SimpleNamespace(core=core, **rooms)


def make_tables(session: Session) -> None:
    """The workgroup, and the governed tables as Terraform makes them."""
    session.client("s3").create_bucket(Bucket="bench")
    place = {"ResultConfiguration": {"OutputLocation": "s3://bench/results/"}}
    session.client("athena").create_work_group(Name="bench", Configuration=place)
    glue = session.client("glue")
    glue.create_database(DatabaseInput={"Name": "bench_clinical"})
    for name in TABLES:
        table = load_contract()[name]
        columns = [{"Name": column.name, "Type": column.type} for column in table.columns]
        storage = {"Columns": columns, "Location": f"s3://bench/{table.name}"}
        glue.create_table(
            DatabaseName="bench_clinical",
            TableInput={"Name": table.name, "TableType": "EXTERNAL_TABLE", "StorageDescriptor": storage},
            OpenTableFormatInput={"IcebergInput": {"MetadataOperation": "CREATE", "Version": "2"}},
        )


def put(aws: LocalAws, datastore: str, first: int, last: int) -> None:
    """Observations, and the patients that come with them, stamped by the service's clock."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    people = [
        {"resourceType": "Patient", "id": f"p{i}", "identifier": [{"system": "urn:x", "value": str(i)}]}
        for i in range(-(-first // PER_PATIENT), -(-last // PER_PATIENT))
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
        "subject": {"reference": f"Patient/p{i // PER_PATIENT}"},
        "effectiveDateTime": "2020-01-02T03:04:05Z",
        "valueQuantity": {"value": 100 + i % 150, "unit": "mg/dL", "code": "mg/dL"},
    }


def refresh(session: Session, *, full: bool = False) -> list[Filled]:
    """The three tables brought up to date, in the order of what reads what."""
    lookout = Lookout(session)
    return [fill(work(session, lookout, name), full=full) for name in TABLES]


def work(session: Session, lookout: Lookout, name: str) -> Work:
    relation = load_relations()[name]
    missing = missing_sources(session, relation)
    tree = without_missing(parse(relation.text), missing)
    return Work(session, lookout, relation, load_contract()[name], tree, missing)


def expect_merged(session: Session) -> None:
    """What is measured is a merge, not a rebuild that passes for one."""
    assert [filled.how for filled in refresh(session)] == ["merged"] * len(TABLES)


BENCHMARKS = {"tables": tables}

"""An AWS with empty governed tables, for benchmarks of their SQL.

Writes to the folder given. Read by `bench.tables` and `bench.links`.
Example: `with a_lake(folder, ["clinical.patient"]) as (aws, session): ...`
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from localaws import LocalAws
from trilake.core.contract import load_contract
from trilake.core.session import CallerSession, Session, environment_variables
from trilake.core.sql import load_relations, parse
from trilake.operations.filling import Work
from trilake.operations.incremental import Lookout
from trilake.operations.refresh import missing_sources, without_missing

ROOMS = ("clinical", "genomic", "imaging", "cohort")


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


def work(session: Session, lookout: Lookout, name: str) -> Work:
    """What `fill` takes to bring a table up to date."""
    relation = load_relations()[name]
    missing = missing_sources(session, relation)
    tree = without_missing(parse(relation.text), missing)
    return Work(session, lookout, relation, load_contract()[name], tree, missing)

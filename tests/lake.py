"""A deployed lake on the laptop's AWS, as a fixture builds it: the stores, buckets and tables that tests need.

Made by boto3 from the contract; `make deploy` makes the same and more, and tests/whole holds that path.

Example: with a_lake(tmp_path) as session: ...
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from trilake.core.contract import GovernedTable, load_contract
from trilake.core.paths import State
from trilake.core.session import Session, open_session
from trilake.core.verb import Run

ROOMS = ("clinical", "linkage", "genomic", "imaging", "cohort", "operations")
NAMES = {"raw": "test-raw", "lake": "test-lake", "results": "test-results", "artifact": "test-artifact"}


@contextmanager
def a_lake(folder: Path) -> Iterator[Session]:
    """A session on a lake below `folder`, built when it is not there yet."""
    state = State(folder)
    with open_session("local", state) as session:
        path = state.environment("local") / "settings.json"
        if not path.exists():
            path.write_text(json.dumps(build(session)))
        yield session


def build(session: Session) -> dict[str, Any]:
    """Everything that settings name, created; the settings."""
    for bucket in NAMES.values():
        session.client("s3").create_bucket(Bucket=bucket)
        session.client("s3").put_public_access_block(
            Bucket=bucket,
            PublicAccessBlockConfiguration=dict.fromkeys(
                ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
            ),
        )
    administrator = {"DataLakePrincipalIdentifier": session.client("sts").get_caller_identity()["Arn"]}
    session.client("lakeformation").put_data_lake_settings(
        DataLakeSettings={"DataLakeAdmins": [administrator], "Parameters": {"CROSS_ACCOUNT_VERSION": "4"}}
    )
    key = session.client("kms").create_key()["KeyMetadata"]["Arn"]
    role = a_role(session, "test-jobs")
    session.client("athena").create_work_group(
        Name="test-pipeline",
        Configuration={"ResultConfiguration": {"OutputLocation": f"s3://{NAMES['results']}/pipeline/"}},
    )
    store = session.client("healthlake").create_fhir_datastore(DatastoreTypeVersion="R4", DatastoreName="test")
    for room in ROOMS:
        create_database(session, room)
    return settings(session, key, role, store)


def a_role(session: Session, name: str) -> str:
    iam = session.client("iam")
    services = ["healthlake.amazonaws.com", "medical-imaging.amazonaws.com", "glue.amazonaws.com"]
    trust = {"Effect": "Allow", "Principal": {"Service": services}, "Action": "sts:AssumeRole"}
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))["Role"]["Arn"]
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps(policy))
    return str(arn)


def create_database(session: Session, room: str) -> None:
    """The room's database and its governed tables, Iceberg, empty."""
    glue = session.client("glue")
    glue.create_database(DatabaseInput={"Name": f"test_{room}", "LocationUri": f"s3://{NAMES['lake']}/{room}"})
    for table in load_contract().values():
        if table.room == room:
            location = f"s3://{NAMES['lake']}/{room}/{table.name}"
            glue.create_table(DatabaseName=f"test_{room}", **governed_table_input(table, location))


def governed_table_input(table: GovernedTable, location: str) -> dict[str, Any]:
    """What Glue's CreateTable is given for an Iceberg table of the contract."""
    columns = [{"Name": column.name, "Type": column.type} for column in table.columns]
    return {
        "TableInput": {
            "Name": table.name,
            "TableType": "EXTERNAL_TABLE",
            "StorageDescriptor": {"Columns": columns, "Location": location},
        },
        "OpenTableFormatInput": {"IcebergInput": {"MetadataOperation": "CREATE", "Version": "2"}},
    }


def settings(session: Session, key: str, role: str, store: dict[str, Any]) -> dict[str, Any]:
    core = {
        "account_id": session.client("sts").get_caller_identity()["Account"],
        "region": session.boto.region_name,
        "environment": "local",
        "name_prefix": "test",
        **{f"{name}_bucket": bucket for name, bucket in NAMES.items()},
        "kms_key_arn": key,
        "workgroup": "test-pipeline",
        "operations_database": "test_operations",
        "code_prefix": f"s3://{NAMES['artifact']}/code",
    }
    return {
        "core": core,
        "clinical": {
            "database": "test_clinical",
            "datastore_id": store["DatastoreId"],
            "datastore_arn": store["DatastoreArn"],
            "import_role_arn": role,
        },
        "linkage": {"database": "test_linkage"},
        "genomic": {
            "backend": "iceberg",
            "database": "test_genomic",
            "store_database": "test_genomic_store",
            "load_job_name": "test-genomic-load",
            "job_role_arn": role,
            "reference_genome": "GRCh38",
            "reference_fasta": None,
            "healthomics": None,
        },
        "imaging": {
            "database": "test_imaging",
            "store_database": "test_imaging_store",
            "datastore_id": "0" * 32,
            "import_role_arn": role,
            "flatten_job_name": "test-imaging-flatten",
            "radiomics_job_name": "test-imaging-radiomics",
            "job_role_arn": role,
        },
        "cohort": {"database": "test_cohort", "extract_uri": f"s3://{NAMES['lake']}/extracts"},
        "governance": {"personas": {}},
    }


@pytest.fixture(scope="session")
def built_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state folder of an empty lake, built once; tests work on copies of it."""
    folder = tmp_path_factory.mktemp("lake")
    with a_lake(folder):
        pass
    return folder


@pytest.fixture(scope="module")
def lake(built_lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """An empty lake for the tests of one module."""
    folder = tmp_path_factory.mktemp("lake") / "state"
    shutil.copytree(built_lake, folder)
    with a_lake(folder) as session:
        yield session


def a_run(session: Session) -> Run:
    """The verb's own view of that lake."""
    return Run(session.environment, State(session.folder.parent), as_json=False)

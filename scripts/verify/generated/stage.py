"""A LocalAws with the tables of random queries, and two who ask: the owner of all, and a reader of a part.

Reads the contracts; writes a state folder. Behind `make verify`.
Example: with staged(folder) as stage: stage.authorised("SELECT count(*) FROM lab.every", stage.reader)

Beside the synthetic tables stand the governed ones, with the columns of their contracts and made-up rows. The reader
sees what a data cells filter leaves of `every`: some rows, and all columns but two.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localaws import LocalAws
from localaws.athena.engine import Engine, Query, Work
from localaws.athena.parser import parse_query
from localaws.athena.session import Place, Session
from localaws.caller import ACCOUNT_ID, Caller, resolve
from localaws.world import World
from trilake.core.contract import GovernedTable, load_contract
from verify.generated.tables import EVERY, TABLES, Table, arrow, made

LAB, BUCKET = "lab", "verify-lab"
UNSEEN = ("raw", "note")
ROWS_SEEN = "n IS NULL OR n <> 3 OR flag = true"
N_ROWS = 12
KINDS: Mapping[str, str] = {
    "string": "varchar",
    "boolean": "boolean",
    "int": "small",
    "bigint": "bigint",
    "double": "double",
    "date": "date",
    "timestamp": "timestamp",
    "array<string>": "texts",
}
NUMBERS = ("bigint", "small")


def governed_tables() -> list[Table]:
    """The contracts' tables that have a number to tell rows apart by; columns of other types are left out."""
    tables = [_governed(table) for table in load_contract().values()]
    return [table for table in tables if table is not None]


def _governed(table: GovernedTable) -> Table | None:
    columns = {column.name: KINDS[column.type] for column in table.columns if column.type in KINDS}
    key = next((name for name, kind in columns.items() if kind in NUMBERS), None)
    return made(f"{table.room}.{table.name}", columns, N_ROWS, key) if key else None


@dataclass
class Stage:
    """What stands there. `names` says how a table is written in FROM."""

    world: World
    owner: Caller
    reader: Caller
    tables: list[Table]

    @property
    def seen(self) -> list[Table]:
        """The reader's tables, without the columns that are not theirs."""
        columns = {name: kind for name, kind in EVERY.columns.items() if name not in UNSEEN}
        return [Table(EVERY.name, columns, EVERY.rows)]

    @property
    def names(self) -> dict[str, str]:
        return {table.name: table.name if "." in table.name else f"{LAB}.{table.name}" for table in self.tables}

    def authorised(self, sql: str, caller: Caller, engine: Engine) -> Query:
        """The query as Athena hands it to an engine for this caller; QueryError where it is not valid or not theirs."""
        session = Session(self.world, engine, caller, Place(f"s3://{BUCKET}/results", "verify"), Work())
        return session.authorised(parse_query(sql))


@contextmanager
def staged(folder: Path) -> Iterator[Stage]:
    """The stage, built in a folder of its own."""
    with LocalAws(folder) as aws:
        world = aws.world
        tables = [*TABLES, *governed_tables()]
        world.client("s3").create_bucket(Bucket=BUCKET)
        databases = sorted({LAB, *(table.name.partition(".")[0] for table in tables if "." in table.name)})
        for database in databases:
            world.client("glue").create_database(DatabaseInput={"Name": database})
        for table in tables:
            _write(world, table)
        owner = resolve(aws.credentials.access_key_id)
        yield Stage(world, owner, _reader(world, owner), tables)


def _write(world: World, table: Table) -> None:
    database, _, name = (table.name if "." in table.name else f"{LAB}.{table.name}").partition(".")
    rows = arrow(table)
    created = world.iceberg_catalog().create_table(
        (database, name), rows.schema, location=f"s3://{BUCKET}/{database}/{name}"
    )
    if len(rows):
        created.append(rows)


def _reader(world: World, owner: Caller) -> Caller:
    """A role that Lake Formation lets see a part of `every`."""
    lake = world.client("lakeformation")
    lake.put_data_lake_settings(DataLakeSettings={"DataLakeAdmins": [{"DataLakePrincipalIdentifier": owner.arn}]})
    lake.register_resource(ResourceArn=f"arn:aws:s3:::{BUCKET}", UseServiceLinkedRole=True)
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT_ID}:root"}, "Action": "sts:AssumeRole"}
    allowed = {"Effect": "Allow", "Action": ["glue:*", "lakeformation:GetDataAccess"], "Resource": "*"}
    iam = world.client("iam")
    arn = iam.create_role(RoleName="verify-reader", AssumeRolePolicyDocument=_document(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName="verify-reader", PolicyName="reads", PolicyDocument=_document(allowed))
    key = {"TableCatalogId": ACCOUNT_ID, "DatabaseName": LAB, "TableName": EVERY.name, "Name": "reader"}
    columns = [name for name in EVERY.columns if name not in UNSEEN]
    lake.create_data_cells_filter(
        TableData={**key, "RowFilter": {"FilterExpression": ROWS_SEEN}, "ColumnNames": columns}
    )
    lake.grant_permissions(
        Principal={"DataLakePrincipalIdentifier": arn}, Resource={"DataCellsFilter": key}, Permissions=["SELECT"]
    )
    keys = world.client("sts").assume_role(RoleArn=arn, RoleSessionName="verify")["Credentials"]
    return resolve(keys["AccessKeyId"])


def _document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

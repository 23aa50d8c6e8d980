"""One LocalAws for a module of Lake Formation tests, with a table to grant on and roles to grant to.

Reads and writes a temporary folder. Make target: `test`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws import LocalAws
from localaws.connection import Credentials
from localaws.lakeformation import access
from localaws.lakeformation.rules import Access
from localaws.world import World, make_client

ACCOUNT, SERVICE_ACCOUNT = "123456789012", "888888888888"
DEPLOYER = f"arn:aws:iam::{ACCOUNT}:user/deployer"
NUMBERS = count()
COLUMNS = {
    "patient_id": "string",
    "family_name": "string",
    "birth_year": "int",
    "site_id": "string",
    "consent_research": "boolean",
    "codes": "array<string>",
}


def code_of(call: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response["Error"]["Code"])


@dataclass
class Place:
    """A fresh database with one table `patient`, and a role, in an account whose default permissions are empty."""

    world: World
    database: str
    role: str
    table: str = "patient"
    made: list[str] = field(default_factory=list)

    @property
    def lf(self) -> Any:
        return self.world.client("lakeformation")

    @property
    def table_member(self) -> dict[str, Any]:
        return {"Table": {"DatabaseName": self.database, "Name": self.table}}

    def grant(self, resource: dict[str, Any], *permissions: str, to: str | None = None, grantable: Any = ()) -> None:
        principal = {"DataLakePrincipalIdentifier": to or self.role}
        option = {"PermissionsWithGrantOption": list(grantable)} if grantable else {}
        self.lf.grant_permissions(Principal=principal, Resource=resource, Permissions=list(permissions), **option)

    def revoke(self, resource: dict[str, Any], *permissions: str, to: str | None = None) -> None:
        principal = {"DataLakePrincipalIdentifier": to or self.role}
        self.lf.revoke_permissions(Principal=principal, Resource=resource, Permissions=list(permissions))

    def listed(self, **question: Any) -> list[dict[str, Any]]:
        answer = self.lf.list_permissions(Principal={"DataLakePrincipalIdentifier": self.role}, **question)
        found: list[dict[str, Any]] = answer["PrincipalResourcePermissions"]
        return found

    def columns(self, *names: str) -> dict[str, Any]:
        return {"TableWithColumns": {"DatabaseName": self.database, "Name": self.table, "ColumnNames": list(names)}}

    def all_but(self, *names: str) -> dict[str, Any]:
        wildcard = {"ExcludedColumnNames": list(names)} if names else {}
        member = {"DatabaseName": self.database, "Name": self.table, "ColumnWildcard": wildcard}
        return {"TableWithColumns": member}

    def filter_data(self, name: str = "persona", rows: str | None = None, **columns: Any) -> dict[str, Any]:
        return {
            "TableCatalogId": ACCOUNT,
            "DatabaseName": self.database,
            "TableName": self.table,
            "Name": name,
            "RowFilter": {"AllRowsWildcard": {}} if rows is None else {"FilterExpression": rows},
            **(columns or {"ColumnWildcard": {}}),
        }

    def filtered(self, name: str, rows: str | None, names: list[str] | None = None) -> None:
        """Make a filter and grant SELECT on it."""
        columns: dict[str, Any] = {"ColumnNames": names} if names else {"ColumnWildcard": {}}
        self.lf.create_data_cells_filter(TableData=self.filter_data(name, rows, **columns))
        self.grant(self.filter_member(name), "SELECT")

    def filter_member(self, name: str) -> dict[str, Any]:
        key = {"TableCatalogId": ACCOUNT, "DatabaseName": self.database, "TableName": self.table, "Name": name}
        return {"DataCellsFilter": key}

    def access(self, arn: str | None = None) -> Access:
        return access.table_access(self.world, arn or self.role, ACCOUNT, self.database, self.table)


TRUST = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}


def make_role(world: World, name: str) -> str:
    """A role that everybody in the account may assume."""
    document = json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
    role = world.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]
    return str(role["Arn"])


def make_table(world: World, database: str, name: str = "patient", columns: dict[str, str] | None = None) -> None:
    items = [{"Name": column, "Type": kind} for column, kind in (columns or COLUMNS).items()]
    storage = {"Columns": items, "Location": f"s3://lake/{database}/{name}"}
    world.client("glue").create_table(DatabaseName=database, TableInput={"Name": name, "StorageDescriptor": storage})


def set_up(world: World, admins: list[str] | None = None, **more: Any) -> None:
    """Administrators and no default permissions, as terraform/account does."""
    names = [{"DataLakePrincipalIdentifier": arn} for arn in admins if arn] if admins is not None else []
    world.client("lakeformation").put_data_lake_settings(DataLakeSettings={"DataLakeAdmins": names, **more})


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with LocalAws(tmp_path_factory.mktemp("local")) as aws:
        aws.world.client("s3").create_bucket(Bucket="lake")
        yield aws


@pytest.fixture
def place(running: LocalAws) -> Place:
    """A table that only its creator may see, and a role without any grant."""
    world, number = running.world, next(NUMBERS)
    set_up(world, [DEPLOYER])
    database = f"clinical_{number}"
    world.client("glue").create_database(DatabaseInput={"Name": database})
    make_table(world, database)
    return Place(world, database, make_role(world, f"persona-{number}"))


def session(world: World, role_arn: str, service: str = "lakeformation") -> Any:
    """A client of `service` as a session of the role."""
    answer = world.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="test")["Credentials"]
    keys = Credentials(answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"])
    return make_client(service, world.endpoint, keys)

"""Catalog calls that Athena makes with the caller's rights: IAM has to allow them as well as Lake Formation.

Reads IAM's policies; writes nothing. Behind `make local-aws`.
Example: `require_catalog(session.caller, "UpdateTable", ref.catalog_id, ref.database, ref.name)`
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from localaws.athena.errors import QueryError
from localaws.caller import REGION
from localaws.iam import gate, resources
from localaws.iam.policy import Call

if TYPE_CHECKING:
    from localaws.athena.catalog import DatabaseRef, TableRef
    from localaws.caller import Caller

_ON_TABLES = {"DROP": "DeleteTable", "DESCRIBE": "GetTable", "READ_ALL": "GetTable"}
_ON_DATABASES = {
    "CREATE_DATABASE": "CreateDatabase",
    "DROP": "DeleteDatabase",
    "DESCRIBE": "GetDatabase",
    "CREATE_TABLE": "GetDatabase",
}


def require_catalog(caller: Caller, operation: str, account_id: str, database: str, table: str | None = None) -> None:
    """Nothing if IAM lets the caller make this call to Glue, else PERMISSION_DENIED."""
    params: dict[str, Any] = {"CatalogId": account_id, "DatabaseName": database}
    if table is not None:
        params["TableName"] = table
    found = resources.touched(resources.Place("glue", REGION, account_id), operation, params)
    try:
        gate.check(caller, [Call(f"glue:{operation}", item.arn, is_partial=item.is_partial) for item in found])
    except gate.AccessDenied as error:
        raise QueryError("PERMISSION_DENIED", str(error)) from None


def require_for_table(caller: Caller, ref: TableRef, action: str) -> None:
    """The call behind an action on a table: changes of an Iceberg table end in UpdateTable."""
    changes = "UpdateTable" if ref.kind == "iceberg" or action == "ALTER" else "GetTable"
    require_catalog(caller, _ON_TABLES.get(action, changes), ref.catalog_id, ref.database, ref.name)


def require_for_database(caller: Caller, ref: DatabaseRef, action: str) -> None:
    """The call behind an action on a database."""
    require_catalog(caller, _ON_DATABASES[action], ref.catalog_id, ref.link_name)

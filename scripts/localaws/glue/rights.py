"""Lake Formation's say in catalog calls: who may see, make, change and drop databases and tables.

Reads Lake Formation's grants. Behind `make deploy`, `make ingest` and every catalog call of a persona or a job.
Example: `require_table(world, caller, place, "patient", "DROP")`.

The deployer and the service account are administrators of their accounts; Athena asks Lake Formation for them itself.
Source: https://docs.aws.amazon.com/lake-formation/latest/dg/lf-permissions-reference.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from localaws.caller import Caller
from localaws.lakeformation.access import catalog_access, database_access, sees_database, table_access
from localaws.service import ServiceError

if TYPE_CHECKING:
    from localaws.glue.place import Place
    from localaws.world import World


def _refusal(permission: str, name: str) -> ServiceError:
    message = f"Insufficient Lake Formation permission(s): Required {permission} on {name}"
    return ServiceError("AccessDeniedException", message)


def require_catalog(world: World, caller: Caller, permission: str) -> None:
    if not caller.is_admin and permission not in catalog_access(world, caller.arn, caller.account_id):
        raise _refusal(permission, "Catalog")


def require_database(world: World, caller: Caller, place: Place, permission: str) -> None:
    if not caller.is_admin and permission not in database_access(world, caller.arn, place.account_id, place.database):
        raise _refusal(permission, place.database)


def require_table(world: World, caller: Caller, place: Place, table: str, permission: str) -> None:
    if caller.is_admin:
        return
    if permission not in table_access(world, caller.arn, place.account_id, place.database, table).permissions:
        raise _refusal(permission, table)


def sees(world: World, caller: Caller, account_id: str, database: str) -> bool:
    return caller.is_admin or sees_database(world, caller.arn, account_id, database)


def as_seen(world: World, caller: Caller, place: Place, table: dict[str, Any]) -> dict[str, Any] | None:
    """The table with the columns that the caller may know of; None when it may know of none."""
    if caller.is_admin:
        return table
    access = table_access(world, caller.arn, place.account_id, place.database, table["Name"])
    if not access.permissions and not access.is_described:
        return None
    known = set(access.described)
    descriptor = table.get("StorageDescriptor")
    if descriptor is None:
        return table
    columns = [column for column in descriptor.get("Columns", []) if column["Name"].lower() in known]
    return {**table, "StorageDescriptor": {**descriptor, "Columns": columns}}


def refuse_table(table: str) -> ServiceError:
    return _refusal("Describe", table)

"""Who may grant, and what a grant may name: the checks in front of GrantPermissions and the filters.

Reads the Glue catalog, IAM roles and Lake Formation's state. Behind `make deploy`.
Example: `check_grant(world, caller, target, {"SELECT"}, set())`
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from moto.iam.models import iam_backends

from localaws.caller import PARTITION, Caller
from localaws.lakeformation.access import database_access, names_of, table_access
from localaws.lakeformation.filters import get as get_filter
from localaws.lakeformation.grants import expanded
from localaws.lakeformation.lifecycle import settle_database, settle_table
from localaws.lakeformation.resources import ALL_TABLES, Target, allowed_permissions
from localaws.lakeformation.state import IAM_ALLOWED_PRINCIPALS, lake
from localaws.service import ServiceError

if TYPE_CHECKING:
    from localaws.world import World

GROUPS = re.compile(r"\d{12}|\d{12}:IAMPrincipals|arn:aws[\w-]*:(organizations|quicksight|identitystore):.+")
IAM_NAME = re.compile(r"arn:aws[\w-]*:(iam|sts)::(\d{12}):(user|role|group|saml-provider|federated-user)/(.+)")


def check_principal(principal: str) -> None:
    """InvalidInputException for a name that is no principal, or an IAM role or user that does not exist."""
    if principal == IAM_ALLOWED_PRINCIPALS or GROUPS.fullmatch(principal):
        return
    found = IAM_NAME.fullmatch(principal)
    if found is None or not _exists(found[2], found[3], principal):
        raise ServiceError("InvalidInputException", f"Invalid principal, {principal}")


def _exists(account_id: str, kind: str, arn: str) -> bool:
    if account_id not in iam_backends:
        return False
    iam = iam_backends[account_id][PARTITION]
    if kind == "role":
        return any(role.arn == arn for role in iam.roles.values())
    return kind != "user" or any(user.arn == arn for user in iam.users.values())


def check_permissions(target: Target, permissions: set[str], grantable: set[str]) -> None:
    """InvalidInputException for permissions that such a target does not have."""
    if not permissions | grantable or not permissions | grantable <= allowed_permissions(target):
        raise ServiceError("InvalidInputException", "Permissions modification is invalid.")
    if not expanded(target, grantable) <= expanded(target, permissions):
        raise ServiceError("InvalidInputException", "Grantable permissions must be among the permissions granted.")


def check_target(world: World, target: Target) -> None:
    """EntityNotFoundException for what does not exist; InvalidInputException for columns the table does not have."""
    if target.kind in {"database", "table", "columns", "filter"}:
        if settle_database(world, target.catalog_id, target.database) is None:
            raise ServiceError("EntityNotFoundException", f"Database {target.database} not found.")
        if target.table not in {"", ALL_TABLES}:
            _check_table(world, target)
    if target.kind == "filter":
        names = {"TableCatalogId": target.catalog_id, "DatabaseName": target.database}
        get_filter(world, {**names, "TableName": target.table, "Name": target.name})
    if target.kind in {"tag", "policy"}:
        own = lake(world, target.catalog_id)
        for key, values in target.tags:
            if not values <= set(own.tags.get(key, ())):
                raise ServiceError("EntityNotFoundException", f"Tag {key} or one of its values does not exist.")


def _check_table(world: World, target: Target) -> None:
    entry = settle_table(world, target.catalog_id, target.database, target.table)
    if entry is None:
        raise ServiceError("EntityNotFoundException", f"Table {target.database}.{target.table} not found.")
    unknown = sorted(((target.names or frozenset()) | target.excluded) - set(entry.columns))
    if unknown:
        raise ServiceError("InvalidInputException", f"Columns do not exist in table {entry.name}: {unknown}")


def check_grantor(world: World, caller: Caller, target: Target, permissions: set[str]) -> None:
    """AccessDeniedException unless the caller administers the lake, created the resource, or may pass this on."""
    own = lake(world, caller.account_id)
    if caller.arn in own.admins and _is_within_reach(world, caller, target):
        return
    if _created(world, caller.arn, target) or _may_pass_on(world, caller, target, permissions):
        return
    raise ServiceError(
        "AccessDeniedException",
        "Resource does not exist or requester is not authorized to access requested permissions.",
    )


def _is_within_reach(world: World, caller: Caller, target: Target) -> bool:
    """Administrators grant on all of their account, and on what another account shares with it."""
    if target.catalog_id == caller.account_id:
        return True
    if target.kind == "database" or target.table == ALL_TABLES:
        return bool(database_access(world, caller.arn, target.catalog_id, target.database))
    return table_access(world, caller.arn, target.catalog_id, target.database, target.table).is_described


def _created(world: World, arn: str, target: Target) -> bool:
    creators, table = world.creators, target.table
    if target.kind == "database":
        return creators.get((target.catalog_id, target.database, None)) == arn
    if table == ALL_TABLES:
        entry = settle_database(world, target.catalog_id, target.database)
        names = [None, *(entry.tables if entry else ())]
        return all(creators.get((target.catalog_id, target.database, name)) == arn for name in names)
    return bool(table) and creators.get((target.catalog_id, target.database, table)) == arn


def _may_pass_on(world: World, caller: Caller, target: Target, permissions: set[str]) -> bool:
    own = lake(world, target.catalog_id)
    names = names_of(caller.arn, own) if caller.account_id == target.catalog_id else frozenset({caller.arn})
    held: set[str] = set()
    for grant in own.grants.values():
        place = grant.target
        is_on_it = place == target or (
            place.table_key == target.table_key and (place.kind == "table" or place.is_every_column)
        )
        if grant.principal in names and is_on_it:
            held |= expanded(place, grant.grantable)
    return bool(permissions) and expanded(target, permissions) <= held

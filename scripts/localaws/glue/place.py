"""Where a catalog call really goes: which account's catalog, and which database behind a resource link.

Reads moto's Glue backend. Behind every make target that uses the catalog.
Example: `find(caller, {"DatabaseName": "healthlake_link"}).account_id` is the service account's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from moto.glue.models import FakeDatabase, glue_backends

from localaws.caller import ACCOUNT_ID, REGION, SERVICE_ACCOUNT_ID, Caller
from localaws.service import ServiceError


@dataclass(frozen=True)
class Place:
    """One database of one account's catalog."""

    account_id: str
    database: str


def catalog_account(caller: Caller, catalog_id: str | None) -> str:
    """The account of a CatalogId; AccessDeniedException for one that shares nothing with the caller."""
    account_id = (catalog_id or caller.account_id).partition(":")[0]
    if account_id == caller.account_id:
        return account_id
    if account_id in {ACCOUNT_ID, SERVICE_ACCOUNT_ID} and _links_to(caller.account_id, account_id):
        return account_id
    raise ServiceError("AccessDeniedException", f"Account {caller.account_id} has no access to catalog {account_id}.")


def find(caller: Caller, catalog_id: str | None, database: str) -> Place:
    """The database itself, behind a resource link too."""
    account_id = catalog_account(caller, catalog_id)
    found = databases(account_id).get(database)
    target = (found.input.get("TargetDatabase") if found is not None else None) or {}
    if target:
        return Place(target["CatalogId"], target["DatabaseName"])
    return Place(account_id, database)


def linked(given: dict[str, Any], member: str, needed: tuple[str, ...], account_id: str) -> dict[str, Any]:
    """A database or table input whose resource link, if it is one, names the catalog and all of `needed`."""
    target = given.get(member)
    if not target:
        return given
    missing = [name for name in needed if not target.get(name)]
    if missing:
        raise ServiceError("InvalidInputException", f"{member} lacks {', '.join(missing)}.")
    return {**given, member: {**target, "CatalogId": target.get("CatalogId") or account_id}}


def databases(account_id: str) -> dict[str, FakeDatabase]:
    found: dict[str, FakeDatabase] = glue_backends[account_id][REGION].databases
    return found


def _links_to(account_id: str, other: str) -> bool:
    """Whether the account took up a share of the other: it has a resource link into its catalog."""
    links = (database.input.get("TargetDatabase") or {} for database in databases(account_id).values())
    return any(link.get("CatalogId") == other for link in links)

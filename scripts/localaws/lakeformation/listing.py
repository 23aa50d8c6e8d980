"""ListPermissions: which grants answer a question, in the form the service gives them.

Pure over an account's `Lake`. Behind `make deploy` (Terraform reads its grants back) and `make access`.
Example: `listed(own, {"Principal": {...}, "Resource": {"Table": {...}}})`
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from localaws.lakeformation.resources import ALL_TABLES, Target, from_request, to_response
from localaws.lakeformation.state import Grant, Lake
from localaws.paging import requested_page
from localaws.service import ServiceError

PAGE_SIZE = 1000
"""Items of a list where the request does not say."""

KINDS: dict[str, tuple[str, ...]] = {
    "CATALOG": ("catalog",),
    "DATABASE": ("database",),
    "TABLE": ("table", "columns", "filter"),
    "DATA_LOCATION": ("location",),
    "LF_TAG": ("tag",),
    "LF_TAG_POLICY": ("policy",),
    "LF_TAG_POLICY_DATABASE": ("policy",),
    "LF_TAG_POLICY_TABLE": ("policy",),
}


def listed(own: Lake, params: dict[str, Any], only_of: str | None = None) -> list[dict[str, Any]]:
    """Every matching grant as a PrincipalResourcePermissions, in a stable order; perhaps only of one principal."""
    tests = list(_tests(own, params))
    known = [grant for grant in own.grants.values() if only_of in (None, grant.principal)]
    found = [grant for grant in known if all(test(grant) for test in tests)]
    return [described(grant) for grant in sorted(found, key=_order)]


def in_pages(member: str, items: list[dict[str, Any]], params: dict[str, Any]) -> dict[str, Any]:
    """A list operation's answer: the page asked for under its member, and the token of the rest."""
    page, token = requested_page(items, params, PAGE_SIZE)
    return {member: page, **token}


def described(grant: Grant) -> dict[str, Any]:
    """One grant as ListPermissions gives it."""
    return {
        "Principal": {"DataLakePrincipalIdentifier": grant.principal},
        "Resource": to_response(grant.target),
        "Permissions": sorted(grant.permissions),
        "PermissionsWithGrantOption": sorted(grant.grantable),
        "LastUpdated": grant.updated_at,
        "LastUpdatedBy": grant.updated_by,
    }


def _order(grant: Grant) -> tuple[Any, ...]:
    target = grant.target
    columns = sorted(target.names or target.excluded)
    return target.kind, target.catalog_id, target.database, target.table, target.name, columns, grant.principal


def _tests(own: Lake, params: dict[str, Any]) -> Iterator[Callable[[Grant], bool]]:
    principal = params.get("Principal")
    if principal:
        wanted_principal = principal["DataLakePrincipalIdentifier"]
        yield lambda grant: grant.principal == wanted_principal
    if params.get("Resource"):
        wanted = from_request(params["Resource"], params.get("CatalogId") or own.account_id)
        is_related = params.get("IncludeRelated") == "TRUE"
        yield lambda grant: matches(wanted, grant.target) or (is_related and _is_inside(wanted, grant.target))
    elif params.get("CatalogId"):
        catalog_id = params["CatalogId"]
        yield lambda grant: grant.target.catalog_id == catalog_id
    kind = params.get("ResourceType")
    if kind:
        if kind not in KINDS:
            raise ServiceError("InvalidInputException", f"Permissions on {kind} are not kept here")
        yield lambda grant: grant.target.kind in KINDS[kind] and _is_policy_of(kind, grant.target)


def matches(wanted: Target, target: Target) -> bool:
    """Whether a grant on `target` answers a question about `wanted`.

    A table's answer has its column grants too: that is where SELECT is. Columns are not matched on names.
    """
    if wanted.kind in {"table", "columns"}:
        return target.kind in {"table", "columns"} and target.table_key == wanted.table_key
    if wanted.kind == "tag":
        return target.kind == "tag" and target.name == wanted.name
    return target == wanted


def _is_inside(wanted: Target, target: Target) -> bool:
    if wanted.kind == "database":
        return target.kind in {"table", "columns", "filter"} and target.database == wanted.database
    if wanted.kind == "table":
        is_on_it = target.kind == "filter" and target.table_key == wanted.table_key
        return is_on_it or (target.kind in {"table", "columns"} and target.table == ALL_TABLES)
    return False


def _is_policy_of(kind: str, target: Target) -> bool:
    return not kind.startswith("LF_TAG_POLICY_") or kind.endswith(target.name)

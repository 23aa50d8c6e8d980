"""AWS Lake Formation of localaws: the operations, each a few lines over the parts beside it.

Reads the Glue catalog and IAM; writes Lake Formation's own state. Behind `make deploy`, `make access`.
Example: `boto3.client("lakeformation").create_data_cells_filter(TableData={...})`
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from localaws.caller import Caller
from localaws.lakeformation import authority, filters, grants, listing, settings
from localaws.lakeformation.lifecycle import settle_everything
from localaws.lakeformation.listing import in_pages
from localaws.lakeformation.resources import Target, from_request
from localaws.lakeformation.state import GUARD, Lake, lake
from localaws.lakeformation.tag_operations import TagOperations
from localaws.service import Service, ServiceError
from localaws.wire_values import Given

Params = dict[str, Any]


class LakeFormation(TagOperations, Service):
    """The service; one instance for all accounts."""

    service_name = "lakeformation"
    imitated = {"register_resource": "no service-linked role is made"}

    def get_data_lake_settings(self, params: Params, caller: Caller) -> Params:
        own = self._lake(params, caller)
        return {"DataLakeSettings": deepcopy(own.settings)}

    def put_data_lake_settings(self, params: Params, caller: Caller) -> Params:
        with GUARD:
            settings.put(self.world, self._lake(params, caller), params["DataLakeSettings"])
        return {}

    def register_resource(self, params: Params, caller: Caller) -> Params:
        settings.register(self._lake({}, caller), params)
        return {}

    def update_resource(self, params: Params, caller: Caller) -> Params:
        settings.update(self._lake({}, caller), params)
        return {}

    def deregister_resource(self, params: Params, caller: Caller) -> Params:
        settings.deregister(self._lake({}, caller), params)
        return {}

    def describe_resource(self, params: Params, caller: Caller) -> Params:
        return {"ResourceInfo": settings.described(self._lake({}, caller), params)}

    def list_resources(self, params: Params, caller: Caller) -> Params:
        locations = self._lake({}, caller).locations
        found = [locations[arn] for arn in sorted(locations) if _is_wanted(locations[arn], params)]
        return in_pages("ResourceInfoList", found, params)

    def grant_permissions(self, params: Params, caller: Caller) -> Params:
        with GUARD:
            self._grant(params, caller, params.get("CatalogId"))
        return {}

    def revoke_permissions(self, params: Params, caller: Caller) -> Params:
        with GUARD:
            self._revoke(params, caller, params.get("CatalogId"))
        return {}

    def batch_grant_permissions(self, params: Params, caller: Caller) -> Params:
        return self._batch(self._grant, params, caller)

    def batch_revoke_permissions(self, params: Params, caller: Caller) -> Params:
        return self._batch(self._revoke, params, caller)

    def list_permissions(self, params: Params, caller: Caller) -> Params:
        with GUARD:
            settle_everything(self.world, caller.account_id)
            own = self._lake({}, caller)
            may_see_all = caller.is_admin or caller.arn in own.admins | own.read_only_admins
            found = listing.listed(own, params, None if may_see_all else caller.arn)
        return in_pages("PrincipalResourcePermissions", found, params)

    def create_data_cells_filter(self, params: Params, caller: Caller) -> Params:
        with GUARD:
            self._check_filter_admin(params["TableData"], caller)
            filters.create(self.world, params["TableData"])
        return {}

    def update_data_cells_filter(self, params: Params, caller: Caller) -> Params:
        with GUARD:
            self._check_filter_admin(params["TableData"], caller)
            filters.update(self.world, params["TableData"])
        return {}

    def delete_data_cells_filter(self, params: Params, caller: Caller) -> Params:
        names = Given({"TableCatalogId": caller.account_id, **params})
        with GUARD:
            self._check_filter_admin(names, caller)
            filters.delete(self.world, names)
        return {}

    def get_data_cells_filter(self, params: Params, caller: Caller) -> Params:
        with GUARD:
            self._check_filter_admin(params, caller)
            return {"DataCellsFilter": filters.described(filters.get(self.world, params))}

    def list_data_cells_filter(self, params: Params, caller: Caller) -> Params:
        with GUARD:
            settle_everything(self.world, caller.account_id)
            own = self._lake({}, caller)
            found = [item for item in filters.listed(own, params.get("Table")) if self._has(item.table_key, caller)]
        return in_pages("DataCellsFilters", [filters.described(item) for item in found], params)

    def _lake(self, params: Params, caller: Caller) -> Lake:
        """The caller's own Lake Formation; another account's is none of its business."""
        catalog_id = params.get("CatalogId") or caller.account_id
        if catalog_id != caller.account_id:
            raise ServiceError("AccessDeniedException", f"Cross-account access to catalog {catalog_id} is not allowed.")
        return lake(self.world, caller.account_id)

    def _grant(self, entry: Params, caller: Caller, catalog_id: str | None) -> None:
        principal, target, permissions, grantable = _wanted(entry, caller, catalog_id)
        authority.check_principal(principal)
        authority.check_permissions(target, permissions, grantable)
        authority.check_grantor(self.world, caller, target, permissions)
        authority.check_target(self.world, target)
        own = lake(self.world, caller.account_id)
        grants.grant(own, principal, target, permissions, grantable, by=caller.arn)

    def _revoke(self, entry: Params, caller: Caller, catalog_id: str | None) -> None:
        principal, target, permissions, grantable = _wanted(entry, caller, catalog_id)
        authority.check_grantor(self.world, caller, target, permissions)
        authority.check_target(self.world, target)
        own = lake(self.world, caller.account_id)
        grants.revoke(own, principal, target, permissions, grantable, by=caller.arn)

    def _batch(self, act: Callable[[Params, Caller, str | None], None], params: Params, caller: Caller) -> Params:
        failures = []
        for entry in params["Entries"]:
            try:
                with GUARD:
                    act(entry, caller, params.get("CatalogId"))
            except ServiceError as error:
                answer = {"ErrorCode": error.code, "ErrorMessage": error.message}
                failures.append({"RequestEntry": entry, "Error": answer})
        return {"Failures": failures} if failures else {}

    def _check_filter_admin(self, names: Params, caller: Caller) -> None:
        """Filters are made and read by who may pass on SELECT on the whole table."""
        key = (names["TableCatalogId"], names["DatabaseName"].lower(), names["TableName"].lower())
        authority.check_grantor(self.world, caller, Target("table", *key), {"SELECT"})

    def _has(self, table_key: tuple[str, str, str], caller: Caller) -> bool:
        try:
            authority.check_grantor(self.world, caller, Target("table", *table_key), {"SELECT"})
        except ServiceError:
            return False
        return True


def _wanted(entry: Params, caller: Caller, catalog_id: str | None) -> tuple[str, Target, set[str], set[str]]:
    target = from_request(entry["Resource"], catalog_id or caller.account_id)
    principal = entry["Principal"]["DataLakePrincipalIdentifier"]
    return principal, target, set(entry.get("Permissions") or ()), set(entry.get("PermissionsWithGrantOption") or ())


def _is_wanted(location: Params, params: Params) -> bool:
    """FilterConditionList of ListResources: RESOURCE_ARN and ROLE_ARN, EQ and the like."""
    fields = {"RESOURCE_ARN": "ResourceArn", "ROLE_ARN": "RoleArn"}
    tests: dict[str, Callable[[str, list[str]], bool]] = {
        "EQ": lambda value, given: value == given[0],
        "NE": lambda value, given: value != given[0],
        "CONTAINS": lambda value, given: given[0] in value,
        "NOT_CONTAINS": lambda value, given: given[0] not in value,
        "BEGINS_WITH": lambda value, given: value.startswith(given[0]),
        "IN": lambda value, given: value in given,
    }
    for condition in params.get("FilterConditionList") or []:
        field, operator = condition.get("Field"), condition.get("ComparisonOperator")
        if field not in fields or operator not in tests:
            raise ServiceError("InvalidInputException", f"Filter {field} {operator} is not supported")
        if not tests[operator](location[fields[field]], condition["StringValueList"]):
            return False
    return True

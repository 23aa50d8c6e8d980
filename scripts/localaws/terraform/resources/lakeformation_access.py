"""Who may see what: Lake Formation's data cells filters and grants.

Reads and writes Lake Formation. Make targets: deploy, plan, destroy.
Example: resource "aws_lakeformation_permissions" "radiologist" { principal = ..., permissions = ["SELECT"] ... }
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from localaws.terraform.aws import Aws
from localaws.terraform.resource import EVERYTHING, Resource
from localaws.terraform.resources.lakeformation import principal
from localaws.terraform.shapes import to_api
from localaws.terraform.values import UNKNOWN, Path, Problem, Values, known_objects

TARGETS = ("data_cells_filter", "data_location", "database", "lf_tag", "lf_tag_policy", "table", "table_with_columns")
ALL_TABLES = "ALL_TABLES"
KEY = ("table_catalog_id", "database_name", "table_name", "name")
PRINCIPAL = re.compile(r"arn:aws[\w-]*:.+|\d{12}|IAM_ALLOWED_PRINCIPALS|\d{12}:IAMPrincipals|ALLIAMPrincipals")
RENAMES = {
    "lf_tag": "LFTag",
    "lf_tag_policy": "LFTagPolicy",
    "key": "TagKey",
    "values": "TagValues",
    "arn": "ResourceArn",
    "wildcard": "-",
    "excluded_column_names": "-",
}


class Filter(Resource):
    """aws_lakeformation_data_cells_filter: rows and columns change in place, the four names replace it."""

    type_name = "aws_lakeformation_data_cells_filter"
    replaces = frozenset(f"table_data.{name}" for name in KEY)
    volatile = frozenset({"table_data.version_id"})

    def check(self, config: Values) -> list[Problem]:
        problems = []
        for table in known_objects(config.get("table_data")):
            problems += self._exactly_one(table, "column_names", "column_wildcard", ("table_data", 0))
            for rows in known_objects(table.get("row_filter")):
                place = ("table_data", 0, "row_filter", 0)
                problems += self._exactly_one(rows, "filter_expression", "all_rows_wildcard", place)
        return problems

    @staticmethod
    def _exactly_one(values: Values, first: str, second: str, place: Path) -> list[Problem]:
        given = values.get(first), values.get(second)
        if UNKNOWN in given or bool(given[0]) != bool(given[1]):
            return []
        return [Problem("A filter needs rows and columns", f"Give one of {first} and {second}.", place)]

    def create(self, aws: Aws, wanted: Values) -> str:
        aws.client("lakeformation").create_data_cells_filter(TableData=self._data(wanted))
        table = wanted["table_data"][0]
        return ",".join(table[name] for name in ("database_name", "name", "table_catalog_id", "table_name"))

    def update(self, aws: Aws, before: Values, wanted: Values) -> None:
        aws.client("lakeformation").update_data_cells_filter(TableData=self._data(wanted))

    @staticmethod
    def _data(wanted: Values) -> dict[str, Any]:
        table = wanted["table_data"][0]
        rows = (table.get("row_filter") or [{}])[0]
        data: dict[str, Any] = {
            "TableCatalogId": table["table_catalog_id"],
            "DatabaseName": table["database_name"],
            "TableName": table["table_name"],
            "Name": table["name"],
            "RowFilter": {"AllRowsWildcard": {}},
        }
        # A plan from an expression to all rows still holds the old one, which is computed too: the wildcard decides.
        if rows.get("filter_expression") and not rows.get("all_rows_wildcard"):
            data["RowFilter"] = {"FilterExpression": rows["filter_expression"]}
        if table.get("column_names"):
            data["ColumnNames"] = sorted(table["column_names"])
        else:
            excluded = (table.get("column_wildcard") or [{}])[0].get("excluded_column_names") or []
            data["ColumnWildcard"] = {"ExcludedColumnNames": sorted(excluded)}
        return data

    def read(self, aws: Aws, state: Values) -> Values | None:
        table = state["table_data"][0]
        place = {
            "TableCatalogId": table["table_catalog_id"],
            "DatabaseName": table["database_name"],
            "TableName": table["table_name"],
            "Name": table["name"],
        }
        found = aws.client("lakeformation").get_data_cells_filter(**place)["DataCellsFilter"]
        rows, wildcard = found.get("RowFilter") or {}, found.get("ColumnWildcard")
        excluded = (wildcard or {}).get("ExcludedColumnNames") or None
        data = {
            **{name: table[name] for name in KEY},
            "version_id": found.get("VersionId"),
            "column_names": found.get("ColumnNames") or None,
            "column_wildcard": [{"excluded_column_names": excluded}] if wildcard is not None else [],
            "row_filter": self._rows(rows),
        }
        return {"table_data": [data]}

    @staticmethod
    def _rows(found: dict[str, Any]) -> list[Values]:
        if found.get("FilterExpression") and "AllRowsWildcard" not in found:
            return [{"filter_expression": found["FilterExpression"], "all_rows_wildcard": []}]
        # The real provider keeps Lake Formation's own word for it in the computed expression.
        return [{"filter_expression": found.get("FilterExpression"), "all_rows_wildcard": [{}]}]

    def delete(self, aws: Aws, state: Values) -> None:
        table = state["table_data"][0]
        aws.client("lakeformation").delete_data_cells_filter(
            TableCatalogId=table["table_catalog_id"],
            DatabaseName=table["database_name"],
            TableName=table["table_name"],
            Name=table["name"],
        )

    def imported(self, given: str) -> Values:
        database, name, catalog, table = given.split(",")
        names = {"database_name": database, "name": name, "table_catalog_id": catalog, "table_name": table}
        return {"id": given, "table_data": [{**names, "row_filter": [], "column_wildcard": []}]}


class Permissions(Resource):
    """aws_lakeformation_permissions: a principal's grants on one thing; any change replaces it."""

    type_name = "aws_lakeformation_permissions"
    replaces = EVERYTHING

    def check(self, config: Values) -> list[Problem]:
        problems = []
        who = config.get("principal")
        if isinstance(who, str) and not PRINCIPAL.fullmatch(who):
            problems.append(Problem("Invalid principal", f'"{who}" is no ARN and no account number.', ("principal",)))
        given = [name for name in (*TARGETS, "catalog_resource") if config.get(name)]
        if len(given) != 1 and not any(config.get(name) is UNKNOWN for name in given):
            kinds = ", ".join((*TARGETS, "catalog_resource"))
            detail = f"One of {kinds} is needed; found {', '.join(given) or 'none'}."
            problems.append(Problem("A grant is on one thing", detail))
        return problems

    def create(self, aws: Aws, wanted: Values) -> str:
        aws.client("lakeformation").grant_permissions(**self._grant(aws, wanted))
        target = json.dumps(self._target(aws, wanted), sort_keys=True)
        return hashlib.sha256(f"{wanted['principal']} {target}".encode()).hexdigest()[:20]

    def delete(self, aws: Aws, state: Values) -> None:
        aws.client("lakeformation").revoke_permissions(**self._grant(aws, state))

    def _grant(self, aws: Aws, values: Values) -> dict[str, Any]:
        return {
            **({"CatalogId": values["catalog_id"]} if values.get("catalog_id") else {}),
            "Principal": principal(values["principal"]),
            "Resource": self._target(aws, values),
            "Permissions": sorted(values["permissions"]),
            "PermissionsWithGrantOption": sorted(values.get("permissions_with_grant_option") or []),
        }

    def _target(self, aws: Aws, values: Values) -> dict[str, Any]:
        if values.get("catalog_resource"):
            return {"Catalog": {}}
        target = to_api(self.spec, values, aws.shape("lakeformation", "Resource"), RENAMES)
        for name, member in (("table", "Table"), ("table_with_columns", "TableWithColumns")):
            block = (values.get(name) or [{}])[0]
            if member in target and not block.get("column_names"):
                _set_wildcard(target[member], block, is_columns=member == "TableWithColumns")
        for members in target.values():
            # Said or left out, one's own catalog is the same; the service must not tell them apart either way.
            if members.get("CatalogId") == aws.account_id:
                del members["CatalogId"]
        return target

    def read(self, aws: Aws, state: Values) -> Values | None:
        wanted = self._target(aws, state)
        found = [
            entry
            for entry in self._grants_of(aws, state, _listed_as(wanted))
            if entry["Principal"]["DataLakePrincipalIdentifier"] == state["principal"]
            and is_same_target(entry["Resource"], wanted, aws.account_id)
        ]
        if not found:
            return None
        granted = {name for entry in found for name in entry["Permissions"]}
        passed_on = {name for entry in found for name in entry.get("PermissionsWithGrantOption") or []}
        if not granted:
            return None
        return {
            "permissions": sorted(granted),
            "permissions_with_grant_option": sorted(passed_on),
            **self._with_catalog(aws, state),
        }

    @staticmethod
    def _grants_of(aws: Aws, state: Values, target: dict[str, Any]) -> list[dict[str, Any]]:
        asked: dict[str, Any] = {"Principal": principal(state["principal"]), "Resource": target}
        if state.get("catalog_id"):
            asked["CatalogId"] = state["catalog_id"]
        found: list[dict[str, Any]] = []
        while True:
            answer = aws.client("lakeformation").list_permissions(**asked)
            found += answer["PrincipalResourcePermissions"]
            if not answer.get("NextToken"):
                return found
            asked["NextToken"] = answer["NextToken"]

    def _with_catalog(self, aws: Aws, state: Values) -> Values:
        """The target block with the catalog that it was granted in."""
        for name in TARGETS:
            block = (state.get(name) or [None])[0]
            if block and "catalog_id" in self.spec["block_types"][name]["block"]["attributes"]:
                return {name: [{**block, "catalog_id": block.get("catalog_id") or aws.account_id}]}
        return {}


def _set_wildcard(target: dict[str, Any], block: Values, *, is_columns: bool) -> None:
    if is_columns:
        excluded = sorted(block.get("excluded_column_names") or [])
        target["ColumnWildcard"] = {"ExcludedColumnNames": excluded} if excluded else {}
    elif block.get("wildcard"):
        target.pop("Name", None)
        target["TableWildcard"] = {}


def _listed_as(target: dict[str, Any]) -> dict[str, Any]:
    """ListPermissions is asked for a table, also where the grant is on some of its columns."""
    if "TableWithColumns" not in target:
        return target
    kept = ("CatalogId", "DatabaseName", "Name")
    return {"Table": {name: value for name, value in target["TableWithColumns"].items() if name in kept}}


def is_same_target(found: dict[str, Any], wanted: dict[str, Any], account_id: str) -> bool:
    """Whether two Lake Formation resources are one: own catalog said or not, in any order, all columns the table."""
    return _plain(found, account_id) == _plain(wanted, account_id)


def _plain(resource: dict[str, Any], account_id: str) -> dict[str, Any]:
    """One form for one thing. SELECT on a table is listed as on all its columns, all tables as ALL_TABLES."""
    (kind,) = resource
    members = {name: value for name, value in resource[kind].items() if (name, value) != ("CatalogId", account_id)}
    wildcard = members.get("ColumnWildcard")
    if kind == "TableWithColumns" and wildcard is not None and not (wildcard or {}).get("ExcludedColumnNames"):
        kind, members = "Table", {name: value for name, value in members.items() if name != "ColumnWildcard"}
    if members.pop("TableWildcard", None) is not None:
        members["Name"] = ALL_TABLES
    return {kind: {name: sorted(value) if isinstance(value, list) else value for name, value in members.items()}}


TYPES = {kind.type_name: kind for kind in (Filter, Permissions)}

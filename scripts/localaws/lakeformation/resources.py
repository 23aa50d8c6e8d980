"""Lake Formation's `Resource` structures as hashable targets, and back.

Pure. Behind every make target that uses localaws.
Example: `from_request({"Table": {"DatabaseName": "d", "Name": "t"}}, "123456789012").table` is `"t"`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from localaws.service import ServiceError

Kind = Literal["catalog", "database", "table", "columns", "filter", "location", "tag", "policy"]
ALL_TABLES = "ALL_TABLES"

PERMISSIONS: dict[str, frozenset[str]] = {
    "catalog": frozenset(
        {
            "ALL",
            "ALTER",
            "DESCRIBE",
            "DROP",
            "CREATE_DATABASE",
            "CREATE_CATALOG",
            "CREATE_LF_TAG",
            "CREATE_LF_TAG_EXPRESSION",
            "SUPER_USER",
        }
    ),
    "database": frozenset({"ALL", "ALTER", "CREATE_TABLE", "DESCRIBE", "DROP"}),
    "table": frozenset({"ALL", "ALTER", "DELETE", "DESCRIBE", "DROP", "INSERT", "SELECT"}),
    "columns": frozenset(["SELECT"]),
    "filter": frozenset({"DESCRIBE", "DROP", "SELECT"}),
    "location": frozenset(["DATA_LOCATION_ACCESS"]),
    "tag": frozenset({"ALTER", "DROP", "DESCRIBE", "ASSOCIATE", "GRANT_WITH_LF_TAG_EXPRESSION"}),
}


@dataclass(frozen=True)
class Target:
    """One thing that can be granted on; names are lower-case, as the catalog keeps them.

    `table` is ALL_TABLES for the wildcard. For `columns`: `names` is the include list, or None and `excluded` counts.
    For `filter` `name` is the filter's, for `location` the S3 ARN, for `tag` the key.
    For `policy`: `name` is DATABASE or TABLE and `tags` the expression.
    """

    kind: Kind
    catalog_id: str
    database: str = ""
    table: str = ""
    name: str = ""
    names: frozenset[str] | None = None
    excluded: frozenset[str] = frozenset()
    tags: tuple[tuple[str, frozenset[str]], ...] = ()

    @property
    def table_key(self) -> tuple[str, str, str]:
        return self.catalog_id, self.database, self.table

    @property
    def is_every_column(self) -> bool:
        return self.kind == "columns" and self.names is None and not self.excluded


def every_column(catalog_id: str, database: str, table: str) -> Target:
    """The target under which SELECT on a whole table is kept and listed."""
    return Target("columns", catalog_id, database, table)


def from_request(resource: dict[str, Any], account_id: str) -> Target:
    """The target that a request names; InvalidInputException unless it names exactly one."""
    named = [(key, value) for key, value in resource.items() if value is not None]
    if len(named) != 1 or named[0][0] not in _READERS:
        raise ServiceError("InvalidInputException", "Resource must have exactly one of the supported members")
    key, value = named[0]
    target: Target = _READERS[key](value, value.get("CatalogId") or account_id)
    return target


def _catalog(value: dict[str, Any], account_id: str) -> Target:
    return Target("catalog", value.get("Id") or account_id)


def _database(value: dict[str, Any], account_id: str) -> Target:
    return Target("database", account_id, value["Name"].lower())


def _table_name(value: dict[str, Any]) -> str:
    name = value.get("Name")
    if value.get("TableWildcard") is not None:
        if name and name != ALL_TABLES:
            raise ServiceError("InvalidInputException", "Table has both a Name and a TableWildcard")
        return ALL_TABLES
    if not name:
        raise ServiceError("InvalidInputException", "Table needs a Name or a TableWildcard")
    return ALL_TABLES if name == ALL_TABLES else str(name).lower()


def _table(value: dict[str, Any], account_id: str) -> Target:
    return Target("table", account_id, value["DatabaseName"].lower(), _table_name(value))


def lowered(names: list[str] | None) -> frozenset[str]:
    return frozenset(name.lower() for name in names or [])


def _columns(value: dict[str, Any], account_id: str) -> Target:
    names, wildcard = value.get("ColumnNames"), value.get("ColumnWildcard")
    if bool(names) == (wildcard is not None):
        raise ServiceError("InvalidInputException", "TableWithColumns needs either ColumnNames or a ColumnWildcard")
    target = Target("columns", account_id, value["DatabaseName"].lower(), _table_name(value))
    if names:
        return replace(target, names=lowered(names))
    return replace(target, excluded=lowered((wildcard or {}).get("ExcludedColumnNames")))


def _filter(value: dict[str, Any], account_id: str) -> Target:
    return Target(
        "filter",
        value.get("TableCatalogId") or account_id,
        value["DatabaseName"].lower(),
        value["TableName"].lower(),
        value["Name"],
    )


def _location(value: dict[str, Any], account_id: str) -> Target:
    return Target("location", account_id, name=value["ResourceArn"])


def _tag(value: dict[str, Any], account_id: str) -> Target:
    values = frozenset(item.lower() for item in value["TagValues"])
    return Target("tag", account_id, name=value["TagKey"].lower(), tags=((value["TagKey"].lower(), values),))


def _policy(value: dict[str, Any], account_id: str) -> Target:
    if value.get("ExpressionName") or not value.get("Expression"):
        raise ServiceError("InvalidInputException", "LFTagPolicy needs an Expression")
    pairs = {item["TagKey"].lower(): lowered(item["TagValues"]) for item in value["Expression"]}
    return Target("policy", account_id, name=value["ResourceType"], tags=tuple(sorted(pairs.items())))


_READERS = {
    "Catalog": _catalog,
    "Database": _database,
    "Table": _table,
    "TableWithColumns": _columns,
    "DataCellsFilter": _filter,
    "DataLocation": _location,
    "LFTag": _tag,
    "LFTagPolicy": _policy,
}


def allowed_permissions(target: Target) -> frozenset[str]:
    """The permissions that exist for this kind of target (a wildcard over all columns takes a table's)."""
    if target.is_every_column:
        return PERMISSIONS["table"]
    return PERMISSIONS[target.name.lower()] if target.kind == "policy" else PERMISSIONS[target.kind]


def to_response(target: Target) -> dict[str, Any]:
    """The `Resource` structure that describes the target, as ListPermissions gives it."""
    resource: dict[str, Any] = _WRITERS[target.kind](target)
    return resource


def _table_member(target: Target) -> dict[str, Any]:
    member = {"CatalogId": target.catalog_id, "DatabaseName": target.database, "Name": target.table}
    return {**member, "TableWildcard": {}} if target.table == ALL_TABLES else member


def _columns_member(target: Target) -> dict[str, Any]:
    member = {"CatalogId": target.catalog_id, "DatabaseName": target.database, "Name": target.table}
    if target.names is not None:
        return {**member, "ColumnNames": sorted(target.names)}
    wildcard = {"ExcludedColumnNames": sorted(target.excluded)} if target.excluded else {}
    return {**member, "ColumnWildcard": wildcard}


def _filter_member(target: Target) -> dict[str, Any]:
    return {
        "TableCatalogId": target.catalog_id,
        "DatabaseName": target.database,
        "TableName": target.table,
        "Name": target.name,
    }


def _pairs(target: Target) -> list[dict[str, Any]]:
    return [{"TagKey": key, "TagValues": sorted(values)} for key, values in target.tags]


_WRITERS: dict[str, Any] = {
    "catalog": lambda target: {"Catalog": {"Id": target.catalog_id}},
    "database": lambda target: {"Database": {"CatalogId": target.catalog_id, "Name": target.database}},
    "table": lambda target: {"Table": _table_member(target)},
    "columns": lambda target: {"TableWithColumns": _columns_member(target)},
    "filter": lambda target: {"DataCellsFilter": _filter_member(target)},
    "location": lambda target: {"DataLocation": {"CatalogId": target.catalog_id, "ResourceArn": target.name}},
    "tag": lambda target: {"LFTag": {"CatalogId": target.catalog_id, **_pairs(target)[0]}},
    "policy": lambda target: {
        "LFTagPolicy": {"CatalogId": target.catalog_id, "ResourceType": target.name, "Expression": _pairs(target)}
    },
}

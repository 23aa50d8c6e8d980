"""Data cells filters: made, changed, listed and removed, each checked against its table.

Reads the Glue catalog; writes the account's `Lake`. Behind `make deploy`.
Example: `create(world, {"TableCatalogId": ..., "RowFilter": {"FilterExpression": "site_id = 'north'"}, ...})`
Sources: Lake Formation developer guide, "Data filtering and cell-level security", "Notes", "PartiQL support".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from localaws.lakeformation.entries import TableEntry
from localaws.lakeformation.expression import ExpressionError, parse
from localaws.lakeformation.lifecycle import settle_table
from localaws.lakeformation.resources import Target
from localaws.lakeformation.state import CellsFilter, Lake, lake
from localaws.service import ServiceError

if TYPE_CHECKING:
    from localaws.world import World


def create(world: World, data: dict[str, Any]) -> None:
    """Add a filter; AlreadyExistsException when the table has one of that name."""
    found = checked(world, data)
    own = lake(world, found.catalog_id)
    key = (*found.table_key, found.name)
    if key in own.filters:
        raise ServiceError("AlreadyExistsException", f"Data cells filter {found.name} already exists.")
    own.filters[key] = found


def update(world: World, data: dict[str, Any]) -> None:
    """Replace a filter's rows and columns; with a VersionId, only that version."""
    old = get(world, data)
    if data.get("VersionId") and data["VersionId"] != old.version:
        message = f"Data cells filter {old.name} has been changed since version {data['VersionId']}."
        raise ServiceError("ConcurrentModificationException", message)
    new = checked(world, data)
    lake(world, old.catalog_id).filters[*old.table_key, old.name] = new


def get(world: World, names: dict[str, Any]) -> CellsFilter:
    """The filter; EntityNotFoundException when there is none."""
    catalog_id, database, table = names["TableCatalogId"], names["DatabaseName"].lower(), names["TableName"].lower()
    settle_table(world, catalog_id, database, table)
    found = lake(world, catalog_id).filters.get((catalog_id, database, table, names["Name"]))
    if found is None:
        raise ServiceError("EntityNotFoundException", f"Data cells filter {names['Name']} not found.")
    return found


def delete(world: World, names: dict[str, Any]) -> None:
    """Remove a filter and what was granted on it."""
    found = get(world, names)
    own = lake(world, found.catalog_id)
    del own.filters[*found.table_key, found.name]
    target = Target("filter", *found.table_key, found.name)
    own.grants = {key: grant for key, grant in own.grants.items() if grant.target != target}


def listed(own: Lake, table: dict[str, Any] | None) -> list[CellsFilter]:
    """The account's filters, or one table's, by name."""
    found = sorted(own.filters.values(), key=lambda item: (*item.table_key, item.name))
    if table is None:
        return found
    place = (table.get("CatalogId") or own.account_id, table["DatabaseName"].lower())
    name = (table.get("Name") or "").lower()
    return [item for item in found if item.table_key[:2] == place and name in {"", item.table}]


def described(item: CellsFilter) -> dict[str, Any]:
    """A filter as the service gives it back."""
    rows: dict[str, Any] = {"AllRowsWildcard": {}} if item.row_filter is None else {"FilterExpression": item.row_filter}
    columns: dict[str, Any] = (
        {"ColumnWildcard": {"ExcludedColumnNames": list(item.excluded)} if item.excluded else {}}
        if item.columns is None
        else {"ColumnNames": list(item.columns)}
    )
    return {
        "TableCatalogId": item.catalog_id,
        "DatabaseName": item.database,
        "TableName": item.table,
        "Name": item.name,
        "RowFilter": rows,
        "VersionId": item.version,
        **columns,
    }


def checked(world: World, data: dict[str, Any]) -> CellsFilter:
    """The filter that the request describes; InvalidInputException where the service would refuse it."""
    catalog_id = data["TableCatalogId"]
    table = settle_table(world, catalog_id, data["DatabaseName"], data["TableName"])
    if table is None:
        raise ServiceError("EntityNotFoundException", f"Table {data['DatabaseName']}.{data['TableName']} not found.")
    if table.link is not None or table.is_view:
        raise invalid("Data cells filters are not supported on views and resource links.")
    columns, excluded = _columns(data, table)
    return CellsFilter(
        catalog_id, table.database, table.name, data["Name"], columns, excluded, _rows(data, table), uuid4().hex
    )


def invalid(message: str) -> ServiceError:
    return ServiceError("InvalidInputException", message)


def _columns(data: dict[str, Any], table: TableEntry) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
    names, wildcard = data.get("ColumnNames"), data.get("ColumnWildcard")
    if bool(names) == (wildcard is not None):
        raise invalid("Provide either ColumnNames or ColumnWildcard, not both and not none.")
    given = [name.lower() for name in (names or (wildcard or {}).get("ExcludedColumnNames") or [])]
    unknown = sorted(set(given) - set(table.columns))
    if unknown:
        raise invalid(f"Columns do not exist in table {table.name}: [{', '.join(unknown)}]")
    kept = set(given) if names else set(table.columns) - set(given)
    hidden_keys = sorted(table.partition_keys - kept)
    if hidden_keys:
        raise invalid(f"Partition keys cannot be filtered out: [{', '.join(hidden_keys)}]")
    return (tuple(given), ()) if names else (None, tuple(given))


def _rows(data: dict[str, Any], table: TableEntry) -> str | None:
    rows = data.get("RowFilter")
    if not rows or ("FilterExpression" in rows) == (rows.get("AllRowsWildcard") is not None):
        raise invalid("RowFilter needs either a FilterExpression or an AllRowsWildcard.")
    expression: str | None = rows.get("FilterExpression")
    if expression is None:
        return None
    try:
        parse(expression, table.columns, table.partition_keys)
    except ExpressionError as error:
        raise invalid(f"Unsupported filter expression: the expression {error}.") from error
    return expression

"""SearchTables: the tables of an account's catalog that hold a text, as far as the caller may know of them.

Reads moto's Glue backend through the table operations. Behind `make local-aws`.
Example: `boto3.client("glue").search_tables(SearchText="patient")`.
"""

from __future__ import annotations

from typing import Any

from localaws.caller import Caller
from localaws.glue.base import PAGE_SIZE
from localaws.glue.place import catalog_account, databases
from localaws.glue.tables import TableOperations
from localaws.paging import requested_page
from localaws.service import ServiceError

Params = dict[str, Any]
_MADE_OF = {"DatabaseName": "DatabaseName", "Name": "Name", "TableType": "TableType", "Owner": "Owner"}


class SearchOperations(TableOperations):
    """The search over all databases."""

    def search_tables(self, params: Params, caller: Caller) -> Params:
        """Tables with the text in a name, a description, a column or a parameter, that pass every filter."""
        account_id = catalog_account(caller, params.get("CatalogId"))
        text = (params.get("SearchText") or "").strip('"').lower()
        seen = [table for name in sorted(databases(account_id)) for table in self._seen(account_id, name, caller)]
        found = [table for table in seen if text in _words(table) and _passes(table, params.get("Filters") or [])]
        for criterion in reversed(params.get("SortCriteria") or []):
            name = criterion.get("FieldName", "Name")
            found.sort(key=lambda table: str(table.get(name, "")), reverse=criterion.get("Sort") == "DESC")
        shown, token = requested_page(found, params, PAGE_SIZE)
        return {"TableList": shown, **token}

    def _seen(self, account_id: str, database: str, caller: Caller) -> list[Params]:
        """A database's tables; none of a database that the caller may not know of."""
        try:
            asked = {"CatalogId": account_id, "DatabaseName": database, "MaxResults": 10_000}
            tables: list[Params] = self.get_tables(asked, caller)["TableList"]
        except ServiceError:
            return []
        return tables


def _words(table: Params) -> str:
    """Everything of a table that a search looks at, in lower case."""
    columns = [*((table.get("StorageDescriptor") or {}).get("Columns") or []), *(table.get("PartitionKeys") or [])]
    parameters = table.get("Parameters") or {}
    words = [table["Name"], table["DatabaseName"], table.get("Description") or ""]
    words += [text for column in columns for text in (column["Name"], column.get("Comment") or "")]
    return " ".join([*words, *parameters, *parameters.values()]).lower()


def _passes(table: Params, filters: list[Params]) -> bool:
    """Whether the table has what each filter says; a key that is no member of a table is one of its parameters."""
    for wanted in filters:
        key, value = wanted.get("Key", ""), wanted.get("Value", "")
        found = table.get(_MADE_OF[key]) if key in _MADE_OF else (table.get("Parameters") or {}).get(key)
        if str(found) != value:
            return False
    return True

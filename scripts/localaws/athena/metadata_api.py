"""Data catalogs, databases and tables as Athena's API lists them.

Reads the Glue catalog as the caller may see it; writes the service's state. Behind `make local-aws`.
Example: `get_table_metadata({"CatalogName": "AwsDataCatalog", "DatabaseName": "clinical", "TableName": "patient"}, c)`
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from localaws.athena.base import AthenaBase, Params, invalid, page
from localaws.athena.catalog import CATALOG, CatalogView, Column, TableRef
from localaws.athena.types import hive_from_trino
from localaws.caller import Caller
from localaws.lakeformation.access import sees_database
from localaws.service import ServiceError

OWN = {"Name": "AwsDataCatalog", "Type": "GLUE", "Description": ""}


class MetadataOperations(AthenaBase):
    """Operations on what there is to query."""

    def list_data_catalogs(self, params: Params, caller: Caller) -> Params:
        items = [OWN, *self._state.catalogs.values()]
        found, more = page([{"CatalogName": item["Name"], "Type": item["Type"]} for item in items], params)
        return {"DataCatalogsSummary": found, **more}

    def get_data_catalog(self, params: Params, caller: Caller) -> Params:
        name = params["Name"]
        if name.lower() == CATALOG:
            own = {**OWN, "Parameters": {"catalog-id": self.world.account_id}}
            return {"DataCatalog": own}
        return {"DataCatalog": self._data_catalog(name)}

    def _data_catalog(self, name: str) -> Params:
        if name not in self._state.catalogs:
            raise invalid(f"DataCatalog {name} was not found")
        return self._state.catalogs[name]

    def create_data_catalog(self, params: Params, caller: Caller) -> Params:
        if params["Type"] != "GLUE" or params["Name"] in self._state.catalogs:
            raise invalid("Only GLUE data catalogs with a new name can be registered here")
        kept: Params = {key: params[key] for key in ("Name", "Type", "Description", "Parameters") if key in params}
        self._state.catalogs[params["Name"]] = kept
        return {}

    def delete_data_catalog(self, params: Params, caller: Caller) -> Params:
        self._data_catalog(params["Name"])
        del self._state.catalogs[params["Name"]]
        return {}

    def list_databases(self, params: Params, caller: Caller) -> Params:
        self._own_catalog(params)
        names = [item.link_name for item in CatalogView(self.world).databases() if self._sees(caller, item.link_name)]
        found, more = page([self._database(name) for name in names], params)
        return {"DatabaseList": found, **more}

    def get_database(self, params: Params, caller: Caller) -> Params:
        self._own_catalog(params)
        name = params["DatabaseName"].lower()
        if CatalogView(self.world).database(name) is None or not self._sees(caller, name):
            raise ServiceError("MetadataException", f"Database {name} not found.")
        return {"Database": self._database(name)}

    def _database(self, name: str) -> Params:
        answer = self.world.client("glue").get_database(Name=name)["Database"]
        return {"Name": name, "Description": answer.get("Description", ""), "Parameters": answer.get("Parameters", {})}

    def _sees(self, caller: Caller, name: str) -> bool:
        found = CatalogView(self.world).database(name)
        if found is None:
            return False
        is_link = (found.catalog_id, found.name) != (self.world.account_id, found.link_name)
        place = (self.world.account_id, name) if is_link else (found.catalog_id, found.name)
        return bool(sees_database(self.world, caller.arn, *place))

    def _own_catalog(self, params: Params) -> None:
        if params["CatalogName"].lower() != CATALOG:
            self._data_catalog(params["CatalogName"])

    def get_table_metadata(self, params: Params, caller: Caller) -> Params:
        self._own_catalog(params)
        name, database = params["TableName"].lower(), params["DatabaseName"].lower()
        found = CatalogView(self.world).relation(CATALOG, database, name)
        columns = self._columns(caller, found) if found else []
        if found is None or not columns:
            raise ServiceError("MetadataException", f"EntityNotFoundException: Entity Not Found: table {name}")
        return {"TableMetadata": _table(found, name, columns)}

    def list_table_metadata(self, params: Params, caller: Caller) -> Params:
        self._own_catalog(params)
        view = CatalogView(self.world)
        database = view.database(params["DatabaseName"])
        if database is None or not self._sees(caller, params["DatabaseName"].lower()):
            raise ServiceError("MetadataException", f"Database {params['DatabaseName']} not found.")
        pattern = params.get("Expression") or ""
        items = []
        for table in view.relations(database):
            columns = self._columns(caller, table)
            if columns and (not pattern or re.search(pattern, table.name)):
                items.append(_table(table, table.name, columns))
        found, more = page(items, params)
        return {"TableMetadataList": found, **more}

    def _columns(self, caller: Caller, table: TableRef) -> list[Column]:
        from localaws.athena.authorise import visible_columns

        return list(visible_columns(caller, self.world, table))


def _table(table: TableRef, name: str, columns: list[Column]) -> dict[str, Any]:
    def listed(is_key: bool) -> list[dict[str, str]]:
        return [
            {"Name": column.name, "Type": hive_from_trino(column.type), "Comment": column.comment}
            for column in columns
            if column.is_partition is is_key
        ]

    return {
        "Name": name,
        "CreateTime": table.glue.get("CreateTime") or datetime.now(UTC),
        "LastAccessTime": table.glue.get("LastAccessTime") or datetime.fromtimestamp(0, UTC),
        "TableType": table.glue.get("TableType", "EXTERNAL_TABLE"),
        "Columns": listed(False),
        "PartitionKeys": listed(True),
        "Parameters": {**table.parameters, **_storage_parameters(table)},
    }


def _storage_parameters(table: TableRef) -> dict[str, str]:
    """Where and how a table's files lie, as Athena says it among its parameters."""
    storage = table.glue.get("StorageDescriptor") or {}
    serde = storage.get("SerdeInfo") or {}
    named = {
        "location": table.location,
        "inputformat": storage.get("InputFormat"),
        "outputformat": storage.get("OutputFormat"),
        "serde.serialization.lib": serde.get("SerializationLibrary"),
        **{f"serde.param.{name}": value for name, value in (serde.get("Parameters") or {}).items()},
    }
    return {name: value for name, value in named.items() if value}

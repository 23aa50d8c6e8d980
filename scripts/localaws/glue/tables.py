"""Catalog tables: Iceberg tables made and grown on demand, versions compared before a commit, links followed.

Reads and writes moto's Glue backend, table metadata in S3 and `world.creators`. Behind `make deploy`, `make ingest`.
Example: `create_table(..., OpenTableFormatInput={"IcebergInput": {"MetadataOperation": "CREATE"}})`.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from localaws.caller import Caller
from localaws.glue import rights
from localaws.glue.base import PAGE_SIZE, GlueBase
from localaws.glue.place import Place, databases, find, linked
from localaws.glue.view_columns import with_view_columns
from localaws.lakeformation.locations import registered
from localaws.lakeformation.state import lake
from localaws.paging import requested_page
from localaws.service import ServiceError

if TYPE_CHECKING:
    from pyiceberg.table.metadata import TableMetadata

Params = dict[str, Any]
_STORAGE = {"Compressed": False, "NumberOfBuckets": 0, "SortColumns": [], "StoredAsSubDirectories": False}
_commits = threading.RLock()


class TableOperations(GlueBase):
    """Operations on tables."""

    def create_table(self, params: Params, caller: Caller) -> Params:
        place = find(caller, params.get("CatalogId"), params["DatabaseName"])
        rights.require_database(self.world, caller, place, "CREATE_TABLE")
        given = linked(params["TableInput"], "TargetTable", ("DatabaseName", "Name"), place.account_id)
        table_input = with_view_columns({**given, "Name": given["Name"].lower()})
        iceberg_input = (params.get("OpenTableFormatInput") or {}).get("IcebergInput")
        asked = {"DatabaseName": place.database, "TableInput": table_input}
        if iceberg_input is None:
            self._moto("CreateTable", asked, place.account_id)
        else:
            self._create_iceberg(place, table_input, iceberg_input)
        self.world.creators[(place.account_id, place.database, table_input["Name"])] = caller.arn
        return {}

    def _create_iceberg(self, place: Place, table_input: Params, iceberg_input: Params) -> None:
        from localaws.glue import iceberg

        try:
            metadata = iceberg.created(table_input, iceberg_input)
        except iceberg.IcebergInputError as error:
            raise ServiceError("InvalidInputException", str(error)) from error
        location = self._store(place, metadata, version=0)
        described = _described(table_input, metadata, location)
        try:
            self._moto("CreateTable", {"DatabaseName": place.database, "TableInput": described}, place.account_id)
        except ServiceError:
            self._remove(place, location)
            raise

    def _store(self, place: Place, metadata: TableMetadata, version: int) -> str:
        from localaws.glue import iceberg

        try:
            return iceberg.stored(self.world.client("s3", place.account_id), metadata, version)
        except ClientError as error:
            message = f"The location {metadata.location} cannot be written: {error.response['Error']['Message']}"
            raise ServiceError("InvalidInputException", message) from error

    def _remove(self, place: Place, location: str) -> None:
        from localaws.glue import iceberg

        bucket, key = iceberg.split(location)
        self.world.client("s3", place.account_id).delete_object(Bucket=bucket, Key=key)

    def get_table(self, params: Params, caller: Caller) -> Params:
        place = find(caller, params.get("CatalogId"), params["DatabaseName"])
        found = self._table(place, params["Name"])
        seen = rights.as_seen(self.world, caller, place, found)
        if seen is None:
            raise rights.refuse_table(params["Name"])
        return {"Table": self._with_creator(place, seen)}

    def _table(self, place: Place, name: str) -> Params:
        table: Params = self._moto("GetTable", {"DatabaseName": place.database, "Name": name}, place.account_id)[
            "Table"
        ]
        return table

    def _with_creator(self, place: Place, table: Params) -> Params:
        creator = self.world.creators.get((place.account_id, place.database, table["Name"]))
        shown = self._with_defaults(place, table)
        return {**shown, "CreatedBy": creator} if creator else shown

    def _with_defaults(self, place: Place, table: Params) -> Params:
        """A table with what Glue says of every table, whether its maker said it or not."""
        found = {"UpdateTime": table.get("CreateTime"), "Retention": 0, **table}
        storage = table.get("StorageDescriptor")
        if storage is not None:
            found["StorageDescriptor"] = {**_STORAGE, **storage}
        is_registered = registered(lake(self.world, place.account_id), (storage or {}).get("Location") or "")
        return {**found, "IsRegisteredWithLakeFormation": is_registered is not None}

    def get_tables(self, params: Params, caller: Caller) -> Params:
        place = find(caller, params.get("CatalogId"), params["DatabaseName"])
        result = self._moto("GetTables", {**params, "DatabaseName": place.database}, place.account_id)
        seen = (rights.as_seen(self.world, caller, place, table) for table in result["TableList"])
        found, token = requested_page(
            [self._with_creator(place, table) for table in seen if table is not None], params, PAGE_SIZE
        )
        return {"TableList": found, **token}

    def update_table(self, params: Params, caller: Caller) -> Params:
        if params.get("UpdateOpenTableFormatInput"):
            message = (
                "localaws does not have UpdateOpenTableFormatInput; commit with an Iceberg client, or add columns."
            )
            raise ServiceError("InvalidInputException", message)
        place = find(caller, params.get("CatalogId"), params["DatabaseName"])
        name = params["TableInput"]["Name"]
        rights.require_table(self.world, caller, place, name, "ALTER")
        with _commits:
            current = self._table(place, name)
            _check_version(params, current)
            given = linked(params["TableInput"], "TargetTable", ("DatabaseName", "Name"), place.account_id)
            table_input = self._grown(place, current, with_view_columns(given))
            asked = {"DatabaseName": place.database, "TableInput": table_input}
            self._moto("UpdateTable", asked, place.account_id)
            if params.get("SkipArchive"):
                _forget_version(place, name, current["VersionId"])
        return {}

    def _grown(self, place: Place, current: Params, table_input: Params) -> Params:
        """The input as it is; with new metadata when it adds columns to an Iceberg table that no client committed."""
        location = (current.get("Parameters") or {}).get("metadata_location")
        given = (table_input.get("Parameters") or {}).get("metadata_location")
        if location is None or given != location or _columns(table_input) == _columns(current):
            return table_input
        from localaws.glue import iceberg

        metadata = iceberg.loaded(self.world.client("s3", place.account_id), location)
        try:
            grown = iceberg.grown(metadata, table_input)
        except iceberg.IcebergInputError as error:
            raise ServiceError("InvalidInputException", str(error)) from error
        if grown == metadata:
            return table_input
        described = _described(table_input, grown, self._store(place, grown, iceberg.version_of(location) + 1))
        return {**described, "Parameters": {**described["Parameters"], "previous_metadata_location": location}}

    def delete_table(self, params: Params, caller: Caller) -> Params:
        place = find(caller, params.get("CatalogId"), params["DatabaseName"])
        self._delete(place, params["Name"], caller)
        return {}

    def _delete(self, place: Place, name: str, caller: Caller) -> None:
        rights.require_table(self.world, caller, place, name, "DROP")
        table = self._table(place, name)
        self._moto("DeleteTable", {"DatabaseName": place.database, "Name": name}, place.account_id)
        self.world.creators.pop((place.account_id, place.database, name), None)
        location = (table.get("Parameters") or {}).get("metadata_location")
        if location and _is_untouched(table, location) and not _is_used(place, location):
            self._remove(place, location)

    def batch_delete_table(self, params: Params, caller: Caller) -> Params:
        place = find(caller, params.get("CatalogId"), params["DatabaseName"])
        errors = []
        for name in params["TablesToDelete"]:
            try:
                self._delete(place, name, caller)
            except ServiceError as error:
                detail = {"ErrorCode": error.code, "ErrorMessage": error.message}
                errors.append({"TableName": name, "ErrorDetail": detail})
        return {"Errors": errors} if errors else {}


def _described(table_input: Params, metadata: TableMetadata, location: str) -> Params:
    """The catalog's entry of an Iceberg table, as engines look for it."""
    from localaws.glue import iceberg

    descriptor = table_input.get("StorageDescriptor") or {}
    parameters = {**(table_input.get("Parameters") or {}), "table_type": "ICEBERG", "metadata_location": location}
    columns = iceberg.columns_of(metadata)
    rest = {name: value for name, value in table_input.items() if name != "PartitionKeys"}
    return {
        **rest,
        "TableType": table_input.get("TableType") or "EXTERNAL_TABLE",
        "Parameters": parameters,
        "StorageDescriptor": {**descriptor, "Columns": columns, "Location": metadata.location},
    }


def _columns(table: Params) -> list[tuple[str, str, str]]:
    columns = (table.get("StorageDescriptor") or {}).get("Columns") or []
    return [(column["Name"], column.get("Type", ""), column.get("Comment", "")) for column in columns]


def _check_version(params: Params, current: Params) -> None:
    """Two commits on one version: the second loses, and its client starts again."""
    if "VersionId" in params and params["VersionId"] != current["VersionId"]:
        raise ServiceError("ConcurrentModificationException", "Update table failed due to concurrent modifications.")


def _forget_version(place: Place, name: str, version: str) -> None:
    databases(place.account_id)[place.database].tables[name].versions.pop(version, None)


def _is_untouched(table: Params, location: str) -> bool:
    """Still as Glue made it: its first metadata file, which nobody but Glue wrote."""
    first = f"{(table.get('StorageDescriptor') or {}).get('Location')}/metadata/00000-"
    return location.startswith(first) and table.get("VersionId") == "1"


def _is_used(place: Place, location: str) -> bool:
    """Whether another table points to the same metadata, as after a rename."""
    held = list(databases(place.account_id).values())
    tables = [table for database in held for table in list(database.tables.values())]
    return any((table.as_dict().get("Parameters") or {}).get("metadata_location") == location for table in tables)

"""What hangs on a catalog table: partitions and old versions, behind links and under Lake Formation too.

Reads and writes moto's Glue backend. Behind `make ingest` and every reader of Hive tables.
Example: `boto3.client("glue").get_partitions(DatabaseName="link", TableName="t")`.
"""

from __future__ import annotations

from typing import Any

from localaws.caller import Caller
from localaws.glue import rights
from localaws.glue.base import PAGE_SIZE, GlueBase
from localaws.glue.place import Place, find
from localaws.paging import requested_page
from localaws.service import ServiceError

Params = dict[str, Any]


class PartitionOperations(GlueBase):
    """Operations on partitions and table versions."""

    def get_partition(self, params: Params, caller: Caller) -> Params:
        return self._read("GetPartition", params, caller)

    def get_partitions(self, params: Params, caller: Caller) -> Params:
        return self._paged("Partitions", self._read("GetPartitions", params, caller), params)

    def batch_get_partition(self, params: Params, caller: Caller) -> Params:
        return self._read("BatchGetPartition", params, caller)

    def get_table_version(self, params: Params, caller: Caller) -> Params:
        return self._read("GetTableVersion", params, caller)

    def get_table_versions(self, params: Params, caller: Caller) -> Params:
        return self._paged("TableVersions", self._read("GetTableVersions", params, caller), params)

    def create_partition(self, params: Params, caller: Caller) -> Params:
        _check_values(params["PartitionInput"])
        return self._change("CreatePartition", params, caller)

    def batch_create_partition(self, params: Params, caller: Caller) -> Params:
        _check_values(*params["PartitionInputList"])
        return self._change("BatchCreatePartition", params, caller)

    def update_partition(self, params: Params, caller: Caller) -> Params:
        _check_values(params["PartitionInput"])
        return self._change("UpdatePartition", params, caller)

    def batch_update_partition(self, params: Params, caller: Caller) -> Params:
        _check_values(*(entry["PartitionInput"] for entry in params["Entries"]))
        return self._change("BatchUpdatePartition", params, caller)

    def delete_partition(self, params: Params, caller: Caller) -> Params:
        return self._change("DeletePartition", params, caller)

    def batch_delete_partition(self, params: Params, caller: Caller) -> Params:
        return self._change("BatchDeletePartition", params, caller)

    def _read(self, operation: str, params: Params, caller: Caller) -> Params:
        place = find(caller, params.get("CatalogId"), params["DatabaseName"])
        self._require_all_columns(caller, place, params["TableName"])
        return self._moto(operation, {**params, "DatabaseName": place.database}, place.account_id)

    def _change(self, operation: str, params: Params, caller: Caller) -> Params:
        place = find(caller, params.get("CatalogId"), params["DatabaseName"])
        rights.require_table(self.world, caller, place, params["TableName"], "ALTER")
        self._moto("GetTable", {"DatabaseName": place.database, "Name": params["TableName"]}, place.account_id)
        return self._moto(operation, {**params, "DatabaseName": place.database}, place.account_id)

    def _paged(self, name: str, result: Params, params: Params) -> Params:
        found, token = requested_page(result[name], params, PAGE_SIZE)
        return {name: found, **token}

    def _require_all_columns(self, caller: Caller, place: Place, name: str) -> None:
        """Partitions and old versions list columns and values: only for who may know of every column."""
        if caller.is_admin:
            return
        asked = {"DatabaseName": place.database, "Name": name}
        table = self._moto("GetTable", asked, place.account_id)["Table"]
        if rights.as_seen(self.world, caller, place, table) != table:
            raise ServiceError(
                "AccessDeniedException", f"Insufficient Lake Formation permission(s): Required Describe on {name}"
            )


def _check_values(*partitions: Params) -> None:
    """A partition is known by its values; the model calls them optional, moto takes them for granted."""
    for partition in partitions:
        if not partition["Values"]:
            raise ServiceError("InvalidInputException", "Values is empty.")

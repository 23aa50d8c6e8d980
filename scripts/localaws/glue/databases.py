"""Catalog databases: moto keeps them; creators are remembered, Lake Formation is asked, links round-trip.

Reads and writes moto's Glue backend and `world.creators`. Behind `make deploy`.
Example: `boto3.client("glue").create_database(DatabaseInput={"Name": "link", "TargetDatabase": {...}})`.
"""

from __future__ import annotations

from typing import Any

from localaws.caller import Caller
from localaws.glue import rights
from localaws.glue.base import PAGE_SIZE, GlueBase
from localaws.glue.place import Place, catalog_account, linked
from localaws.paging import requested_page
from localaws.service import ServiceError

Params = dict[str, Any]


class DatabaseOperations(GlueBase):
    """Operations on databases."""

    def create_database(self, params: Params, caller: Caller) -> Params:
        account_id = self._own_account(params, caller)
        rights.require_catalog(self.world, caller, "CREATE_DATABASE")
        name = params["DatabaseInput"]["Name"].lower()
        wanted = linked(params["DatabaseInput"], "TargetDatabase", ("DatabaseName",), account_id)
        found = {**params, "DatabaseInput": {**wanted, "Name": name}}
        result = self._moto("CreateDatabase", found, account_id)
        self.world.creators[(account_id, name, None)] = caller.arn
        return result

    def get_database(self, params: Params, caller: Caller) -> Params:
        account_id = catalog_account(caller, params.get("CatalogId"))
        result = self._moto("GetDatabase", params, account_id)
        if not rights.sees(self.world, caller, account_id, params["Name"]):
            raise rights.refuse_table(params["Name"])
        return result

    def get_databases(self, params: Params, caller: Caller) -> Params:
        account_id = catalog_account(caller, params.get("CatalogId"))
        result = self._moto("GetDatabases", params, account_id)
        found = [
            database
            for database in result["DatabaseList"]
            if rights.sees(self.world, caller, account_id, database["Name"])
        ]
        shown, token = requested_page(found, params, PAGE_SIZE)
        return {"DatabaseList": shown, **token}

    def update_database(self, params: Params, caller: Caller) -> Params:
        account_id = self._own_account(params, caller)
        rights.require_database(self.world, caller, Place(account_id, params["Name"]), "ALTER")
        wanted = linked(params["DatabaseInput"], "TargetDatabase", ("DatabaseName",), account_id)
        return self._moto("UpdateDatabase", {**params, "DatabaseInput": wanted}, account_id)

    def delete_database(self, params: Params, caller: Caller) -> Params:
        """Drop a database, and with it its tables, as Glue does."""
        account_id = self._own_account(params, caller)
        name = params["Name"]
        rights.require_database(self.world, caller, Place(account_id, name), "DROP")
        result = self._moto("DeleteDatabase", params, account_id)
        for key in [key for key in self.world.creators if key[:2] == (account_id, name)]:
            del self.world.creators[key]
        return result

    def _own_account(self, params: Params, caller: Caller) -> str:
        account_id = catalog_account(caller, params.get("CatalogId"))
        if account_id != caller.account_id:
            raise ServiceError("AccessDeniedException", f"Catalog {account_id} belongs to another account.")
        return account_id

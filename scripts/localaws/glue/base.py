"""What all Glue operations share: the way to moto, as an account's administrator once the caller was let through.

Reads and writes moto's Glue backend. Behind every make target that uses the catalog.
Example: `self._moto("GetTable", params, account_id)`.
"""

from __future__ import annotations

from typing import Any

from localaws.caller import Caller
from localaws.service import Service, ServiceError

PAGE_SIZE = 100
"""Items of a list where the request does not say."""
_OWN_PARAMS = ("CatalogId",)


class GlueBase(Service):
    """Base of the groups of Glue operations."""

    service_name = "glue"
    overlay = True

    def _moto(self, operation: str, params: dict[str, Any], account_id: str) -> dict[str, Any]:
        """moto's answer in one account's catalog; moto itself looks at the key only, never at CatalogId."""
        asked = {name: value for name, value in params.items() if name not in _OWN_PARAMS}
        return self.world.moto("glue", operation, asked, self._administrator(account_id))

    def _administrator(self, account_id: str) -> Caller:
        if account_id not in (self.world.account_id, self.world.service_account_id):
            raise ServiceError("EntityNotFoundException", f"Catalog {account_id} not found.")
        key = self.world.credentials(account_id).access_key_id
        return Caller(account_id, f"arn:aws:iam::{account_id}:root", is_admin=True, access_key_id=key)

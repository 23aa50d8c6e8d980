"""The LF-Tag operations of the service.

Reads the Glue catalog; writes the account's `Lake`. Behind `make deploy`.
Example: `boto3.client("lakeformation").create_lf_tag(TagKey="domain", TagValues=["clinical"])`
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from localaws.caller import Caller
from localaws.lakeformation import authority, tags
from localaws.lakeformation.entries import table_entry
from localaws.lakeformation.listing import in_pages
from localaws.lakeformation.resources import Target, from_request
from localaws.lakeformation.state import GUARD, Lake
from localaws.service import ServiceError

Params = dict[str, Any]


class TagOperations(ABC):
    """A part of LakeFormation; the service gives `world` and `_lake`."""

    world: Any

    @abstractmethod
    def _lake(self, params: Params, caller: Caller) -> Lake: ...

    def create_lf_tag(self, params: Params, caller: Caller) -> Params:
        with GUARD:
            tags.create(self._admin_lake(params, caller), params["TagKey"], params["TagValues"])
        return {}

    def get_lf_tag(self, params: Params, caller: Caller) -> Params:
        return tags.described(self._lake(params, caller), params["TagKey"])

    def list_lf_tags(self, params: Params, caller: Caller) -> Params:
        own = self._lake(params, caller)
        return in_pages("LFTags", [tags.described(own, key) for key in sorted(own.tags)], params)

    def update_lf_tag(self, params: Params, caller: Caller) -> Params:
        add, remove = params.get("TagValuesToAdd") or [], params.get("TagValuesToDelete") or []
        with GUARD:
            tags.update(self._admin_lake(params, caller), params["TagKey"], add, remove)
        return {}

    def delete_lf_tag(self, params: Params, caller: Caller) -> Params:
        with GUARD:
            tags.delete(self._admin_lake(params, caller), params["TagKey"])
        return {}

    def add_lf_tags_to_resource(self, params: Params, caller: Caller) -> Params:
        with GUARD:
            own, target = self._tagged(params, caller)
            failures = tags.add(own, target, params["LFTags"])
        return {"Failures": failures}

    def remove_lf_tags_from_resource(self, params: Params, caller: Caller) -> Params:
        with GUARD:
            own, target = self._tagged(params, caller)
            failures = tags.remove(own, target, params["LFTags"])
        return {"Failures": failures}

    def get_resource_lf_tags(self, params: Params, caller: Caller) -> Params:
        """Tags by level; inherited ones too unless only the assigned ones are asked for."""
        with GUARD:
            own, target = self._tagged(params, caller)
            is_assigned_only = bool(params.get("ShowAssignedLFTags"))
            database = Target("database", target.catalog_id, target.database)
            answer: Params = {"LFTagOnDatabase": tags.assigned(own, database)}
            if target.kind != "database":
                table = Target("table", target.catalog_id, target.database, target.table)
                answer["LFTagsOnTable"] = _tags_of(own, table, is_assigned_only)
                answer["LFTagsOnColumns"] = _column_tags(own, table, target, is_assigned_only)
        return {name: value for name, value in answer.items() if value}

    def _tagged(self, params: Params, caller: Caller) -> tuple[Lake, Target]:
        own = self._admin_lake(params, caller)
        target = from_request(params["Resource"], params.get("CatalogId") or caller.account_id)
        authority.check_target(self.world, target)
        return own, target

    def _admin_lake(self, params: Params, caller: Caller) -> Lake:
        own = self._lake(params, caller)
        if caller.arn not in own.admins:
            raise ServiceError("AccessDeniedException", "LF-Tags are kept by data lake administrators.")
        return own


def _tags_of(own: Lake, place: Target, is_assigned_only: bool) -> list[Params]:
    return tags.assigned(own, place) if is_assigned_only else tags.pairs(own, tags.effective(own, place))


def _column_tags(own: Lake, table: Target, target: Target, is_assigned_only: bool) -> list[Params]:
    entry = table_entry(*table.table_key)
    names = sorted(target.names) if target.names else list(entry.columns if entry else ())
    found = [(name, _tags_of(own, tags.column(table, name), is_assigned_only)) for name in names]
    return [{"Name": name, "LFTags": items} for name, items in found if items]

"""Shares of variant and annotation stores with other accounts, and tags.

Example: `boto3.client("omics").create_share(resourceArn=store_arn, principalSubscriber="888888888888")`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from localaws.omics import hosting
from localaws.omics.answers import Params, Result, invalid, listed, new_uuid, now, picked, too_many
from localaws.omics.state import OmicsState, Properties, Store
from localaws.ram.offers import accept, ram_state
from localaws.service import ServiceError

if TYPE_CHECKING:
    from localaws.caller import Caller
    from localaws.world import World

MAX_SHARES = 10
MAX_TAGS = 50
_ACCOUNT = re.compile(r"\d{12}")


class ShareOperations:
    """The sharing part of the service; `Omics` gives it world and state."""

    world: World
    _state: OmicsState

    def create_share(self, params: Params, caller: Caller) -> Result:
        arn, subscriber = params["resourceArn"], params["principalSubscriber"]
        store = self._shared(arn)
        if not _ACCOUNT.fullmatch(subscriber) or subscriber == caller.account_id:
            raise invalid("principalSubscriber is the id of another account.")
        with self._state.lock:
            existing = [share for share in self._state.shares.values() if share["resourceArn"] == arn]
            if any(share["principalSubscriber"] == subscriber for share in existing):
                raise ServiceError("ConflictException", f"The store is shared with {subscriber} already.")
            if len(existing) >= MAX_SHARES:
                raise too_many(f"A store has {MAX_SHARES} shares at most.")
            share_id, moment = new_uuid(), now()
            share = {
                "shareId": share_id,
                "resourceArn": arn,
                "resourceId": store.id,
                "principalSubscriber": subscriber,
                "ownerId": caller.account_id,
                "status": "PENDING",
                "shareName": params.get("shareName", f"share-{share_id}"),
                "creationTime": moment,
                "updateTime": moment,
            }
            self._state.shares[share_id] = share
        return picked(share, ("shareId", "status", "shareName"))

    def accept_share(self, params: Params, caller: Caller) -> Result:
        with self._state.lock:
            share = self._share(params)
            if share["principalSubscriber"] != caller.account_id:
                raise ServiceError("AccessDeniedException", "Only the subscriber can accept a share.")
            if share["status"] != "PENDING":
                raise ServiceError("ConflictException", f"The share is {share['status']}, not PENDING.")
            store = self._shared(share["resourceArn"])
            hosting.share(self.world, store, caller.account_id)
            accept(self.world, ram_state(self.world).offers[store.share_arns[caller.account_id]])
            share |= {"status": "ACTIVE", "updateTime": now()}
        return {"status": "ACTIVATING"}

    def get_share(self, params: Params, caller: Caller) -> Result:
        share = self._share(params)
        if caller.account_id not in {share["ownerId"], share["principalSubscriber"]}:
            raise ServiceError("ResourceNotFoundException", f"The share {params['shareId']} was not found.")
        return {"share": dict(share)}

    def list_shares(self, params: Params, caller: Caller) -> Result:
        wanted = params.get("filter", {})
        side = "ownerId" if params["resourceOwner"] == "SELF" else "principalSubscriber"

        def keep(share: Properties) -> bool:
            kind = "VARIANT_STORE" if ":variantStore/" in share["resourceArn"] else "ANNOTATION_STORE"
            return (
                share[side] == caller.account_id
                and (not wanted.get("resourceArns") or share["resourceArn"] in wanted["resourceArns"])
                and (not wanted.get("status") or share["status"] in wanted["status"])
                and (not wanted.get("type") or kind in wanted["type"])
            )

        return listed("shares", list(self._state.shares.values()), params, keep)

    def delete_share(self, params: Params, caller: Caller) -> Result:
        with self._state.lock:
            share = self._share(params)
            if caller.account_id not in {share["ownerId"], share["principalSubscriber"]}:
                raise ServiceError("AccessDeniedException", "Only owner and subscriber can delete a share.")
            hosting.unshare(self.world, self._shared(share["resourceArn"]), share["principalSubscriber"])
            del self._state.shares[share["shareId"]]
        return {"status": "DELETING"}

    def _share(self, params: Params) -> Properties:
        share = self._state.shares.get(params["shareId"])
        if share is None:
            raise ServiceError("ResourceNotFoundException", f"The share {params['shareId']} was not found.")
        return share

    def _shared(self, arn: str) -> Store:
        for stores in self._state.stores.values():
            for store in stores.values():
                if store.properties["storeArn"] == arn:
                    return store
        raise ServiceError("ResourceNotFoundException", f"The resource {arn} was not found.")

    def tag_resource(self, params: Params, caller: Caller) -> Result:
        tags = self._tags(params["resourceArn"])
        if len(tags | params["tags"]) > MAX_TAGS:
            raise invalid(f"A resource has {MAX_TAGS} tags at most.")
        tags.update(params["tags"])
        return {}

    def untag_resource(self, params: Params, caller: Caller) -> Result:
        tags = self._tags(params["resourceArn"])
        for key in params["tagKeys"]:
            tags.pop(key, None)
        return {}

    def list_tags_for_resource(self, params: Params, caller: Caller) -> Result:
        return {"tags": dict(self._tags(params["resourceArn"]))}

    def _tags(self, arn: str) -> dict[str, str]:
        state = self._state
        for reference_store in state.reference_stores.values():
            if reference_store.properties["arn"] == arn:
                return reference_store.tags
        if "/reference/" in arn:
            return state.reference(arn).tags
        store_arn, _, version = arn.partition("/version/")
        store = self._shared(store_arn)
        return store.version(version).tags if version else store.tags

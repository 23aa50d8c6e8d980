"""What variant and annotation stores have in common: made in the background, listed, described, deleted.

Reads and writes the HealthOmics state and what stores stand on. Behind `make deploy` and `make destroy`.
Example: `create(world, state, "variant", params)`.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from localaws.omics import hosting
from localaws.omics.answers import (
    Params,
    Result,
    invalid,
    listed,
    matches,
    new_uuid,
    now,
    picked,
    require_entitlement,
    too_many,
)
from localaws.omics.state import OmicsState, Store
from localaws.service import ServiceError

if TYPE_CHECKING:
    from localaws.world import World

log = logging.getLogger("localaws.omics")

SOURCE = "aws.omics"
MAX_STORES = 10
_HIDDEN = {"storeOptions", "numVersions", "tags"}


def create(world: World, state: OmicsState, kind: str, params: Params) -> Store:
    """A store that is CREATING; AccessDenied, Conflict, quota and reference errors as the service has them."""
    require_entitlement()
    if "name" not in params:
        raise invalid("A store needs a name.")
    reference = params.get("reference", {})
    if reference:
        state.reference(reference["referenceArn"])
    with state.lock:
        if params["name"] in state.stores[kind]:
            raise ServiceError("ConflictException", f"A {kind} store named {params['name']} exists already.")
        if len(state.stores[kind]) >= MAX_STORES:
            raise too_many(f"An account has {MAX_STORES} {kind} stores at most.")
        moment = now()
        properties = {
            "id": new_uuid(),
            "name": params["name"],
            **({"reference": dict(reference)} if reference else {}),
            "status": "CREATING",
            "statusMessage": "",
            "storeArn": f"arn:aws:omics:{world.region}:{world.account_id}:{kind}Store/{params['name']}",
            "description": params.get("description", ""),
            "sseConfig": params.get("sseConfig", {"type": "KMS"}),
            "creationTime": moment,
            "updateTime": moment,
            "storeSizeBytes": 0,
        }
        store = Store(kind, properties, dict(params.get("tags", {})))
        state.stores[kind][store.name] = store
    tell(world, store)
    return store


def build(world: World, store: Store, tables: dict[str, pa.Schema]) -> None:
    """Make what the store stands on; it is ACTIVE then, or FAILED."""
    try:
        hosting.host(world, store, tables)
    except Exception as error:
        log.exception("store %s failed", store.id)
        set_status(world, store, "FAILED", f"{type(error).__name__}: {error}"[:1000])
        return
    set_status(world, store, "ACTIVE")


def set_status(world: World, store: Store, status: str, message: str = "") -> None:
    moment = now()
    for properties in (store.properties, *(version.properties for version in store.versions.values())):
        if properties["status"] != status:
            properties |= {"status": status, "statusMessage": message, "updateTime": moment}
    tell(world, store)


def listing(state: OmicsState, kind: str, params: Params) -> Result:
    """One page of the stores of a kind."""
    ids, wanted = set(params.get("ids", [])), params.get("filter", {})
    members = [
        picked(store.properties, [name for name in store.properties if name not in _HIDDEN])
        for store in state.stores[kind].values()
    ]
    return listed(
        f"{kind}Stores",
        members,
        params,
        lambda item: (not ids or item["id"] in ids) and matches(item, wanted, "status"),
    )


def describe(store: Store, params: Params) -> dict[str, Any]:
    """Give the store another description; its properties."""
    if "description" in params:
        store.properties |= {"description": params["description"], "updateTime": now()}
    return store.properties


def delete(world: World, state: OmicsState, kind: str, params: Params) -> Result:
    """Begin a deletion; ConflictException for a store that is busy, or holds rows and is not forced."""
    with state.lock:
        store = state.store(kind, params["name"])
        is_busy = any(job.is_running and job.store_id == store.id for job in state.jobs.values())
        if store.status in {"CREATING", "DELETING"} or is_busy:
            raise ServiceError("ConflictException", f"The store {store.name} is {store.status} or has jobs under way.")
        if any(share["resourceArn"] == store.properties["storeArn"] for share in state.shares.values()):
            raise ServiceError("ConflictException", f"The store {store.name} is shared; delete its shares first.")
        store.properties["status"] = "DELETING"
    tell(world, store)
    world.submit(_remove, world, state, store)
    return {"status": "DELETING"}


def _remove(world: World, state: OmicsState, store: Store) -> None:
    hosting.remove(world, store)
    del state.stores[store.kind][store.name]


def tell(world: World, store: Store) -> None:
    detail = {
        "omicsVersion": "1.0.0",
        "arn": store.properties["storeArn"],
        "status": store.status,
        "storeId": store.id,
        "storeName": store.name,
    }
    world.emit_event(SOURCE, f"{store.kind.capitalize()} Store Status Change", detail)

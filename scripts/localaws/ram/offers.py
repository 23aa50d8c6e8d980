"""What one account offers another through RAM, and what taking it up opens: the databases of another catalog.

Reads and writes the RAM state and Lake Formation of the owner. Behind `make deploy` and `make ingest`.
Example: `offer(world, owner, receiver, "omics-variant-store", [database_arn])`.

As on AWS, nothing is open before the invitation is accepted; withdrawing it closes everything again.
"""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from localaws.world import World

DATABASE_TYPE = "glue:Database"


@dataclass
class Offer:
    """One resource share of another account and the invitation to it."""

    arn: str
    invitation_arn: str
    name: str
    owner: str
    receiver: str
    resource_arns: list[str]
    created_at: datetime
    status: str = "PENDING"
    updated_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def set(self, status: str) -> None:
        self.status, self.updated_at = status, datetime.now(UTC)


@dataclass
class RamState:
    """All offers by share ARN, kept between commands."""

    offers: dict[str, Offer] = field(default_factory=dict)
    lock: Any = field(default_factory=threading.RLock)


def ram_state(world: World) -> RamState:
    found: RamState = world.state("ram", RamState)
    return found


def database_arn(world: World, owner: str, database: str) -> str:
    return f"arn:aws:glue:{world.region}:{owner}:database/{database}"


def offer(world: World, owner: str, receiver: str, name: str, resource_arns: list[str]) -> Offer:
    """A new share with a pending invitation."""
    place = f"arn:aws:ram:{world.region}:{owner}"
    made = Offer(
        f"{place}:resource-share/{uuid.uuid4()}",
        f"{place}:resource-share-invitation/{uuid.uuid4()}",
        name,
        owner,
        receiver,
        resource_arns,
        datetime.now(UTC),
    )
    state = ram_state(world)
    with state.lock:
        state.offers[made.arn] = made
    return made


def accept(world: World, taken: Offer) -> None:
    """Open what is offered: the receiving account may describe and read the databases, and grant that on."""
    for arn in taken.resource_arns:
        for resource, permissions in _grants(taken.owner, arn.rsplit("/", 1)[-1]):
            world.client("lakeformation", taken.owner).grant_permissions(
                CatalogId=taken.owner,
                Principal={"DataLakePrincipalIdentifier": taken.receiver},
                Resource=resource,
                Permissions=permissions,
                PermissionsWithGrantOption=permissions,
            )
    taken.set("ACCEPTED")


def withdraw(world: World, arn: str) -> None:
    """End a share; what it opened closes. One that is gone already is no error."""
    state = ram_state(world)
    with state.lock:
        ended = state.offers.pop(arn, None)
    if ended is None or ended.status != "ACCEPTED":
        return
    for resource_arn in ended.resource_arns:
        for resource, permissions in _grants(ended.owner, resource_arn.rsplit("/", 1)[-1]):
            _revoke(world, ended, resource, permissions)


def _revoke(world: World, ended: Offer, resource: dict[str, Any], permissions: list[str]) -> None:
    try:
        world.client("lakeformation", ended.owner).revoke_permissions(
            CatalogId=ended.owner,
            Principal={"DataLakePrincipalIdentifier": ended.receiver},
            Resource=resource,
            Permissions=permissions,
            PermissionsWithGrantOption=permissions,
        )
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"EntityNotFoundException", "InvalidInputException"}:
            raise


def _grants(owner: str, database: str) -> list[tuple[dict[str, Any], list[str]]]:
    every_table = {"Table": {"CatalogId": owner, "DatabaseName": database, "TableWildcard": {}}}
    return [
        ({"Database": {"CatalogId": owner, "Name": database}}, ["DESCRIBE"]),
        (every_table, ["SELECT", "DESCRIBE"]),
    ]

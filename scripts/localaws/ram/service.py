"""AWS RAM: invitations and shared resources of services of ours; the customer's own shares stay with moto.

Reads and writes the RAM state, Lake Formation and moto's RAM backend. Behind `make deploy` and `make ingest`.
Example: `boto3.client("ram").list_resources(resourceOwner="OTHER-ACCOUNTS", resourceType="glue:Database")`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from moto.ram.models import ram_backends

from localaws.paging import page
from localaws.ram.offers import DATABASE_TYPE, Offer, accept, ram_state
from localaws.service import Service, ServiceError

if TYPE_CHECKING:
    from localaws.caller import Caller

Params = dict[str, Any]
Result = dict[str, Any]
DEFAULT_PAGE = 100
OTHERS = "OTHER-ACCOUNTS"


class Ram(Service):
    """What moto lacks of RAM: invitations, resources, and shares that come from another account."""

    service_name: ClassVar[str] = "ram"
    overlay: ClassVar[bool] = True

    def get_resource_share_invitations(self, params: Params, caller: Caller) -> Result:
        wanted = set(params.get("resourceShareInvitationArns", []))
        shares = set(params.get("resourceShareArns", []))
        found = [
            invitation(offer)
            for offer in self._offers(caller)
            if (not wanted or offer.invitation_arn in wanted) and (not shares or offer.arn in shares)
        ]
        return _listed("resourceShareInvitations", found, params)

    def accept_resource_share_invitation(self, params: Params, caller: Caller) -> Result:
        with ram_state(self.world).lock:
            offer = self._pending(params, caller)
            accept(self.world, offer)
        return {"resourceShareInvitation": invitation(offer)}

    def reject_resource_share_invitation(self, params: Params, caller: Caller) -> Result:
        with ram_state(self.world).lock:
            offer = self._pending(params, caller)
            offer.set("REJECTED")
        return {"resourceShareInvitation": invitation(offer)}

    def list_resources(self, params: Params, caller: Caller) -> Result:
        if params["resourceOwner"] == OTHERS:
            found = [
                _resource(arn, offer.arn)
                for offer in self._offers(caller)
                if offer.status == "ACCEPTED" and _is_wanted(offer.arn, params.get("resourceShareArns"))
                for arn in offer.resource_arns
            ]
        else:
            shares = ram_backends[caller.account_id][self.world.region].resource_shares
            found = [
                _resource(arn, share.arn)
                for share in shares
                if _is_wanted(share.arn, params.get("resourceShareArns"))
                for arn in share.resource_arns
            ]
        kind = params.get("resourceType")
        kept = [
            item
            for item in found
            if (kind is None or item["type"] == kind) and _is_wanted(item["arn"], params.get("resourceArns"))
        ]
        return _listed("resources", kept, params)

    def get_resource_shares(self, params: Params, caller: Caller) -> Result:
        if params["resourceOwner"] != OTHERS:
            own = self.world.moto("ram", "GetResourceShares", params, caller)
            return _listed("resourceShares", own["resourceShares"], params)
        found = [
            {
                "resourceShareArn": offer.arn,
                "name": offer.name,
                "owningAccountId": offer.owner,
                "allowExternalPrincipals": True,
                "status": "ACTIVE",
                "creationTime": offer.created_at,
                "lastUpdatedTime": offer.updated_at,
                "featureSet": "STANDARD",
            }
            for offer in self._offers(caller)
            if offer.status == "ACCEPTED"
            and _is_wanted(offer.arn, params.get("resourceShareArns"))
            and params.get("name", offer.name) == offer.name
            and params.get("resourceShareStatus", "ACTIVE") == "ACTIVE"
        ]
        return _listed("resourceShares", found, params)

    def _offers(self, caller: Caller) -> list[Offer]:
        return [offer for offer in ram_state(self.world).offers.values() if offer.receiver == caller.account_id]

    def _pending(self, params: Params, caller: Caller) -> Offer:
        arn = params["resourceShareInvitationArn"]
        offer = next((item for item in self._offers(caller) if item.invitation_arn == arn), None)
        if offer is None:
            raise ServiceError(
                "ResourceShareInvitationArnNotFoundException", f"The invitation {arn} could not be found."
            )
        if offer.status != "PENDING":
            code = f"ResourceShareInvitationAlready{offer.status.capitalize()}Exception"
            raise ServiceError(code, f"The invitation {arn} was {offer.status.lower()} already.")
        return offer


def invitation(offer: Offer) -> dict[str, Any]:
    return {
        "resourceShareInvitationArn": offer.invitation_arn,
        "resourceShareName": offer.name,
        "resourceShareArn": offer.arn,
        "senderAccountId": offer.owner,
        "receiverAccountId": offer.receiver,
        "invitationTimestamp": offer.created_at,
        "status": offer.status,
    }


def _resource(arn: str, share_arn: str) -> dict[str, Any]:
    service, kind = arn.split(":")[2], arn.split(":", 5)[5].split("/")[0]
    is_database = (service, kind) == ("glue", "database")
    name = DATABASE_TYPE if is_database else f"{service}:{kind[:1].upper()}{kind[1:]}"
    return {"arn": arn, "type": name, "resourceShareArn": share_arn, "status": "AVAILABLE"}


def _is_wanted(value: str, wanted: list[str] | None) -> bool:
    return not wanted or value in wanted


def _listed(name: str, items: list[dict[str, Any]], params: Params) -> Result:
    found, token = page(items, params.get("nextToken"), params.get("maxResults", DEFAULT_PAGE))
    return {name: found, **({"nextToken": token} if token else {})}

"""Data lake settings and registered S3 locations.

Writes the account's `Lake`. Behind `make deploy` (terraform/account).
Example: `put(world, own, {"DataLakeAdmins": [...]})` replaces everything that the object does not name.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from localaws.lakeformation.lifecycle import settle_everything
from localaws.lakeformation.state import Lake, fresh_settings, now
from localaws.service import ServiceError

if TYPE_CHECKING:
    from localaws.world import World

MAX_ADMINS = 30
LISTS = (
    "DataLakeAdmins",
    "ReadOnlyAdmins",
    "CreateDatabaseDefaultPermissions",
    "CreateTableDefaultPermissions",
    "TrustedResourceOwners",
    "ExternalDataFilteringAllowList",
    "AuthorizedSessionTagValueList",
)
SWITCHES = ("AllowExternalDataFiltering", "AllowFullTableExternalDataAccess")


def put(world: World, own: Lake, given: dict[str, Any]) -> None:
    """Replace the whole object: what is not named is emptied, an unnamed cross-account version is 1 again."""
    if len(given.get("DataLakeAdmins") or []) > MAX_ADMINS:
        raise ServiceError("InvalidInputException", f"There can be at most {MAX_ADMINS} data lake administrators.")
    settle_everything(world, own.account_id)
    settings: dict[str, Any] = {name: deepcopy(given.get(name) or []) for name in LISTS}
    settings.update({name: bool(given.get(name)) for name in SWITCHES})
    settings["Parameters"] = {**fresh_settings()["Parameters"], **(given.get("Parameters") or {})}
    own.settings = settings


def register(own: Lake, params: dict[str, Any]) -> None:
    """Register a location; AlreadyExistsException when it is."""
    arn = _arn(params)
    if arn in own.locations:
        raise ServiceError("AlreadyExistsException", f"Resource is already registered: {arn}")
    if not params.get("RoleArn") and not params.get("UseServiceLinkedRole"):
        raise ServiceError("InvalidInputException", "RoleArn or UseServiceLinkedRole is needed")
    own.locations[arn] = _location(own, arn, params)


def update(own: Lake, params: dict[str, Any]) -> None:
    """Change a location's role or switches."""
    described(own, params)
    own.locations[_arn(params)] = _location(own, _arn(params), params)


def deregister(own: Lake, params: dict[str, Any]) -> None:
    described(own, params)
    del own.locations[_arn(params)]


def described(own: Lake, params: dict[str, Any]) -> dict[str, Any]:
    """The registered location; EntityNotFoundException when it is not registered."""
    if _arn(params) not in own.locations:
        raise ServiceError("EntityNotFoundException", "Entity not found")
    return own.locations[_arn(params)]


def _arn(params: dict[str, Any]) -> str:
    return str(params["ResourceArn"]).rstrip("/")


def _location(own: Lake, arn: str, params: dict[str, Any]) -> dict[str, Any]:
    linked = f"arn:aws:iam::{own.account_id}:role/aws-service-role/lakeformation.amazonaws.com/"
    return {
        "ResourceArn": arn,
        "RoleArn": params.get("RoleArn") or linked + "AWSServiceRoleForLakeFormationDataAccess",
        "LastModified": now(),
        "WithFederation": bool(params.get("WithFederation")),
        "HybridAccessEnabled": bool(params.get("HybridAccessEnabled")),
        "WithPrivilegedAccess": bool(params.get("WithPrivilegedAccess")),
    }

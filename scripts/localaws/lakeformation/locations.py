"""Whose word counts for where a table's files lie: registered locations and rights on them.

Reads Lake Formation's state. Behind every query and `make deploy`.
Example: `may_place(world, role_arn, "s3://lake/genomic/variant")`

Under a registered location Lake Formation reads for whoever holds a grant on the table, so only a principal with
DATA_LOCATION_ACCESS there (administrators have it everywhere) may put a table on it: otherwise a table of one's own
over somebody else's files would open them. Source: developer guide, "Underlying data access control".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from localaws.caller import DEPLOYER
from localaws.lakeformation.access import account_of, names_of
from localaws.lakeformation.state import Lake, lake

if TYPE_CHECKING:
    from localaws.world import World


def arn_of(location: str) -> str:
    """`s3://bucket/a/` as `arn:aws:s3:::bucket/a`."""
    return "arn:aws:s3:::" + location.partition("://")[2].rstrip("/")


def is_under(location: str, place: str) -> bool:
    """Whether one S3 location lies in another, or is it; a path with `..` in it lies nowhere."""
    one, other = arn_of(location), arn_of(place)
    return ".." not in one.split("/") and bool(location) and f"{one}/".startswith(f"{other}/")


def registered(own: Lake, location: str) -> str | None:
    """The registered location that covers this one; None when none does."""
    arn = arn_of(location) + "/"
    found = [place for place in own.locations if arn.startswith(f"{place.rstrip('/*')}/")]
    return max(found, key=len, default=None)


def may_place(world: World, arn: str, location: str) -> bool:
    """Whether the principal may put a table on a registered location."""
    own = lake(world, account_of(arn))
    if arn in own.admins or arn.endswith(f":user/{DEPLOYER}"):
        return True
    names = names_of(arn, own)
    wanted = arn_of(location) + "/"
    return any(
        grant.target.kind == "location" and wanted.startswith(f"{grant.target.name.rstrip('/*')}/")
        for grant in own.grants.values()
        if grant.principal in names and "DATA_LOCATION_ACCESS" in grant.permissions
    )

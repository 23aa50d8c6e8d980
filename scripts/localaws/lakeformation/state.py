"""What Lake Formation of one account remembers.

Plain picklable records; reads and writes nothing itself. Behind every make target that uses localaws.
Example: `lake(world, "123456789012").settings["DataLakeAdmins"]`
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from localaws.lakeformation.resources import Target

if TYPE_CHECKING:
    from localaws.world import World

IAM_ALLOWED_PRINCIPALS = "IAM_ALLOWED_PRINCIPALS"
GUARD = threading.RLock()


def fresh_settings() -> dict[str, Any]:
    """The settings of an account that nobody has set up: new databases and tables are open to IAM."""
    everyone = {"Principal": {"DataLakePrincipalIdentifier": IAM_ALLOWED_PRINCIPALS}, "Permissions": ["ALL"]}
    return {
        "DataLakeAdmins": [],
        "ReadOnlyAdmins": [],
        "CreateDatabaseDefaultPermissions": [dict(everyone)],
        "CreateTableDefaultPermissions": [dict(everyone)],
        "Parameters": {"CROSS_ACCOUNT_VERSION": "1", "SET_CONTEXT": "TRUE"},
        "TrustedResourceOwners": [],
        "AllowExternalDataFiltering": False,
        "AllowFullTableExternalDataAccess": False,
        "ExternalDataFilteringAllowList": [],
        "AuthorizedSessionTagValueList": [],
    }


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Grant:
    """What one principal holds on one target; `grantable` is the part it may pass on."""

    principal: str
    target: Target
    permissions: set[str] = field(default_factory=set)
    grantable: set[str] = field(default_factory=set)
    updated_at: datetime = field(default_factory=now)
    updated_by: str = ""


@dataclass
class CellsFilter:
    """A data cells filter: `columns` is an include list, or None and `excluded` is taken away from all columns."""

    catalog_id: str
    database: str
    table: str
    name: str
    columns: tuple[str, ...] | None
    excluded: tuple[str, ...]
    row_filter: str | None
    version: str

    @property
    def table_key(self) -> tuple[str, str, str]:
        return self.catalog_id, self.database, self.table


@dataclass
class Lake:
    """One account's Lake Formation."""

    account_id: str
    settings: dict[str, Any] = field(default_factory=fresh_settings)
    locations: dict[str, dict[str, Any]] = field(default_factory=dict)
    grants: dict[tuple[str, Target], Grant] = field(default_factory=dict)
    filters: dict[tuple[str, str, str, str], CellsFilter] = field(default_factory=dict)
    tags: dict[str, tuple[str, ...]] = field(default_factory=dict)
    tagged: dict[Target, dict[str, str]] = field(default_factory=dict)
    # When each database ("" as the table) and table that we know was created, and each database's table defaults.
    seen: dict[tuple[str, str], datetime] = field(default_factory=dict)
    table_defaults: dict[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)

    @property
    def admins(self) -> frozenset[str]:
        return frozenset(item["DataLakePrincipalIdentifier"] for item in self.settings["DataLakeAdmins"])

    @property
    def read_only_admins(self) -> frozenset[str]:
        return frozenset(item["DataLakePrincipalIdentifier"] for item in self.settings["ReadOnlyAdmins"])


def lake(world: World, account_id: str) -> Lake:
    """The account's Lake Formation, made the first time it is asked for."""
    with GUARD:
        lakes: dict[str, Lake] = world.state("lakeformation", dict)
        return lakes.setdefault(account_id, Lake(account_id))

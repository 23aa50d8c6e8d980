"""Granting and revoking: how permissions on one target merge, split and are taken away.

Pure over an account's `Lake`. Behind `make deploy`.
Example: `grant(lake, principal, target, {"SELECT"}, set(), by=caller.arn)`

SELECT on a whole table is kept (and listed, as the service does) under the table's every-column target, the other
permissions under the table. Column lists stay apart as they were granted. Granting twice changes nothing.
"""

from __future__ import annotations

from dataclasses import replace

from localaws.lakeformation.resources import Target, every_column
from localaws.lakeformation.state import Grant, Lake, now
from localaws.service import ServiceError

Permissions = set[str]
TABLE_PARTS = frozenset({"ALTER", "DELETE", "DESCRIBE", "DROP", "INSERT", "SELECT"})
PARTS: dict[str, frozenset[str]] = {
    "table": TABLE_PARTS,
    "database": frozenset({"ALTER", "CREATE_TABLE", "DESCRIBE", "DROP"}),
    "catalog": frozenset({"ALTER", "DESCRIBE", "DROP", "CREATE_DATABASE"}),
}


def expanded(target: Target, permissions: Permissions) -> frozenset[str]:
    """The permissions with ALL replaced by what it stands for on such a target."""
    kind = target.name.lower() if target.kind == "policy" else target.kind
    if "ALL" not in permissions:
        return frozenset(permissions)
    return frozenset(permissions - {"ALL"}) | PARTS.get(kind, frozenset())


def parts(target: Target, permissions: Permissions) -> list[tuple[Target, Permissions]]:
    """Where the permissions on a target are kept: SELECT on a table lies with its columns."""
    is_table = target.kind == "table" or target.is_every_column
    if not is_table:
        return [(target, permissions)]
    table = Target("table", target.catalog_id, target.database, target.table)
    split = [(every_column(*target.table_key), permissions & {"SELECT"}), (table, permissions - {"SELECT"})]
    return [(place, some) for place, some in split if some]


def grant(
    own: Lake, principal: str, target: Target, permissions: Permissions, grantable: Permissions, *, by: str
) -> None:
    """Add to what the principal holds on the target."""
    for place, some in parts(target, permissions):
        held = own.grants.setdefault((principal, place), Grant(principal, place))
        before = (set(held.permissions), set(held.grantable))
        held.permissions |= some
        held.grantable |= some & grantable
        if before != (held.permissions, held.grantable):
            held.updated_at, held.updated_by = now(), by


def revoke(
    own: Lake, principal: str, target: Target, permissions: Permissions, grantable: Permissions, *, by: str
) -> None:
    """Take from what the principal holds; InvalidInputException when nothing of it is held.

    Permissions go with their grant option; `grantable` beyond them loses only the option.
    """
    is_changed = False
    if target.kind == "table":
        permissions, grantable = _with_select(permissions), _with_select(grantable)
    for place, some in parts(target, permissions | grantable):
        for held in _holders(own, principal, place, some):
            is_changed |= _take(own, held, place, some & permissions, some & grantable, by)
    if not is_changed:
        missing = ", ".join(sorted(permissions | grantable))
        raise ServiceError("InvalidInputException", f"No permissions revoked. Grantee does not have: [{missing}]")


def _with_select(permissions: Permissions) -> Permissions:
    """ALL on a table reaches its SELECT, which lies with its columns."""
    return permissions | {"SELECT"} if "ALL" in permissions else permissions


def _holders(own: Lake, principal: str, place: Target, some: Permissions) -> list[Grant]:
    """The grants a revocation on `place` touches: the same target, else (for columns) those that overlap.

    All columns take what is left of an older grant of all columns along.
    """
    same = own.grants.get((principal, place))
    on_table = [held for (who, _), held in own.grants.items() if who == principal]
    if same is not None and place.is_every_column:
        wildcards = [held for held in on_table if held.target.kind == "columns" and held.target.names is None]
        return [held for held in wildcards if held.target.table_key == place.table_key]
    if same is not None:
        return [same]
    if place.kind == "columns":
        on_columns = [held for held in on_table if held.target.kind == "columns"]
        found = [held for held in on_columns if held.target.table_key == place.table_key]
        if found or place.names is not None:
            return found
    table = Target("table", place.catalog_id, place.database, place.table)
    return [held for held in on_table if held.target == table and "ALL" in held.permissions and some == {"SELECT"}]


def _take(own: Lake, held: Grant, place: Target, taken: Permissions, ungranted: Permissions, by: str) -> bool:
    before = (held.target, set(held.permissions), set(held.grantable))
    if place.kind == "columns" and held.target.kind == "columns" and held.target != place and taken:
        _narrow(own, held, place)
    else:
        _subtract(own, held, taken, ungranted)
    is_changed = before != (held.target, held.permissions, held.grantable)
    if is_changed:
        held.updated_at, held.updated_by = now(), by
    return is_changed


def _subtract(own: Lake, held: Grant, taken: Permissions, ungranted: Permissions) -> None:
    for name in ("permissions", "grantable"):
        lost = taken if name == "permissions" else taken | ungranted
        kept: Permissions = getattr(held, name)
        if "ALL" in kept and lost and "ALL" not in lost:
            _split_all(own, held, name, lost)
        setattr(held, name, set() if "ALL" in lost else getattr(held, name) - lost)
    held.grantable &= held.permissions
    if not held.permissions:
        own.grants.pop((held.principal, held.target), None)


def _split_all(own: Lake, held: Grant, name: str, lost: Permissions) -> None:
    """ALL less something is the rest, one by one; a table's SELECT moves to its columns."""
    rest = expanded(held.target, {"ALL"}) - lost
    setattr(held, name, set(rest - {"SELECT"}) if held.target.kind == "table" else set(rest))
    if held.target.kind == "table" and "SELECT" in rest:
        place = every_column(*held.target.table_key)
        columns = own.grants.setdefault((held.principal, place), Grant(held.principal, place))
        getattr(columns, name).add("SELECT")
        columns.permissions.add("SELECT")


def _narrow(own: Lake, held: Grant, place: Target) -> None:
    """Take columns from a column grant; a grant left without columns is gone."""
    own.grants.pop((held.principal, held.target), None)
    held.target = _less(held.target, place)
    if held.target.names is not None and not held.target.names:
        held.permissions, held.grantable = set(), set()
        return
    other = own.grants.get((held.principal, held.target))
    if other is not None:
        held.permissions |= other.permissions
        held.grantable |= other.grantable
    own.grants[held.principal, held.target] = held


def _less(target: Target, place: Target) -> Target:
    """The columns of `target` without those of `place`."""
    if place.names is None:
        kept = place.excluded - target.excluded if target.names is None else target.names & place.excluded
        return replace(target, names=frozenset(kept), excluded=frozenset())
    if target.names is None:
        return replace(target, excluded=target.excluded | place.names)
    return replace(target, names=target.names - place.names)

"""Who may do what with a table or database: grants, creators, administrators and default permissions added up.

Reads Lake Formation's state and the Glue catalog. Behind every query of a persona, `make access` and `make explain`.
Example: `table_access(world, role_arn, "123456789012", "clinical", "patient").row_filter`

Deny by default. Sources (Lake Formation developer guide):
- "Implicit permissions": creators have all permissions on what they created, a database's creator not on tables that
  others create in it; data lake administrators may DESCRIBE and grant everything, but read data only by a grant;
- "Metadata permissions": IAMAllowedPrincipals stands for every IAM principal of the account;
- "Cross-account": what another account owns is reached through its grant to this account (administrators directly,
  others as far as they were granted it here too) or its grant to the principal itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from localaws.lakeformation import tags
from localaws.lakeformation.entries import TableEntry, database_entry, database_names
from localaws.lakeformation.expression import ExpressionError, parse
from localaws.lakeformation.grants import PARTS, expanded
from localaws.lakeformation.lifecycle import settle_database, settle_table
from localaws.lakeformation.resources import ALL_TABLES, Target
from localaws.lakeformation.rules import NO_ACCESS, Access, Rule
from localaws.lakeformation.state import GUARD, IAM_ALLOWED_PRINCIPALS, Grant, Lake, lake

if TYPE_CHECKING:
    from localaws.world import World

EVERYTHING = Rule()
TABLE_ALL = PARTS["table"]
DATABASE_ALL = PARTS["database"]


def account_of(arn: str) -> str:
    return arn.split(":")[4]


def names_of(arn: str, own: Lake) -> frozenset[str]:
    """The names under which grants of the own account reach a principal."""
    return frozenset({arn, IAM_ALLOWED_PRINCIPALS, f"{own.account_id}:IAMPrincipals"})


def table_access(world: World, caller_arn: str, catalog_id: str, database: str, table: str) -> Access:
    """What the caller may see and do; NO_ACCESS for a table that does not exist."""
    with GUARD:
        entry = settle_table(world, catalog_id, database, table)
        if entry is None:
            return NO_ACCESS
        if account_of(caller_arn) == catalog_id:
            return _own_access(world, caller_arn, entry)
        return _foreign_access(world, caller_arn, entry)


def _own_access(world: World, arn: str, entry: TableEntry) -> Access:
    own = lake(world, entry.catalog_id)
    access = granted(own, names_of(arn, own), entry)
    if world.creators.get((entry.catalog_id, entry.database, entry.name)) == arn:
        access = together(access, everything(entry))
    is_admin = arn in own.admins | own.read_only_admins
    return Access(access.permissions, access.rules, access.table_columns, access.is_described or is_admin)


def _foreign_access(world: World, arn: str, entry: TableEntry) -> Access:
    owner, own = lake(world, entry.catalog_id), lake(world, account_of(arn))
    direct = granted(owner, frozenset({arn}), entry)
    shared = granted(owner, frozenset({own.account_id}), entry)
    if arn in own.admins:
        return together(direct, shared)
    here = granted(own, frozenset({arn, f"{own.account_id}:IAMPrincipals"}), entry)
    return together(direct, limited(here, shared))


def granted(own: Lake, names: frozenset[str], entry: TableEntry) -> Access:
    """What grants kept in `own` give these names on the table."""
    permissions: set[str] = set()
    rules: list[Rule] = []
    for grant in own.grants.values():
        if grant.principal in names and grant.target.catalog_id == entry.catalog_id:
            held, rule = _of_grant(own, grant, entry)
            permissions |= held
            rules += [rule] if rule else []
    columns = tuple(entry.columns)
    found = Access(frozenset(permissions), tuple(dict.fromkeys(rules)), columns)
    return Access(found.permissions, found.rules, columns, bool(found.permissions))


def _of_grant(own: Lake, grant: Grant, entry: TableEntry) -> tuple[frozenset[str], Rule | None]:
    target = grant.target
    held = expanded(target, grant.permissions)
    nothing: tuple[frozenset[str], Rule | None] = (frozenset(), None)
    if target.kind == "policy":
        return _of_policy(own, target, held, entry)
    if target.database != entry.database or target.table not in {entry.name, ALL_TABLES}:
        return nothing
    match target.kind:
        case "table":
            return held, EVERYTHING if "SELECT" in held else None
        case "columns" if "SELECT" in held:
            return held, Rule(target.names, target.excluded)
        case "filter" if "SELECT" in held:
            return frozenset({"SELECT"}), _of_filter(own, target, entry)
    return nothing


def _of_filter(own: Lake, target: Target, entry: TableEntry) -> Rule | None:
    """The filter's rule; None when it is gone or no longer fits the table: then it opens nothing."""
    item = own.filters.get((*target.table_key, target.name))
    if item is None:
        return None
    if item.row_filter is not None:
        try:
            parse(item.row_filter, entry.columns, entry.partition_keys)
        except ExpressionError:
            return None
    names = None if item.columns is None else frozenset(item.columns)
    return Rule(names, frozenset(item.excluded), item.row_filter)


def _of_policy(
    own: Lake, target: Target, held: frozenset[str], entry: TableEntry
) -> tuple[frozenset[str], Rule | None]:
    table = Target("table", entry.catalog_id, entry.database, entry.name)
    if target.name != "TABLE":
        return frozenset(), None
    columns = {name for name in entry.columns if tags.holds(target, tags.effective(own, tags.column(table, name)))}
    is_whole = tags.holds(target, tags.effective(own, table))
    permissions = held if is_whole else held & {"SELECT"}
    rule = Rule(frozenset(columns)) if "SELECT" in held and columns else None
    return (permissions if is_whole or rule else frozenset()), rule


def everything(entry: TableEntry) -> Access:
    """All of it, as a creator has it."""
    return Access(TABLE_ALL, (EVERYTHING,), tuple(entry.columns), True)


def together(one: Access, other: Access) -> Access:
    """Both accesses: a union."""
    return Access(
        one.permissions | other.permissions,
        tuple(dict.fromkeys([*one.rules, *other.rules])),
        one.table_columns,
        one.is_described or other.is_described,
    )


def limited(one: Access, by: Access) -> Access:
    """What both accesses open: an intersection, rule by rule."""
    rules = [_both(mine, theirs) for mine in one.rules for theirs in by.rules]
    return Access(
        one.permissions & by.permissions,
        tuple(dict.fromkeys(rules)),
        one.table_columns,
        one.is_described and by.is_described,
    )


def _both(mine: Rule, theirs: Rule) -> Rule:
    filters = [text for text in (mine.row_filter, theirs.row_filter) if text is not None]
    row_filter = " AND ".join(f"({text})" for text in dict.fromkeys(filters)) or None
    if mine.names is None and theirs.names is None:
        return Rule(None, mine.excluded | theirs.excluded, row_filter)
    named = [rule for rule in (mine, theirs) if rule.names is not None]
    names = frozenset(name for name in named[0].names or () if mine.opens(name) and theirs.opens(name))
    return Rule(names, frozenset(), row_filter)


def database_access(world: World, caller_arn: str, catalog_id: str, database: str) -> frozenset[str]:
    """The database permissions the caller holds, ALL taken apart; empty for a database that does not exist."""
    with GUARD:
        if settle_database(world, catalog_id, database) is None:
            return frozenset()
        own = lake(world, catalog_id)
        account = account_of(caller_arn)
        is_own = account == catalog_id
        names = names_of(caller_arn, own) if is_own else frozenset({caller_arn})
        if not is_own and caller_arn in lake(world, account).admins:
            names |= {account}
        held = set[str]().union(*_database_grants(own, names, database.lower()))
        if world.creators.get((catalog_id, database.lower(), None)) == caller_arn:
            held |= DATABASE_ALL
        if is_own and caller_arn in own.admins | own.read_only_admins:
            held.add("DESCRIBE")
        return frozenset(held)


def _database_grants(own: Lake, names: frozenset[str], database: str) -> Iterator[frozenset[str]]:
    place = Target("database", own.account_id, database)
    for grant in own.grants.values():
        if grant.principal not in names:
            continue
        is_tagged = grant.target.kind == "policy" and grant.target.name == "DATABASE"
        if grant.target == place or (is_tagged and tags.holds(grant.target, tags.effective(own, place))):
            yield expanded(grant.target, grant.permissions)


def sees_database(world: World, caller_arn: str, catalog_id: str, database: str) -> bool:
    """Whether the caller may know that the database exists: by a permission on it or on a table in it."""
    if database_access(world, caller_arn, catalog_id, database):
        return True
    entry = database_entry(catalog_id, database)
    tables = entry.tables if entry else ()
    return any(table_access(world, caller_arn, catalog_id, database, table).described for table in tables)


def catalog_access(world: World, caller_arn: str, catalog_id: str) -> frozenset[str]:
    """The catalog permissions (CREATE_DATABASE, ...) the caller holds."""
    with GUARD:
        own = lake(world, catalog_id)
        if account_of(caller_arn) == catalog_id and caller_arn in own.admins:
            return frozenset({"CREATE_DATABASE", "DESCRIBE"})
        names = names_of(caller_arn, own)
        place = Target("catalog", catalog_id)
        grants = [grant for grant in own.grants.values() if grant.principal in names and grant.target == place]
        held = frozenset[str]().union(*(expanded(place, grant.permissions) for grant in grants))
        # An account that nobody has set up leaves creating databases to IAM.
        return held | ({"CREATE_DATABASE"} if own.settings["CreateDatabaseDefaultPermissions"] else frozenset())


def visible_databases(world: World, caller_arn: str, catalog_id: str) -> list[str]:
    """The databases of a catalog whose existence the caller may know, by name."""
    return sorted(name for name in database_names(catalog_id) if sees_database(world, caller_arn, catalog_id, name))

"""Who reaches which columns and rows of which tables, on one side of a plan (before or after).

Joins data cells filters with the grants on them, and reads table, column and wildcard grants too. Lake Formation
gives a principal the union of its grants, so reach is kept per column as the set of row rules it is seen under.
Pure functions on plan_json.Plan.

Example: reach(read_plan(plan), side=1).by_table[("arn:...:role/x", "db", "table")]
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from trilake.governance.plan_json import Change, Plan, Values

ALL_ROWS = "all rows"
EVERY_COLUMN = "every column"
READS = frozenset(["SELECT", "ALL", "SUPER"])
Key = tuple[str, str, str]
"""Principal, database, table."""


@dataclass
class Reach:
    """What principals reach. `by_table`: column -> row rules; `because`: addresses that give it.

    `wide`: what is held without a filter; `onwards`: grants that may be handed on; `other`: permissions other than
    reading, by (principal, resource); `unresolved`: why, by address.
    """

    by_table: dict[Key, dict[str, frozenset[str]]] = field(default_factory=dict)
    because: dict[Key, set[str]] = field(default_factory=dict)
    wide: dict[Key, str] = field(default_factory=dict)
    filtered: set[Key] = field(default_factory=set)
    other: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    onwards: dict[str, str] = field(default_factory=dict)
    unresolved: dict[str, str] = field(default_factory=dict)

    def add(self, key: Key, columns: tuple[str, ...], rows: str, addresses: tuple[str, ...]) -> None:
        seen = self.by_table.setdefault(key, {})
        for column in columns:
            seen[column] = union(seen.get(column, frozenset()), rows)
        self.because.setdefault(key, set()).update(addresses)


@dataclass(frozen=True)
class CellFilter:
    """One data cells filter: an include list, or all columns but some; and its rows."""

    address: str
    columns: tuple[str, ...]
    has_wildcard: bool
    excluded: tuple[str, ...]
    rows: str


def union(rules: frozenset[str], rows: str) -> frozenset[str]:
    """Row rules with one more; all rows swallow every rule."""
    return frozenset([ALL_ROWS]) if rows == ALL_ROWS or ALL_ROWS in rules else rules | {rows}


def first(values: Values | None, block: str) -> Values | None:
    """The one block of a kind, None when it is not there."""
    blocks = (values or {}).get(block) or []
    return blocks[0] if isinstance(blocks, list) and blocks else blocks if isinstance(blocks, dict) and blocks else None


def table_columns(plan: Plan, side: int) -> dict[tuple[str, str], tuple[str, ...]]:
    """Columns of every catalog table in the plan, by database and table."""
    found = {}
    for change in plan.of_type("aws_glue_catalog_table"):
        values = change.sides[side] or change.sides[1 - side]
        descriptor = first(values, "storage_descriptor")
        if values and descriptor:
            names = tuple(column["name"] for column in descriptor.get("columns") or [])
            found[(values.get("database_name") or "", values["name"])] = names
    return found


def cell_filters(plan: Plan, side: int, unresolved: dict[str, str]) -> dict[tuple[str, str, str], CellFilter]:
    """Every filter of one side by database, table and name."""
    found = {}
    for change in plan.of_type("aws_lakeformation_data_cells_filter"):
        data = first(change.sides[side], "table_data")
        if data is None:
            continue
        if side == 1 and filter_is_unknown(change, data):
            unresolved[change.address] = "the filter's table, columns or rows are known only after apply"
            continue
        found[(data["database_name"], data["table_name"], data["name"])] = cell_filter(change.address, data)
    return found


FILTER_PARTS = ("database_name", "table_name", "name", "column_names", "column_wildcard")


def filter_is_unknown(change: Change, data: Values) -> bool:
    """The provider leaves the expression unknown beside all_rows_wildcard, where it means nothing."""
    has_all_rows = bool((first(data, "row_filter") or {}).get("all_rows_wildcard"))
    rows_count = not has_all_rows and change.is_unknown("table_data", 0, "row_filter")
    return rows_count or any(change.is_unknown("table_data", 0, part) for part in FILTER_PARTS)


def cell_filter(address: str, data: Values) -> CellFilter:
    wildcard = data.get("column_wildcard") or []
    names = tuple(data.get("column_names") or ())
    excluded = tuple((wildcard[0] or {}).get("excluded_column_names") or ()) if wildcard else ()
    return CellFilter(address, names, bool(wildcard) or not names, excluded, rows_of(data))


def rows_of(data: Values) -> str:
    """The row rule; beside all_rows_wildcard a plan may still hold the expression of before."""
    rows = first(data, "row_filter") or {}
    return ALL_ROWS if rows.get("all_rows_wildcard") else rows.get("filter_expression") or ALL_ROWS


def reach(plan: Plan, side: int) -> Reach:
    """Everything that the grants of one side (0 before, 1 after) give."""
    result = Reach()
    tables = table_columns(plan, side)
    filters = cell_filters(plan, side, result.unresolved)
    for change in plan.of_type("aws_lakeformation_permissions"):
        values = change.sides[side]
        if values is None:
            continue
        if side == 1 and grant_is_unknown(change, values):
            result.unresolved[change.address] = "who is granted, or what, is known only after apply"
            continue
        read_grant(result, change, values, (filters, tables))
    return result


def grant_is_unknown(change: Change, values: Values) -> bool:
    table = first(values, "table")
    name_counts = table is not None and not table.get("wildcard") and change.is_unknown("table", 0, "name")
    return name_counts or any(change.is_unknown(*path) for path in GRANT_PARTS)


# Not whole blocks: their catalog_id is the service's to fill in, and unknown on every first plan.
GRANT_PARTS: tuple[tuple[str | int, ...], ...] = (
    ("principal",),
    ("permissions",),
    *(("data_cells_filter", 0, part) for part in ("database_name", "table_name", "name")),
    *(("table", 0, part) for part in ("database_name",)),
    *(("table_with_columns", 0, part) for part in ("database_name", "name", "column_names", "excluded_column_names")),
    ("database", 0, "name"),
    ("data_location", 0, "arn"),
)
Known = tuple[dict[tuple[str, str, str], CellFilter], dict[tuple[str, str], tuple[str, ...]]]


def read_grant(result: Reach, change: Change, values: Values, known: Known) -> None:
    """Add one grant to what is reached."""
    permissions = frozenset(values.get("permissions") or ())
    if values.get("permissions_with_grant_option"):
        result.onwards[change.address] = values["principal"]
    if first(values, "data_cells_filter"):
        read_filter_grant(result, change, values, known)
    elif first(values, "lf_tag_policy"):
        result.unresolved[change.address] = "a grant by LF-Tags; which tables carry the tags is not in the plan"
    elif first(values, "table") or first(values, "table_with_columns"):
        read_table_grant(result, change, values, known[1])
    else:
        resource = resource_in_words(values)
        held = result.other.get((values["principal"], resource), frozenset())
        result.other[(values["principal"], resource)] = held | permissions


def read_filter_grant(result: Reach, change: Change, values: Values, known: Known) -> None:
    target = first(values, "data_cells_filter") or {}
    database, table = target["database_name"], target["table_name"]
    cells = known[0].get((database, table, target["name"]))
    key = (values["principal"], database, table)
    if cells is None:
        result.unresolved[change.address] = (
            f"a grant on the filter {target['name']} of {table}, which is not in the plan"
        )
        return
    columns = expand(known[1].get((database, table)), cells.excluded) if cells.has_wildcard else cells.columns
    result.add(key, columns, cells.rows, (change.address, cells.address))
    result.filtered.add(key)


def read_table_grant(
    result: Reach, change: Change, values: Values, tables: dict[tuple[str, str], tuple[str, ...]]
) -> None:
    """A grant on a table, on some of its columns, or on all tables of a database."""
    target = first(values, "table_with_columns") or first(values, "table") or {}
    named = tuple(target.get("column_names") or ())
    permissions = frozenset(values.get("permissions") or ())
    database = target["database_name"]
    names = [name for base, name in tables if base == database] if not target.get("name") else [target["name"]]
    for name in names or ["every table"]:
        key = (values["principal"], database, name)
        columns = named or expand(tables.get((database, name)), tuple(target.get("excluded_column_names") or ()))
        if permissions & READS:
            result.add(key, columns, ALL_ROWS, (change.address,))
            result.wide[key] = change.address
        if permissions - {"SELECT"}:
            held = result.other.get((values["principal"], f"table {database}.{name}"), frozenset())
            result.other[(values["principal"], f"table {database}.{name}")] = held | (permissions - {"SELECT"})


def expand(columns: tuple[str, ...] | None, excluded: tuple[str, ...]) -> tuple[str, ...]:
    """All columns but the excluded ones; a word for them where the table is not in the plan."""
    if columns is None:
        return (f"{EVERY_COLUMN} but {', '.join(excluded)}" if excluded else EVERY_COLUMN,)
    return tuple(name for name in columns if name not in excluded)


def resource_in_words(values: Values) -> str:
    """What a grant on something other than a table is on."""
    for block, name in (("database", "name"), ("data_location", "arn"), ("lf_tag", "key")):
        target: Any = first(values, block)
        if target:
            return f"{block.replace('_', ' ')} {target[name]}"
    return "the whole catalog"


def ungranted_filters(plan: Plan) -> Iterator[str]:
    """Filters that nothing is granted on: they restrict nobody."""
    granted = set()
    for change in plan.of_type("aws_lakeformation_permissions"):
        target = first(change.after, "data_cells_filter")
        if target:
            granted.add((target.get("database_name"), target.get("table_name"), target.get("name")))
    for change in plan.of_type("aws_lakeformation_data_cells_filter"):
        data = first(change.after, "table_data")
        if data and (data.get("database_name"), data.get("table_name"), data.get("name")) not in granted:
            yield change.address

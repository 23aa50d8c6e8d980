"""Who reaches which columns and rows before and after a plan, and what the difference is.

Lake Formation gives a principal the union of its grants, so reach is kept per column as the set of row rules that it is
seen under. A grant that is destroyed and made again with equal effect is then no difference. Classes come from the
contract, and for tables that it does not know from the class that Terraform writes in front of each column's comment.

Example: effects(read_plan(plan), load_contract())[0].gains  ->  {"GT": ("calls",)}
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from trilake.core.contract import GovernedTable, sensitive_classes, sensitivity_classes
from trilake.governance.plan_json import Change, Plan, Values, first

ALL_ROWS = "all rows"
EVERY_COLUMN = "every column"
UNCLASSIFIED = "no class"
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

    def allow(self, principal: str, resource: str, permissions: frozenset[str]) -> None:
        self.other[(principal, resource)] = self.other.get((principal, resource), frozenset()) | permissions


@dataclass(frozen=True)
class CellFilter:
    """One data cells filter: an include list, or all columns but some; and its rows."""

    address: str
    columns: tuple[str, ...]
    has_wildcard: bool
    excluded: tuple[str, ...]
    rows: str


@dataclass(frozen=True)
class Catalog:
    """Columns by (database, table), and filters by (database, table, name), of one side."""

    tables: dict[tuple[str, str], tuple[str, ...]]
    filters: dict[tuple[str, str, str], CellFilter]


def union(rules: frozenset[str], rows: str) -> frozenset[str]:
    """Row rules with one more; all rows swallow every rule."""
    return frozenset([ALL_ROWS]) if rows == ALL_ROWS or ALL_ROWS in rules else rules | {rows}


def table_columns(plan: Plan, side: int) -> dict[tuple[str, str], tuple[str, ...]]:
    """Columns of every catalog table in the plan, by database and table."""
    columns = {}
    for change in plan.of_type("aws_glue_catalog_table"):
        values = change.sides[side] or change.sides[1 - side]
        descriptor = first(values, "storage_descriptor")
        if values and descriptor:
            names = tuple(column["name"] for column in descriptor.get("columns") or [])
            columns[(values.get("database_name") or "", values["name"])] = names
    return columns


def cell_filters(plan: Plan, side: int, unresolved: dict[str, str]) -> dict[tuple[str, str, str], CellFilter]:
    """Every filter of one side by database, table and name."""
    filters = {}
    for change in plan.of_type("aws_lakeformation_data_cells_filter"):
        data = first(change.sides[side], "table_data")
        if data is None:
            continue
        if side == 1 and filter_is_unknown(change, data):
            unresolved[change.address] = "the filter's table, columns or rows are known only after apply"
            continue
        filters[(data["database_name"], data["table_name"], data["name"])] = cell_filter(change.address, data)
    return filters


FILTER_PARTS = ("database_name", "table_name", "name", "column_names", "column_wildcard")


def filter_is_unknown(change: Change, data: Values) -> bool:
    # The provider computes filter_expression, so beside all_rows_wildcard, where it means nothing, it is unknown too.
    has_all_rows = bool((first(data, "row_filter") or {}).get("all_rows_wildcard"))
    rows_are_unknown = not has_all_rows and change.is_unknown("table_data", 0, "row_filter")
    return rows_are_unknown or any(change.is_unknown("table_data", 0, part) for part in FILTER_PARTS)


def cell_filter(address: str, data: Values) -> CellFilter:
    wildcard = data.get("column_wildcard") or []
    names = tuple(data.get("column_names") or ())
    excluded = tuple((wildcard[0] or {}).get("excluded_column_names") or ()) if wildcard else ()
    return CellFilter(address, names, bool(wildcard) or not names, excluded, rows_of(data))


def rows_of(data: Values) -> str:
    # all_rows_wildcard is asked first: beside it a plan may still hold the expression of before.
    rows = first(data, "row_filter") or {}
    return ALL_ROWS if rows.get("all_rows_wildcard") else rows.get("filter_expression") or ALL_ROWS


def reach(plan: Plan, side: int) -> Reach:
    """Everything that the grants of one side (0 before, 1 after) give."""
    result = Reach()
    catalog = Catalog(table_columns(plan, side), cell_filters(plan, side, result.unresolved))
    for change in plan.of_type("aws_lakeformation_permissions"):
        values = change.sides[side]
        if values is None:
            continue
        if side == 1 and grant_is_unknown(change, values):
            result.unresolved[change.address] = "who is granted, or what, is known only after apply"
            continue
        read_grant(result, change, values, catalog)
    return result


def grant_is_unknown(change: Change, values: Values) -> bool:
    table = first(values, "table")
    # A grant on every table of a database has no table name to know.
    name_is_unknown = table is not None and not table.get("wildcard") and change.is_unknown("table", 0, "name")
    return name_is_unknown or any(change.is_unknown(*path) for path in GRANT_PARTS)


# Not whole blocks: their catalog_id is the service's to fill in, and unknown on every first plan.
GRANT_PARTS: tuple[tuple[str | int, ...], ...] = (
    ("principal",),
    ("permissions",),
    *(("data_cells_filter", 0, part) for part in ("database_name", "table_name", "name")),
    ("table", 0, "database_name"),
    *(("table_with_columns", 0, part) for part in ("database_name", "name", "column_names", "excluded_column_names")),
    ("database", 0, "name"),
    ("data_location", 0, "arn"),
)


def read_grant(result: Reach, change: Change, values: Values, catalog: Catalog) -> None:
    """Add one grant to what is reached."""
    permissions = frozenset(values.get("permissions") or ())
    if values.get("permissions_with_grant_option"):
        result.onwards[change.address] = values["principal"]
    if first(values, "data_cells_filter"):
        read_filter_grant(result, change, values, catalog)
    elif first(values, "lf_tag_policy"):
        result.unresolved[change.address] = "a grant by LF-Tags; which tables carry the tags is not in the plan"
    elif first(values, "table") or first(values, "table_with_columns"):
        read_table_grant(result, change, values, catalog.tables)
    else:
        resource = resource_in_words(values)
        result.allow(values["principal"], resource, permissions)


def read_filter_grant(result: Reach, change: Change, values: Values, catalog: Catalog) -> None:
    target = first(values, "data_cells_filter") or {}
    database, table = target["database_name"], target["table_name"]
    cells = catalog.filters.get((database, table, target["name"]))
    key = (values["principal"], database, table)
    if cells is None:
        result.unresolved[change.address] = (
            f"a grant on the filter {target['name']} of {table}, which is not in the plan"
        )
        return
    columns = expand(catalog.tables.get((database, table)), cells.excluded) if cells.has_wildcard else cells.columns
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
            result.allow(values["principal"], f"table {database}.{name}", permissions - {"SELECT"})


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


@dataclass(frozen=True)
class RowChange:
    """Columns that stay visible, but for other rows than before."""

    columns: tuple[str, ...]
    before: str
    after: str


@dataclass(frozen=True)
class Effect:
    """What changes for one principal on one table. `gains` and `loses`: class -> columns."""

    persona: str
    principal: str
    table: str
    gains: dict[str, tuple[str, ...]]
    loses: dict[str, tuple[str, ...]]
    rows: tuple[RowChange, ...]
    rows_gained: str | None
    rows_before: str | None
    because: tuple[str, ...]
    is_new: bool

    @property
    def sensitive(self) -> tuple[str, ...]:
        """Sensitive classes among what is gained."""
        return tuple(sorted(sensitive_classes() & set(self.gains)))


@dataclass(frozen=True)
class Naming:
    """How principals, databases and columns are called in words."""

    contract: dict[str, GovernedTable]
    comments: dict[tuple[str, str, str], str]

    def persona(self, principal: str) -> str:
        """`radiologist` out of .../trilake-prod-persona-radiologist; others by the end of their ARN."""
        return principal.rsplit("-persona-", 1)[-1] if "-persona-" in principal else principal.split(":")[-1]

    def table(self, database: str, table: str) -> str:
        rooms = sorted({entry.room for entry in self.contract.values()}, key=len, reverse=True)
        # Longest first, so that a room whose name ends in another's is not taken for it.
        room = next((room for room in rooms if database == room or database.endswith(f"_{room}")), database)
        return f"{room}.{table}"

    def sensitivity(self, database: str, table: str, column: str) -> str:
        entry = self.contract.get(self.table(database, table))
        for item in entry.columns if entry else ():
            if item.name == column:
                return item.sensitivity
        return self.comments.get((database, table, column), UNCLASSIFIED)


def naming(plan: Plan, contract: dict[str, GovernedTable]) -> Naming:
    comments = {}
    for change in plan.of_type("aws_glue_catalog_table"):
        values = change.after or change.before or {}
        for column in (first(values, "storage_descriptor") or {}).get("columns") or []:
            head = (column.get("comment") or "").split(":")[0]
            if head in sensitivity_classes():
                comments[(values["database_name"], values["name"], column["name"])] = head
    return Naming(contract, comments)


def effects(plan: Plan, contract: dict[str, GovernedTable]) -> list[Effect]:
    """Every change of access, by persona and table; nothing where both sides are equal."""
    before, after = reach(plan, 0), reach(plan, 1)
    names, verbs = naming(plan, contract), {change.address: change.verb for change in plan.changes if change.changes}
    principals_before = {principal for principal, _, _ in before.by_table}
    differences = []
    for key in sorted(before.by_table.keys() | after.by_table.keys()):
        if before.by_table.get(key) != after.by_table.get(key):
            causes = causes_of(key, before, after, verbs)
            differences.append(effect(key, (before, after), names, causes, is_new=key[0] not in principals_before))
    return sorted(differences, key=lambda item: (item.persona, item.table))


def causes_of(key: Key, before: Reach, after: Reach, verbs: dict[str, str]) -> tuple[str, ...]:
    addresses = sorted(before.because.get(key, set()) | after.because.get(key, set()))
    return tuple(f"{address} is {verbs[address]}" for address in addresses if address in verbs)


def effect(key: Key, sides: tuple[Reach, Reach], names: Naming, causes: tuple[str, ...], *, is_new: bool) -> Effect:
    principal, database, table = key
    before, after = (side.by_table.get(key, {}) for side in sides)
    gained = [column for column in after if column not in before]
    lost = [column for column in before if column not in after]
    return Effect(
        persona=names.persona(principal),
        principal=principal,
        table=names.table(database, table),
        gains=by_class(gained, key, names),
        loses=by_class(lost, key, names),
        rows=tuple(row_changes(before, after)),
        rows_gained=in_words(frozenset().union(*(after[column] for column in gained))) if gained else None,
        rows_before=in_words(frozenset().union(*before.values())) if before else None,
        because=causes,
        is_new=is_new,
    )


def by_class(columns: list[str], key: Key, names: Naming) -> dict[str, tuple[str, ...]]:
    grouped = defaultdict(list)
    for column in columns:
        grouped[names.sensitivity(key[1], key[2], column)].append(column)
    return {name: tuple(sorted(grouped[name])) for name in sorted(grouped)}


def row_changes(before: dict[str, frozenset[str]], after: dict[str, frozenset[str]]) -> Iterator[RowChange]:
    """Columns seen on both sides under different rules, grouped by the pair of rules."""
    grouped = defaultdict(list)
    for column in before.keys() & after.keys():
        if before[column] != after[column]:
            grouped[(in_words(before[column]), in_words(after[column]))].append(column)
    for (old, new), columns in sorted(grouped.items()):
        yield RowChange(tuple(sorted(columns)), old, new)


def in_words(rules: frozenset[str]) -> str:
    """Row rules as one: a row is seen when any of them holds."""
    return next(iter(rules)) if len(rules) == 1 else " or ".join(f"({rule})" for rule in sorted(rules))

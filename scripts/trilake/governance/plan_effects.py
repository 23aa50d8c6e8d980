"""What a plan does to access: per principal and table, columns gained and lost and rows changed, with the cause.

A grant that is destroyed and made again with equal effect is no effect. Classes come from the contract, and for
tables that it does not know from the class that Terraform writes in front of each column's comment.

Example: effects(read_plan(plan), load_contract())
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from trilake.core.contract import GovernedTable, sensitive_classes, sensitivity_classes
from trilake.governance.plan_access import Key, Reach, first, reach
from trilake.governance.plan_json import Plan

UNCLASSIFIED = "no class"


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
    names, moved = naming(plan, contract), {change.address: change.verb for change in plan.changes if change.changes}
    known_before = {principal for principal, _, _ in before.by_table}
    found = []
    for key in sorted(before.by_table.keys() | after.by_table.keys()):
        if before.by_table.get(key) != after.by_table.get(key):
            causes = causes_of(key, before, after, moved)
            found.append(effect(key, (before, after), names, causes, is_new=key[0] not in known_before))
    return sorted(found, key=lambda item: (item.persona, item.table))


def causes_of(key: Key, before: Reach, after: Reach, moved: dict[str, str]) -> tuple[str, ...]:
    addresses = sorted(before.because.get(key, set()) | after.because.get(key, set()))
    return tuple(f"{address} is {moved[address]}" for address in addresses if address in moved)


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

"""What one principal may see of one table: rules, and what they add up to.

Pure. Behind every query of a persona.
Example: `Access(frozenset({"SELECT"}), (Rule(frozenset({"id"}), frozenset(), "site = 'a'"),), ("id", "name")).columns`

A rule opens some columns on some rows. Several rules are a union, cell by cell: a row is visible where any rule's rows
include it, a cell where a rule that opens its column does (developer guide, "Data filtering", several filters).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


class Everything:
    """The mark for all columns."""

    def __repr__(self) -> str:
        return "ALL"


ALL: Final = Everything()


@dataclass(frozen=True)
class Rule:
    """Columns (an include list, or all but `excluded`) on the rows that `row_filter` keeps (None: all rows)."""

    names: frozenset[str] | None = None
    excluded: frozenset[str] = frozenset()
    row_filter: str | None = None

    def opens(self, column: str) -> bool:
        return column not in self.excluded if self.names is None else column in self.names


@dataclass(frozen=True)
class Access:
    """One principal and one table; `table_columns` are the table's, in order, lower-case.

    `permissions` are table permissions with ALL taken apart. `is_described`: may know the table's schema.
    """

    permissions: frozenset[str]
    rules: tuple[Rule, ...]
    table_columns: tuple[str, ...]
    is_described: bool = False

    @property
    def can_select(self) -> bool:
        return bool(self.visible)

    @property
    def visible(self) -> tuple[str, ...]:
        """The columns that some rule opens, in table order."""
        return tuple(name for name in self.table_columns if any(rule.opens(name) for rule in self.rules))

    @property
    def columns(self) -> tuple[str, ...] | Everything:
        """The visible columns, or ALL."""
        return ALL if self.rules and self.visible == self.table_columns else self.visible

    @property
    def described(self) -> tuple[str, ...]:
        """The columns whose names and types the principal may know."""
        return self.visible or (self.table_columns if self.is_described else ())

    @property
    def row_filter(self) -> str | None:
        """The rows visible at all, as one expression; None for all rows."""
        return either(rule.row_filter for rule in self.useful)

    @property
    def is_full(self) -> bool:
        """Every column of every row."""
        whole_rows = [rule for rule in self.rules if rule.row_filter is None]
        return bool(whole_rows) and all(any(rule.opens(name) for rule in whole_rows) for name in self.table_columns)

    @property
    def useful(self) -> tuple[Rule, ...]:
        """The rules that open at least one column of the table."""
        return tuple(rule for rule in self.rules if any(rule.opens(name) for name in self.table_columns))

    def cell_filter(self, column: str) -> str | None:
        """Where a visible row's cell of this column is visible; None when it is wherever the row is."""
        opening = [rule.row_filter for rule in self.useful if rule.opens(column)]
        own = either(opening)
        return None if own is None or set(opening) == {rule.row_filter for rule in self.useful} else own


NO_ACCESS: Final = Access(frozenset(), (), ())


def either(filters: object) -> str | None:
    """The OR of row filters, each once; None when one of them keeps all rows."""
    found = list(dict.fromkeys(filters))  # type: ignore[call-overload]
    if None in found:
        return None
    return found[0] if len(found) == 1 else " OR ".join(f"({text})" for text in found)

"""Small counts taken out of a panel's rows, and what they could be worked out from. Pure.

Example: hide_small(rows, panel)  ->  rows with None in place of counts below ten
"""

from collections.abc import Sequence
from typing import Any

from trilake.cohort.attrition import MINIMUM_CELL, is_safe
from trilake.dashboard.page import Panel

Row = dict[str, Any]


def hide_small(rows: Sequence[Row], panel: Panel) -> list[Row]:
    """The rows with counts of people below the minimum cell as None, and with them what follows from such a count.

    In a partition (the groups add up to a number that is shown elsewhere) the hidden groups together are at least one
    cell and at least two groups: the smallest of the others are hidden too until that is so.
    """
    kept = [dict(row) for row in rows]
    for index in hidden_places(rows, panel):
        for name in [*panel.people, *panel.derived]:
            kept[index][name] = None
    return kept


def hidden_places(rows: Sequence[Row], panel: Panel) -> set[int]:
    """Which rows are not shown."""
    hidden = {index for index, row in enumerate(rows) if is_small(row, panel.people)}
    return widen(rows, panel.people[0], hidden) if panel.partition and hidden else hidden


def is_small(row: Row, people: Sequence[str]) -> bool:
    """Whether a count, or the difference of two counts of the row, is between one cell and none."""
    counts = [int(row[name] or 0) for name in people]
    if any(count < MINIMUM_CELL for count in counts):
        return True
    return any(not is_safe(a - b, MINIMUM_CELL) for a in counts for b in counts)


def widen(rows: Sequence[Row], name: str, hidden: set[int]) -> set[int]:
    found = set(hidden)
    others = sorted((int(row[name]), index) for index, row in enumerate(rows) if index not in hidden)
    while others and (len(found) < 2 or total(rows, name, found) < MINIMUM_CELL):
        found.add(others.pop(0)[1])
    return found


def total(rows: Sequence[Row], name: str, places: set[int]) -> int:
    return sum(int(rows[index][name] or 0) for index in places)


def joined(rows: Sequence[Row], panel: Panel, *, group: str) -> list[Row]:
    """A partition by `group` with its hidden groups as one row at the end, which tells no more than the total does.

    Where all groups together are below the minimum cell, nothing is left.
    """
    name, hidden = panel.people[0], hidden_places(rows, panel)
    shown = [dict(row) for index, row in enumerate(rows) if index not in hidden]
    if total(rows, name, hidden) < MINIMUM_CELL:
        return shown
    names = [str(rows[index][group]) for index in sorted(hidden)]
    together = " or ".join(names) if len(names) < 3 else f"{len(names)} others"
    return [*shown, {group: together, name: total(rows, name, hidden)}]

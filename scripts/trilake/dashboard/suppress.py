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
    hidden = {index for index, row in enumerate(kept) if is_small(row, panel.people)}
    if panel.partition and hidden:
        hidden = widen(kept, panel.people[0], hidden)
    for index in hidden:
        for name in [*panel.people, *panel.derived]:
            kept[index][name] = None
    return kept


def is_small(row: Row, people: Sequence[str]) -> bool:
    """Whether a count, or the difference of two counts of the row, is between one cell and none."""
    counts = [int(row[name] or 0) for name in people]
    if any(count < MINIMUM_CELL for count in counts):
        return True
    return any(not is_safe(a - b, MINIMUM_CELL) for a in counts for b in counts)


def widen(rows: Sequence[Row], name: str, hidden: set[int]) -> set[int]:
    found = set(hidden)
    others = sorted((int(row[name]), index) for index, row in enumerate(rows) if index not in hidden)
    while others and (len(found) < 2 or sum(int(rows[index][name] or 0) for index in found) < MINIMUM_CELL):
        found.add(others.pop(0)[1])
    return found

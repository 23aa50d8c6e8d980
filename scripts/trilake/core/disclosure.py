"""Which counts of patients may be shown: the minimum cell, and the numbers that would tell a smaller one.

Two rules for all that leaves the lake (cohorts, report cards, pages; a treating persona's own page is not "leaving"):

- primary: a count below the minimum cell is not shown, nor is zero where a group is named, because "nobody" tells too;
- secondary: neither is a number from which a small one follows by subtraction. So two shown counts of nested groups
  differ by nothing or by a whole cell, and the hidden groups of a partition are at least two and together a cell.

Two answers compared with each other are not covered. The minimum stands in terraform/access_policy.yaml.

Example: hide_small([{"label": "rare", "n": 4}], Counted(["n"]))  ->  [{"label": "rare", "n": None}]
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from trilake.core.errors import InputError
from trilake.core.paths import ACCESS_POLICY

Row = dict[str, Any]
WITHHELD = "withheld"
"""In place of a count that is large enough, but would tell a small one."""


@cache
def minimum_cell(path: Path = ACCESS_POLICY) -> int:
    """The smallest count that may be shown. InputError when the policy says none."""
    content = yaml.safe_load(path.read_text())
    value = content.get("minimum_cell") if isinstance(content, dict) else None
    # bool is an int to Python, and `minimum_cell: true` would show everything; Terraform refuses the same values.
    if not isinstance(value, int) or isinstance(value, bool) or value < 2:
        raise InputError(
            f"{path.name}: minimum_cell is {value!r}, expected a whole number of patients, at least 2",
            next_step=f"mend {path.name}",
        )
    return value


def below() -> str:
    """In place of a count that is too small: `<10`."""
    return f"<{minimum_cell()}"


def is_enough(n: int) -> bool:
    return n >= minimum_cell()


def is_safe(*groups: int) -> bool:
    """Whether each group, or difference of two groups, is empty or at least a cell."""
    return all(n == 0 or is_enough(abs(n)) for n in groups)


def places_shown(counts: Sequence[int]) -> set[int]:
    """Which of the counts of nested groups (each within the one before) may be shown together.

    The last and the first come before those between: they are what a reader asks for.
    """
    shown: set[int] = set()
    for place in [len(counts) - 1, *range(len(counts) - 1)]:
        if is_enough(counts[place]) and is_safe(*(counts[place] - counts[other] for other in shown)):
            shown.add(place)
    return shown


@dataclass(frozen=True)
class Counted:
    """Which columns of rows count people (`people`), and which could be turned back into such a count (`derived`).

    `is_partition`: the rows' groups add up to a number that is shown elsewhere.
    """

    people: Sequence[str]
    derived: Sequence[str] = field(default=())
    is_partition: bool = False


def hide_small(rows: Sequence[Row], counted: Counted) -> list[Row]:
    """The rows with small counts as None, and with them what follows from such a count.

    In a partition the smallest of the other groups are hidden too, until a small one no longer follows.
    """
    released = [dict(row) for row in rows]
    for place in places_hidden(rows, counted):
        for name in [*counted.people, *counted.derived]:
            released[place][name] = None
    return released


def join_small(rows: Sequence[Row], counted: Counted, *, group: str) -> list[Row]:
    """A partition by `group` with its hidden groups as one row at the end, which tells no more than the total does.

    Where all groups together are below the minimum cell, nothing is left.
    """
    name, hidden = counted.people[0], places_hidden(rows, counted)
    shown = [dict(row) for place, row in enumerate(rows) if place not in hidden]
    n_hidden = total(rows, name, hidden)
    if not is_enough(n_hidden):
        return shown
    groups = [str(rows[place][group]) for place in sorted(hidden)]
    return [*shown, {group: " or ".join(groups) if len(groups) < 3 else f"{len(groups)} others", name: n_hidden}]


def places_hidden(rows: Sequence[Row], counted: Counted) -> set[int]:
    """Which rows' counts are not shown."""
    hidden = {place for place, row in enumerate(rows) if has_small_count(row, counted.people)}
    return hide_more(rows, counted.people[0], hidden) if counted.is_partition and hidden else hidden


def has_small_count(row: Row, people: Sequence[str]) -> bool:
    """Whether a count is too small, or the difference of two counts of the row tells a small one."""
    counts = [int(row[name] or 0) for name in people]
    return not all(is_enough(count) for count in counts) or not is_safe(*(a - b for a in counts for b in counts))


def hide_more(rows: Sequence[Row], name: str, hidden: set[int]) -> set[int]:
    """`hidden` with the smallest other groups, until it is two groups and a cell together."""
    wider = set(hidden)
    others = sorted((int(row[name]), place) for place, row in enumerate(rows) if place not in hidden)
    while others and (len(wider) < 2 or not is_enough(total(rows, name, wider))):
        wider.add(others.pop(0)[1])
    return wider


def total(rows: Sequence[Row], name: str, places: set[int]) -> int:
    return sum(int(rows[place][name] or 0) for place in places)

"""How many patients each criterion leaves, and which of those numbers may leave the lake. Pure.

Below the minimum cell size a number is not shown. Neither is one from which a small number follows: two shown counts
differ by nothing or by at least a whole cell, and who could not be assessed is told only where all three groups of the
step (met, not met, not assessable) are empty or large enough. Two cohorts compared with each other are not covered.

Example: releasable(steps)[-1].n  ->  None when fewer than ten are left
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from trilake.cohort.definition import Definition

MINIMUM_CELL = 10
BELOW = f"<{MINIMUM_CELL}"
WITHHELD = "withheld"


@dataclass(frozen=True)
class Step:
    """Patients left after a criterion, and how many of those before it could not be assessed. None: not shown."""

    name: str
    kind: str
    description: str
    n: int | None
    n_not_assessable: int | None = None
    keeps_unknown: bool = False
    why_hidden: str = ""

    @property
    def shown(self) -> int | str:
        return self.why_hidden if self.n is None else self.n

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "kind": self.kind,
            "description": self.description,
            "n": self.n,
            "n_not_assessable": self.n_not_assessable,
            "suppressed": self.why_hidden or None,
        }


def steps_of(definition: Definition, counts: dict[str, int]) -> list[Step]:
    """The true counts, out of the one row that `attrition_sql` gives."""
    steps = [Step("everyone", "start", "Patients that the caller may see", counts["n_0"])]
    for number, criterion in enumerate(definition.criteria, start=1):
        kind = "include" if criterion.include else "exclude"
        steps.append(
            Step(
                criterion.name,
                kind,
                criterion.description,
                counts[f"n_{number}"],
                counts[f"u_{number}"],
                keeps_unknown=criterion.keeps_unknown,
            )
        )
    return steps


def releasable(steps: Sequence[Step], minimum: int = MINIMUM_CELL) -> list[Step]:
    """The steps as they may leave. The last and the first count are shown before those between."""
    true = [step.n or 0 for step in steps]
    shown: set[int] = set()
    for index in [len(steps) - 1, *range(len(steps) - 1)]:
        if true[index] >= minimum and all(is_safe(true[index] - true[other], minimum) for other in shown):
            shown.add(index)
    return [
        replace(
            step,
            n=step.n if index in shown else None,
            n_not_assessable=not_assessable(steps, index, minimum),
            why_hidden="" if index in shown else BELOW if true[index] < minimum else WITHHELD,
        )
        for index, step in enumerate(steps)
    ]


def is_safe(n: int, minimum: int) -> bool:
    return n == 0 or abs(n) >= minimum


def not_assessable(steps: Sequence[Step], index: int, minimum: int) -> int | None:
    step = steps[index]
    if step.n_not_assessable is None:
        return None
    before, after, unknown = steps[index - 1].n or 0, step.n or 0, step.n_not_assessable
    kept = after - unknown if step.keeps_unknown else after
    return unknown if all(is_safe(n, minimum) for n in (unknown, kept, before - kept - unknown)) else None

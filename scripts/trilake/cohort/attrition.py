"""How many patients each criterion leaves, and which of those numbers may leave the lake (`core.disclosure`).

Example: releasable(steps)[-1].n  ->  None when fewer than ten are left
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from trilake.cohort.definition import Definition
from trilake.core.disclosure import WITHHELD, below, is_enough, is_safe, places_shown


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


def releasable(steps: Sequence[Step]) -> list[Step]:
    """The steps as they may leave: None, and why, for a count that is too small or would tell one."""
    true = [step.n or 0 for step in steps]
    shown = places_shown(true)
    return [
        replace(
            step,
            n=step.n if place in shown else None,
            n_not_assessable=not_assessable(step, before=true[place - 1]),
            why_hidden="" if place in shown else WITHHELD if is_enough(true[place]) else below(),
        )
        for place, step in enumerate(steps)
    ]


def not_assessable(step: Step, *, before: int) -> int | None:
    """Patients who could not be assessed, where none of the step's three groups is small: met, not met, unknown."""
    unknown = step.n_not_assessable
    if unknown is None:
        return None
    after = step.n or 0
    met = after - unknown if step.keeps_unknown else after
    return unknown if is_safe(unknown, met, before - met - unknown) else None

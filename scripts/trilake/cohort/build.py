"""A cohort counted, locked and, when asked, extracted, as a persona or as the deployer.

Reads governed tables as the caller; writes extracts. `make cohort`.

Example: build_cohort(session, definition, persona="data_scientist", folder=Path("out")).steps[-1].n
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from trilake.cohort.attrition import Step, releasable, steps_of
from trilake.cohort.compiler import attrition_sql, tables_of
from trilake.cohort.definition import Definition
from trilake.cohort.extract import MANIFEST, Request, claim, extract
from trilake.cohort.lock import Lock, snapshots_of, take_lock
from trilake.cohort.visible import run_as
from trilake.core.disclosure import is_enough, minimum_cell
from trilake.core.errors import DisclosureError, ServiceError
from trilake.core.session import Session
from trilake.core.verb import to_json


@dataclass(frozen=True)
class Cohort:
    """`steps` are true counts; `shown` are those that the caller may take away."""

    definition: Definition
    persona: str | None
    steps: list[Step]
    lock: Lock
    manifest: dict[str, Any] | None = None
    folder: Path | None = None

    @property
    def shown(self) -> list[Step]:
        return self.steps if self.persona is None else releasable(self.steps)

    def as_dict(self) -> dict[str, Any]:
        return {
            "cohort": self.definition.name,
            "persona": self.persona,
            "n": self.shown[-1].n,
            "steps": [step.as_dict() for step in self.shown],
            "minimum_cell": minimum_cell(),
            "for_release": self.persona is not None,
            "lock": self.lock.as_dict(),
            "manifest": self.manifest,
        }


def build_cohort(
    session: Session,
    definition: Definition,
    *,
    persona: str | None = None,
    folder: Path | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> Cohort:
    """The cohort; with `folder` also its extract there. `session` is the deployer's.

    DisclosureError when an extract of fewer patients than the minimum cell is asked for.
    """
    caller = session.as_persona(persona)
    read = sorted({*tables_of(definition), *definition.extract})
    lock = take_lock(session, definition.model_dump(mode="json"), read)
    counts = run_as(caller, attrition_sql(definition), tables_of(definition)).records()[0]
    steps = steps_of(definition, counts)
    cohort = Cohort(definition, persona, steps, lock)
    if folder is None:
        return cohort
    if not is_enough(steps[-1].n or 0):
        raise DisclosureError(
            f"Cohort {definition.name} has fewer than {minimum_cell()} patients: it is counted, not extracted",
            next_step="widen a criterion; `trilake cohort FILE` shows what each one leaves",
        )
    claim(folder)
    say(f"Unloading {len(definition.extract)} tables as {persona or 'the deployer'}")
    found = extract(Request(session, caller, definition, lock), folder)
    hold(session, lock)
    manifest = {
        "cohort": definition.name,
        "created_at": datetime.now(UTC),
        "persona": persona or "deployer",
        "definition": definition.model_dump(mode="json", exclude_none=True),
        "lock": lock.as_dict(),
        "minimum_cell": minimum_cell(),
        "attrition": [step.as_dict() for step in releasable(steps)],
        **found.as_dict(),
    }
    (folder / MANIFEST).write_text(to_json(manifest) + "\n")
    return Cohort(definition, persona, steps, lock, manifest, folder)


def hold(session: Session, lock: Lock) -> None:
    """ServiceError when a table changed since the lock: the files would be of two states."""
    now = snapshots_of(session, list(lock.snapshots))
    if changed := sorted(name for name in now if now[name] != lock.snapshots[name]):
        raise ServiceError(
            f"{', '.join(changed)} changed while the cohort was extracted", next_step="the same command again"
        )

"""`trilake cohort`: count a cohort criterion by criterion, lock what it was made from, and extract it as files.

Example: trilake cohort apoe_e4_carriers --as data_scientist --extract out/
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from trilake.cohort.attrition import Step, releasable, steps_of
from trilake.cohort.compiler import attrition_sql, tables_of
from trilake.cohort.definition import COHORTS, Definition, load_definition
from trilake.cohort.extract import MANIFEST, Request, claim, extract
from trilake.cohort.lock import Lock, snapshots_of, take_lock
from trilake.core.athena import run_governed
from trilake.core.disclosure import is_enough, minimum_cell
from trilake.core.errors import DisclosureError, ServiceError
from trilake.core.session import Session
from trilake.core.text_table import text_table
from trilake.core.verb import Run, on_engine, to_json, verb
from trilake.core.yaml_file import find_file


@click.command()
@click.argument("file")
@click.option("--as", "persona", help="Count and extract under this persona's role; without it, as the deployer.")
@click.option(
    "--extract", "folder", type=click.Path(path_type=Path), help="Write the members' rows there, with a manifest."
)
@verb
@on_engine
def cohort(run: Run, file: str, persona: str | None, folder: Path | None) -> None:
    """Count a cohort criterion by criterion; lock and extract it. FILE may be the name of one in sql/cohort/cohorts.

    Example: trilake cohort all_three_modalities --as data_scientist --extract out/
    """
    definition = load_definition(find_file(file, COHORTS))
    with run.session() as session:
        counted = build_cohort(session, definition, persona=persona, folder=folder, say=run.say)
    run.emit(counted.as_dict(), text=in_words(counted))


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
    counts = run_governed(caller, attrition_sql(definition), tables_of(definition)).records()[0]
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
    extracted = extract(Request(session, caller, definition, lock), folder)
    require_unchanged(session, lock)
    manifest = {
        "cohort": definition.name,
        "created_at": datetime.now(UTC),
        "persona": persona or "deployer",
        "definition": definition.model_dump(mode="json", exclude_none=True),
        "lock": lock.as_dict(),
        "minimum_cell": minimum_cell(),
        "attrition": [step.as_dict() for step in releasable(steps)],
        **extracted.as_dict(),
    }
    (folder / MANIFEST).write_text(to_json(manifest) + "\n")
    return Cohort(definition, persona, steps, lock, manifest, folder)


def require_unchanged(session: Session, lock: Lock) -> None:
    """ServiceError when a table changed since the lock: the files would be of two states."""
    now = snapshots_of(session, list(lock.snapshots))
    if changed := sorted(name for name in now if now[name] != lock.snapshots[name]):
        raise ServiceError(
            f"{', '.join(changed)} changed while the cohort was extracted", next_step="the same command again"
        )


def in_words(cohort: Cohort) -> str:
    rows = [row_of(step) for step in cohort.shown]
    lines = [
        f"{cohort.definition.name}: {cohort.definition.description}",
        "",
        text_table(["step", "kind", "patients", "not assessable", "criterion"], rows),
        "",
    ]
    if cohort.persona is None:
        small = sum(not is_enough(step.n or 0) for step in cohort.steps)
        lines.append(f"True counts, for the deployer's eyes: {small} of them below {minimum_cell()}, not for release.")
    else:
        lines.append(f"As {cohort.persona}; numbers below {minimum_cell()}, or that would tell one, are not shown.")
    lines.append(f"Lock {cohort.lock.in_words}")
    return "\n".join([*lines, *extract_in_words(cohort)])


def row_of(step: Step) -> list[object]:
    unknown: object = step.n_not_assessable
    if step.kind == "start":
        unknown = ""
    elif unknown is None:
        unknown = "not shown"
    return [step.name, step.kind, step.shown, unknown, step.description]


def extract_in_words(cohort: Cohort) -> list[str]:
    if cohort.manifest is None:
        return []
    files = cohort.manifest["files"]
    rows = [
        [file["name"], file["n_rows"], file["n_bytes"], len(file["columns"]), file["sha256"][:12]] for file in files
    ]
    lines = ["", text_table(["file", "rows", "bytes", "columns", "sha256"], rows)]
    if cohort.manifest["not_permitted"]:
        lines.append(f"Not permitted: {', '.join(cohort.manifest['not_permitted'])}")
    return [*lines, "", f"Written to {cohort.folder}, with manifest.json"]

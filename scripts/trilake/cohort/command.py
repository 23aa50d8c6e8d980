"""`trilake cohort`: count a cohort criterion by criterion, lock what it was made from, and extract it as files.

Reads a cohort file and governed tables; writes extracts. `make cohort`.

Example: trilake cohort sql/cohort/cohorts/apoe_e4_carriers.yaml --as data_scientist --extract out/
"""

from pathlib import Path

import click

from trilake.cohort.attrition import Step
from trilake.cohort.build import Cohort, build_cohort
from trilake.cohort.definition import load_definition
from trilake.cohort.yaml_file import find_file
from trilake.core.disclosure import is_enough, minimum_cell
from trilake.core.paths import SQL
from trilake.core.text_table import text_table
from trilake.core.verb import Run, on_engine, verb

COHORTS = SQL / "cohort" / "cohorts"


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
        found = build_cohort(session, definition, persona=persona, folder=folder, say=run.say)
    run.emit(found.as_dict(), text=in_words(found))


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

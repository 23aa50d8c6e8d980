"""Why a persona sees a column or not, and which personas could see a patient's rows.

Example: trilake explain --as radiologist --column genomic.variant.calls
"""

import json
import re
from collections.abc import Iterable
from typing import Any

import click

from trilake.core import athena
from trilake.core.contract import Column, GovernedTable, load_contract, sensitivity_classes
from trilake.core.errors import InputError
from trilake.core.session import Session
from trilake.core.verb import Run, on_engine, verb
from trilake.governance.policy import AccessTable, Persona, load_access, load_policy, row_key_names

FHIR_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
"""FHIR R4, datatype id."""


@click.command()
@verb
@on_engine
@click.option("--as", "persona", help="Persona, as in the access policy.")
@click.option("--column", help="Governed column: room.table.column.")
@click.option("--patient", help="patient_id: which personas could see the patient's rows, in which tables.")
def explain(run: Run, persona: str | None, column: str | None, patient: str | None) -> None:
    """Why a persona sees a column or not; or who could see a patient.

    Example: trilake explain --as radiologist --column genomic.variant.calls
    """
    if (column is None) == (patient is None) or (column is not None and persona is None):
        raise click.UsageError("Give --as PERSONA --column room.table.column, or --patient ID (with or without --as).")
    if column is not None:
        result = explain_column(persona or "", column)
        run.emit(result, text="\n".join([result["reason"], *result["others"]]))
        return
    with run.session() as session:
        result = explain_patient(session, patient or "", only=persona)
    run.emit(result, text=patient_in_words(result))


def explain_column(persona_name: str, path: str) -> dict[str, Any]:
    """Whether a persona sees a column, and the class and policy line that decide. InputError for unknown names."""
    table, column = find_column(path, load_contract())
    persona = find_persona(persona_name)
    access = load_access()
    seen = access[persona_name].get(table.path)
    visible = seen is not None and column.name in seen.columns
    return {
        "persona": persona_name,
        "column": path,
        "class": column.sensitivity,
        "visible": visible,
        "rows": seen.rows if seen is not None and visible else None,
        "line": next((grant.line for grant in persona.grants if grant.matches(table)), None),
        "reason": ("Yes. " if visible else "No. ") + reason(persona, table, column, visible=visible),
        "others": others_in_words(access, table, column),
    }


def find_column(path: str, contract: dict[str, GovernedTable]) -> tuple[GovernedTable, Column]:
    table_path, _, name = path.rpartition(".")
    if table_path not in contract:
        raise InputError(f"No governed table '{table_path}'. There are: {', '.join(sorted(contract))}")
    table = contract[table_path]
    for column in table.columns:
        if column.name == name:
            return table, column
    raise InputError(f"{table_path} has no column '{name}'. It has: {', '.join(item.name for item in table.columns)}")


def find_persona(name: str) -> Persona:
    policy = load_policy()
    if name not in policy:
        raise InputError(f"No persona '{name}'. There are: {', '.join(policy)}")
    return policy[name]


def reason(persona: Persona, table: GovernedTable, column: Column, *, visible: bool) -> str:
    """The deciding class and policy line, in one or two sentences."""
    what = f"{table.path}.{column.name} has class {column.sensitivity} ({sensitivity_classes()[column.sensitivity]})"
    grants = [grant for grant in persona.grants if grant.matches(table)]
    if not grants:
        return f"{what}, but {persona.name} has no access to {table.path}: {what_it_has(persona)}."
    grant = grants[0]
    says = f"line {grant.line} of access_policy.yaml gives {persona.name} {', '.join(grant.classes)} on {table.path}"
    if not visible:
        return f"{what}, and {says}: {column.sensitivity} is not among them."
    rows = f"rows where {grant.rows}" if grant.rows and table.patient_level else "all rows"
    return f"{what}, and {says}, for {rows}."


def what_it_has(persona: Persona) -> str:
    if not persona.grants:
        return f"it has no grants (access_policy.yaml, line {persona.line})"
    lines = ", ".join(str(grant.line) for grant in persona.grants)
    return f"its grants (access_policy.yaml, lines {lines}) are on other tables"


def others_in_words(access: AccessTable, table: GovernedTable, column: Column) -> list[str]:
    seers = [
        f"{name} ({entry.rows or 'all rows'})"
        for name, tables in access.items()
        if (entry := tables.get(table.path)) and column.name in entry.columns
    ]
    return [f"Who sees it: {', '.join(seers) if seers else 'nobody'}."]


def explain_patient(session: Session, patient: str, *, only: str | None) -> dict[str, Any]:
    """Which personas' row rules let the patient's rows through, per table.

    The rules are evaluated by Athena on the patient's row keys, so that they mean what Lake Formation makes of them.
    InputError for an id that FHIR does not allow, or that no patient has.
    """
    if only is not None:
        find_persona(only)
    # A row filter shows a row only where it is true, so NULL (a patient of no known site) counts as no.
    access = {name: tables for name, tables in load_access().items() if only in (None, name)}
    rules = sorted({entry.rows for tables in access.values() for entry in tables.values() if entry.rows})
    keys = row_key_names()
    record = read_patient(session, patient, [*keys, *(f"coalesce({rule}, false)" for rule in rules)])
    passes = dict(zip(rules, record[len(keys) :], strict=True))
    patient_level = {table.path for table in load_contract().values() if table.patient_level}
    return {
        "patient": patient,
        "row_keys": dict(zip(keys, record, strict=False)),
        "personas": {name: split(tables, patient_level, passes) for name, tables in access.items()},
    }


def read_patient(session: Session, patient: str, expressions: Iterable[str]) -> list[Any]:
    if not FHIR_ID.fullmatch(patient):
        raise InputError(f"{patient!r} is no patient id: expected letters, digits, hyphens and dots, at most 64")
    columns = ", ".join(f"{expression} AS c{number}" for number, expression in enumerate(expressions))
    query = f"SELECT {columns} FROM clinical.patient WHERE patient_id = ?"
    answer = athena.run(session, query, parameters=[f"'{patient}'"])
    if not answer.rows:
        raise InputError(f"No patient '{patient}' in clinical.patient", next_step="make views, if it was just ingested")
    return answer.rows[0]


def split(tables: dict[str, Any], patient_level: set[str], passes: dict[str, bool]) -> dict[str, list[str]]:
    """The persona's patient-level tables: those in which the patient's rows would be seen, and those that hide them."""
    mine = {name: entry.rows for name, entry in tables.items() if name in patient_level}
    seen = [name for name, rule in mine.items() if rule is None or passes[rule]]
    return {"tables": seen, "hidden": [name for name in mine if name not in seen]}


def patient_in_words(result: dict[str, Any]) -> str:
    keys = [f"{name} = {json.dumps(value)}" for name, value in result["row_keys"].items()]
    lines = [f"Patient {result['patient']}: {', '.join(keys)}"]
    for name, tables in result["personas"].items():
        lines.append(f"  {name} could see rows in: {', '.join(tables['tables']) or 'no table'}")
        if tables["hidden"]:
            lines.append(f"    kept out by the row rule: {', '.join(tables['hidden'])}")
    return "\n".join(lines)

"""A cohort definition as one Athena SELECT: attrition counts, or the members' ids. Pure.

Every patient whom the caller may see is assessed by every criterion (true, false, or NULL: not assessable); the
counts and the members come from that one table.

Example: attrition_sql(definition)
"""

from trilake.cohort.definition import Criterion, Definition
from trilake.cohort.evidence import NO_IF_CHARTED, evidence_of
from trilake.core.sql import parse, tables_read

CHART = "SELECT patient_id FROM clinical.encounter UNION SELECT patient_id FROM clinical.condition"


def attrition_sql(definition: Definition) -> str:
    """One row: n_0 patients to begin with; after criterion i n_i left, u_i of those before it not assessable."""
    counts = ["count(*) AS n_0"]
    passed: list[str] = []
    for number, criterion in enumerate(definition.criteria, start=1):
        counts.append(f"count_if({' AND '.join([*passed, f'c_{number} IS NULL'])}) AS u_{number}")
        passed.append(passes(criterion, number))
        counts.append(f"count_if({' AND '.join(passed)}) AS n_{number}")
    return f"{assessed(definition)} SELECT {', '.join(counts)} FROM assessed"


def members_sql(definition: Definition) -> str:
    """One row a member: patient_id."""
    return f"{with_members(definition)} SELECT patient_id FROM member"


def rows_sql(definition: Definition, table: str, columns: list[str]) -> str:
    """The members' rows of a governed table."""
    room, name = table.split(".")
    chosen = ", ".join(f'"{column}"' for column in columns)
    return (
        f'{with_members(definition)} SELECT {chosen} FROM {room}."{name}" '
        "WHERE patient_id IN (SELECT patient_id FROM member)"
    )


def tables_of(definition: Definition) -> list[str]:
    """The governed tables that decide who is a member."""
    return sorted(tables_read(parse(members_sql(definition), source=f"cohort {definition.name}")))


def with_members(definition: Definition) -> str:
    passed = " AND ".join(passes(criterion, number) for number, criterion in enumerate(definition.criteria, start=1))
    return f"{assessed(definition)}, member AS (SELECT patient_id FROM assessed WHERE {passed})"


def passes(criterion: Criterion, number: int) -> str:
    """SQL, never NULL: whether a patient stays."""
    if criterion.include is not None:
        return f"coalesce(c_{number}, FALSE)"
    return f"coalesce(NOT c_{number}, {'TRUE' if criterion.keeps_unknown else 'FALSE'})"


def assessed(definition: Definition) -> str:
    """WITH ... assessed: one row a patient, c_1 ... c_n."""
    parts = ["population AS (SELECT patient_id FROM clinical.patient)"]
    joins, columns = [], ["population.patient_id"]
    needs_chart = False
    for number, criterion in enumerate(definition.criteria, start=1):
        verdicts = []
        for index, evidence in enumerate(evidence_of(criterion.predicate), start=1):
            name = f"e_{number}_{index}"
            parts.append(f"{name} AS ({evidence.sql})")
            joins.append(f"LEFT JOIN {name} ON population.patient_id = {name}.patient_id")
            needs_chart = needs_chart or evidence.when_absent == NO_IF_CHARTED
            verdicts.append(f"CASE WHEN {name}.patient_id IS NULL THEN {evidence.when_absent} ELSE {name}.met END")
        columns.append(f"{' OR '.join(verdicts)} AS c_{number}")
    if needs_chart:
        parts.append(f"chart AS ({CHART})")
        joins.insert(0, "LEFT JOIN chart ON population.patient_id = chart.patient_id")
    parts.append(f"assessed AS (SELECT {', '.join(columns)} FROM population {' '.join(joins)})")
    return "WITH " + ", ".join(parts)

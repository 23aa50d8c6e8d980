"""A cohort definition as one Athena SELECT: attrition counts, the members' ids, or their rows.

Every patient whom the caller may see is assessed by every criterion (true, false, or NULL: not assessable); counts and
members come from that one table. Each predicate is evidence: one row (patient_id, met) a patient who has any, and what
the lack of a row means. Years stand beside dates in the governed tables, and most personas see years only, so a bound
on 1 January compares years (exactly); any other day needs the date column.

Example: attrition_sql(definition)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlglot
from sqlglot import exp

from trilake.cohort.definition import (
    Age,
    Comparison,
    Condition,
    Criterion,
    Definition,
    Medication,
    Observation,
    Predicate,
    Radiomics,
    Study,
    Variant,
    Window,
)
from trilake.core.sql import DIALECT, parse, tables_read

Value = str | bool | int | float | date | Sequence[str] | None
UNKNOWN = "NULL"
NO = "FALSE"
NO_IF_CHARTED = "CASE WHEN chart.patient_id IS NOT NULL THEN FALSE END"
"""A chart that is loaded and does not mention it says no; no chart says nothing."""
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


@dataclass(frozen=True)
class Evidence:
    """`sql` has one row a patient; `when_absent` is the SQL of what no row means."""

    sql: str
    when_absent: str


def evidence_of(predicate: Predicate) -> list[Evidence]:
    """The parts of a predicate, of which one must hold."""
    if predicate.any_of is not None:
        return [evidence for part in predicate.any_of for evidence in evidence_of(part)]
    kind = predicate.kind
    assert kind is not None
    return [BUILDERS[kind](getattr(predicate, kind))]


def in_window(window: Window, *, day: str, year: str) -> str:
    """SQL: whether the event lies in the window; NULL when the record does not say."""
    parts = []
    if window.since is not None:
        parts.append(is_on_or_after(window.since, day, year))
    if window.before is not None:
        parts.append(f"NOT ({is_on_or_after(window.before, day, year)})")
    return " AND ".join(parts) or "TRUE"


def is_on_or_after(bound: date, day: str, year: str) -> str:
    if (bound.month, bound.day) == (1, 1):
        return f"{year} >= {bound.year}"
    exact = f"cast({day} AS date) >= {literal(bound)}"
    return f"CASE WHEN {day} IS NOT NULL THEN {exact} WHEN {year} <> {bound.year} THEN {year} > {bound.year} END"


def compared(comparison: Comparison, column: str) -> str:
    return " AND ".join(f"{column} {operator} {literal(bound)}" for operator, bound in comparison.bounds.items())


def from_records(records: str, *, undated: str) -> str:
    """One row a patient from records (patient_id, is_in, is_so): a hit, else an undecided one, else `undated`."""
    return f"""
        SELECT patient_id,
            CASE WHEN bool_or(is_in AND is_so) THEN TRUE
                WHEN bool_or(is_in IS NULL AND is_so) THEN NULL
                ELSE {undated} END AS met
        FROM ({records}) AS record GROUP BY patient_id
    """


def has_code(table: str, system: str, codes: Sequence[str]) -> str:
    """SQL: whether any coding of a row of clinical.`table` has one of the codes; the row shows its first.

    FHIR gives the order of a concept's codings no meaning, and real charts have any (ICD-10 before SNOMED, NDC before
    RxNorm).
    """
    tests = ["code_system = :system AND code IN (:codes)", f"{ROW_KEYS[table]} IN ({CODINGS[table]})"]
    if table == "medication_request":
        tests.append(f"medication_id IN ({REFERRED_DRUGS})")
    return bind(f"({' OR '.join(tests)})", system=system, codes=codes)


def has_answer(codes: Sequence[str]) -> str:
    """SQL: whether any coding of an observation's value has one of the codes."""
    test = f"(coalesce(value_code IN (:codes), FALSE) OR {ROW_KEYS['observation']} IN ({VALUE_CODINGS}))"
    return bind(test, codes=codes)


ROW_KEYS = {
    "condition": "condition_id",
    "medication_request": "medication_request_id",
    "observation": "observation_id || '/' || cast(component_index AS varchar)",
}
"""What a row is found by in clinical.coding: a component of an observation is a row of its own."""
OBSERVATION_CODINGS = """
    SELECT resource_id || '/' || cast(element_index AS varchar) FROM clinical.coding WHERE resource_type = 'Observation'
"""
CODINGS = {
    "condition": """
        SELECT resource_id FROM clinical.coding
        WHERE resource_type = 'Condition' AND element = 'code' AND code_system = :system AND code IN (:codes)
    """,
    "medication_request": """
        SELECT resource_id FROM clinical.coding
        WHERE resource_type = 'MedicationRequest' AND element = 'medication'
            AND code_system = :system AND code IN (:codes)
    """,
    "observation": f"""
        {OBSERVATION_CODINGS} AND element IN ('code', 'component.code') AND code_system = :system AND code IN (:codes)
    """,
}
VALUE_CODINGS = f"{OBSERVATION_CODINGS} AND element IN ('value', 'component.value') AND code IN (:codes)"
REFERRED_DRUGS = """
    SELECT medication_id FROM clinical.medication
    WHERE medication_id IS NOT NULL AND code_system = :system AND code IN (:codes)
"""
"""Drugs by reference have their codings in a table of their own."""

NO_RECORD_IN_WINDOW = "FALSE"
NOT_MEASURED_IN_WINDOW = "CASE WHEN bool_or(is_in) THEN FALSE END"


def condition(it: Condition) -> Evidence:
    records = f"""
        SELECT patient_id, {in_window(it, day="onset_at", year="onset_year")} AS is_in, TRUE AS is_so
        FROM clinical.condition
        WHERE {has_code("condition", it.system, it.codes)}
            AND coalesce(verification_status, 'not_stated') IN (:verification)
    """
    bound = bind(records, verification=list(it.verification))
    return Evidence(from_records(bound, undated=NO_RECORD_IN_WINDOW), NO_IF_CHARTED)


def medication(it: Medication) -> Evidence:
    records = f"""
        SELECT patient_id, {in_window(it, day="authored_at", year="authored_year")} AS is_in, TRUE AS is_so
        FROM clinical.medication_request
        WHERE {has_code("medication_request", it.system, it.codes)}
            AND status NOT IN ('entered-in-error', 'cancelled', 'draft')
    """
    return Evidence(from_records(records, undated=NO_RECORD_IN_WINDOW), NO_IF_CHARTED)


def observation(it: Observation) -> Evidence:
    if it.value_codes is not None:
        is_so = has_answer(it.value_codes)
        measured = f"(value_code IS NOT NULL OR {is_so})"
    else:
        is_so = compared(it, "value_number")
        measured = bind("value_number IS NOT NULL AND value_unit = :unit", unit=it.unit)
    records = f"""
        SELECT patient_id, {in_window(it, day="effective_at", year="effective_year")} AS is_in, {is_so} AS is_so
        FROM clinical.observation
        WHERE {has_code("observation", it.system, [it.code])}
            AND status IN ('final', 'amended', 'corrected') AND {measured}
    """
    return Evidence(from_records(records, undated=NOT_MEASURED_IN_WINDOW), UNKNOWN)


def age(it: Age) -> Evidence:
    if (it.at.month, it.at.day) == (1, 1):
        years = f"{it.at.year - 1} - birth_year"
    else:
        years = f"date_diff('year', birth_date, {literal(it.at)})"
    bounds = [f"{years} >= {it.at_least}"] if it.at_least is not None else []
    bounds += [f"{years} < {it.below}"] if it.below is not None else []
    return Evidence(f"SELECT patient_id, {' AND '.join(bounds)} AS met FROM clinical.patient", UNKNOWN)


def sex(it: str) -> Evidence:
    known = "CASE WHEN gender IN ('male', 'female', 'other') THEN gender = :sex END"
    return Evidence(bind(f"SELECT patient_id, {known} AS met FROM clinical.patient", sex=it), UNKNOWN)


def sequenced(_: bool) -> Evidence:
    return Evidence("SELECT DISTINCT patient_id, TRUE AS met FROM genomic.dosage WHERE patient_id IS NOT NULL", NO)


def variant(it: Variant) -> Evidence:
    """Not carrying is said only of a sample in which each allele was called; alleles that no sample shows are none.

    A half call that shows enough copies is a carrier, though its full genotype is not known.
    """
    sql = f"""
        SELECT patient_id,
            CASE WHEN bool_or(n_met > 0) THEN TRUE WHEN bool_or(n_called = n_allele) THEN FALSE END AS met
        FROM (
            SELECT dosage.patient_id, dosage.sample_id, dosage.reference_genome, allele_count.n_allele,
                count_if(coalesce(dosage.n_alt, dosage.n_alt_at_least) >= {it.copies}) AS n_met,
                count(dosage.n_alt) AS n_called
            FROM genomic.dosage
            INNER JOIN ({alleles(it)}) AS allele
                ON dosage.reference_genome = allele.reference_genome AND dosage.variant_id = allele.variant_id
            INNER JOIN (
                SELECT reference_genome, count(*) AS n_allele FROM ({alleles(it)}) AS one GROUP BY reference_genome
            ) AS allele_count ON dosage.reference_genome = allele_count.reference_genome
            WHERE dosage.patient_id IS NOT NULL
            GROUP BY dosage.patient_id, dosage.sample_id, dosage.reference_genome, allele_count.n_allele
        ) AS assayed GROUP BY patient_id
    """
    return Evidence(sql, UNKNOWN)


def alleles(it: Variant) -> str:
    """The alleles meant, among those that the caller's samples have a row for."""
    if it.variant_id is not None:
        return bind(f"{ALLELE} WHERE dosage.variant_id = :variant_id", variant_id=it.variant_id)
    if it.rs_id is not None:
        return bind(f"{ALLELE} WHERE dosage.rs_id = :rs_id", rs_id=it.rs_id)
    tests = [bind(IN_GENES, genes=it.genes)] if it.genes else []
    if it.clinical_significance:
        words = [name.lower() for name in it.clinical_significance]
        tests.append(bind(CLASSIFIED, names=it.clinical_significance, words=words))
    return f"{ALLELE} {ANNOTATED} WHERE {' AND '.join(tests)}"


IN_GENES = "any_match(coalesce(annotation.genes, ARRAY[annotation.gene]), one -> one IN (:genes))"
CLASSIFIED = """(
    annotation.clinical_significance IN (:names) OR any_match(annotation.significances, one -> one IN (:words))
)"""
"""As ClinVar writes it, or one of the words that it is made of: Pathogenic/Likely_pathogenic is Pathogenic too."""
ALLELE = "SELECT DISTINCT dosage.reference_genome, dosage.variant_id FROM genomic.dosage"
ANNOTATED = """
    INNER JOIN genomic.annotation
        ON dosage.reference_genome = annotation.reference_genome
        AND dosage.variant_id = annotation.variant_id
    INNER JOIN (
        SELECT reference_genome, max(release) AS release FROM genomic.annotation GROUP BY reference_genome
    ) AS newest ON annotation.reference_genome = newest.reference_genome AND annotation.release = newest.release
"""


def study(it: Study) -> Evidence:
    """No study in the store says no, unless the chart knows of more of that modality than the store holds."""
    strength = ""
    if it.field_strength is not None:
        strength = f"""AND study_instance_uid IN (
            SELECT study_instance_uid FROM imaging.series WHERE field_strength = {literal(it.field_strength)}
        )"""
    sql = f"""
        SELECT patient_id,
            CASE WHEN sum(n_hit) >= {it.at_least} THEN TRUE
                WHEN sum(n_hit) + sum(n_undated) + greatest(sum(n_charted) - sum(n_stored), 0) >= {it.at_least}
                    THEN NULL
                ELSE FALSE END AS met
        FROM (
            SELECT patient_id, count_if(is_in) AS n_hit, count_if(is_in IS NULL) AS n_undated,
                0 AS n_stored, 0 AS n_charted
            FROM (
                SELECT patient_id, {in_window(it, day="study_date", year="study_year")} AS is_in FROM imaging.study
                WHERE patient_id IS NOT NULL AND contains(split(modality, ','), :modality) {strength}
            ) AS dated GROUP BY patient_id
            UNION ALL
            SELECT patient_id, 0, 0, count(*), 0 FROM imaging.study
            WHERE patient_id IS NOT NULL AND contains(split(modality, ','), :modality) GROUP BY patient_id
            UNION ALL
            SELECT patient_id, 0, 0, 0, count(DISTINCT imaging_study_id) FROM clinical.imaging_study
            WHERE modality = :modality GROUP BY patient_id
        ) AS counted GROUP BY patient_id
    """
    return Evidence(bind(sql, modality=it.modality), NO)


def radiomics(it: Radiomics) -> Evidence:
    records = f"""
        SELECT radiomics.patient_id, {in_window(it, day="study.study_date", year="study.study_year")} AS is_in,
            {compared(it, "radiomics.value")} AS is_so
        FROM imaging.radiomics
        INNER JOIN imaging.study ON radiomics.study_instance_uid = study.study_instance_uid
        WHERE radiomics.patient_id IS NOT NULL AND radiomics.feature = :feature AND radiomics.unit = :unit
            AND radiomics.value IS NOT NULL
    """
    bound = bind(records, feature=it.feature, unit=it.unit)
    return Evidence(from_records(bound, undated=NOT_MEASURED_IN_WINDOW), UNKNOWN)


BUILDERS: dict[str, Callable[..., Evidence]] = {
    "condition": condition,
    "medication": medication,
    "observation": observation,
    "age": age,
    "sex": sex,
    "sequenced": sequenced,
    "variant": variant,
    "study": study,
    "radiomics": radiomics,
}


def bind(template: str, **values: Value) -> str:
    """A SELECT of ours with `:name` where a value goes, and the values put in as literals.

    The template is parsed first and the values are put into its tree, so that quotes, comments and keywords in a value
    stay text. KeyError for a placeholder without a value, ValueError for a value without
    a placeholder: both are defects of the caller."""
    tree = sqlglot.parse_one(template, read=DIALECT)
    used = set()
    for place in list(tree.find_all(exp.Placeholder)):
        used.add(place.this)
        put(place, values[place.this])
    if unused := set(values) - used:
        raise ValueError(f"no place for {', '.join(sorted(unused))}")
    return tree.sql(dialect=DIALECT)


def put(place: exp.Placeholder, value: Any) -> None:
    if not isinstance(value, list | tuple):
        place.replace(exp.convert(value))
        return
    parent = place.parent
    if not isinstance(parent, exp.In) or not value:
        raise ValueError(f":{place.this}: a list goes into IN (:name) and is not empty")
    parent.set("expressions", [exp.convert(item) for item in value])


def literal(value: Value) -> str:
    """One value as an SQL literal."""
    return exp.convert(value).sql(dialect=DIALECT)

"""Predicates as SQL: for each patient with evidence one row (patient_id, met), and what the lack of a row means. Pure.

`met` is true, false, or NULL where the evidence does not decide. Years stand beside dates in the governed tables, and
most personas see years only, so a bound on 1 January compares years (exactly); any other day needs the date column.

Example: evidence_of(Predicate(sex="female"))[0].sql
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from trilake.cohort.bind import bind, literal
from trilake.cohort.definition import (
    Age,
    Comparison,
    Condition,
    Medication,
    Observation,
    Predicate,
    Radiomics,
    Study,
    Variant,
    Window,
)

UNKNOWN = "NULL"
NO = "FALSE"
NO_IF_CHARTED = "CASE WHEN chart.patient_id IS NOT NULL THEN FALSE END"
"""A chart that is loaded and does not mention it says no; no chart says nothing."""


@dataclass(frozen=True)
class Evidence:
    """`sql` has one row a patient; `when_absent` is the SQL of what no row means."""

    sql: str
    when_absent: str


def evidence_of(predicate: Predicate) -> list[Evidence]:
    """The parts of a predicate, of which one must hold."""
    if predicate.any_of is not None:
        return [part for one in predicate.any_of for part in evidence_of(one)]
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


NO_RECORD_IN_WINDOW = "FALSE"
NOT_MEASURED_IN_WINDOW = "CASE WHEN bool_or(is_in) THEN FALSE END"


def condition(it: Condition) -> Evidence:
    records = f"""
        SELECT patient_id, {in_window(it, day="onset_at", year="onset_year")} AS is_in, TRUE AS is_so
        FROM clinical.condition
        WHERE code_system = :system AND code IN (:codes)
            AND coalesce(verification_status, 'not_stated') IN (:verification)
    """
    bound = bind(records, system=it.system, codes=it.codes, verification=list(it.verification))
    return Evidence(from_records(bound, undated=NO_RECORD_IN_WINDOW), NO_IF_CHARTED)


def medication(it: Medication) -> Evidence:
    records = f"""
        SELECT patient_id, {in_window(it, day="authored_at", year="authored_year")} AS is_in, TRUE AS is_so
        FROM clinical.medication_request
        WHERE code_system = :system AND code IN (:codes) AND status NOT IN ('entered-in-error', 'cancelled', 'draft')
    """
    bound = bind(records, system=it.system, codes=it.codes)
    return Evidence(from_records(bound, undated=NO_RECORD_IN_WINDOW), NO_IF_CHARTED)


def observation(it: Observation) -> Evidence:
    if it.value_codes is not None:
        is_so, measured = bind("value_code IN (:codes)", codes=it.value_codes), "value_code IS NOT NULL"
    else:
        is_so = compared(it, "value_number")
        measured = bind("value_number IS NOT NULL AND value_unit = :unit", unit=it.unit)
    records = f"""
        SELECT patient_id, {in_window(it, day="effective_at", year="effective_year")} AS is_in, {is_so} AS is_so
        FROM clinical.observation
        WHERE code_system = :system AND code = :code AND status IN ('final', 'amended', 'corrected') AND {measured}
    """
    bound = bind(records, system=it.system, code=it.code)
    return Evidence(from_records(bound, undated=NOT_MEASURED_IN_WINDOW), UNKNOWN)


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

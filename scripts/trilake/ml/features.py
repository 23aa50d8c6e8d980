"""What a model may use of each patient: rows asked of the lake as the persona, then one row a patient.

A feature row says of whom, what, how much, from which year and from which code; the leakage audit judges these. Nothing
from the index year or later leaves Athena.

Example: feature_matrix(read_features(caller, study), labels.index, ["clinical", "genomic"]).values
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from trilake.cohort.compiler import bind, has_answer, has_code
from trilake.core.athena import run_governed
from trilake.core.session import Session
from trilake.core.sql import parse, tables_read
from trilake.ml.study import RecordFeature, Study

COLUMNS = ["patient_id", "modality", "feature", "value", "event_year", "code_system", "code"]
NO_CODE = "cast(NULL AS varchar) AS code_system, cast(NULL AS varchar) AS code"


def frame(caller: Session, text: str) -> pd.DataFrame:
    """A query's rows; AccessError names the tables that the caller may not see."""
    answer = run_governed(caller, text, sorted(tables_read(parse(text))))
    return pd.DataFrame(answer.rows, columns=answer.columns)


def read_features(caller: Session, study: Study) -> pd.DataFrame:
    """Every feature row of the study (COLUMNS), one per patient, feature and year; nothing chosen among years yet."""
    frames = [frame(caller, text)[COLUMNS] for text in feature_queries(study)]
    # Empty frames have no types of their own, and pandas warns when they take part in those of the others.
    rows = pd.concat([part for part in frames if len(part)], ignore_index=True)
    return rows.astype({"value": "float64", "event_year": "Int64"})


def feature_queries(study: Study) -> Iterator[str]:
    """One SELECT of COLUMNS for each kind of feature that the study uses."""
    features, years = study.features, window(study)
    yield demographics(study)
    if features.clinical.measurements:
        parts = [measurement(item.name, item.system, item.code, item.unit) for item in features.clinical.measurements]
        yield " UNION ALL ".join(f"{part} AND {years} GROUP BY patient_id, effective_year" for part in parts)
    if features.clinical.answers:
        answers = [answer(item.name, item.system, item.code, item.value_codes) for item in features.clinical.answers]
        yield " UNION ALL ".join(f"{part} AND {years} GROUP BY patient_id, effective_year" for part in answers)
    if features.clinical.conditions:
        yield " UNION ALL ".join(
            record("condition", "onset_year", item, study) for item in features.clinical.conditions
        )
    if features.clinical.medications:
        yield " UNION ALL ".join(
            record("medication_request", "authored_year", item, study) for item in features.clinical.medications
        )
    if features.genomic is not None:
        yield bind(GERMLINE, names=features.genomic.variants)
    if features.imaging is not None:
        yield imaging(study)


def window(study: Study) -> str:
    return f"effective_year >= {study.first_feature_year} AND effective_year < {study.index_year}"


def demographics(study: Study) -> str:
    """Age and sex are known from birth."""
    age = f"cast({study.index_year - 1} - birth_year AS double)"
    return f"""
        SELECT patient_id, 'clinical' AS modality, 'age' AS feature, {age} AS value, birth_year AS event_year, {NO_CODE}
        FROM clinical.patient WHERE birth_year IS NOT NULL
        UNION ALL
        SELECT patient_id, 'clinical', 'is_male', CASE WHEN gender = 'male' THEN 1.0e0 ELSE 0.0e0 END, birth_year,
            NULL, NULL
        FROM clinical.patient WHERE gender IN ('male', 'female')
    """


def measurement(name: str, system: str, code: str, unit: str) -> str:
    return bind(
        f"""
        SELECT patient_id, 'clinical' AS modality, :name AS feature, avg(value_number) AS value,
            effective_year AS event_year, :system AS code_system, :code AS code
        FROM clinical.observation
        WHERE status IN ('final', 'amended', 'corrected') AND {has_code("observation", system, [code])}
            AND value_unit = :unit AND value_number IS NOT NULL
        """,
        name=name,
        system=system,
        code=code,
        unit=unit,
    )


def answer(name: str, system: str, code: str, value_codes: list[str]) -> str:
    return bind(
        f"""
        SELECT patient_id, 'clinical' AS modality, :name AS feature,
            max(CASE WHEN is_answer THEN 1.0e0 ELSE 0.0e0 END) AS value,
            effective_year AS event_year, :system AS code_system, :code AS code
        FROM (
            SELECT patient_id, effective_year, value_code, {has_answer(value_codes)} AS is_answer
            FROM clinical.observation
            WHERE status IN ('final', 'amended', 'corrected') AND {has_code("observation", system, [code])}
        ) AS answered
        WHERE (value_code IS NOT NULL OR is_answer)
        """,
        name=name,
        system=system,
        code=code,
    )


def record(table: str, year: str, feature: RecordFeature, study: Study) -> str:
    """1 where a record is dated before the index date; 0 for a patient seen before it without such a record."""
    confirmed = "AND verification_status = 'confirmed'" if table == "condition" else "AND status <> 'entered-in-error'"
    return bind(
        f"""
        SELECT patient_id, 'clinical' AS modality, :name AS feature, max(hit) AS value, max(event_year) AS event_year,
            max(code_system) AS code_system, max_by(code, code_system) AS code
        FROM (
            SELECT patient_id, 1.0e0 AS hit, {year} AS event_year, code_system, code FROM clinical.{table}
            WHERE {has_code(table, feature.system, feature.codes)} {confirmed} AND {year} < {study.index_year}
            UNION ALL
            SELECT patient_id, 0.0e0, start_year, NULL, NULL FROM clinical.encounter
            WHERE start_year >= {study.first_feature_year} AND start_year < {study.index_year}
        ) AS known GROUP BY patient_id
        """,
        name=feature.name,
    )


GERMLINE = f"""
    SELECT dosage.patient_id, 'genomic' AS modality, dosage.rs_id AS feature,
        cast(max(dosage.n_alt) AS double) AS value, patient.birth_year AS event_year, {NO_CODE}
    FROM genomic.dosage INNER JOIN clinical.patient ON dosage.patient_id = patient.patient_id
    WHERE dosage.rs_id IN (:names) AND dosage.n_alt IS NOT NULL
    GROUP BY dosage.patient_id, dosage.rs_id, patient.birth_year
"""
"""A germline allele is as old as its carrier, whenever it was sequenced."""


def imaging(study: Study) -> str:
    """Features of a scan count from the day of the scan."""
    assert study.features.imaging is not None
    tests = [
        bind("(radiomics.feature = :feature AND radiomics.unit = :unit)", feature=item.feature, unit=item.unit)
        for item in study.features.imaging.radiomics
    ]
    return bind(
        f"""
        SELECT radiomics.patient_id, 'imaging' AS modality, radiomics.feature, avg(radiomics.value) AS value,
            study.study_year AS event_year, {NO_CODE}
        FROM imaging.radiomics INNER JOIN imaging.study ON radiomics.study_instance_uid = study.study_instance_uid
        WHERE radiomics.patient_id IS NOT NULL AND radiomics.value IS NOT NULL AND ({" OR ".join(tests)})
            AND contains(split(study.modality, ','), :modality)
            AND study.study_year >= {study.first_feature_year} AND study.study_year < {study.index_year}
        GROUP BY radiomics.patient_id, radiomics.feature, study.study_year
        """,
        modality=study.features.imaging.modality,
    )


NOT_MEASURED = "not_measured"


@dataclass(frozen=True)
class Matrix:
    """`values` has a column a feature (NaN: not measured); `columns` names those of each modality."""

    values: pd.DataFrame
    columns: dict[str, list[str]]

    def of(self, modalities: Sequence[str]) -> pd.DataFrame:
        return self.values[[name for modality in modalities for name in self.columns[modality]]]

    @property
    def share_measured(self) -> dict[str, float]:
        """Feature -> share of patients with a value."""
        return {name: float(self.values[name].notna().mean()) for name in self.values if not is_flag(name)}


def is_flag(name: str) -> bool:
    return name.endswith(f":{NOT_MEASURED}")


def latest(rows: pd.DataFrame) -> pd.DataFrame:
    """Of each patient and feature, the row of the latest year."""
    ordered = rows.sort_values(["patient_id", "modality", "feature", "event_year"], kind="stable")
    return ordered.groupby(["patient_id", "modality", "feature"], as_index=False).tail(1)


def feature_matrix(rows: pd.DataFrame, patients: Sequence[str], modalities: Sequence[str]) -> Matrix:
    """One row for each of `patients`. A modality that some have nothing of gets a flag column of its own."""
    newest = latest(rows)
    parts, columns = [], {}
    for modality in modalities:
        part = newest[newest["modality"] == modality]
        wide = part.pivot(index="patient_id", columns="feature", values="value").reindex(patients)
        wide.columns = [f"{modality}:{name}" for name in wide.columns]
        lacks_all = wide.isna().all(axis=1)
        if lacks_all.any() and not lacks_all.all():
            wide[f"{modality}:{NOT_MEASURED}"] = lacks_all.astype(float)
        columns[modality] = list(wide.columns)
        parts.append(wide)
    return Matrix(pd.concat(parts, axis=1).astype(float), columns)

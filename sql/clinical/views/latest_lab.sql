-- The latest number of each laboratory test and vital sign of each patient.
-- One row per patient, code system, code and unit; results that are not final or that carry no number left out.
-- Read by clinicians and their dashboards: who may not see exact times (class QI) cannot tell which value is latest.
WITH ranked AS (
    SELECT
        patient_id,
        category,
        code_system,
        code,
        display,
        value_number,
        value_comparator,
        value_unit,
        interpretation_code,
        effective_at,
        effective_year,
        count(*) OVER (PARTITION BY patient_id, code_system, code, value_unit) AS n_values,
        row_number() OVER (
            PARTITION BY patient_id, code_system, code, value_unit
            ORDER BY effective_at DESC NULLS LAST, effective_year DESC NULLS LAST, observation_id ASC
        ) AS place
    FROM clinical.observation
    WHERE
        patient_id IS NOT NULL
        AND value_number IS NOT NULL
        AND code IS NOT NULL
        AND status IN ('final', 'amended', 'corrected')
)

SELECT
    patient_id,
    category,
    code_system,
    code,
    display,
    value_number,
    value_comparator,
    value_unit,
    interpretation_code,
    effective_at,
    effective_year,
    n_values
FROM ranked
WHERE place = 1

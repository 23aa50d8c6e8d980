-- The latest number of each laboratory test and vital sign of each patient.
-- One row per patient, code system, code and unit; results that are not final or that carry no number left out.
-- Read by clinicians and their dashboards: who may not see exact times (class QI) cannot tell which value is latest.
-- A result with several codings counts for each, so that a filter by any of them finds it (LOINC after a local code).
WITH further_coding AS (
    SELECT
        resource_id AS observation_id,
        element_index AS component_index,
        code_system,
        code,
        max(display) AS display
    FROM clinical.coding
    WHERE
        resource_type = 'Observation'
        AND element IN ('code', 'component.code')
        AND coding_index > 1
        AND code IS NOT NULL
    GROUP BY resource_id, element_index, code_system, code
),

final_result AS (
    SELECT
        observation_id,
        component_index,
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
        effective_year
    FROM clinical.observation
    WHERE
        patient_id IS NOT NULL
        AND value_number IS NOT NULL
        AND status IN ('final', 'amended', 'corrected')
),

coded_result AS (
    SELECT
        observation_id,
        component_index,
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
        effective_year
    FROM final_result
    WHERE code IS NOT NULL
    UNION ALL
    SELECT
        final_result.observation_id,
        final_result.component_index,
        final_result.patient_id,
        final_result.category,
        further_coding.code_system,
        further_coding.code,
        coalesce(further_coding.display, final_result.display) AS display,
        final_result.value_number,
        final_result.value_comparator,
        final_result.value_unit,
        final_result.interpretation_code,
        final_result.effective_at,
        final_result.effective_year
    FROM final_result
    INNER JOIN further_coding
        ON
            final_result.observation_id = further_coding.observation_id
            AND final_result.component_index = further_coding.component_index
    WHERE
        final_result.code_system IS DISTINCT FROM further_coding.code_system
        OR final_result.code IS DISTINCT FROM further_coding.code
),

ranked AS (
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
    FROM coded_result
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

-- Each patient's problems by code: when first seen, how often recorded, whether still active.
-- One row per patient, code system and code; conditions entered in error, refuted or without code left out.
-- Read by clinicians, data scientists, bioinformaticians and dashboards; expanded inline, under the caller's filters.
-- A condition with several codings is in a row for each, so that a filter by any of them finds it: rows are codes, and
-- problems are counted in clinical.condition.
WITH further_coding AS (
    SELECT
        resource_id AS condition_id,
        code_system,
        code,
        max(display) AS display
    FROM clinical.coding
    WHERE resource_type = 'Condition' AND element = 'code' AND coding_index > 1 AND code IS NOT NULL
    GROUP BY resource_id, code_system, code
),

coded_condition AS (
    SELECT
        patient_id,
        code_system,
        code,
        display,
        onset_year,
        recorded_year,
        clinical_status,
        verification_status
    FROM clinical.condition
    UNION ALL
    SELECT
        condition.patient_id,
        further_coding.code_system,
        further_coding.code,
        coalesce(further_coding.display, condition.display) AS display,
        condition.onset_year,
        condition.recorded_year,
        condition.clinical_status,
        condition.verification_status
    FROM clinical.condition
    INNER JOIN further_coding ON condition.condition_id = further_coding.condition_id
    WHERE
        condition.code_system IS DISTINCT FROM further_coding.code_system
        OR condition.code IS DISTINCT FROM further_coding.code
)

SELECT
    patient_id,
    code_system,
    code,
    max_by(display, coalesce(onset_year, 0)) AS display,
    min(onset_year) AS first_onset_year,
    max(onset_year) AS last_onset_year,
    min(recorded_year) AS first_recorded_year,
    count(*) AS n_conditions,
    bool_or(coalesce(clinical_status IN ('active', 'recurrence', 'relapse'), FALSE)) AS is_active
FROM coded_condition
WHERE
    patient_id IS NOT NULL
    AND code IS NOT NULL
    AND coalesce(verification_status, 'confirmed') NOT IN ('entered-in-error', 'refuted')
GROUP BY patient_id, code_system, code

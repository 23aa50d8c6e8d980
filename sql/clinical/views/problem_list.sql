-- Each patient's problems by code: when first seen, how often recorded, whether still active.
-- One row per patient, code system and code; conditions entered in error, refuted or without code left out.
-- Read by clinicians, data scientists, bioinformaticians and dashboards; expanded inline, under the caller's filters.
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
FROM clinical.condition
WHERE
    patient_id IS NOT NULL
    AND code IS NOT NULL
    AND coalesce(verification_status, 'confirmed') NOT IN ('entered-in-error', 'refuted')
GROUP BY patient_id, code_system, code

-- What is known of each patient at a glance: age, conditions, latest encounter, how much of each kind of record.
-- One row per patient.
-- Read by clinicians, data scientists, bioinformaticians and dashboards; expanded inline, under the caller's filters.
WITH condition_count AS (
    SELECT
        patient_id,
        count(*) AS n_conditions,
        count_if(clinical_status = 'active') AS n_active_conditions
    FROM clinical.condition
    GROUP BY patient_id
),

encounter_count AS (
    SELECT
        patient_id,
        count(*) AS n_encounters,
        min(start_year) AS first_encounter_year,
        max(start_year) AS last_encounter_year
    FROM clinical.encounter
    GROUP BY patient_id
),

observation_count AS (
    SELECT
        patient_id,
        count(DISTINCT observation_id) AS n_observations
    FROM clinical.observation
    GROUP BY patient_id
),

medication_count AS (
    SELECT
        patient_id,
        count(*) AS n_medication_requests
    FROM clinical.medication_request
    GROUP BY patient_id
),

procedure_count AS (
    SELECT
        patient_id,
        count(*) AS n_procedures
    FROM clinical."procedure"
    GROUP BY patient_id
),

administration_count AS (
    SELECT
        patient_id,
        count(*) AS n_medication_administrations
    FROM clinical.medication_administration
    GROUP BY patient_id
),

report_count AS (
    SELECT
        patient_id,
        count(*) AS n_diagnostic_reports
    FROM clinical.diagnostic_report
    GROUP BY patient_id
),

immunization_count AS (
    SELECT
        patient_id,
        count_if(status = 'completed') AS n_immunizations
    FROM clinical.immunization
    GROUP BY patient_id
),

allergy_count AS (
    SELECT
        patient_id,
        count_if(coalesce(verification_status, 'confirmed') NOT IN ('entered-in-error', 'refuted')) AS n_allergies
    FROM clinical.allergy_intolerance
    GROUP BY patient_id
)

SELECT
    patient.patient_id,
    patient.birth_year,
    patient.gender,
    patient.is_deceased,
    patient.deceased_year,
    patient.race_text,
    patient.ethnicity_text,
    patient.marital_code,
    coalesce(condition_count.n_conditions, 0) AS n_conditions,
    coalesce(condition_count.n_active_conditions, 0) AS n_active_conditions,
    coalesce(encounter_count.n_encounters, 0) AS n_encounters,
    encounter_count.first_encounter_year,
    encounter_count.last_encounter_year,
    coalesce(observation_count.n_observations, 0) AS n_observations,
    coalesce(medication_count.n_medication_requests, 0) AS n_medication_requests,
    coalesce(procedure_count.n_procedures, 0) AS n_procedures,
    coalesce(administration_count.n_medication_administrations, 0) AS n_medication_administrations,
    coalesce(report_count.n_diagnostic_reports, 0) AS n_diagnostic_reports,
    coalesce(immunization_count.n_immunizations, 0) AS n_immunizations,
    coalesce(allergy_count.n_allergies, 0) AS n_allergies,
    patient.site_id
FROM clinical.patient
LEFT JOIN condition_count ON patient.patient_id = condition_count.patient_id
LEFT JOIN encounter_count ON patient.patient_id = encounter_count.patient_id
LEFT JOIN observation_count ON patient.patient_id = observation_count.patient_id
LEFT JOIN medication_count ON patient.patient_id = medication_count.patient_id
LEFT JOIN procedure_count ON patient.patient_id = procedure_count.patient_id
LEFT JOIN administration_count ON patient.patient_id = administration_count.patient_id
LEFT JOIN report_count ON patient.patient_id = report_count.patient_id
LEFT JOIN immunization_count ON patient.patient_id = immunization_count.patient_id
LEFT JOIN allergy_count ON patient.patient_id = allergy_count.patient_id

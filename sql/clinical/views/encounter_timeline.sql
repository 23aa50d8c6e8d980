-- A patient's encounters in order, each with what was recorded during it and how long after the one before.
-- One row per encounter of a known patient; encounters without a start come last.
-- Read by clinicians and their dashboards: who may not see exact times (class QI) cannot tell the order.
WITH condition_count AS (
    SELECT
        patient_id,
        encounter_id,
        count(*) AS n_conditions
    FROM clinical.condition
    WHERE encounter_id IS NOT NULL
    GROUP BY patient_id, encounter_id
),

observation_count AS (
    SELECT
        patient_id,
        encounter_id,
        count(DISTINCT observation_id) AS n_observations
    FROM clinical.observation
    WHERE encounter_id IS NOT NULL
    GROUP BY patient_id, encounter_id
),

procedure_count AS (
    SELECT
        patient_id,
        encounter_id,
        count(*) AS n_procedures
    FROM clinical."procedure"
    WHERE encounter_id IS NOT NULL
    GROUP BY patient_id, encounter_id
),

medication_count AS (
    SELECT
        patient_id,
        encounter_id,
        count(*) AS n_medication_requests
    FROM clinical.medication_request
    WHERE encounter_id IS NOT NULL
    GROUP BY patient_id, encounter_id
)

SELECT
    encounter.patient_id,
    row_number() OVER (
        PARTITION BY encounter.patient_id
        ORDER BY encounter.started_at ASC NULLS LAST, encounter.start_year ASC NULLS LAST, encounter.encounter_id ASC
    ) AS encounter_number,
    encounter.encounter_id,
    encounter.status,
    encounter.class_code,
    encounter.type_code,
    encounter.type_text,
    encounter.reason_code,
    encounter.reason_display,
    encounter.started_at,
    encounter.ended_at,
    encounter.start_year,
    date_diff('minute', encounter.started_at, encounter.ended_at) AS n_minutes,
    date_diff(
        'day',
        lag(encounter.started_at) OVER (
            PARTITION BY encounter.patient_id
            ORDER BY encounter.started_at ASC NULLS LAST, encounter.start_year ASC NULLS LAST, encounter.encounter_id ASC
        ),
        encounter.started_at
    ) AS n_days_since_previous,
    coalesce(condition_count.n_conditions, 0) AS n_conditions,
    coalesce(observation_count.n_observations, 0) AS n_observations,
    coalesce(procedure_count.n_procedures, 0) AS n_procedures,
    coalesce(medication_count.n_medication_requests, 0) AS n_medication_requests
FROM clinical.encounter
LEFT JOIN condition_count
    ON encounter.patient_id = condition_count.patient_id AND encounter.encounter_id = condition_count.encounter_id
LEFT JOIN observation_count
    ON encounter.patient_id = observation_count.patient_id AND encounter.encounter_id = observation_count.encounter_id
LEFT JOIN procedure_count
    ON encounter.patient_id = procedure_count.patient_id AND encounter.encounter_id = procedure_count.encounter_id
LEFT JOIN medication_count
    ON encounter.patient_id = medication_count.patient_id AND encounter.encounter_id = medication_count.encounter_id
WHERE encounter.patient_id IS NOT NULL

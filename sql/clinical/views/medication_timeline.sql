-- A patient's drugs in order of time: what was ordered and what was given, each event once.
-- One row per medication request and per medication administration of a known patient; undated events come last.
-- Read by clinicians and their dashboards: who may not see exact times (class QI) cannot tell the order.
WITH event AS (
    SELECT
        patient_id,
        'request' AS event_type,
        medication_request_id AS event_id,
        medication_request_id,
        encounter_id,
        status,
        code_system,
        code,
        display,
        dose_number,
        dose_unit,
        authored_at AS happened_at,
        authored_year AS event_year
    FROM clinical.medication_request
    UNION ALL
    SELECT
        patient_id,
        'administration' AS event_type,
        medication_administration_id AS event_id,
        medication_request_id,
        encounter_id,
        status,
        code_system,
        code,
        display,
        dose_number,
        dose_unit,
        effective_at AS happened_at,
        effective_year AS event_year
    FROM clinical.medication_administration
)

SELECT
    patient_id,
    row_number() OVER (
        PARTITION BY patient_id
        ORDER BY happened_at ASC NULLS LAST, event_year ASC NULLS LAST, event_type DESC NULLS LAST, event_id ASC
    ) AS event_number,
    event_type,
    event_id,
    medication_request_id,
    encounter_id,
    status,
    code_system,
    code,
    display,
    dose_number,
    dose_unit,
    happened_at,
    event_year,
    date_diff(
        'day',
        lag(happened_at) OVER (
            PARTITION BY patient_id, code_system, code, event_type
            ORDER BY happened_at ASC NULLS LAST, event_year ASC NULLS LAST, event_id ASC
        ),
        happened_at
    ) AS n_days_since_same_drug
FROM event
WHERE patient_id IS NOT NULL

-- Procedures of patients as they are now in the FHIR store.
-- One row per procedure.
-- Read by cohort, ml and dashboard; personas see it through their filters.
WITH current_procedure AS (
    SELECT
        id AS procedure_id,
        patient_id,
        patient_link,
        regexp_extract(encounter.reference, '(?:(?:^|/)Encounter/|^urn:uuid:)([^/?#|]+)(?:/_history/.*)?$', 1) AS encounter_id,
        status,
        element_at(category.coding, 1).code AS category,
        element_at(code.coding, 1) AS coding,
        code.text AS code_text,
        element_at(element_at(bodysite, 1).coding, 1).code AS body_site_code,
        element_at(outcome.coding, 1).code AS outcome_code,
        element_at(element_at(reasoncode, 1).coding, 1).code AS reason_code,
        regexp_extract(
            element_at(filter(reasonreference, entry -> entry.reference IS NOT NULL), 1).reference,
            '(?:(?:^|/)Condition/|^urn:uuid:)([^/?#|]+)(?:/_history/.*)?$',
            1
        ) AS reason_condition_id,
        coalesce(performeddatetime, performedperiod.start) AS performed,
        performedperiod."end" AS performed_end,
        performedstring AS performed_words
    FROM patient_fhir."procedure"
)

SELECT
    current_procedure.procedure_id,
    current_procedure.patient_id,
    current_procedure.patient_link,
    current_procedure.encounter_id,
    current_procedure.status,
    current_procedure.category,
    current_procedure.coding.system AS code_system,
    current_procedure.coding.code,
    coalesce(current_procedure.coding.display, current_procedure.code_text) AS display,
    current_procedure.code_text,
    current_procedure.body_site_code,
    current_procedure.outcome_code,
    current_procedure.reason_code,
    current_procedure.reason_condition_id,
    CASE
        WHEN length(current_procedure.performed) > 10
            THEN cast(try(from_iso8601_timestamp(current_procedure.performed)) AT TIME ZONE 'UTC' AS timestamp(6))
        WHEN length(current_procedure.performed) = 10
            THEN cast(try_cast(current_procedure.performed AS date) AS timestamp(6))
    END AS performed_at,
    current_procedure.performed AS performed_text,
    CASE
        WHEN length(current_procedure.performed) > 10 THEN 'time'
        WHEN length(current_procedure.performed) = 10 THEN 'day'
        WHEN length(current_procedure.performed) = 7 THEN 'month'
        WHEN length(current_procedure.performed) = 4 THEN 'year'
    END AS performed_precision,
    try_cast(substr(current_procedure.performed, 1, 4) AS integer) AS performed_year,
    CASE
        WHEN length(current_procedure.performed_end) > 10
            THEN cast(try(from_iso8601_timestamp(current_procedure.performed_end)) AT TIME ZONE 'UTC' AS timestamp(6))
        WHEN length(current_procedure.performed_end) = 10
            THEN cast(try_cast(current_procedure.performed_end AS date) AS timestamp(6))
    END AS performed_end_at,
    current_procedure.performed_end AS performed_end_text,
    current_procedure.performed_words
FROM current_procedure

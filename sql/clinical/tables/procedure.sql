-- Procedures of patients as they are now in the FHIR store.
-- One row per procedure.
-- Read by cohort, ml and dashboard; personas see it through their filters.
WITH current_procedure AS (
    SELECT
        id AS procedure_id,
        regexp_extract(subject.reference, '(?:(?:^|/)Patient/|^urn:uuid:)([^/?#|]+)(?:/_history/.*)?$', 1) AS subject_id,
        CASE WHEN subject.reference IS NULL THEN subject.identifier.system END AS subject_system,
        CASE WHEN subject.reference IS NULL THEN subject.identifier.value END AS subject_value,
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
    FROM current_fhir."procedure"
),

identified AS (
    SELECT
        system,
        value,
        min(patient_id) AS patient_id
    FROM clinical.patient_identifier
    GROUP BY system, value
    HAVING min(patient_id) = max(patient_id)
)

SELECT
    current_procedure.procedure_id,
    coalesce(current_procedure.subject_id, identified.patient_id) AS patient_id,
    CASE
        WHEN current_procedure.subject_id IS NOT NULL THEN 'reference'
        WHEN identified.patient_id IS NOT NULL THEN 'identifier'
        WHEN current_procedure.subject_value IS NOT NULL THEN 'unmatched'
        ELSE 'none'
    END AS patient_link,
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
    current_procedure.performed_words,
    patient.site_id,
    coalesce(patient.consent_research, FALSE) AS consent_research,
    coalesce(patient.consent_genomic, FALSE) AS consent_genomic,
    coalesce(patient.consent_imaging, FALSE) AS consent_imaging
FROM current_procedure
LEFT JOIN identified
    ON current_procedure.subject_system = identified.system AND current_procedure.subject_value = identified.value
LEFT JOIN clinical.patient ON coalesce(current_procedure.subject_id, identified.patient_id) = patient.patient_id

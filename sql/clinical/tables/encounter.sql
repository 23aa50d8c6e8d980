-- Encounters of patients as they are now in the FHIR store.
-- One row per encounter.
-- Read by cohort, ml and dashboard; personas see it through their filters.
WITH current_encounter AS (
    SELECT
        id AS encounter_id,
        patient_id,
        patient_link,
        status,
        class AS class_coding,
        element_at(element_at(type, 1).coding, 1) AS type_coding,
        element_at(type, 1).text AS type_code_text,
        element_at(element_at(reasoncode, 1).coding, 1) AS reason_coding,
        element_at(reasoncode, 1).text AS reason_code_text,
        period.start AS started,
        period."end" AS ended,
        regexp_extract(serviceprovider.reference, '(?:(?:^|/)Organization/|^urn:uuid:)([^/?#|]+)(?:/_history/.*)?$', 1) AS organization_id,
        regexp_extract(
            element_at(filter(participant, entry -> entry.individual.reference IS NOT NULL), 1).individual.reference,
            '(?:(?:^|/)Practitioner/|^urn:uuid:)([^/?#|]+)(?:/_history/.*)?$',
            1
        ) AS practitioner_id,
        regexp_extract(partof.reference, '(?:(?:^|/)Encounter/|^urn:uuid:)([^/?#|]+)(?:/_history/.*)?$', 1) AS part_of_encounter_id,
        element_at(hospitalization.dischargedisposition.coding, 1).code AS discharge_code
    FROM patient_fhir.encounter
)

SELECT
    current_encounter.encounter_id,
    current_encounter.patient_id,
    current_encounter.patient_link,
    current_encounter.status,
    current_encounter.class_coding.code AS class_code,
    current_encounter.type_coding.system AS type_system,
    current_encounter.type_coding.code AS type_code,
    coalesce(current_encounter.type_coding.display, current_encounter.type_code_text) AS type_text,
    current_encounter.reason_coding.system AS reason_system,
    current_encounter.reason_coding.code AS reason_code,
    coalesce(current_encounter.reason_coding.display, current_encounter.reason_code_text) AS reason_display,
    CASE
        WHEN length(current_encounter.started) > 10
            THEN cast(try(from_iso8601_timestamp(current_encounter.started)) AT TIME ZONE 'UTC' AS timestamp(6))
        WHEN length(current_encounter.started) = 10
            THEN cast(try_cast(current_encounter.started AS date) AS timestamp(6))
    END AS started_at,
    current_encounter.started AS started_text,
    CASE
        WHEN length(current_encounter.started) > 10 THEN 'time'
        WHEN length(current_encounter.started) = 10 THEN 'day'
        WHEN length(current_encounter.started) = 7 THEN 'month'
        WHEN length(current_encounter.started) = 4 THEN 'year'
    END AS start_precision,
    try_cast(substr(current_encounter.started, 1, 4) AS integer) AS start_year,
    CASE
        WHEN length(current_encounter.ended) > 10
            THEN cast(try(from_iso8601_timestamp(current_encounter.ended)) AT TIME ZONE 'UTC' AS timestamp(6))
        WHEN length(current_encounter.ended) = 10
            THEN cast(try_cast(current_encounter.ended AS date) AS timestamp(6))
    END AS ended_at,
    current_encounter.ended AS ended_text,
    current_encounter.organization_id,
    current_encounter.practitioner_id,
    current_encounter.part_of_encounter_id,
    current_encounter.discharge_code
FROM current_encounter

-- Conditions of patients, problems and encounter diagnoses alike, as they are now in the FHIR store.
-- One row per condition.
-- Read by cohort, ml and dashboard; personas see it through their filters.
WITH current_condition AS (
    SELECT
        id AS condition_id,
        patient_id,
        patient_link,
        regexp_extract(encounter.reference, '(?:(?:^|/)Encounter/|^urn:uuid:)([^/?#|]+)(?:/_history/.*)?$', 1) AS encounter_id,
        element_at(element_at(category, 1).coding, 1).code AS category,
        element_at(code.coding, 1) AS coding,
        code.text AS code_text,
        element_at(severity.coding, 1).code AS severity_code,
        element_at(element_at(bodysite, 1).coding, 1).code AS body_site_code,
        element_at(clinicalstatus.coding, 1).code AS clinical_status,
        element_at(verificationstatus.coding, 1).code AS verification_status,
        coalesce(onsetdatetime, onsetperiod.start) AS onset,
        onsetage.value AS onset_age,
        coalesce(onsetage.code, onsetage.unit) AS onset_age_unit,
        onsetstring AS onset_words,
        coalesce(abatementdatetime, abatementperiod."end") AS abated,
        abatementage.value AS abated_age,
        abatementstring AS abated_words,
        recordeddate AS recorded
    FROM patient_fhir.condition
)

SELECT
    current_condition.condition_id,
    current_condition.patient_id,
    current_condition.patient_link,
    current_condition.encounter_id,
    current_condition.category,
    current_condition.coding.system AS code_system,
    current_condition.coding.code,
    coalesce(current_condition.coding.display, current_condition.code_text) AS display,
    current_condition.code_text,
    current_condition.severity_code,
    current_condition.body_site_code,
    current_condition.clinical_status,
    current_condition.verification_status,
    CASE
        WHEN length(current_condition.onset) > 10
            THEN cast(try(from_iso8601_timestamp(current_condition.onset)) AT TIME ZONE 'UTC' AS timestamp(6))
        WHEN length(current_condition.onset) = 10
            THEN cast(try_cast(current_condition.onset AS date) AS timestamp(6))
    END AS onset_at,
    current_condition.onset AS onset_text,
    CASE
        WHEN length(current_condition.onset) > 10 THEN 'time'
        WHEN length(current_condition.onset) = 10 THEN 'day'
        WHEN length(current_condition.onset) = 7 THEN 'month'
        WHEN length(current_condition.onset) = 4 THEN 'year'
    END AS onset_precision,
    try_cast(substr(current_condition.onset, 1, 4) AS integer) AS onset_year,
    current_condition.onset_age,
    current_condition.onset_age_unit,
    current_condition.onset_words,
    CASE
        WHEN length(current_condition.abated) > 10
            THEN cast(try(from_iso8601_timestamp(current_condition.abated)) AT TIME ZONE 'UTC' AS timestamp(6))
        WHEN length(current_condition.abated) = 10
            THEN cast(try_cast(current_condition.abated AS date) AS timestamp(6))
    END AS abated_at,
    current_condition.abated AS abated_text,
    try_cast(substr(current_condition.abated, 1, 4) AS integer) AS abated_year,
    current_condition.abated_age,
    current_condition.abated_words,
    CASE
        WHEN length(current_condition.recorded) > 10
            THEN cast(try(from_iso8601_timestamp(current_condition.recorded)) AT TIME ZONE 'UTC' AS timestamp(6))
        WHEN length(current_condition.recorded) = 10
            THEN cast(try_cast(current_condition.recorded AS date) AS timestamp(6))
    END AS recorded_at,
    current_condition.recorded AS recorded_text,
    try_cast(substr(current_condition.recorded, 1, 4) AS integer) AS recorded_year
FROM current_condition

-- Encounters of patients as they are now in the FHIR store.
-- One row per encounter.
-- Read by cohort, ml and dashboard; personas see it through their filters.
WITH encounter_version AS (
    SELECT
        id,
        resourcetype,
        subject,
        status,
        class,
        type,
        period,
        row_number() OVER (
            PARTITION BY id ORDER BY from_iso8601_timestamp(meta.lastupdated) DESC, meta.lastupdated DESC
        ) AS place
    FROM healthlake.encounter
),

current_encounter AS (
    SELECT
        id AS encounter_id,
        regexp_extract(subject.reference, '(?:^|/)Patient/([^/]+)', 1) AS patient_id,
        status,
        class.code AS class_code,
        element_at(element_at(type, 1).coding, 1) AS type_coding,
        period.start AS started,
        period."end" AS ended
    FROM encounter_version
    WHERE place = 1 AND resourcetype IS NOT NULL
)

SELECT
    current_encounter.encounter_id,
    current_encounter.patient_id,
    current_encounter.status,
    current_encounter.class_code,
    current_encounter.type_coding.code AS type_code,
    current_encounter.type_coding.display AS type_text,
    CASE
        WHEN length(current_encounter.started) > 10
            THEN cast(try(from_iso8601_timestamp(current_encounter.started)) AT TIME ZONE 'UTC' AS timestamp(6))
        WHEN length(current_encounter.started) = 10
            THEN cast(try_cast(current_encounter.started AS date) AS timestamp(6))
    END AS started_at,
    CASE
        WHEN length(current_encounter.ended) > 10
            THEN cast(try(from_iso8601_timestamp(current_encounter.ended)) AT TIME ZONE 'UTC' AS timestamp(6))
        WHEN length(current_encounter.ended) = 10
            THEN cast(try_cast(current_encounter.ended AS date) AS timestamp(6))
    END AS ended_at,
    try_cast(substr(current_encounter.started, 1, 4) AS integer) AS start_year,
    patient.site_id,
    coalesce(patient.consent_research, FALSE) AS consent_research,
    coalesce(patient.consent_genomic, FALSE) AS consent_genomic,
    coalesce(patient.consent_imaging, FALSE) AS consent_imaging
FROM current_encounter
LEFT JOIN clinical.patient ON current_encounter.patient_id = patient.patient_id
WHERE current_encounter.patient_id IS NOT NULL

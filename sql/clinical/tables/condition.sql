-- Conditions of patients, problems and encounter diagnoses alike, as they are now in the FHIR store.
-- One row per condition.
-- Read by cohort, ml and dashboard; personas see it through their filters.
WITH condition_version AS (
    SELECT
        id,
        resourcetype,
        subject,
        encounter,
        code,
        clinicalstatus,
        verificationstatus,
        onsetdatetime,
        abatementdatetime,
        recordeddate,
        row_number() OVER (
            PARTITION BY id ORDER BY from_iso8601_timestamp(meta.lastupdated) DESC, meta.lastupdated DESC
        ) AS place
    FROM healthlake.condition
),

current_condition AS (
    SELECT
        id AS condition_id,
        regexp_extract(subject.reference, '(?:^|/)Patient/([^/]+)', 1) AS patient_id,
        regexp_extract(encounter.reference, '(?:^|/)Encounter/([^/]+)', 1) AS encounter_id,
        element_at(code.coding, 1) AS coding,
        code.text AS code_text,
        element_at(clinicalstatus.coding, 1).code AS clinical_status,
        element_at(verificationstatus.coding, 1).code AS verification_status,
        onsetdatetime,
        abatementdatetime,
        recordeddate
    FROM condition_version
    WHERE place = 1 AND resourcetype IS NOT NULL
)

SELECT
    current_condition.condition_id,
    current_condition.patient_id,
    current_condition.encounter_id,
    current_condition.coding.system AS code_system,
    current_condition.coding.code,
    coalesce(current_condition.coding.display, current_condition.code_text) AS display,
    current_condition.clinical_status,
    current_condition.verification_status,
    CASE
        WHEN length(current_condition.onsetdatetime) > 10
            THEN cast(try(from_iso8601_timestamp(current_condition.onsetdatetime)) AT TIME ZONE 'UTC' AS timestamp(6))
        WHEN length(current_condition.onsetdatetime) = 10
            THEN cast(try_cast(current_condition.onsetdatetime AS date) AS timestamp(6))
    END AS onset_at,
    try_cast(substr(current_condition.onsetdatetime, 1, 4) AS integer) AS onset_year,
    CASE
        WHEN length(current_condition.abatementdatetime) > 10
            THEN cast(try(from_iso8601_timestamp(current_condition.abatementdatetime)) AT TIME ZONE 'UTC' AS timestamp(6))
        WHEN length(current_condition.abatementdatetime) = 10
            THEN cast(try_cast(current_condition.abatementdatetime AS date) AS timestamp(6))
    END AS abated_at,
    CASE
        WHEN length(current_condition.recordeddate) > 10
            THEN cast(try(from_iso8601_timestamp(current_condition.recordeddate)) AT TIME ZONE 'UTC' AS timestamp(6))
        WHEN length(current_condition.recordeddate) = 10
            THEN cast(try_cast(current_condition.recordeddate AS date) AS timestamp(6))
    END AS recorded_at,
    patient.site_id,
    coalesce(patient.consent_research, FALSE) AS consent_research,
    coalesce(patient.consent_genomic, FALSE) AS consent_genomic,
    coalesce(patient.consent_imaging, FALSE) AS consent_imaging
FROM current_condition
LEFT JOIN clinical.patient ON current_condition.patient_id = patient.patient_id
WHERE current_condition.patient_id IS NOT NULL

-- Procedures of patients as they are now in the FHIR store.
-- One row per procedure.
-- Read by cohort, ml and dashboard; personas see it through their filters.
WITH procedure_version AS (
    SELECT
        id,
        resourcetype,
        subject,
        encounter,
        status,
        code,
        performeddatetime,
        performedperiod,
        row_number() OVER (
            PARTITION BY id ORDER BY from_iso8601_timestamp(meta.lastupdated) DESC, meta.lastupdated DESC
        ) AS place
    FROM healthlake."procedure"
),

current_procedure AS (
    SELECT
        id AS procedure_id,
        regexp_extract(subject.reference, '(?:^|/)Patient/([^/]+)', 1) AS patient_id,
        regexp_extract(encounter.reference, '(?:^|/)Encounter/([^/]+)', 1) AS encounter_id,
        status,
        element_at(code.coding, 1) AS coding,
        code.text AS code_text,
        coalesce(performeddatetime, performedperiod.start) AS performed
    FROM procedure_version
    WHERE place = 1 AND resourcetype IS NOT NULL
)

SELECT
    current_procedure.procedure_id,
    current_procedure.patient_id,
    current_procedure.encounter_id,
    current_procedure.status,
    current_procedure.coding.system AS code_system,
    current_procedure.coding.code,
    coalesce(current_procedure.coding.display, current_procedure.code_text) AS display,
    CASE
        WHEN length(current_procedure.performed) > 10
            THEN cast(try(from_iso8601_timestamp(current_procedure.performed)) AT TIME ZONE 'UTC' AS timestamp(6))
        WHEN length(current_procedure.performed) = 10
            THEN cast(try_cast(current_procedure.performed AS date) AS timestamp(6))
    END AS performed_at,
    try_cast(substr(current_procedure.performed, 1, 4) AS integer) AS performed_year,
    patient.site_id,
    coalesce(patient.consent_research, FALSE) AS consent_research,
    coalesce(patient.consent_genomic, FALSE) AS consent_genomic,
    coalesce(patient.consent_imaging, FALSE) AS consent_imaging
FROM current_procedure
LEFT JOIN clinical.patient ON current_procedure.patient_id = patient.patient_id
WHERE current_procedure.patient_id IS NOT NULL

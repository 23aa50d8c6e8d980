-- Medication requests (orders and prescriptions) of patients as they are now in the FHIR store.
-- One row per medication request.
-- Read by cohort, ml and dashboard; personas see it through their filters.
WITH medication_request_version AS (
    SELECT
        id,
        resourcetype,
        subject,
        encounter,
        status,
        medicationcodeableconcept,
        authoredon,
        row_number() OVER (
            PARTITION BY id ORDER BY from_iso8601_timestamp(meta.lastupdated) DESC, meta.lastupdated DESC
        ) AS place
    FROM healthlake.medicationrequest
),

current_medication_request AS (
    SELECT
        id AS medication_request_id,
        regexp_extract(subject.reference, '(?:^|/)Patient/([^/]+)', 1) AS patient_id,
        regexp_extract(encounter.reference, '(?:^|/)Encounter/([^/]+)', 1) AS encounter_id,
        status,
        element_at(medicationcodeableconcept.coding, 1) AS coding,
        medicationcodeableconcept.text AS medication_text,
        authoredon
    FROM medication_request_version
    WHERE place = 1 AND resourcetype IS NOT NULL
)

SELECT
    current_medication_request.medication_request_id,
    current_medication_request.patient_id,
    current_medication_request.encounter_id,
    current_medication_request.status,
    current_medication_request.coding.system AS code_system,
    current_medication_request.coding.code,
    coalesce(current_medication_request.coding.display, current_medication_request.medication_text) AS display,
    CASE
        WHEN length(current_medication_request.authoredon) > 10
            THEN cast(try(from_iso8601_timestamp(current_medication_request.authoredon)) AT TIME ZONE 'UTC' AS timestamp(6))
        WHEN length(current_medication_request.authoredon) = 10
            THEN cast(try_cast(current_medication_request.authoredon AS date) AS timestamp(6))
    END AS authored_at,
    try_cast(substr(current_medication_request.authoredon, 1, 4) AS integer) AS authored_year,
    patient.site_id,
    coalesce(patient.consent_research, FALSE) AS consent_research,
    coalesce(patient.consent_genomic, FALSE) AS consent_genomic,
    coalesce(patient.consent_imaging, FALSE) AS consent_imaging
FROM current_medication_request
LEFT JOIN clinical.patient ON current_medication_request.patient_id = patient.patient_id
WHERE current_medication_request.patient_id IS NOT NULL

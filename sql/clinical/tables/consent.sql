-- Consents of patients as they are now in the FHIR store; what they permit is in the row keys (clinical/tables/patient).
-- One row per consent resource.
-- Read by governance reports; personas see it through their filters.
WITH consent_version AS (
    SELECT
        id,
        resourcetype,
        patient,
        status,
        scope,
        datetime,
        row_number() OVER (
            PARTITION BY id ORDER BY from_iso8601_timestamp(meta.lastupdated) DESC, meta.lastupdated DESC
        ) AS place
    FROM healthlake.consent
),

current_consent AS (
    SELECT
        id AS consent_id,
        regexp_extract(patient.reference, '(?:^|/)Patient/([^/]+)', 1) AS patient_id,
        status,
        element_at(scope.coding, 1).code AS scope,
        datetime AS consented
    FROM consent_version
    WHERE place = 1 AND resourcetype IS NOT NULL
)

SELECT
    current_consent.consent_id,
    current_consent.patient_id,
    current_consent.status,
    current_consent.scope,
    CASE
        WHEN length(current_consent.consented) > 10
            THEN cast(try(from_iso8601_timestamp(current_consent.consented)) AT TIME ZONE 'UTC' AS timestamp(6))
        WHEN length(current_consent.consented) = 10
            THEN cast(try_cast(current_consent.consented AS date) AS timestamp(6))
    END AS consented_at,
    patient.site_id,
    coalesce(patient.consent_research, FALSE) AS consent_research,
    coalesce(patient.consent_genomic, FALSE) AS consent_genomic,
    coalesce(patient.consent_imaging, FALSE) AS consent_imaging
FROM current_consent
LEFT JOIN clinical.patient ON current_consent.patient_id = patient.patient_id
WHERE current_consent.patient_id IS NOT NULL

-- Specimens of patients as they are now in the FHIR store: what a sample was taken from, and when.
-- One row per specimen.
-- Read by cohort and by the linkage of samples; personas see it through their filters.
WITH current_specimen AS (
    SELECT
        id AS specimen_id,
        regexp_extract(subject.reference, '(?:(?:^|/)Patient/|^urn:uuid:)([^/?#|]+)(?:/_history/.*)?$', 1) AS subject_id,
        CASE WHEN subject.reference IS NULL THEN subject.identifier.system END AS subject_system,
        CASE WHEN subject.reference IS NULL THEN subject.identifier.value END AS subject_value,
        status,
        element_at(type.coding, 1) AS coding,
        type.text AS type_text,
        accessionidentifier.value AS accession,
        element_at(identifier, 1).value AS identifier,
        coalesce(collection.collecteddatetime, collection.collectedperiod.start) AS collected,
        receivedtime AS received_text
    FROM current_fhir.specimen
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
    current_specimen.specimen_id,
    coalesce(current_specimen.subject_id, identified.patient_id) AS patient_id,
    CASE
        WHEN current_specimen.subject_id IS NOT NULL THEN 'reference'
        WHEN identified.patient_id IS NOT NULL THEN 'identifier'
        WHEN current_specimen.subject_value IS NOT NULL THEN 'unmatched'
        ELSE 'none'
    END AS patient_link,
    current_specimen.status,
    current_specimen.coding.system AS type_system,
    current_specimen.coding.code AS type_code,
    coalesce(current_specimen.coding.display, current_specimen.type_text) AS type_display,
    current_specimen.accession,
    current_specimen.identifier,
    CASE
        WHEN length(current_specimen.collected) > 10
            THEN cast(try(from_iso8601_timestamp(current_specimen.collected)) AT TIME ZONE 'UTC' AS timestamp(6))
        WHEN length(current_specimen.collected) = 10
            THEN cast(try_cast(current_specimen.collected AS date) AS timestamp(6))
    END AS collected_at,
    current_specimen.collected AS collected_text,
    CASE
        WHEN length(current_specimen.collected) > 10 THEN 'time'
        WHEN length(current_specimen.collected) = 10 THEN 'day'
        WHEN length(current_specimen.collected) = 7 THEN 'month'
        WHEN length(current_specimen.collected) = 4 THEN 'year'
    END AS collected_precision,
    try_cast(substr(current_specimen.collected, 1, 4) AS integer) AS collected_year,
    current_specimen.received_text,
    patient.site_id,
    coalesce(patient.consent_research, FALSE) AS consent_research,
    coalesce(patient.consent_genomic, FALSE) AS consent_genomic,
    coalesce(patient.consent_imaging, FALSE) AS consent_imaging
FROM current_specimen
LEFT JOIN identified
    ON current_specimen.subject_system = identified.system AND current_specimen.subject_value = identified.value
LEFT JOIN clinical.patient ON coalesce(current_specimen.subject_id, identified.patient_id) = patient.patient_id

-- Specimens of patients as they are now in the FHIR store: what a sample was taken from, and when.
-- One row per specimen.
-- Read by cohort and by the linkage of samples; personas see it through their filters.
WITH current_specimen AS (
    SELECT
        id AS specimen_id,
        patient_id,
        patient_link,
        status,
        element_at(type.coding, 1) AS coding,
        type.text AS type_text,
        accessionidentifier.value AS accession,
        element_at(identifier, 1).value AS identifier,
        coalesce(collection.collecteddatetime, collection.collectedperiod.start) AS collected,
        receivedtime AS received_text
    FROM patient_fhir.specimen
)

SELECT
    current_specimen.specimen_id,
    current_specimen.patient_id,
    current_specimen.patient_link,
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
    current_specimen.received_text
FROM current_specimen

-- Immunizations of patients as they are now in the FHIR store, given or not given.
-- One row per immunization.
-- Read by cohort, ml and dashboard; personas see it through their filters.
WITH current_immunization AS (
    SELECT
        id AS immunization_id,
        patient_id,
        patient_link,
        regexp_extract(encounter.reference, '(?:(?:^|/)Encounter/|^urn:uuid:)([^/?#|]+)(?:/_history/.*)?$', 1) AS encounter_id,
        status,
        element_at(statusreason.coding, 1).code AS status_reason_code,
        element_at(vaccinecode.coding, 1) AS coding,
        vaccinecode.text AS code_text,
        primarysource AS is_primary_source,
        lotnumber AS lot_number,
        element_at(site.coding, 1).code AS body_site_code,
        element_at(route.coding, 1).code AS route_code,
        dosequantity AS dose_quantity,
        occurrencedatetime AS occurred,
        occurrencestring AS occurred_words
    FROM patient_fhir.immunization
)

SELECT
    current_immunization.immunization_id,
    current_immunization.patient_id,
    current_immunization.patient_link,
    current_immunization.encounter_id,
    current_immunization.status,
    current_immunization.status_reason_code,
    current_immunization.coding.system AS code_system,
    current_immunization.coding.code,
    coalesce(current_immunization.coding.display, current_immunization.code_text) AS display,
    current_immunization.code_text,
    current_immunization.is_primary_source,
    current_immunization.lot_number,
    current_immunization.body_site_code,
    current_immunization.route_code,
    current_immunization.dose_quantity.value AS dose_number,
    coalesce(current_immunization.dose_quantity.code, current_immunization.dose_quantity.unit) AS dose_unit,
    CASE
        WHEN length(current_immunization.occurred) > 10
            THEN cast(try(from_iso8601_timestamp(current_immunization.occurred)) AT TIME ZONE 'UTC' AS timestamp(6))
        WHEN length(current_immunization.occurred) = 10
            THEN cast(try_cast(current_immunization.occurred AS date) AS timestamp(6))
    END AS occurred_at,
    current_immunization.occurred AS occurred_text,
    CASE
        WHEN length(current_immunization.occurred) > 10 THEN 'time'
        WHEN length(current_immunization.occurred) = 10 THEN 'day'
        WHEN length(current_immunization.occurred) = 7 THEN 'month'
        WHEN length(current_immunization.occurred) = 4 THEN 'year'
    END AS occurred_precision,
    try_cast(substr(current_immunization.occurred, 1, 4) AS integer) AS occurred_year,
    current_immunization.occurred_words
FROM current_immunization

-- Medication administrations (what was given, when and how much) as they are now in the FHIR store.
-- One row per medication administration.
-- Read by cohort, ml and dashboard; personas see it through their filters.
WITH current_medication_administration AS (
    SELECT
        id AS medication_administration_id,
        patient_id,
        patient_link,
        regexp_extract(context.reference, '(?:(?:^|/)Encounter/|^urn:uuid:)([^/?#|]+)(?:/_history/.*)?$', 1) AS encounter_id,
        status,
        regexp_extract(request.reference, '(?:(?:^|/)MedicationRequest/|^urn:uuid:)([^/?#|]+)(?:/_history/.*)?$', 1)
            AS medication_request_id,
        element_at(medicationcodeableconcept.coding, 1) AS own_coding,
        medicationcodeableconcept.text AS own_code_text,
        regexp_extract(medicationreference.reference, '(?:(?:^|/)Medication/|^urn:uuid:)([^/?#|]+)(?:/_history/.*)?$', 1) AS medication_id,
        medicationreference.display AS medication_display,
        element_at(
            filter(
                contained,
                entry -> json_extract_scalar(entry, '$.resourceType') = 'Medication'
                AND json_extract_scalar(entry, '$.id') = substr(medicationreference.reference, 2)
            ),
            1
        ) AS held_medication,
        element_at(element_at(reasoncode, 1).coding, 1).code AS reason_code,
        regexp_extract(
            element_at(filter(reasonreference, entry -> entry.reference IS NOT NULL), 1).reference,
            '(?:(?:^|/)Condition/|^urn:uuid:)([^/?#|]+)(?:/_history/.*)?$',
            1
        ) AS reason_condition_id,
        dosage.dose AS dose_quantity,
        dosage.text AS dosage_text,
        element_at(dosage.route.coding, 1).code AS route_code,
        coalesce(effectivedatetime, effectiveperiod.start) AS effective,
        effectiveperiod."end" AS effective_end
    FROM patient_fhir.medicationadministration
),

medication_code AS (
    SELECT
        id,
        element_at(code.coding, 1) AS coding,
        code.text AS code_text
    FROM current_fhir.medication
)

SELECT
    current_medication_administration.medication_administration_id,
    current_medication_administration.patient_id,
    current_medication_administration.patient_link,
    current_medication_administration.encounter_id,
    current_medication_administration.status,
    current_medication_administration.medication_request_id,
    current_medication_administration.medication_id,
    coalesce(
        current_medication_administration.own_coding.system,
        medication_code.coding.system,
        json_extract_scalar(current_medication_administration.held_medication, '$.code.coding[0].system')
    ) AS code_system,
    coalesce(
        current_medication_administration.own_coding.code,
        medication_code.coding.code,
        json_extract_scalar(current_medication_administration.held_medication, '$.code.coding[0].code')
    ) AS code,
    coalesce(
        current_medication_administration.own_coding.display,
        current_medication_administration.own_code_text,
        medication_code.coding.display,
        medication_code.code_text,
        json_extract_scalar(current_medication_administration.held_medication, '$.code.coding[0].display'),
        json_extract_scalar(current_medication_administration.held_medication, '$.code.text'),
        current_medication_administration.medication_display
    ) AS display,
    coalesce(
        current_medication_administration.own_code_text,
        medication_code.code_text,
        json_extract_scalar(current_medication_administration.held_medication, '$.code.text')
    ) AS code_text,
    current_medication_administration.dose_quantity.value AS dose_number,
    coalesce(current_medication_administration.dose_quantity.code, current_medication_administration.dose_quantity.unit) AS dose_unit,
    current_medication_administration.dosage_text,
    current_medication_administration.route_code,
    current_medication_administration.reason_code,
    current_medication_administration.reason_condition_id,
    CASE
        WHEN length(current_medication_administration.effective) > 10
            THEN cast(try(from_iso8601_timestamp(current_medication_administration.effective)) AT TIME ZONE 'UTC' AS timestamp(6))
        WHEN length(current_medication_administration.effective) = 10
            THEN cast(try_cast(current_medication_administration.effective AS date) AS timestamp(6))
    END AS effective_at,
    current_medication_administration.effective AS effective_text,
    CASE
        WHEN length(current_medication_administration.effective) > 10 THEN 'time'
        WHEN length(current_medication_administration.effective) = 10 THEN 'day'
        WHEN length(current_medication_administration.effective) = 7 THEN 'month'
        WHEN length(current_medication_administration.effective) = 4 THEN 'year'
    END AS effective_precision,
    try_cast(substr(current_medication_administration.effective, 1, 4) AS integer) AS effective_year,
    CASE
        WHEN length(current_medication_administration.effective_end) > 10
            THEN cast(try(from_iso8601_timestamp(current_medication_administration.effective_end)) AT TIME ZONE 'UTC' AS timestamp(6))
        WHEN length(current_medication_administration.effective_end) = 10
            THEN cast(try_cast(current_medication_administration.effective_end AS date) AS timestamp(6))
    END AS effective_end_at,
    current_medication_administration.effective_end AS effective_end_text
FROM current_medication_administration
LEFT JOIN medication_code ON current_medication_administration.medication_id = medication_code.id

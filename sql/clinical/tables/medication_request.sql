-- Medication requests (orders and prescriptions) of patients as they are now in the FHIR store.
-- One row per medication request.
-- Read by cohort, ml and dashboard; personas see it through their filters.
WITH current_medication_request AS (
    SELECT
        id AS medication_request_id,
        patient_id,
        patient_link,
        regexp_extract(encounter.reference, '(?:(?:^|/)Encounter/|^urn:uuid:)([^/?#|]+)(?:/_history/.*)?$', 1) AS encounter_id,
        status,
        intent,
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
        regexp_extract(requester.reference, '(?:(?:^|/)Practitioner/|^urn:uuid:)([^/?#|]+)(?:/_history/.*)?$', 1) AS practitioner_id,
        element_at(element_at(dosageinstruction, 1).doseandrate, 1).dosequantity AS dose_quantity,
        element_at(dosageinstruction, 1).text AS dosage_text,
        element_at(dosageinstruction, 1).asneededboolean AS is_as_needed,
        dispenserequest.numberofrepeatsallowed AS n_repeats_allowed,
        authoredon AS authored
    FROM patient_fhir.medicationrequest
),

medication_code AS (
    SELECT
        id,
        element_at(code.coding, 1) AS coding,
        code.text AS code_text
    FROM current_fhir.medication
)

SELECT
    current_medication_request.medication_request_id,
    current_medication_request.patient_id,
    current_medication_request.patient_link,
    current_medication_request.encounter_id,
    current_medication_request.status,
    current_medication_request.intent,
    current_medication_request.medication_id,
    coalesce(
        current_medication_request.own_coding.system,
        medication_code.coding.system,
        json_extract_scalar(current_medication_request.held_medication, '$.code.coding[0].system')
    ) AS code_system,
    coalesce(
        current_medication_request.own_coding.code,
        medication_code.coding.code,
        json_extract_scalar(current_medication_request.held_medication, '$.code.coding[0].code')
    ) AS code,
    coalesce(
        current_medication_request.own_coding.display,
        current_medication_request.own_code_text,
        medication_code.coding.display,
        medication_code.code_text,
        json_extract_scalar(current_medication_request.held_medication, '$.code.coding[0].display'),
        json_extract_scalar(current_medication_request.held_medication, '$.code.text'),
        current_medication_request.medication_display
    ) AS display,
    coalesce(
        current_medication_request.own_code_text,
        medication_code.code_text,
        json_extract_scalar(current_medication_request.held_medication, '$.code.text')
    ) AS code_text,
    current_medication_request.dose_quantity.value AS dose_number,
    coalesce(current_medication_request.dose_quantity.code, current_medication_request.dose_quantity.unit) AS dose_unit,
    current_medication_request.dosage_text,
    current_medication_request.is_as_needed,
    cast(current_medication_request.n_repeats_allowed AS integer) AS n_repeats_allowed,
    current_medication_request.reason_code,
    current_medication_request.reason_condition_id,
    current_medication_request.practitioner_id,
    CASE
        WHEN length(current_medication_request.authored) > 10
            THEN cast(try(from_iso8601_timestamp(current_medication_request.authored)) AT TIME ZONE 'UTC' AS timestamp(6))
        WHEN length(current_medication_request.authored) = 10
            THEN cast(try_cast(current_medication_request.authored AS date) AS timestamp(6))
    END AS authored_at,
    current_medication_request.authored AS authored_text,
    CASE
        WHEN length(current_medication_request.authored) > 10 THEN 'time'
        WHEN length(current_medication_request.authored) = 10 THEN 'day'
        WHEN length(current_medication_request.authored) = 7 THEN 'month'
        WHEN length(current_medication_request.authored) = 4 THEN 'year'
    END AS authored_precision,
    try_cast(substr(current_medication_request.authored, 1, 4) AS integer) AS authored_year
FROM current_medication_request
LEFT JOIN medication_code ON current_medication_request.medication_id = medication_code.id

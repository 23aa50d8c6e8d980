-- Observations of patients (measurements, lab results, findings) as they are now in the FHIR store, with components.
-- One row per observation (component_index 0) and one per component (1 and on), such as a blood pressure's two values.
-- Read by cohort, ml and dashboard; personas see it through their filters.
WITH observation_version AS (
    SELECT
        id,
        resourcetype,
        subject,
        encounter,
        status,
        category,
        code,
        valuequantity,
        valueinteger,
        valuecodeableconcept,
        valuestring,
        effectivedatetime,
        effectiveperiod,
        component,
        row_number() OVER (
            PARTITION BY id ORDER BY from_iso8601_timestamp(meta.lastupdated) DESC, meta.lastupdated DESC
        ) AS place
    FROM healthlake.observation
),

current_observation AS (
    SELECT
        id AS observation_id,
        regexp_extract(subject.reference, '(?:^|/)Patient/([^/]+)', 1) AS patient_id,
        regexp_extract(encounter.reference, '(?:^|/)Encounter/([^/]+)', 1) AS encounter_id,
        status,
        element_at(element_at(category, 1).coding, 1).code AS category,
        code,
        valuequantity,
        valueinteger,
        valuecodeableconcept,
        valuestring,
        coalesce(effectivedatetime, effectiveperiod.start) AS effective,
        component
    FROM observation_version
    WHERE place = 1 AND resourcetype IS NOT NULL
),

observation_value AS (
    SELECT
        current_observation.observation_id,
        current_observation.patient_id,
        current_observation.encounter_id,
        current_observation.status,
        current_observation.category,
        current_observation.effective,
        current_observation.code,
        current_observation.valuequantity,
        current_observation.valueinteger,
        current_observation.valuecodeableconcept,
        current_observation.valuestring,
        position.component_index,
        CASE
            WHEN position.component_index > 0
                THEN element_at(current_observation.component, cast(position.component_index AS integer))
        END AS part
    FROM current_observation
    CROSS JOIN
        unnest(sequence(0, coalesce(cardinality(current_observation.component), 0))) AS position (component_index)
),

coded_value AS (
    SELECT
        observation_id,
        cast(component_index AS integer) AS component_index,
        patient_id,
        encounter_id,
        status,
        category,
        effective,
        CASE
            WHEN component_index = 0 THEN element_at(code.coding, 1).system
            ELSE element_at(part.code.coding, 1).system
        END AS code_system,
        CASE
            WHEN component_index = 0 THEN element_at(code.coding, 1).code
            ELSE element_at(part.code.coding, 1).code
        END AS code,
        CASE
            WHEN component_index = 0 THEN coalesce(element_at(code.coding, 1).display, code.text)
            ELSE coalesce(element_at(part.code.coding, 1).display, part.code.text)
        END AS display,
        CASE
            WHEN component_index = 0 THEN valuequantity.value
            ELSE part.valuequantity.value
        END AS quantity,
        CASE
            WHEN component_index = 0 THEN coalesce(valuequantity.code, valuequantity.unit)
            ELSE coalesce(part.valuequantity.code, part.valuequantity.unit)
        END AS unit,
        CASE
            WHEN component_index = 0 THEN valueinteger
            ELSE part.valueinteger
        END AS whole_number,
        CASE
            WHEN component_index = 0 THEN element_at(valuecodeableconcept.coding, 1).code
            ELSE element_at(part.valuecodeableconcept.coding, 1).code
        END AS value_code,
        CASE
            WHEN component_index = 0
                THEN
                    coalesce(
                        valuestring, valuecodeableconcept.text, element_at(valuecodeableconcept.coding, 1).display
                    )
            ELSE coalesce(
                part.valuestring,
                part.valuecodeableconcept.text,
                element_at(part.valuecodeableconcept.coding, 1).display
            )
        END AS value_text
    FROM observation_value
)

SELECT
    coded_value.observation_id,
    coded_value.component_index,
    coded_value.patient_id,
    coded_value.encounter_id,
    coded_value.status,
    coded_value.category,
    coded_value.code_system,
    coded_value.code,
    coded_value.display,
    coalesce(coded_value.quantity, cast(coded_value.whole_number AS double)) AS value_number,
    coded_value.unit AS value_unit,
    coded_value.value_code,
    coded_value.value_text,
    CASE
        WHEN length(coded_value.effective) > 10
            THEN cast(try(from_iso8601_timestamp(coded_value.effective)) AT TIME ZONE 'UTC' AS timestamp(6))
        WHEN length(coded_value.effective) = 10
            THEN cast(try_cast(coded_value.effective AS date) AS timestamp(6))
    END AS effective_at,
    try_cast(substr(coded_value.effective, 1, 4) AS integer) AS effective_year,
    patient.site_id,
    coalesce(patient.consent_research, FALSE) AS consent_research,
    coalesce(patient.consent_genomic, FALSE) AS consent_genomic,
    coalesce(patient.consent_imaging, FALSE) AS consent_imaging
FROM coded_value
LEFT JOIN clinical.patient ON coded_value.patient_id = patient.patient_id
WHERE coded_value.patient_id IS NOT NULL

-- Observations of patients (measurements, lab results, findings) as they are now in the FHIR store, with components.
-- One row per observation (component_index 0) and one per component (1 and on), such as a blood pressure's two values.
-- Read by cohort, ml and dashboard; personas see it through their filters.
WITH current_observation AS (
    SELECT
        id AS observation_id,
        patient_id,
        patient_link,
        regexp_extract(encounter.reference, '(?:(?:^|/)Encounter/|^urn:uuid:)([^/?#|]+)(?:/_history/.*)?$', 1) AS encounter_id,
        status,
        element_at(element_at(category, 1).coding, 1).code AS category,
        element_at(method.coding, 1).code AS method_code,
        element_at(bodysite.coding, 1).code AS body_site_code,
        coalesce(effectivedatetime, effectiveperiod.start, effectiveinstant) AS effective,
        effectiveperiod."end" AS effective_end,
        issued,
        code,
        valuequantity,
        valueinteger,
        valuecodeableconcept,
        valuestring,
        valueboolean,
        valuedatetime,
        valuetime,
        valueperiod,
        valuerange,
        valueratio,
        valuesampleddata,
        dataabsentreason,
        interpretation,
        referencerange,
        component
    FROM patient_fhir.observation
),

observation_value AS (
    SELECT
        current_observation.observation_id,
        current_observation.patient_id,
        current_observation.patient_link,
        current_observation.encounter_id,
        current_observation.status,
        current_observation.category,
        current_observation.method_code,
        current_observation.body_site_code,
        current_observation.effective,
        current_observation.effective_end,
        current_observation.issued,
        current_observation.code,
        current_observation.valuequantity,
        current_observation.valueinteger,
        current_observation.valuecodeableconcept,
        current_observation.valuestring,
        current_observation.valueboolean,
        current_observation.valuedatetime,
        current_observation.valuetime,
        current_observation.valueperiod,
        current_observation.valuerange,
        current_observation.valueratio,
        current_observation.valuesampleddata,
        current_observation.dataabsentreason,
        current_observation.interpretation,
        current_observation.referencerange,
        cast(position.component_index AS integer) AS component_index,
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
        component_index,
        observation_id,
        patient_id,
        patient_link,
        encounter_id,
        status,
        category,
        method_code,
        body_site_code,
        effective,
        effective_end,
        issued,
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
            WHEN component_index = 0 THEN code.text
            ELSE part.code.text
        END AS code_text,
        CASE
            WHEN component_index = 0 THEN valuequantity.value
            ELSE part.valuequantity.value
        END AS quantity,
        CASE
            WHEN component_index = 0 THEN valuequantity.comparator
            ELSE part.valuequantity.comparator
        END AS comparator,
        CASE
            WHEN component_index = 0 THEN coalesce(valuequantity.code, valuequantity.unit, valuerange.low.code, valuerange.low.unit)
            ELSE coalesce(part.valuequantity.code, part.valuequantity.unit, part.valuerange.low.code, part.valuerange.low.unit)
        END AS unit,
        CASE
            WHEN component_index = 0 THEN coalesce(valuequantity.system, valuerange.low.system)
            ELSE coalesce(part.valuequantity.system, part.valuerange.low.system)
        END AS unit_system,
        CASE
            WHEN component_index = 0 THEN coalesce(valuequantity.unit, valuerange.low.unit)
            ELSE coalesce(part.valuequantity.unit, part.valuerange.low.unit)
        END AS unit_text,
        CASE
            WHEN component_index = 0 THEN valueinteger
            ELSE part.valueinteger
        END AS whole_number,
        CASE
            WHEN component_index = 0 THEN element_at(valuecodeableconcept.coding, 1).system
            ELSE element_at(part.valuecodeableconcept.coding, 1).system
        END AS value_code_system,
        CASE
            WHEN component_index = 0 THEN element_at(valuecodeableconcept.coding, 1).code
            ELSE element_at(part.valuecodeableconcept.coding, 1).code
        END AS value_code,
        CASE
            WHEN
                component_index = 0
                THEN coalesce(valuestring, valuecodeableconcept.text, element_at(valuecodeableconcept.coding, 1).display)
            ELSE coalesce(part.valuestring, part.valuecodeableconcept.text, element_at(part.valuecodeableconcept.coding, 1).display)
        END AS value_text,
        CASE
            WHEN component_index = 0 THEN valueboolean
            ELSE part.valueboolean
        END AS value_boolean,
        CASE
            WHEN component_index = 0 THEN valuedatetime
            ELSE part.valuedatetime
        END AS value_datetime,
        CASE
            WHEN component_index = 0 THEN valuetime
            ELSE part.valuetime
        END AS value_time,
        CASE
            WHEN component_index = 0 THEN valueperiod.start
            ELSE part.valueperiod.start
        END AS value_start,
        CASE
            WHEN component_index = 0 THEN valueperiod."end"
            ELSE part.valueperiod."end"
        END AS value_end,
        CASE
            WHEN component_index = 0 THEN valuerange.low.value
            ELSE part.valuerange.low.value
        END AS value_low,
        CASE
            WHEN component_index = 0 THEN valuerange.high.value
            ELSE part.valuerange.high.value
        END AS value_high,
        CASE
            WHEN component_index = 0 THEN valueratio.numerator.value
            ELSE part.valueratio.numerator.value
        END AS numerator,
        CASE
            WHEN component_index = 0 THEN coalesce(valueratio.numerator.code, valueratio.numerator.unit)
            ELSE coalesce(part.valueratio.numerator.code, part.valueratio.numerator.unit)
        END AS numerator_unit,
        CASE
            WHEN component_index = 0 THEN valueratio.denominator.value
            ELSE part.valueratio.denominator.value
        END AS denominator,
        CASE
            WHEN component_index = 0 THEN coalesce(valueratio.denominator.code, valueratio.denominator.unit)
            ELSE coalesce(part.valueratio.denominator.code, part.valueratio.denominator.unit)
        END AS denominator_unit,
        CASE
            WHEN component_index = 0 THEN valuesampleddata.data
            ELSE part.valuesampleddata.data
        END AS samples,
        CASE
            WHEN component_index = 0 THEN valuesampleddata.origin.value
            ELSE part.valuesampleddata.origin.value
        END AS sample_origin,
        CASE
            WHEN component_index = 0 THEN valuesampleddata.period
            ELSE part.valuesampleddata.period
        END AS sample_period,
        CASE
            WHEN component_index = 0 THEN element_at(dataabsentreason.coding, 1).code
            ELSE element_at(part.dataabsentreason.coding, 1).code
        END AS data_absent_code,
        CASE
            WHEN component_index = 0 THEN element_at(element_at(interpretation, 1).coding, 1).code
            ELSE element_at(element_at(part.interpretation, 1).coding, 1).code
        END AS interpretation_code,
        CASE
            WHEN component_index = 0 THEN element_at(referencerange, 1).low.value
            ELSE element_at(part.referencerange, 1).low.value
        END AS reference_low,
        CASE
            WHEN component_index = 0 THEN element_at(referencerange, 1).high.value
            ELSE element_at(part.referencerange, 1).high.value
        END AS reference_high,
        CASE
            WHEN component_index = 0 THEN element_at(referencerange, 1).text
            ELSE element_at(part.referencerange, 1).text
        END AS reference_text
    FROM observation_value
)

SELECT
    coded_value.observation_id,
    coded_value.component_index,
    coded_value.patient_id,
    coded_value.patient_link,
    coded_value.encounter_id,
    coded_value.status,
    coded_value.category,
    coded_value.code_system,
    coded_value.code,
    coded_value.display,
    coded_value.code_text,
    CASE
        WHEN coded_value.quantity IS NOT NULL OR coded_value.comparator IS NOT NULL THEN 'quantity'
        WHEN coded_value.whole_number IS NOT NULL THEN 'integer'
        WHEN coded_value.value_code IS NOT NULL THEN 'code'
        WHEN coded_value.value_boolean IS NOT NULL THEN 'boolean'
        WHEN coded_value.value_datetime IS NOT NULL THEN 'datetime'
        WHEN coded_value.value_time IS NOT NULL THEN 'time'
        WHEN coalesce(coded_value.value_start, coded_value.value_end) IS NOT NULL THEN 'period'
        WHEN coalesce(coded_value.value_low, coded_value.value_high) IS NOT NULL THEN 'range'
        WHEN coalesce(coded_value.numerator, coded_value.denominator) IS NOT NULL THEN 'ratio'
        WHEN coded_value.samples IS NOT NULL OR coded_value.sample_period IS NOT NULL THEN 'samples'
        WHEN coded_value.value_text IS NOT NULL THEN 'text'
    END AS value_type,
    coalesce(coded_value.quantity, cast(coded_value.whole_number AS double)) AS value_number,
    coded_value.comparator AS value_comparator,
    coded_value.unit AS value_unit,
    coded_value.unit_system AS value_unit_system,
    coded_value.unit_text AS value_unit_text,
    coded_value.value_code_system,
    coded_value.value_code,
    coded_value.value_text,
    coded_value.value_boolean,
    CASE
        WHEN length(coded_value.value_datetime) > 10
            THEN cast(try(from_iso8601_timestamp(coded_value.value_datetime)) AT TIME ZONE 'UTC' AS timestamp(6))
        WHEN length(coded_value.value_datetime) = 10
            THEN cast(try_cast(coded_value.value_datetime AS date) AS timestamp(6))
    END AS value_at,
    coded_value.value_datetime AS value_at_text,
    coded_value.value_time,
    coded_value.value_start AS value_start_text,
    coded_value.value_end AS value_end_text,
    coded_value.value_low,
    coded_value.value_high,
    coded_value.numerator AS value_numerator,
    coded_value.numerator_unit AS value_numerator_unit,
    coded_value.denominator AS value_denominator,
    coded_value.denominator_unit AS value_denominator_unit,
    coded_value.samples AS value_samples,
    coded_value.sample_origin AS value_sample_origin,
    coded_value.sample_period AS value_sample_period,
    coded_value.data_absent_code,
    coded_value.interpretation_code,
    coded_value.reference_low,
    coded_value.reference_high,
    coded_value.reference_text,
    coded_value.method_code,
    coded_value.body_site_code,
    CASE
        WHEN length(coded_value.effective) > 10
            THEN cast(try(from_iso8601_timestamp(coded_value.effective)) AT TIME ZONE 'UTC' AS timestamp(6))
        WHEN length(coded_value.effective) = 10
            THEN cast(try_cast(coded_value.effective AS date) AS timestamp(6))
    END AS effective_at,
    coded_value.effective AS effective_text,
    CASE
        WHEN length(coded_value.effective) > 10 THEN 'time'
        WHEN length(coded_value.effective) = 10 THEN 'day'
        WHEN length(coded_value.effective) = 7 THEN 'month'
        WHEN length(coded_value.effective) = 4 THEN 'year'
    END AS effective_precision,
    try_cast(substr(coded_value.effective, 1, 4) AS integer) AS effective_year,
    CASE
        WHEN length(coded_value.effective_end) > 10
            THEN cast(try(from_iso8601_timestamp(coded_value.effective_end)) AT TIME ZONE 'UTC' AS timestamp(6))
        WHEN length(coded_value.effective_end) = 10
            THEN cast(try_cast(coded_value.effective_end AS date) AS timestamp(6))
    END AS effective_end_at,
    coded_value.effective_end AS effective_end_text,
    CASE
        WHEN length(coded_value.issued) > 10
            THEN cast(try(from_iso8601_timestamp(coded_value.issued)) AT TIME ZONE 'UTC' AS timestamp(6))
        WHEN length(coded_value.issued) = 10
            THEN cast(try_cast(coded_value.issued AS date) AS timestamp(6))
    END AS issued_at,
    coded_value.issued AS issued_text
FROM coded_value

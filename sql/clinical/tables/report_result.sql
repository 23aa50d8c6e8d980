-- Which observations a diagnostic report is made of.
-- One row per diagnostic report and result.
-- Read by cohort, ml and dashboard; personas see it through their filters.
WITH current_report AS (
    SELECT
        id AS diagnostic_report_id,
        patient_id,
        patient_link,
        result
    FROM patient_fhir.diagnosticreport
),

one_result AS (
    SELECT
        current_report.diagnostic_report_id,
        current_report.patient_id,
        current_report.patient_link,
        cast(position.result_index AS integer) AS result_index,
        element_at(current_report.result, cast(position.result_index AS integer)) AS part
    FROM current_report
    CROSS JOIN unnest(sequence(1, cardinality(current_report.result))) AS position (result_index)
    WHERE cardinality(current_report.result) > 0
)

SELECT
    one_result.diagnostic_report_id,
    one_result.result_index,
    one_result.patient_id,
    one_result.patient_link,
    regexp_extract(one_result.part.reference, '(?:(?:^|/)Observation/|^urn:uuid:)([^/?#|]+)(?:/_history/.*)?$', 1) AS observation_id,
    one_result.part.display
FROM one_result

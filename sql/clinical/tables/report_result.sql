-- Which observations a diagnostic report is made of.
-- One row per diagnostic report and result.
-- Read by cohort, ml and dashboard; personas see it through their filters.
WITH current_report AS (
    SELECT
        id AS diagnostic_report_id,
        regexp_extract(subject.reference, '(?:(?:^|/)Patient/|^urn:uuid:)([^/?#|]+)(?:/_history/.*)?$', 1) AS subject_id,
        CASE WHEN subject.reference IS NULL THEN subject.identifier.system END AS subject_system,
        CASE WHEN subject.reference IS NULL THEN subject.identifier.value END AS subject_value,
        result
    FROM current_fhir.diagnosticreport
),

one_result AS (
    SELECT
        current_report.diagnostic_report_id,
        current_report.subject_id,
        current_report.subject_system,
        current_report.subject_value,
        cast(position.result_index AS integer) AS result_index,
        element_at(current_report.result, cast(position.result_index AS integer)) AS part
    FROM current_report
    CROSS JOIN unnest(sequence(1, cardinality(current_report.result))) AS position (result_index)
    WHERE cardinality(current_report.result) > 0
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
    one_result.diagnostic_report_id,
    one_result.result_index,
    coalesce(one_result.subject_id, identified.patient_id) AS patient_id,
    CASE
        WHEN one_result.subject_id IS NOT NULL THEN 'reference'
        WHEN identified.patient_id IS NOT NULL THEN 'identifier'
        WHEN one_result.subject_value IS NOT NULL THEN 'unmatched'
        ELSE 'none'
    END AS patient_link,
    regexp_extract(one_result.part.reference, '(?:(?:^|/)Observation/|^urn:uuid:)([^/?#|]+)(?:/_history/.*)?$', 1) AS observation_id,
    one_result.part.display,
    patient.site_id,
    coalesce(patient.consent_research, FALSE) AS consent_research,
    coalesce(patient.consent_genomic, FALSE) AS consent_genomic,
    coalesce(patient.consent_imaging, FALSE) AS consent_imaging
FROM one_result
LEFT JOIN identified
    ON one_result.subject_system = identified.system AND one_result.subject_value = identified.value
LEFT JOIN clinical.patient ON coalesce(one_result.subject_id, identified.patient_id) = patient.patient_id

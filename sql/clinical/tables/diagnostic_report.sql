-- Diagnostic reports (laboratory panels, imaging reports) as they are now in the FHIR store, inline text decoded.
-- One row per diagnostic report; its results are in clinical.report_result.
-- Read by cohort, ml and dashboard; personas see it through their filters.
WITH current_diagnostic_report AS (
    SELECT
        id AS diagnostic_report_id,
        patient_id,
        patient_link,
        regexp_extract(encounter.reference, '(?:(?:^|/)Encounter/|^urn:uuid:)([^/?#|]+)(?:/_history/.*)?$', 1) AS encounter_id,
        status,
        element_at(element_at(category, 1).coding, 1).code AS category,
        element_at(code.coding, 1) AS coding,
        code.text AS code_text,
        regexp_extract(element_at(imagingstudy, 1).reference, '(?:(?:^|/)ImagingStudy/|^urn:uuid:)([^/?#|]+)(?:/_history/.*)?$', 1)
            AS imaging_study_id,
        coalesce(cardinality(result), 0) AS n_results,
        conclusion,
        element_at(element_at(conclusioncode, 1).coding, 1).code AS conclusion_code,
        element_at(filter(presentedform, entry -> lower(entry.contenttype) LIKE 'text/%' AND entry.data IS NOT NULL), 1) AS text_form,
        coalesce(effectivedatetime, effectiveperiod.start) AS effective,
        issued
    FROM patient_fhir.diagnosticreport
)

SELECT
    current_diagnostic_report.diagnostic_report_id,
    current_diagnostic_report.patient_id,
    current_diagnostic_report.patient_link,
    current_diagnostic_report.encounter_id,
    current_diagnostic_report.status,
    current_diagnostic_report.category,
    current_diagnostic_report.coding.system AS code_system,
    current_diagnostic_report.coding.code,
    coalesce(current_diagnostic_report.coding.display, current_diagnostic_report.code_text) AS display,
    current_diagnostic_report.code_text,
    current_diagnostic_report.imaging_study_id,
    cast(current_diagnostic_report.n_results AS integer) AS n_results,
    current_diagnostic_report.conclusion,
    current_diagnostic_report.conclusion_code,
    from_utf8(try(from_base64(regexp_replace(current_diagnostic_report.text_form.data, '\s', '')))) AS text,
    CASE
        WHEN length(current_diagnostic_report.effective) > 10
            THEN cast(try(from_iso8601_timestamp(current_diagnostic_report.effective)) AT TIME ZONE 'UTC' AS timestamp(6))
        WHEN length(current_diagnostic_report.effective) = 10
            THEN cast(try_cast(current_diagnostic_report.effective AS date) AS timestamp(6))
    END AS effective_at,
    current_diagnostic_report.effective AS effective_text,
    CASE
        WHEN length(current_diagnostic_report.effective) > 10 THEN 'time'
        WHEN length(current_diagnostic_report.effective) = 10 THEN 'day'
        WHEN length(current_diagnostic_report.effective) = 7 THEN 'month'
        WHEN length(current_diagnostic_report.effective) = 4 THEN 'year'
    END AS effective_precision,
    try_cast(substr(current_diagnostic_report.effective, 1, 4) AS integer) AS effective_year,
    CASE
        WHEN length(current_diagnostic_report.issued) > 10
            THEN cast(try(from_iso8601_timestamp(current_diagnostic_report.issued)) AT TIME ZONE 'UTC' AS timestamp(6))
        WHEN length(current_diagnostic_report.issued) = 10
            THEN cast(try_cast(current_diagnostic_report.issued AS date) AS timestamp(6))
    END AS issued_at,
    current_diagnostic_report.issued AS issued_text
FROM current_diagnostic_report

-- What happened to a patient, on one axis: visits, conditions, results, procedures, medicines, reports, specimens, samples,
-- variants that matter, scans.
-- One row per event; precision says how far `at` is to be believed, and is year (or none) where the day is not shown.
-- Read by each persona for its own part: what it may not see of an event is NULL, what it may see nothing of is left out.
-- A sample and its variants have the time of the patient's specimen, where all specimens of the patient have the same one.
WITH charted_study AS (
    SELECT
        imaging_study_id,
        patient_id,
        max(started_at) AS started_at,
        max(started_precision) AS started_precision,
        max(started_year) AS started_year,
        max(modality) AS modality,
        max(description) AS description
    FROM clinical.imaging_study
    GROUP BY imaging_study_id, patient_id
),

specimen_time AS (
    SELECT
        patient_id,
        CASE WHEN count(DISTINCT collected_at) = 1 AND count(*) = count(collected_at) THEN max(collected_at) END AS collected_at,
        CASE WHEN min(collected_year) = max(collected_year) THEN max(collected_year) END AS collected_year
    FROM clinical.specimen
    GROUP BY patient_id
),

event AS (
    SELECT
        patient_id,
        started_at AS at,
        start_precision AS "precision",
        start_year AS year,
        'clinical' AS modality,
        'visit' AS kind,
        type_code AS code,
        type_text AS text,
        cast(NULL AS double) AS value,
        cast(NULL AS varchar) AS unit,
        encounter_id AS source_id
    FROM clinical.encounter
    UNION ALL
    SELECT
        patient_id,
        onset_at AS at,
        onset_precision AS "precision",
        onset_year AS year,
        'clinical' AS modality,
        'condition' AS kind,
        code,
        display AS text,
        cast(NULL AS double) AS value,
        verification_status AS unit,
        condition_id AS source_id
    FROM clinical.condition
    UNION ALL
    SELECT
        patient_id,
        effective_at AS at,
        effective_precision AS "precision",
        effective_year AS year,
        'clinical' AS modality,
        'result' AS kind,
        code,
        display AS text,
        value_number AS value,
        value_unit AS unit,
        observation_id AS source_id
    FROM clinical.observation
    UNION ALL
    SELECT
        patient_id,
        performed_at AS at,
        performed_precision AS "precision",
        performed_year AS year,
        'clinical' AS modality,
        'procedure' AS kind,
        code,
        display AS text,
        cast(NULL AS double) AS value,
        cast(NULL AS varchar) AS unit,
        procedure_id AS source_id
    FROM clinical."procedure"
    UNION ALL
    SELECT
        patient_id,
        authored_at AS at,
        authored_precision AS "precision",
        authored_year AS year,
        'clinical' AS modality,
        'medicine' AS kind,
        code,
        display AS text,
        dose_number AS value,
        dose_unit AS unit,
        medication_request_id AS source_id
    FROM clinical.medication_request
    UNION ALL
    SELECT
        patient_id,
        occurred_at AS at,
        occurred_precision AS "precision",
        occurred_year AS year,
        'clinical' AS modality,
        'immunization' AS kind,
        code,
        display AS text,
        dose_number AS value,
        dose_unit AS unit,
        immunization_id AS source_id
    FROM clinical.immunization
    UNION ALL
    SELECT
        patient_id,
        effective_at AS at,
        effective_precision AS "precision",
        effective_year AS year,
        'clinical' AS modality,
        'report' AS kind,
        code,
        display AS text,
        cast(NULL AS double) AS value,
        cast(NULL AS varchar) AS unit,
        diagnostic_report_id AS source_id
    FROM clinical.diagnostic_report
    UNION ALL
    SELECT
        patient_id,
        collected_at AS at,
        collected_precision AS "precision",
        collected_year AS year,
        'clinical' AS modality,
        'specimen' AS kind,
        type_code AS code,
        type_display AS text,
        cast(NULL AS double) AS value,
        cast(NULL AS varchar) AS unit,
        specimen_id AS source_id
    FROM clinical.specimen
    UNION ALL
    SELECT
        patient_id,
        started_at AS at,
        started_precision AS "precision",
        started_year AS year,
        'clinical' AS modality,
        'charted_scan' AS kind,
        modality AS code,
        description AS text,
        cast(NULL AS double) AS value,
        cast(NULL AS varchar) AS unit,
        imaging_study_id AS source_id
    FROM charted_study
    UNION ALL
    SELECT
        sample.patient_id,
        specimen_time.collected_at AS at,
        'time' AS "precision",
        specimen_time.collected_year AS year,
        'genomic' AS modality,
        'sample' AS kind,
        sample.reference_genome AS code,
        'sequenced sample' AS text,
        cast(NULL AS double) AS value,
        cast(NULL AS varchar) AS unit,
        sample.sample_id AS source_id
    FROM genomic.sample
    LEFT JOIN specimen_time ON sample.patient_id = specimen_time.patient_id
    UNION ALL
    SELECT
        finding.patient_id,
        specimen_time.collected_at AS at,
        'time' AS "precision",
        specimen_time.collected_year AS year,
        'genomic' AS modality,
        'variant' AS kind,
        coalesce(finding.rs_id, finding.variant_id) AS code,
        coalesce(array_join(finding.genes, ', '), finding.gene) || ' ' || finding.significance AS text,
        cast(NULL AS double) AS value,
        finding.zygosity AS unit,
        finding.variant_id AS source_id
    FROM genomic.finding
    LEFT JOIN specimen_time ON finding.patient_id = specimen_time.patient_id
    UNION ALL
    SELECT
        patient_id,
        cast(study_date AS timestamp(6)) AS at,
        'day' AS "precision",
        study_year AS year,
        'imaging' AS modality,
        'scan' AS kind,
        modality AS code,
        study_description AS text,
        cast(n_instances AS double) AS value,
        'images' AS unit,
        study_instance_uid AS source_id
    FROM imaging.study
)

SELECT
    event.patient_id,
    event.at,
    event.year,
    CASE
        WHEN event.at IS NOT NULL THEN event."precision"
        WHEN event.year IS NULL THEN 'none'
        WHEN event."precision" = 'month' THEN 'month'
        ELSE 'year'
    END AS "precision",
    event.modality,
    event.kind,
    event.code,
    event.text,
    event.value,
    event.unit,
    event.source_id
FROM event
INNER JOIN clinical.patient ON event.patient_id = patient.patient_id

-- Imaging studies as the chart knows them, with the DICOM study UID that links them to imaging.study.
-- One row per imaging study and series (series_index from 1; 0 for a study whose series are not recorded).
-- Read by imaging, cohort and dashboard; personas see it through their filters.
WITH current_imaging_study AS (
    SELECT
        id AS imaging_study_id,
        patient_id,
        patient_link,
        regexp_extract(encounter.reference, '(?:(?:^|/)Encounter/|^urn:uuid:)([^/?#|]+)(?:/_history/.*)?$', 1) AS encounter_id,
        status,
        element_at(
            filter(
                identifier,
                entry -> lower(entry.system) = 'urn:dicom:uid'
                OR (lower(entry.system) = 'urn:ietf:rfc:3986' AND regexp_like(entry.value, '^(?i)[\s\x00]*urn:oid:'))
            ),
            1
        ).value AS study_urn,
        element_at(modality, 1).code AS study_modality,
        element_at(element_at(procedurecode, 1).coding, 1).code AS procedure_code,
        description,
        started,
        numberofseries,
        numberofinstances,
        series
    FROM patient_fhir.imagingstudy
),

study_series AS (
    SELECT
        current_imaging_study.imaging_study_id,
        current_imaging_study.patient_id,
        current_imaging_study.patient_link,
        current_imaging_study.encounter_id,
        current_imaging_study.status,
        current_imaging_study.study_urn,
        current_imaging_study.study_modality,
        current_imaging_study.procedure_code,
        current_imaging_study.description,
        current_imaging_study.started,
        current_imaging_study.numberofseries,
        current_imaging_study.numberofinstances,
        cast(position.series_index AS integer) AS series_index,
        CASE
            WHEN position.series_index > 0
                THEN element_at(current_imaging_study.series, cast(position.series_index AS integer))
        END AS part
    FROM current_imaging_study
    CROSS JOIN
        unnest(
            sequence(
                least(coalesce(cardinality(current_imaging_study.series), 0), 1),
                coalesce(cardinality(current_imaging_study.series), 0)
            )
        ) AS position (series_index)
)

SELECT
    study_series.imaging_study_id,
    study_series.series_index,
    study_series.patient_id,
    study_series.patient_link,
    study_series.encounter_id,
    study_series.status,
    regexp_extract(study_series.study_urn, '^(?i)[\s\x00]*(?:urn:oid:)?([0-9.]+)[\s\x00]*$', 1) AS study_instance_uid,
    regexp_extract(study_series.part.uid, '^(?:urn:oid:)?([0-9.]+)$', 1) AS series_instance_uid,
    cast(study_series.part.number AS integer) AS series_number,
    coalesce(study_series.part.modality.code, study_series.study_modality) AS modality,
    study_series.part.bodysite.code AS body_site_code,
    study_series.procedure_code,
    study_series.description,
    study_series.part.description AS series_description,
    CASE
        WHEN length(study_series.started) > 10
            THEN cast(try(from_iso8601_timestamp(study_series.started)) AT TIME ZONE 'UTC' AS timestamp(6))
        WHEN length(study_series.started) = 10
            THEN cast(try_cast(study_series.started AS date) AS timestamp(6))
    END AS started_at,
    study_series.started AS started_text,
    CASE
        WHEN length(study_series.started) > 10 THEN 'time'
        WHEN length(study_series.started) = 10 THEN 'day'
        WHEN length(study_series.started) = 7 THEN 'month'
        WHEN length(study_series.started) = 4 THEN 'year'
    END AS started_precision,
    try_cast(substr(study_series.started, 1, 4) AS integer) AS started_year,
    cast(study_series.numberofseries AS integer) AS n_series,
    cast(study_series.numberofinstances AS integer) AS n_instances,
    cast(coalesce(study_series.part.numberofinstances, cardinality(study_series.part.instance)) AS integer) AS n_series_instances
FROM study_series

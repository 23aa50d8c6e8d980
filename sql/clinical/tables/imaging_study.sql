-- Imaging studies as the chart knows them, with the DICOM study UID that links them to imaging.study.
-- One row per imaging study of the chart.
-- Read by imaging, cohort and dashboard; personas see it through their filters.
WITH imaging_study_version AS (
    SELECT
        id,
        resourcetype,
        subject,
        identifier,
        series,
        description,
        started,
        numberofseries,
        numberofinstances,
        row_number() OVER (
            PARTITION BY id ORDER BY from_iso8601_timestamp(meta.lastupdated) DESC, meta.lastupdated DESC
        ) AS place
    FROM healthlake.imagingstudy
),

current_imaging_study AS (
    SELECT
        id AS imaging_study_id,
        regexp_extract(subject.reference, '(?:^|/)Patient/([^/]+)', 1) AS patient_id,
        element_at(
            filter(
                identifier,
                one -> one.system = 'urn:dicom:uid'
                OR (one.system = 'urn:ietf:rfc:3986' AND starts_with(one.value, 'urn:oid:'))
            ),
            1
        ).value AS study_urn,
        element_at(series, 1).modality.code AS modality,
        description,
        started,
        numberofseries,
        numberofinstances
    FROM imaging_study_version
    WHERE place = 1 AND resourcetype IS NOT NULL
)

SELECT
    current_imaging_study.imaging_study_id,
    current_imaging_study.patient_id,
    regexp_extract(current_imaging_study.study_urn, '^(?:urn:oid:)?([0-9.]+)$', 1) AS study_instance_uid,
    current_imaging_study.modality,
    current_imaging_study.description,
    CASE
        WHEN length(current_imaging_study.started) > 10
            THEN cast(try(from_iso8601_timestamp(current_imaging_study.started)) AT TIME ZONE 'UTC' AS timestamp(6))
        WHEN length(current_imaging_study.started) = 10
            THEN cast(try_cast(current_imaging_study.started AS date) AS timestamp(6))
    END AS started_at,
    cast(current_imaging_study.numberofseries AS integer) AS n_series,
    cast(current_imaging_study.numberofinstances AS integer) AS n_instances,
    patient.site_id,
    coalesce(patient.consent_research, FALSE) AS consent_research,
    coalesce(patient.consent_genomic, FALSE) AS consent_genomic,
    coalesce(patient.consent_imaging, FALSE) AS consent_imaging
FROM current_imaging_study
LEFT JOIN clinical.patient ON current_imaging_study.patient_id = patient.patient_id
WHERE current_imaging_study.patient_id IS NOT NULL

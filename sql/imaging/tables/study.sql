-- DICOM studies in the image store and the patient each belongs to.
-- One row per study.
-- Read by every imaging table; personas see it through their filters.
-- Link, in this order: the chart's ImagingStudy names the study's UID; PatientID is the MRN of exactly one patient.
-- Where both speak they must agree: PatientIDs or charts that lead to different patients link to none of them.
WITH stored_study AS (
    SELECT
        study_instance_uid,
        max(dicom_patient_id) AS dicom_patient_id,
        max(dicom_patient_sex) AS dicom_patient_sex,
        max(accession_number) AS accession_number,
        max(study_date) AS study_date,
        max(study_description) AS study_description,
        array_join(array_sort(array_distinct(array_agg(modality) FILTER (WHERE modality IS NOT NULL))), ',') AS modality,
        cast(count(DISTINCT series_instance_uid) AS integer) AS n_series,
        cast(sum(n_instances) AS integer) AS n_instances
    FROM imaging_store.series
    GROUP BY study_instance_uid
),

charted_study AS (
    SELECT
        study_instance_uid,
        array_sort(array_agg(DISTINCT patient_id)) AS patient_ids
    FROM clinical.imaging_study
    WHERE study_instance_uid IS NOT NULL AND patient_id IS NOT NULL
    GROUP BY study_instance_uid
),

unique_mrn AS (
    SELECT
        mrn,
        min(patient_id) AS patient_id
    FROM clinical.patient
    WHERE mrn IS NOT NULL
    GROUP BY mrn
    HAVING count(*) = 1
),

named_study AS (
    SELECT
        series.study_instance_uid,
        array_sort(array_agg(DISTINCT unique_mrn.patient_id)) AS patient_ids
    FROM imaging_store.series
    INNER JOIN unique_mrn ON series.dicom_patient_id = unique_mrn.mrn
    GROUP BY series.study_instance_uid
),

linked_study AS (
    SELECT
        stored_study.study_instance_uid,
        stored_study.dicom_patient_id,
        stored_study.dicom_patient_sex,
        stored_study.accession_number,
        stored_study.study_date,
        stored_study.study_description,
        stored_study.modality,
        stored_study.n_series,
        stored_study.n_instances,
        coalesce(cardinality(charted_study.patient_ids), 0) AS n_charted,
        CASE
            WHEN cardinality(named_study.patient_ids) > 1 THEN NULL
            WHEN charted_study.patient_ids IS NULL THEN element_at(named_study.patient_ids, 1)
            WHEN contains(charted_study.patient_ids, element_at(named_study.patient_ids, 1))
                THEN element_at(named_study.patient_ids, 1)
            WHEN named_study.patient_ids IS NULL AND cardinality(charted_study.patient_ids) = 1
                THEN element_at(charted_study.patient_ids, 1)
        END AS patient_id
    FROM stored_study
    LEFT JOIN charted_study ON stored_study.study_instance_uid = charted_study.study_instance_uid
    LEFT JOIN named_study ON stored_study.study_instance_uid = named_study.study_instance_uid
)

SELECT
    linked_study.study_instance_uid,
    linked_study.patient_id,
    CASE
        WHEN linked_study.patient_id IS NULL THEN 'none'
        WHEN linked_study.n_charted = 1 THEN 'study_uid'
        ELSE 'mrn'
    END AS link_method,
    linked_study.dicom_patient_id,
    linked_study.dicom_patient_sex,
    linked_study.accession_number,
    linked_study.study_date,
    cast(year(linked_study.study_date) AS integer) AS study_year,
    linked_study.study_description,
    linked_study.modality,
    linked_study.n_series,
    linked_study.n_instances,
    patient.site_id,
    coalesce(patient.consent_research, FALSE) AS consent_research,
    coalesce(patient.consent_genomic, FALSE) AS consent_genomic,
    coalesce(patient.consent_imaging, FALSE) AS consent_imaging
FROM linked_study
LEFT JOIN clinical.patient ON linked_study.patient_id = patient.patient_id

-- DICOM studies in the image store and the patient each belongs to.
-- One row per study.
-- Read by every imaging table; personas see it through their filters.
-- A study's patient is judged in linkage.object, by what all of its image sets say.
-- It is described as its primary image sets say: those that are not primary contradict them, and speak where they are alone.
WITH stored_study AS (
    SELECT
        study_instance_uid,
        if(bool_or(is_primary), max(dicom_patient_id) FILTER (WHERE is_primary), max(dicom_patient_id)) AS dicom_patient_id,
        if(bool_or(is_primary), max(dicom_patient_sex) FILTER (WHERE is_primary), max(dicom_patient_sex)) AS dicom_patient_sex,
        if(bool_or(is_primary), max(dicom_birth_date) FILTER (WHERE is_primary), max(dicom_birth_date)) AS dicom_birth_date,
        if(bool_or(is_primary), max(dicom_patient_age) FILTER (WHERE is_primary), max(dicom_patient_age)) AS dicom_patient_age,
        if(bool_or(is_primary), max(accession_number) FILTER (WHERE is_primary), max(accession_number)) AS accession_number,
        if(bool_or(is_primary), max(study_id) FILTER (WHERE is_primary), max(study_id)) AS study_id,
        if(bool_or(is_primary), max(study_date) FILTER (WHERE is_primary), max(study_date)) AS study_date,
        if(bool_or(is_primary), max(study_time) FILTER (WHERE is_primary), max(study_time)) AS study_time,
        if(bool_or(is_primary), max(study_description) FILTER (WHERE is_primary), max(study_description)) AS study_description,
        array_join(array_sort(array_distinct(array_agg(modality) FILTER (WHERE modality IS NOT NULL))), ',') AS modality,
        cast(count(DISTINCT series_instance_uid) AS integer) AS n_series,
        cast(sum(n_instances) AS integer) AS n_instances
    FROM imaging_store.series
    GROUP BY study_instance_uid
)

SELECT
    stored_study.study_instance_uid,
    object.patient_id,
    object.link_method,
    object.link_verdict,
    object.link_reason,
    object.link_evidence,
    stored_study.dicom_patient_id,
    stored_study.dicom_patient_sex,
    stored_study.dicom_birth_date,
    stored_study.dicom_patient_age,
    stored_study.accession_number,
    stored_study.study_id,
    stored_study.study_date,
    cast(year(stored_study.study_date) AS integer) AS study_year,
    stored_study.study_time,
    stored_study.study_description,
    stored_study.modality,
    stored_study.n_series,
    stored_study.n_instances,
    object.site_id,
    object.consent_research,
    object.consent_genomic,
    object.consent_imaging
FROM stored_study
INNER JOIN linkage.object ON stored_study.study_instance_uid = object.object_id AND object.modality = 'imaging'

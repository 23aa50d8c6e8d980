-- The reading list: studies with the chart's view of them beside the image store's.
-- One row per study in the image store.
-- Read by radiologists.
SELECT
    study.study_instance_uid,
    study.patient_id,
    study.modality,
    study.study_year,
    study.n_series,
    study.n_instances,
    imaging_study.n_instances AS n_instances_charted,
    patient.gender,
    study.study_year - patient.birth_year AS age_at_study
FROM imaging.study
LEFT JOIN clinical.imaging_study ON study.study_instance_uid = imaging_study.study_instance_uid
LEFT JOIN clinical.patient ON study.patient_id = patient.patient_id

-- The reading list: studies with the chart's view of them beside the image store's.
-- One row per study in the image store.
-- Read by radiologists.
WITH charted_study AS (
    SELECT
        study_instance_uid,
        patient_id,
        max(n_instances) AS n_instances
    FROM clinical.imaging_study
    GROUP BY study_instance_uid, patient_id
)

SELECT
    study.study_instance_uid,
    study.patient_id,
    study.modality,
    study.study_year,
    study.n_series,
    study.n_instances,
    charted_study.n_instances AS n_instances_charted,
    patient.gender,
    study.study_year - patient.birth_year AS age_at_study
FROM imaging.study
LEFT JOIN charted_study
    ON
        study.study_instance_uid = charted_study.study_instance_uid
        AND study.patient_id = charted_study.patient_id
LEFT JOIN clinical.patient ON study.patient_id = patient.patient_id

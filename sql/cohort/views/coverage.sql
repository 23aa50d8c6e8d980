-- Which kinds of data there are of each patient: measured, not measured, or known to the chart but not loaded.
-- One row per patient.
-- Read by cohorts and dashboards; expanded inline, so that the caller's filters apply.
-- Genomic: a sample with dosages of annotated alleles. Imaging: not_loaded where the chart knows of more studies than the
-- image store holds of the patient and the store holds none.
WITH charted AS (
    SELECT patient_id
    FROM clinical.encounter
    UNION
    SELECT patient_id
    FROM clinical.condition
    UNION
    SELECT patient_id
    FROM clinical.observation
),

sequenced AS (
    SELECT
        patient_id,
        count(DISTINCT sample_id) AS n_samples
    FROM genomic.dosage
    WHERE patient_id IS NOT NULL
    GROUP BY patient_id
),

stored_study AS (
    SELECT
        patient_id,
        count(*) AS n_studies
    FROM imaging.study
    WHERE patient_id IS NOT NULL
    GROUP BY patient_id
),

charted_study AS (
    SELECT
        patient_id,
        count(DISTINCT imaging_study_id) AS n_studies
    FROM clinical.imaging_study
    WHERE patient_id IS NOT NULL
    GROUP BY patient_id
)

SELECT
    patient.patient_id,
    charted.patient_id IS NOT NULL AS has_clinical,
    coalesce(sequenced.n_samples, 0) > 0 AS has_genomic,
    coalesce(stored_study.n_studies, 0) > 0 AS has_imaging,
    CASE WHEN charted.patient_id IS NOT NULL THEN 'measured' ELSE 'not_loaded' END AS clinical_state,
    CASE WHEN coalesce(sequenced.n_samples, 0) > 0 THEN 'measured' ELSE 'not_measured' END AS genomic_state,
    CASE
        WHEN coalesce(stored_study.n_studies, 0) > 0 THEN 'measured'
        WHEN coalesce(charted_study.n_studies, 0) > 0 THEN 'not_loaded'
        ELSE 'not_measured'
    END AS imaging_state,
    coalesce(sequenced.n_samples, 0) AS n_samples,
    coalesce(stored_study.n_studies, 0) AS n_studies_stored,
    coalesce(charted_study.n_studies, 0) AS n_studies_charted,
    greatest(coalesce(charted_study.n_studies, 0) - coalesce(stored_study.n_studies, 0), 0) AS n_studies_not_loaded
FROM clinical.patient
LEFT JOIN charted ON patient.patient_id = charted.patient_id
LEFT JOIN sequenced ON patient.patient_id = sequenced.patient_id
LEFT JOIN stored_study ON patient.patient_id = stored_study.patient_id
LEFT JOIN charted_study ON patient.patient_id = charted_study.patient_id

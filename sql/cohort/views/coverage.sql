-- Which kinds of data there are of each patient: measured, not measured, known to the chart but not loaded, or not permitted.
-- One row per patient whom the caller may see.
-- Read by cohorts, dashboards and every persona that sees patients; expanded inline, so that the caller's filters apply.
-- No row is never "healthy": not_permitted means that this caller may not ask, and then counts and has_... are NULL.
-- Genomic: a sample with dosages of annotated alleles. Imaging: not_loaded where the chart knows of more studies than the
-- image store holds of the patient and the store holds none.
WITH permission AS (
    SELECT
        TRUE AS sees_encounters,
        TRUE AS sees_conditions,
        TRUE AS sees_observations,
        TRUE AS sees_dosages,
        TRUE AS sees_studies,
        TRUE AS sees_charted_studies
),

charted AS (
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
),

counted AS (
    SELECT
        patient.patient_id,
        charted.patient_id IS NOT NULL AS is_charted,
        permission.sees_encounters AND permission.sees_conditions AND permission.sees_observations AS sees_chart,
        permission.sees_dosages,
        permission.sees_studies,
        CASE WHEN permission.sees_dosages THEN coalesce(sequenced.n_samples, 0) END AS n_samples,
        CASE WHEN permission.sees_studies THEN coalesce(stored_study.n_studies, 0) END AS n_studies_stored,
        CASE WHEN permission.sees_charted_studies THEN coalesce(charted_study.n_studies, 0) END AS n_studies_charted
    FROM clinical.patient
    CROSS JOIN permission
    LEFT JOIN charted ON patient.patient_id = charted.patient_id
    LEFT JOIN sequenced ON patient.patient_id = sequenced.patient_id
    LEFT JOIN stored_study ON patient.patient_id = stored_study.patient_id
    LEFT JOIN charted_study ON patient.patient_id = charted_study.patient_id
)

SELECT
    patient_id,
    CASE WHEN is_charted OR sees_chart THEN is_charted END AS has_clinical,
    n_samples > 0 AS has_genomic,
    n_studies_stored > 0 AS has_imaging,
    CASE WHEN is_charted THEN 'measured' WHEN sees_chart THEN 'not_loaded' ELSE 'not_permitted' END AS clinical_state,
    CASE WHEN n_samples > 0 THEN 'measured' WHEN sees_dosages THEN 'not_measured' ELSE 'not_permitted' END AS genomic_state,
    CASE
        WHEN n_studies_stored > 0 THEN 'measured'
        WHEN NOT sees_studies THEN 'not_permitted'
        WHEN n_studies_charted > 0 THEN 'not_loaded'
        WHEN n_studies_charted IS NULL THEN 'not_permitted'
        ELSE 'not_measured'
    END AS imaging_state,
    n_samples,
    n_studies_stored,
    n_studies_charted,
    greatest(n_studies_charted - n_studies_stored, 0) AS n_studies_not_loaded
FROM counted

-- Which patient each chart, sample and study belongs to, and how the tie was found.
-- One row per modality and object; patient_id is NULL and link_method is none where nothing leads to a patient.
-- Read by the deployer and stewards of linkage: personas may not see how links were found (class OP).
SELECT
    'clinical' AS modality,
    patient_id AS object_id,
    patient_id,
    'chart' AS link_method
FROM clinical.patient
UNION ALL
SELECT
    'genomic' AS modality,
    sample_id AS object_id,
    patient_id,
    link_method
FROM genomic.sample
UNION ALL
SELECT
    'imaging' AS modality,
    study_instance_uid AS object_id,
    patient_id,
    link_method
FROM imaging.study

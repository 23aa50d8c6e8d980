-- Features measured on the frames of a series, each with the mask it was measured in.
-- One row per series, image set and feature.
-- Read by radiologists and data scientists through their filters.
SELECT
    radiomics.series_instance_uid,
    radiomics.study_instance_uid,
    study.patient_id,
    radiomics.image_set_id,
    radiomics.feature,
    radiomics.value,
    radiomics.unit,
    radiomics.mask_source,
    radiomics.software_version,
    study.site_id,
    coalesce(study.consent_research, FALSE) AS consent_research,
    coalesce(study.consent_genomic, FALSE) AS consent_genomic,
    coalesce(study.consent_imaging, FALSE) AS consent_imaging
FROM imaging_store.radiomics
LEFT JOIN imaging.study ON radiomics.study_instance_uid = study.study_instance_uid

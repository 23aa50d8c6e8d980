-- Features measured on the frames of a series, each with the mask it was measured in.
-- One row per series, image set, mask and feature.
-- Read by radiologists and data scientists through their filters.
SELECT
    radiomics.series_instance_uid,
    radiomics.study_instance_uid,
    study.patient_id,
    radiomics.image_set_id,
    radiomics.mask_id,
    radiomics.mask_source,
    radiomics.mask_label,
    radiomics.mask_sha256,
    radiomics.n_voxels,
    radiomics.feature,
    radiomics.ibsi_code,
    radiomics.value,
    radiomics.unit,
    radiomics.row_spacing,
    radiomics.column_spacing,
    radiomics.slice_spacing,
    radiomics.settings,
    radiomics.settings_sha256,
    radiomics.software,
    radiomics.software_version,
    study.site_id,
    coalesce(study.consent_research, FALSE) AS consent_research,
    coalesce(study.consent_genomic, FALSE) AS consent_genomic,
    coalesce(study.consent_imaging, FALSE) AS consent_imaging
FROM imaging_store.radiomics
LEFT JOIN imaging.study ON radiomics.study_instance_uid = study.study_instance_uid

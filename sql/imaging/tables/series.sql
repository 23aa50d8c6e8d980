-- DICOM series in the image store, with scanner and geometry.
-- One row per series and image set.
-- Read by radiologists and data scientists through their filters.
SELECT
    series.series_instance_uid,
    series.study_instance_uid,
    study.patient_id,
    series.image_set_id,
    series.image_set_version,
    series.is_primary,
    series.modality,
    series.body_part,
    series.series_description,
    series.manufacturer,
    series.model_name,
    series.field_strength,
    series.n_instances,
    series.n_rows,
    series.n_columns,
    series.row_spacing,
    series.column_spacing,
    series.slice_thickness,
    study.site_id,
    coalesce(study.consent_research, FALSE) AS consent_research,
    coalesce(study.consent_genomic, FALSE) AS consent_genomic,
    coalesce(study.consent_imaging, FALSE) AS consent_imaging
FROM imaging_store.series
LEFT JOIN imaging.study ON series.study_instance_uid = study.study_instance_uid

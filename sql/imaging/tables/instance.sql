-- DICOM instances in the image store, with their place in the patient and the ids of their frames.
-- One row per instance and image set.
-- Read by radiologists through their filter.
SELECT
    instance.sop_instance_uid,
    instance.sop_class_uid,
    instance.series_instance_uid,
    instance.study_instance_uid,
    study.patient_id,
    instance.image_set_id,
    instance.instance_number,
    instance.n_frames,
    instance.n_rows,
    instance.n_columns,
    instance.bits_stored,
    instance.photometric_interpretation,
    instance.stored_transfer_syntax_uid,
    instance.acquisition_date,
    instance.acquisition_time,
    instance.position_x,
    instance.position_y,
    instance.position_z,
    instance.orientation,
    instance.slice_place,
    instance.frame_ids,
    study.site_id,
    coalesce(study.consent_research, FALSE) AS consent_research,
    coalesce(study.consent_genomic, FALSE) AS consent_genomic,
    coalesce(study.consent_imaging, FALSE) AS consent_imaging
FROM imaging_store.instance
LEFT JOIN imaging.study ON instance.study_instance_uid = study.study_instance_uid

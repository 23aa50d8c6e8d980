-- The rules by which a DICOM study or a sequenced sample finds its patient, in order: this file is where they are changed.
-- One row per rule.
-- Read by linkage.object, which applies them, and by stewards of linkage.
-- evidence is what the object says of itself (study_uid, patient_id, sample_name, name_uuid, file_name), key_kind what that is
-- looked for among (linkage.key), form how both are written for that: folded (capitals, no blanks or NULs around) or
-- without_zeros (digits only, leading zeros off; only where a rule says so). Of one statement, the first rule that finds
-- anybody counts. verdict is what that is worth when nothing speaks against it: link, or review by a person.
SELECT
    cast(rule_order AS integer) AS rule_order,
    cast(modality AS varchar) AS modality,
    cast(evidence AS varchar) AS evidence,
    cast(key_kind AS varchar) AS key_kind,
    cast(form AS varchar) AS form,
    cast(method AS varchar) AS method,
    cast(verdict AS varchar) AS verdict,
    cast(meaning AS varchar) AS meaning
FROM (
    VALUES
    (10, 'imaging', 'study_uid', 'study_uid', 'folded', 'study_uid', 'link', 'StudyInstanceUID is that of an ImagingStudy of the chart'),
    (20, 'imaging', 'patient_id', 'patient_id', 'folded', 'uuid', 'link', 'PatientID is the id of a patient'),
    (30, 'imaging', 'name_uuid', 'patient_id', 'folded', 'name_uuid', 'link', 'PatientID holds the id of a patient'),
    (40, 'imaging', 'patient_id', 'mrn', 'folded', 'mrn', 'link', 'PatientID is the MRN of a patient'),
    (50, 'imaging', 'patient_id', 'mrn', 'without_zeros', 'mrn_zeros', 'link', 'PatientID is an MRN but for leading zeros'),
    (60, 'imaging', 'patient_id', 'identifier', 'folded', 'identifier', 'review', 'PatientID is a number of another system'),
    (110, 'genomic', 'sample_name', 'patient_id', 'folded', 'uuid', 'link', 'the sample is named by the id of a patient'),
    (120, 'genomic', 'sample_name', 'mrn', 'folded', 'mrn', 'link', 'the sample is named by the MRN of a patient'),
    (130, 'genomic', 'name_uuid', 'patient_id', 'folded', 'name_uuid', 'link', 'the name of the sample holds the id of a patient'),
    (140, 'genomic', 'sample_name', 'specimen', 'folded', 'specimen', 'link', 'the sample is named by the id or a number of a Specimen'),
    (150, 'genomic', 'file_name', 'patient_id', 'folded', 'file_name', 'link', 'the name of the file holds the id of a patient'),
    (160, 'genomic', 'sample_name', 'identifier', 'folded', 'identifier', 'review', 'the sample is named by a number of another system')
) AS listed (rule_order, modality, evidence, key_kind, form, method, verdict, meaning)

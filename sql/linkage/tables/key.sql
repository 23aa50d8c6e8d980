-- What names a patient to other systems: ids, record numbers, numbers of other systems, specimens, DICOM study UIDs.
-- One row per kind, form, key and patient; keys that more than 20 patients share name nobody and are left out.
-- Read by linkage.object by the rules of linkage.rule.
-- mrn is the number that clinical.patient has; other numbers of a patient are of the kind identifier.
WITH patient_word AS (
    SELECT
        patient_id,
        'patient_id' AS key_kind,
        patient_id AS word
    FROM clinical.patient
    UNION ALL
    SELECT
        patient_id,
        'mrn' AS key_kind,
        mrn AS word
    FROM clinical.patient
    UNION ALL
    SELECT
        patient_identifier.patient_id,
        'identifier' AS key_kind,
        patient_identifier.value AS word
    FROM clinical.patient_identifier
    INNER JOIN clinical.patient ON patient_identifier.patient_id = patient.patient_id
    WHERE
        patient_identifier.value IS DISTINCT FROM patient.mrn
        OR patient_identifier.system IS DISTINCT FROM patient.mrn_system
    UNION ALL
    SELECT
        patient_id,
        'study_uid' AS key_kind,
        study_instance_uid AS word
    FROM clinical.imaging_study
    WHERE status IS DISTINCT FROM 'entered-in-error'
    UNION ALL
    SELECT
        patient_id,
        'specimen' AS key_kind,
        specimen_number.word
    FROM clinical.specimen
    CROSS JOIN unnest(ARRAY[specimen_id, accession, identifier]) AS specimen_number (word)
),

folded_word AS (
    SELECT DISTINCT
        patient_id,
        key_kind,
        upper(regexp_replace(word, '^[\s\x00]+|[\s\x00]+$', '')) AS word
    FROM patient_word
    WHERE patient_id IS NOT NULL AND word IS NOT NULL
),

patient_key AS (
    SELECT
        patient_id,
        key_kind,
        'folded' AS form,
        word AS key
    FROM folded_word
    UNION ALL
    SELECT
        patient_id,
        key_kind,
        'without_zeros' AS form,
        regexp_replace(word, '^0+', '') AS key
    FROM folded_word
    WHERE key_kind = 'mrn' AND regexp_like(word, '^[0-9]+$')
),

shared_key AS (
    SELECT
        patient_id,
        key_kind,
        form,
        key,
        count(*) OVER (PARTITION BY key_kind, form, key) AS n_patients
    FROM patient_key
    WHERE key <> ''
)

SELECT
    shared_key.key_kind,
    shared_key.form,
    shared_key.key,
    shared_key.patient_id
FROM shared_key
WHERE shared_key.n_patients <= 20

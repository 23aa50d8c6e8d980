-- What names a patient to other systems: ids, record numbers, numbers of other systems, specimens, DICOM study UIDs.
-- One row per kind, form, key and patient; keys that more than 20 patients share name nobody and are left out.
-- Read by imaging.study and genomic.sample by the rules of clinical.link_rule.
-- mrn is the number that clinical.patient has; other numbers of a patient are of the kind identifier.
WITH told AS (
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
        named.word
    FROM clinical.specimen
    CROSS JOIN unnest(ARRAY[specimen_id, accession, identifier]) AS named (word)
),

folded AS (
    SELECT DISTINCT
        patient_id,
        key_kind,
        upper(regexp_replace(word, '^[\s\x00]+|[\s\x00]+$', '')) AS word
    FROM told
    WHERE patient_id IS NOT NULL AND word IS NOT NULL
),

formed AS (
    SELECT
        patient_id,
        key_kind,
        'folded' AS form,
        word AS key
    FROM folded
    UNION ALL
    SELECT
        patient_id,
        key_kind,
        'without_zeros' AS form,
        regexp_replace(word, '^0+', '') AS key
    FROM folded
    WHERE key_kind = 'mrn' AND regexp_like(word, '^[0-9]+$')
),

counted AS (
    SELECT
        patient_id,
        key_kind,
        form,
        key,
        count(*) OVER (PARTITION BY key_kind, form, key) AS n_patients
    FROM formed
    WHERE key <> ''
)

SELECT
    counted.key_kind,
    counted.form,
    counted.key,
    counted.patient_id,
    patient.site_id,
    coalesce(patient.consent_research, FALSE) AS consent_research,
    coalesce(patient.consent_genomic, FALSE) AS consent_genomic,
    coalesce(patient.consent_imaging, FALSE) AS consent_imaging
FROM counted
LEFT JOIN clinical.patient ON counted.patient_id = patient.patient_id
WHERE counted.n_patients <= 20

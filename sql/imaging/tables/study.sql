-- DICOM studies in the image store and the patient each belongs to.
-- One row per study.
-- Read by every imaging table; personas see it through their filters.
-- Linked by the rules of clinical.link_rule (see sql/cohort/README.md): what comes first must name one patient, and nothing
-- else may name only others. What is told by two series, or by UID and PatientID, and does not agree, waits for a person.
-- It is described as its primary image sets say: those that are not primary contradict them, and speak where they are alone.
-- From "formed AS" to "linked AS" this is the text of genomic.sample; a test holds the two together.
WITH stored_study AS (
    SELECT
        study_instance_uid,
        if(bool_or(is_primary), max(dicom_patient_id) FILTER (WHERE is_primary), max(dicom_patient_id)) AS dicom_patient_id,
        if(bool_or(is_primary), max(dicom_patient_sex) FILTER (WHERE is_primary), max(dicom_patient_sex)) AS dicom_patient_sex,
        if(bool_or(is_primary), max(dicom_birth_date) FILTER (WHERE is_primary), max(dicom_birth_date)) AS dicom_birth_date,
        if(bool_or(is_primary), max(dicom_patient_age) FILTER (WHERE is_primary), max(dicom_patient_age)) AS dicom_patient_age,
        if(bool_or(is_primary), max(accession_number) FILTER (WHERE is_primary), max(accession_number)) AS accession_number,
        if(bool_or(is_primary), max(study_id) FILTER (WHERE is_primary), max(study_id)) AS study_id,
        if(bool_or(is_primary), max(study_date) FILTER (WHERE is_primary), max(study_date)) AS study_date,
        if(bool_or(is_primary), max(study_time) FILTER (WHERE is_primary), max(study_time)) AS study_time,
        if(bool_or(is_primary), max(study_description) FILTER (WHERE is_primary), max(study_description)) AS study_description,
        array_join(array_sort(array_distinct(array_agg(modality) FILTER (WHERE modality IS NOT NULL))), ',') AS modality,
        cast(count(DISTINCT series_instance_uid) AS integer) AS n_series,
        cast(sum(n_instances) AS integer) AS n_instances
    FROM imaging_store.series
    GROUP BY study_instance_uid
),

worded AS (
    SELECT DISTINCT
        study_instance_uid AS object_id,
        upper(regexp_replace(study_instance_uid, '^[\s\x00]+|[\s\x00]+$', '')) AS study_uid,
        upper(regexp_replace(dicom_patient_id, '^[\s\x00]+|[\s\x00]+$', '')) AS patient_word
    FROM imaging_store.series
),

told AS (
    SELECT
        object_id,
        'imaging' AS modality,
        'study_uid' AS evidence,
        study_uid AS word
    FROM worded
    UNION
    SELECT
        object_id,
        'imaging' AS modality,
        'patient_id' AS evidence,
        patient_word AS word
    FROM worded
    WHERE patient_word <> ''
    UNION
    SELECT
        worded.object_id,
        'imaging' AS modality,
        'name_uuid' AS evidence,
        held.uuid AS word
    FROM worded
    CROSS JOIN
        unnest(
            regexp_extract_all(worded.patient_word, '(?:^|[^0-9A-F])([0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12})', 1)
        ) AS held (uuid)
    WHERE worded.patient_word <> held.uuid
),

formed AS (
    SELECT
        object_id,
        modality,
        evidence,
        word,
        'folded' AS form,
        word AS key
    FROM told
    UNION ALL
    SELECT
        object_id,
        modality,
        evidence,
        word,
        'without_zeros' AS form,
        regexp_replace(word, '^0+', '') AS key
    FROM told
    WHERE regexp_like(word, '^[0-9]+$')
),

found AS (
    SELECT DISTINCT
        formed.object_id,
        formed.evidence,
        formed.word,
        link_rule.rule_order,
        link_rule.method,
        link_rule.verdict,
        link_key.patient_id
    FROM formed
    INNER JOIN clinical.link_rule
        ON
            formed.modality = link_rule.modality
            AND formed.evidence = link_rule.evidence
            AND formed.form = link_rule.form
    INNER JOIN clinical.link_key
        ON
            formed.key = link_key.key
            AND formed.form = link_key.form
            AND link_rule.key_kind = link_key.key_kind
),

ranked AS (
    SELECT
        object_id,
        evidence || ' ' || word AS told,
        rule_order,
        method,
        verdict,
        patient_id,
        min(rule_order) OVER (PARTITION BY object_id, evidence, word) AS first_rule
    FROM found
),

candidate AS (
    SELECT
        object_id,
        patient_id,
        min(rule_order) AS first_rule,
        min_by(method, rule_order) AS method,
        min_by(verdict, rule_order) AS verdict,
        count(*) AS n_told
    FROM ranked
    WHERE rule_order = first_rule
    GROUP BY object_id, patient_id
),

spoken AS (
    SELECT
        object_id,
        min(rule_order) AS first_rule,
        count(DISTINCT told) AS n_told,
        array_sort(array_agg(DISTINCT patient_id)) AS patient_ids,
        array_join(array_sort(array_agg(DISTINCT method || '=' || patient_id)), ';') AS evidence
    FROM ranked
    WHERE rule_order = first_rule
    GROUP BY object_id
),

judged AS (
    SELECT
        spoken.object_id,
        spoken.evidence,
        spoken.patient_ids,
        min(candidate.patient_id) AS patient_id,
        min(candidate.method) AS method,
        CASE
            WHEN count(*) > 1 THEN 'ambiguous'
            WHEN min(candidate.n_told) < min(spoken.n_told) THEN 'conflict'
            WHEN min(candidate.verdict) = 'review' THEN 'weak'
        END AS doubt
    FROM spoken
    INNER JOIN candidate ON spoken.object_id = candidate.object_id AND spoken.first_rule = candidate.first_rule
    GROUP BY spoken.object_id, spoken.evidence, spoken.patient_ids
),

decided AS (
    SELECT
        modality,
        object_id,
        max_by(accepted_patient_id, decided_at) AS patient_id,
        max_by(rejected_patient_ids, decided_at) AS rejected_ids,
        max_by(evidence, decided_at) AS evidence
    FROM clinical.link_decision
    GROUP BY modality, object_id
),

reasoned AS (
    SELECT
        named.object_id,
        coalesce(judged.evidence, '') AS link_evidence,
        judged.patient_id,
        judged.method,
        decided.patient_id AS accepted_id,
        CASE
            WHEN decided.object_id IS NULL THEN coalesce(judged.doubt, CASE WHEN judged.object_id IS NULL THEN 'unknown' END)
            WHEN decided.evidence = coalesce(judged.evidence, '')
                THEN CASE
                    WHEN decided.patient_id IS NOT NULL THEN 'accepted'
                    WHEN cardinality(array_except(coalesce(judged.patient_ids, ARRAY[]), decided.rejected_ids)) = 0 THEN 'rejected'
                    WHEN judged.doubt IS NULL AND NOT contains(decided.rejected_ids, judged.patient_id) THEN NULL
                    ELSE 'partly_rejected'
                END
            WHEN judged.doubt IS NULL AND judged.patient_id = decided.patient_id THEN NULL
            WHEN judged.object_id IS NULL AND decided.patient_id IS NULL THEN 'unknown'
            ELSE 'evidence_changed'
        END AS link_reason
    FROM (SELECT DISTINCT object_id FROM told) AS named
    LEFT JOIN judged ON named.object_id = judged.object_id
    LEFT JOIN decided ON named.object_id = decided.object_id AND decided.modality = 'imaging'
),

linked AS (
    SELECT
        object_id,
        link_evidence,
        coalesce(link_reason, 'agreed') AS link_reason,
        CASE
            WHEN link_reason IS NULL OR link_reason = 'accepted' THEN 'link'
            WHEN link_reason IN ('unknown', 'rejected') THEN 'refuse'
            ELSE 'review'
        END AS link_verdict,
        CASE WHEN link_reason = 'accepted' THEN accepted_id WHEN link_reason IS NULL THEN patient_id END AS patient_id,
        CASE WHEN link_reason = 'accepted' THEN 'review' WHEN link_reason IS NULL THEN method ELSE 'none' END AS link_method
    FROM reasoned
)

SELECT
    stored_study.study_instance_uid,
    linked.patient_id,
    linked.link_method,
    linked.link_verdict,
    linked.link_reason,
    linked.link_evidence,
    stored_study.dicom_patient_id,
    stored_study.dicom_patient_sex,
    stored_study.dicom_birth_date,
    stored_study.dicom_patient_age,
    stored_study.accession_number,
    stored_study.study_id,
    stored_study.study_date,
    cast(year(stored_study.study_date) AS integer) AS study_year,
    stored_study.study_time,
    stored_study.study_description,
    stored_study.modality,
    stored_study.n_series,
    stored_study.n_instances,
    patient.site_id,
    coalesce(patient.consent_research, FALSE) AS consent_research,
    coalesce(patient.consent_genomic, FALSE) AS consent_genomic,
    coalesce(patient.consent_imaging, FALSE) AS consent_imaging
FROM stored_study
INNER JOIN linked ON stored_study.study_instance_uid = linked.object_id
LEFT JOIN clinical.patient ON linked.patient_id = patient.patient_id

-- Which patient each chart, sample and study belongs to or may belong to, and how that was found.
-- One row per modality, object and candidate; an object that nothing leads to a patient has one row without patient.
-- Read by stewards of linkage and by `trilake review`; others may not see how links were found (class OP).
-- verdict: link (the object counts as the patient's), review (a person has to say), refuse (not the patient's, or nobody's).
WITH modality_object AS (
    SELECT
        'imaging' AS modality,
        study_instance_uid AS object_id,
        patient_id,
        link_method,
        link_verdict,
        link_reason,
        link_evidence
    FROM imaging.study
    UNION
    SELECT
        'genomic' AS modality,
        sample_id AS object_id,
        patient_id,
        link_method,
        link_verdict,
        link_reason,
        link_evidence
    FROM genomic.sample
),

decided AS (
    SELECT
        modality,
        object_id,
        max_by(rejected_patient_ids, decided_at) AS rejected_patient_ids,
        max_by(evidence, decided_at) AS evidence,
        max_by(decided_by, decided_at) AS decided_by,
        max(decided_at) AS decided_at
    FROM clinical.link_decision
    GROUP BY modality, object_id
),

evidence_part AS (
    SELECT
        modality_object.modality,
        modality_object.object_id,
        split_part(part.word, '=', 1) AS method,
        split_part(part.word, '=', 2) AS patient_id
    FROM modality_object
    CROSS JOIN unnest(split(modality_object.link_evidence, ';')) AS part (word)
    WHERE modality_object.link_evidence <> ''
    UNION
    SELECT
        modality,
        object_id,
        link_method AS method,
        patient_id
    FROM modality_object
    WHERE link_method = 'review'
),

candidate AS (
    SELECT
        modality,
        object_id,
        patient_id,
        array_join(array_sort(array_agg(method)), ',') AS methods
    FROM evidence_part
    GROUP BY modality, object_id, patient_id
),

paired AS (
    SELECT
        modality_object.modality,
        modality_object.object_id,
        candidate.patient_id,
        coalesce(candidate.methods, 'none') AS methods,
        CASE
            WHEN candidate.patient_id = modality_object.patient_id THEN 'link'
            WHEN modality_object.link_verdict <> 'review' THEN 'refuse'
            WHEN
                decided.evidence = modality_object.link_evidence
                AND contains(decided.rejected_patient_ids, candidate.patient_id)
                THEN 'refuse'
            ELSE 'review'
        END AS verdict,
        modality_object.link_reason,
        decided.decided_by,
        decided.decided_at
    FROM modality_object
    LEFT JOIN candidate
        ON modality_object.modality = candidate.modality AND modality_object.object_id = candidate.object_id
    LEFT JOIN decided
        ON modality_object.modality = decided.modality AND modality_object.object_id = decided.object_id
    UNION ALL
    SELECT
        'clinical' AS modality,
        patient_id AS object_id,
        patient_id,
        'chart' AS methods,
        'link' AS verdict,
        'agreed' AS link_reason,
        cast(NULL AS varchar) AS decided_by,
        cast(NULL AS timestamp(6)) AS decided_at
    FROM clinical.patient
),

numbered AS (
    SELECT
        modality,
        object_id,
        patient_id,
        methods,
        verdict,
        link_reason,
        decided_by,
        decided_at,
        row_number() OVER (PARTITION BY modality, object_id ORDER BY patient_id) AS place
    FROM paired
)

SELECT
    numbered.modality,
    numbered.object_id,
    cast(numbered.place AS integer) AS candidate_index,
    numbered.patient_id,
    numbered.methods AS link_method,
    numbered.verdict,
    numbered.link_reason AS reason,
    numbered.decided_by,
    numbered.decided_at,
    patient.site_id,
    coalesce(patient.consent_research, FALSE) AS consent_research,
    coalesce(patient.consent_genomic, FALSE) AS consent_genomic,
    coalesce(patient.consent_imaging, FALSE) AS consent_imaging
FROM numbered
LEFT JOIN clinical.patient ON numbered.patient_id = patient.patient_id

-- Which patient each chart, sample and study belongs to or may belong to, and how that was found.
-- One row per modality, object and candidate; an object that nothing leads to a patient has one row without patient.
-- Read by stewards of linkage and by `trilake review`; others may not see how links were found (class OP).
-- verdict: link (the object counts as the patient's), review (a person has to say), refuse (not the patient's, or nobody's).
WITH newest_decision AS (
    SELECT
        modality,
        object_id,
        max_by(rejected_patient_ids, decided_at) AS rejected_patient_ids,
        max_by(evidence, decided_at) AS evidence,
        max_by(decided_by, decided_at) AS decided_by,
        max(decided_at) AS decided_at
    FROM linkage.decision
    GROUP BY modality, object_id
),

evidence_part AS (
    SELECT
        object.modality,
        object.object_id,
        split_part(part.word, '=', 1) AS method,
        split_part(part.word, '=', 2) AS patient_id
    FROM linkage.object
    CROSS JOIN unnest(split(object.link_evidence, ';')) AS part (word)
    WHERE object.link_evidence <> ''
    UNION
    SELECT
        modality,
        object_id,
        link_method AS method,
        patient_id
    FROM linkage.object
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

object_candidate AS (
    SELECT
        object.modality,
        object.object_id,
        candidate.patient_id,
        coalesce(candidate.methods, 'none') AS methods,
        CASE
            WHEN candidate.patient_id = object.patient_id THEN 'link'
            WHEN object.link_verdict <> 'review' THEN 'refuse'
            WHEN
                newest_decision.evidence = object.link_evidence
                AND contains(newest_decision.rejected_patient_ids, candidate.patient_id)
                THEN 'refuse'
            ELSE 'review'
        END AS verdict,
        object.link_reason,
        newest_decision.decided_by,
        newest_decision.decided_at
    FROM linkage.object
    LEFT JOIN candidate
        ON object.modality = candidate.modality AND object.object_id = candidate.object_id
    LEFT JOIN newest_decision
        ON object.modality = newest_decision.modality AND object.object_id = newest_decision.object_id
    UNION ALL
    -- a chart is its own patient's, so that links say of every modality whose it is
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

numbered_candidate AS (
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
    FROM object_candidate
)

SELECT
    numbered_candidate.modality,
    numbered_candidate.object_id,
    cast(numbered_candidate.place AS integer) AS candidate_index,
    numbered_candidate.patient_id,
    numbered_candidate.methods AS link_method,
    numbered_candidate.verdict,
    numbered_candidate.link_reason AS reason,
    numbered_candidate.decided_by,
    numbered_candidate.decided_at
FROM numbered_candidate

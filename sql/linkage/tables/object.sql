-- Whose each object is (a sequenced sample, a DICOM study): the one place where linkage is judged, whatever the kind.
-- One row per modality and object of the raw stores.
-- Read by genomic.sample and imaging.study, which take patient, verdict and row keys from here, and by linkage.link.
-- Linked by the rules of linkage.rule (see sql/linkage/README.md): what comes first must name one patient, and nothing else
-- may name only others. What two files or two series say, or a UID and a PatientID, and does not agree, waits for a person.
-- load_mark changes with every load that brings or takes away rows of the object, so that a table of objects can follow
-- this one.
WITH sample_file AS (
    SELECT
        sampleid AS object_id,
        upper(regexp_replace(sampleid, '^[\s\x00]+|[\s\x00]+$', '')) AS sample_name,
        -- the first id alone: names of files (Given_Family_id_dna.vcf, of a mended line with #17) hold one
        regexp_extract(upper(source_file), '[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}') AS file_patient,
        load_id,
        count(*) AS n_rows
    FROM genomic_store.variant
    GROUP BY sampleid, source_file, load_id
),

study_image_set AS (
    SELECT DISTINCT
        study_instance_uid AS object_id,
        upper(regexp_replace(study_instance_uid, '^[\s\x00]+|[\s\x00]+$', '')) AS study_uid,
        -- DICOM pads texts with a blank and UIDs with a NUL to an even length (PS3.5, 6.2)
        upper(regexp_replace(dicom_patient_id, '^[\s\x00]+|[\s\x00]+$', '')) AS dicom_patient,
        image_set_id || ' ' || cast(image_set_version AS varchar) || ' ' || cast(flattened_by AS varchar) AS image_set
    FROM imaging_store.series
),

object AS (
    -- rows of a load are never added to, only taken away: their numbers tell of every change
    SELECT
        'genomic' AS modality,
        object_id,
        array_join(array_sort(array_agg(load_id || ' ' || cast(n_rows AS varchar))), ';') AS load_mark
    FROM sample_file
    GROUP BY object_id
    UNION ALL
    SELECT
        'imaging' AS modality,
        object_id,
        to_hex(md5(to_utf8(array_join(array_sort(array_agg(DISTINCT image_set)), ';')))) AS load_mark
    FROM study_image_set
    GROUP BY object_id
),

object_word AS (
    SELECT
        'genomic' AS modality,
        object_id,
        'sample_name' AS evidence,
        sample_name AS word
    FROM sample_file
    UNION
    SELECT
        'genomic' AS modality,
        sample_file.object_id,
        'name_uuid' AS evidence,
        name_part.uuid AS word
    FROM sample_file
    CROSS JOIN
        unnest(
            regexp_extract_all(
                sample_file.sample_name, '(?:^|[^0-9A-F])([0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12})', 1
            )
        ) AS name_part (uuid)
    WHERE sample_file.sample_name <> name_part.uuid
    UNION
    SELECT
        'genomic' AS modality,
        object_id,
        'file_name' AS evidence,
        file_patient AS word
    FROM sample_file
    WHERE file_patient <> ''
    UNION
    SELECT
        'imaging' AS modality,
        object_id,
        'study_uid' AS evidence,
        study_uid AS word
    FROM study_image_set
    UNION
    SELECT
        'imaging' AS modality,
        object_id,
        'patient_id' AS evidence,
        dicom_patient AS word
    FROM study_image_set
    WHERE dicom_patient <> ''
    UNION
    SELECT
        'imaging' AS modality,
        study_image_set.object_id,
        'name_uuid' AS evidence,
        name_part.uuid AS word
    FROM study_image_set
    CROSS JOIN
        unnest(
            regexp_extract_all(
                study_image_set.dicom_patient, '(?:^|[^0-9A-F])([0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12})', 1
            )
        ) AS name_part (uuid)
    WHERE study_image_set.dicom_patient <> name_part.uuid
),

search_key AS (
    SELECT
        modality,
        object_id,
        evidence,
        word,
        'folded' AS form,
        word AS key
    FROM object_word
    UNION ALL
    SELECT
        modality,
        object_id,
        evidence,
        word,
        'without_zeros' AS form,
        regexp_replace(word, '^0+', '') AS key
    FROM object_word
    WHERE regexp_like(word, '^[0-9]+$')
),

key_match AS (
    SELECT DISTINCT
        search_key.modality,
        search_key.object_id,
        search_key.evidence || ' ' || search_key.word AS statement,
        rule.rule_order,
        rule.method,
        rule.verdict,
        patient_key.patient_id
    FROM search_key
    INNER JOIN linkage.rule
        ON
            search_key.modality = rule.modality
            AND search_key.evidence = rule.evidence
            AND search_key.form = rule.form
    INNER JOIN linkage.key AS patient_key
        ON
            search_key.key = patient_key.key
            AND search_key.form = patient_key.form
            AND rule.key_kind = patient_key.key_kind
),

ranked_match AS (
    SELECT
        modality,
        object_id,
        statement,
        rule_order,
        method,
        verdict,
        patient_id,
        min(rule_order) OVER (PARTITION BY modality, object_id, statement) AS first_rule
    FROM key_match
),

-- of one statement the first rule that finds anybody counts, and no later one
statement_match AS (
    SELECT
        modality,
        object_id,
        statement,
        rule_order,
        method,
        verdict,
        patient_id
    FROM ranked_match
    WHERE rule_order = first_rule
),

candidate AS (
    SELECT
        modality,
        object_id,
        patient_id,
        min(rule_order) AS first_rule,
        min_by(method, rule_order) AS method,
        min_by(verdict, rule_order) AS verdict,
        count(*) AS n_statements
    FROM statement_match
    GROUP BY modality, object_id, patient_id
),

object_evidence AS (
    SELECT
        modality,
        object_id,
        min(rule_order) AS first_rule,
        count(DISTINCT statement) AS n_statements,
        array_sort(array_agg(DISTINCT patient_id)) AS patient_ids,
        array_join(array_sort(array_agg(DISTINCT method || '=' || patient_id)), ';') AS evidence
    FROM statement_match
    GROUP BY modality, object_id
),

-- by rules alone: candidates of the object's first rule, and what speaks against linking to them without a person
judgement AS (
    SELECT
        object_evidence.modality,
        object_evidence.object_id,
        object_evidence.evidence,
        object_evidence.patient_ids,
        min(candidate.patient_id) AS patient_id,
        min(candidate.method) AS method,
        CASE
            WHEN count(*) > 1 THEN 'ambiguous'
            WHEN min(candidate.n_statements) < min(object_evidence.n_statements) THEN 'conflict'
            WHEN min(candidate.verdict) = 'review' THEN 'weak'
        END AS doubt
    FROM object_evidence
    INNER JOIN candidate
        ON
            object_evidence.modality = candidate.modality
            AND object_evidence.object_id = candidate.object_id
            AND object_evidence.first_rule = candidate.first_rule
    GROUP BY object_evidence.modality, object_evidence.object_id, object_evidence.evidence, object_evidence.patient_ids
),

newest_decision AS (
    SELECT
        modality,
        object_id,
        max_by(accepted_patient_id, decided_at) AS patient_id,
        max_by(rejected_patient_ids, decided_at) AS rejected_ids,
        max_by(evidence, decided_at) AS evidence
    FROM linkage.decision
    GROUP BY modality, object_id
),

-- a decision holds while the evidence is what it was when a person looked at it; link_reason is NULL where rules alone link
reasoned_object AS (
    SELECT
        object.modality,
        object.object_id,
        object.load_mark,
        coalesce(judgement.evidence, '') AS link_evidence,
        judgement.patient_id,
        judgement.method,
        newest_decision.patient_id AS accepted_id,
        CASE
            WHEN newest_decision.object_id IS NULL
                THEN coalesce(judgement.doubt, CASE WHEN judgement.object_id IS NULL THEN 'unknown' END)
            WHEN newest_decision.evidence = coalesce(judgement.evidence, '')
                THEN CASE
                    WHEN newest_decision.patient_id IS NOT NULL THEN 'accepted'
                    WHEN cardinality(array_except(coalesce(judgement.patient_ids, ARRAY[]), newest_decision.rejected_ids)) = 0
                        THEN 'rejected'
                    WHEN judgement.doubt IS NULL AND NOT contains(newest_decision.rejected_ids, judgement.patient_id) THEN NULL
                    ELSE 'partly_rejected'
                END
            WHEN judgement.doubt IS NULL AND judgement.patient_id = newest_decision.patient_id THEN NULL
            WHEN judgement.object_id IS NULL AND newest_decision.patient_id IS NULL THEN 'unknown'
            ELSE 'evidence_changed'
        END AS link_reason
    FROM object
    LEFT JOIN judgement ON object.modality = judgement.modality AND object.object_id = judgement.object_id
    LEFT JOIN newest_decision
        ON object.modality = newest_decision.modality AND object.object_id = newest_decision.object_id
),

verdict AS (
    SELECT
        modality,
        object_id,
        load_mark,
        link_evidence,
        coalesce(link_reason, 'agreed') AS link_reason,
        CASE
            WHEN link_reason IS NULL OR link_reason = 'accepted' THEN 'link'
            WHEN link_reason IN ('unknown', 'rejected') THEN 'refuse'
            ELSE 'review'
        END AS link_verdict,
        CASE WHEN link_reason = 'accepted' THEN accepted_id WHEN link_reason IS NULL THEN patient_id END AS patient_id,
        CASE WHEN link_reason = 'accepted' THEN 'review' WHEN link_reason IS NULL THEN method ELSE 'none' END AS link_method
    FROM reasoned_object
)

SELECT
    verdict.object_id,
    verdict.modality,
    verdict.patient_id,
    verdict.link_method,
    verdict.link_verdict,
    verdict.link_reason,
    verdict.link_evidence,
    verdict.load_mark
FROM verdict

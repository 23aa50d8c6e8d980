-- Sequenced samples, the patient each belongs to, who called their genotypes, and how much of them can be read.
-- One row per sample and reference genome.
-- Read by every genomic table; personas see it through their filters.
-- Linked by the rules of clinical.link_rule (see sql/cohort/README.md) over all files of a sample's name: what comes first
-- must name one patient, and nothing else may name only others. From "formed AS" to "linked AS" this is imaging.study's text.
-- Counts are of rows after splitting; a filtered row is also counted by its call. A block is a reference record that
-- reaches beyond its REF (gVCF): where a sample has blocks, a place without a row was not covered; where it has none,
-- nothing is known of it.
WITH stored_row AS (
    SELECT
        sampleid AS sample_id,
        reference_genome,
        source_file,
        load_id,
        calls,
        coalesce(any_match(filters, one -> one <> 'PASS'), FALSE) AS is_filtered,
        calls IS NULL OR all_match(calls, one -> one = -1) AS is_no_call,
        coalesce(any_match(calls, one -> one = -1), FALSE) AS has_no_call,
        coalesce(all_match(calls, one -> one = 0), FALSE) AS is_reference,
        coalesce(any_match(calls, one -> one = 1), FALSE) AS is_carried,
        coalesce(element_at(alternatealleles, 1), '') IN ('', '<NON_REF>', '<*>')
        AND variant."end" - start > length(referenceallele) AS is_block,
        variant."end" - start AS n_bases,
        contigname = 'X' AND start BETWEEN 2800000 AND 154900000
        AND NOT coalesce(any_match(filters, one -> one <> 'PASS'), FALSE) AS is_on_x,
        contigname = 'Y' AND start BETWEEN 2800000 AND 56800000
        AND NOT coalesce(any_match(filters, one -> one <> 'PASS'), FALSE) AS is_on_y
    FROM genomic_store.variant
),

stored_file AS (
    SELECT
        sample_id,
        reference_genome,
        source_file,
        max(load_id) AS load_id,
        count(*) AS n_records,
        count_if(is_carried) AS n_carried,
        count_if(is_reference) AS n_hom_ref,
        count_if(is_no_call) AS n_no_call,
        count_if(has_no_call AND NOT is_no_call) AS n_half_call,
        count_if(is_filtered) AS n_filtered,
        count_if(is_block) AS n_blocks,
        sum(CASE WHEN is_block AND is_reference THEN n_bases ELSE 0 END) AS n_block_bases,
        count_if(is_on_x AND NOT is_no_call) AS n_x_called,
        count_if(is_on_x AND NOT is_no_call AND cardinality(calls) = 1) AS n_x_haploid,
        count_if(is_on_x AND NOT has_no_call AND cardinality(array_distinct(calls)) > 1) AS n_x_heterozygous,
        count_if(is_on_y AND NOT is_no_call) AS n_y_called
    FROM stored_row
    GROUP BY sample_id, reference_genome, source_file
),

told_by_header AS (
    SELECT
        sampleid AS sample_id,
        reference_genome,
        source_file,
        max_by(caller, load_id) AS caller,
        max_by(caller_version, load_id) AS caller_version,
        max_by(file_format, load_id) AS file_format
    FROM genomic_store.sample_file
    GROUP BY sampleid, reference_genome, source_file
),

named_sample AS (
    SELECT
        sample_id,
        reference_genome,
        max_by(source_file, load_id || ' ' || source_file) AS source_file,
        max(load_id) AS load_id,
        count(*) AS n_files,
        sum(n_records) AS n_records,
        sum(n_carried) AS n_carried,
        sum(n_hom_ref) AS n_hom_ref,
        sum(n_no_call) AS n_no_call,
        sum(n_half_call) AS n_half_call,
        sum(n_filtered) AS n_filtered,
        sum(n_blocks) AS n_blocks,
        sum(n_block_bases) AS n_block_bases,
        sum(n_x_called) AS n_x_called,
        sum(n_x_haploid) AS n_x_haploid,
        sum(n_x_heterozygous) AS n_x_heterozygous,
        sum(n_y_called) AS n_y_called
    FROM stored_file
    GROUP BY sample_id, reference_genome
),

worded AS (
    SELECT DISTINCT
        sample_id AS object_id,
        upper(regexp_replace(sample_id, '^[\s\x00]+|[\s\x00]+$', '')) AS sample_word,
        regexp_extract(upper(source_file), '[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}') AS file_word
    FROM stored_file
),

told AS (
    SELECT
        object_id,
        'genomic' AS modality,
        'sample_name' AS evidence,
        sample_word AS word
    FROM worded
    UNION
    SELECT
        worded.object_id,
        'genomic' AS modality,
        'name_uuid' AS evidence,
        held.uuid AS word
    FROM worded
    CROSS JOIN
        unnest(
            regexp_extract_all(worded.sample_word, '(?:^|[^0-9A-F])([0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12})', 1)
        ) AS held (uuid)
    WHERE worded.sample_word <> held.uuid
    UNION
    SELECT
        object_id,
        'genomic' AS modality,
        'file_name' AS evidence,
        file_word AS word
    FROM worded
    WHERE file_word <> ''
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
    LEFT JOIN decided ON named.object_id = decided.object_id AND decided.modality = 'genomic'
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
    named_sample.sample_id,
    linked.patient_id,
    named_sample.reference_genome,
    linked.link_method,
    linked.link_verdict,
    linked.link_reason,
    linked.link_evidence,
    named_sample.source_file,
    named_sample.load_id,
    named_sample.n_files,
    told_by_header.caller,
    told_by_header.caller_version,
    told_by_header.file_format,
    named_sample.n_records,
    named_sample.n_carried,
    named_sample.n_hom_ref,
    named_sample.n_no_call,
    named_sample.n_half_call,
    named_sample.n_filtered,
    named_sample.n_blocks,
    named_sample.n_block_bases,
    named_sample.n_x_called,
    named_sample.n_x_haploid,
    named_sample.n_x_heterozygous,
    named_sample.n_y_called,
    patient.site_id,
    coalesce(patient.consent_research, FALSE) AS consent_research,
    coalesce(patient.consent_genomic, FALSE) AS consent_genomic,
    coalesce(patient.consent_imaging, FALSE) AS consent_imaging
FROM named_sample
INNER JOIN linked ON named_sample.sample_id = linked.object_id
LEFT JOIN told_by_header
    ON
        named_sample.sample_id = told_by_header.sample_id
        AND named_sample.reference_genome = told_by_header.reference_genome
        AND named_sample.source_file = told_by_header.source_file
LEFT JOIN clinical.patient ON linked.patient_id = patient.patient_id

-- Sequenced samples, the patient each belongs to, who called their genotypes, and how much of them can be read.
-- One row per sample and reference genome.
-- Read by every genomic table; personas see it through their filters.
-- Link, in this order: the sample is named by the patient's id, by the MRN, or its file's name holds the patient's id.
-- An MRN that two patients share leads to neither; names that lead to different patients link to none of them.
-- Counts are of rows after splitting; a filtered row is also counted by its call. A block is a reference record that
-- reaches beyond its REF (gVCF): where a sample has blocks, a place without a row was not covered; where it has none,
-- nothing is known of it.
-- May be missing: genomic_store.sample_file (a HealthOmics variant store keeps no headers).
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
        variant."end" - start AS n_bases
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
        lower(
            regexp_extract(source_file, '[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}')
        ) AS file_patient_id
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
        CASE WHEN count(DISTINCT file_patient_id) = 1 THEN max(file_patient_id) END AS file_patient_id
    FROM stored_file
    GROUP BY sample_id, reference_genome
),

unique_mrn AS (
    SELECT
        mrn,
        min(patient_id) AS patient_id
    FROM clinical.patient
    WHERE mrn IS NOT NULL
    GROUP BY mrn
    HAVING count(*) = 1
),

candidate AS (
    SELECT
        named_sample.sample_id,
        named_sample.reference_genome,
        by_id.patient_id AS patient_id_by_name,
        by_mrn.patient_id AS patient_id_by_mrn,
        array_distinct(
            filter(ARRAY[by_id.patient_id, by_mrn.patient_id, by_file.patient_id], one -> one IS NOT NULL)
        ) AS patient_ids
    FROM named_sample
    LEFT JOIN clinical.patient AS by_id ON named_sample.sample_id = by_id.patient_id
    LEFT JOIN unique_mrn AS by_mrn ON named_sample.sample_id = by_mrn.mrn
    LEFT JOIN clinical.patient AS by_file ON named_sample.file_patient_id = by_file.patient_id
),

linked_sample AS (
    SELECT
        sample_id,
        reference_genome,
        CASE WHEN cardinality(patient_ids) = 1 THEN element_at(patient_ids, 1) END AS patient_id,
        CASE
            WHEN cardinality(patient_ids) <> 1 THEN 'none'
            WHEN patient_id_by_name IS NOT NULL THEN 'uuid'
            WHEN patient_id_by_mrn IS NOT NULL THEN 'mrn'
            ELSE 'file_name'
        END AS link_method
    FROM candidate
)

SELECT
    named_sample.sample_id,
    linked_sample.patient_id,
    named_sample.reference_genome,
    linked_sample.link_method,
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
    patient.site_id,
    coalesce(patient.consent_research, FALSE) AS consent_research,
    coalesce(patient.consent_genomic, FALSE) AS consent_genomic,
    coalesce(patient.consent_imaging, FALSE) AS consent_imaging
FROM named_sample
INNER JOIN linked_sample
    ON
        named_sample.sample_id = linked_sample.sample_id
        AND named_sample.reference_genome = linked_sample.reference_genome
LEFT JOIN told_by_header
    ON
        named_sample.sample_id = told_by_header.sample_id
        AND named_sample.reference_genome = told_by_header.reference_genome
        AND named_sample.source_file = told_by_header.source_file
LEFT JOIN clinical.patient ON linked_sample.patient_id = patient.patient_id

-- Sequenced samples, the patient each belongs to, who called their genotypes, and how much of them can be read.
-- One row per sample and reference genome.
-- Read by every genomic table; personas see it through their filters.
-- A sample's patient is judged in linkage.object, over all files that have its name.
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
        coalesce(any_match(filters, entry -> entry <> 'PASS'), FALSE) AS is_filtered,
        calls IS NULL OR all_match(calls, allele -> allele = -1) AS is_no_call,
        coalesce(any_match(calls, allele -> allele = -1), FALSE) AS has_no_call,
        coalesce(all_match(calls, allele -> allele = 0), FALSE) AS is_reference,
        coalesce(any_match(calls, allele -> allele = 1), FALSE) AS is_carried,
        coalesce(element_at(alternatealleles, 1), '') IN ('', '<NON_REF>', '<*>')
        AND variant."end" - start > length(referenceallele) AS is_block,
        variant."end" - start AS n_bases,
        -- outside of the pseudoautosomal regions of GRCh37 and GRCh38 alike: there a man has two alleles too
        contigname = 'X' AND start BETWEEN 2800000 AND 154900000
        AND NOT coalesce(any_match(filters, entry -> entry <> 'PASS'), FALSE) AS is_on_x,
        contigname = 'Y' AND start BETWEEN 2800000 AND 56800000
        AND NOT coalesce(any_match(filters, entry -> entry <> 'PASS'), FALSE) AS is_on_y
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

header AS (
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

sample AS (
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
)

SELECT
    sample.sample_id,
    object.patient_id,
    sample.reference_genome,
    object.link_method,
    object.link_verdict,
    object.link_reason,
    object.link_evidence,
    sample.source_file,
    sample.load_id,
    sample.n_files,
    header.caller,
    header.caller_version,
    header.file_format,
    sample.n_records,
    sample.n_carried,
    sample.n_hom_ref,
    sample.n_no_call,
    sample.n_half_call,
    sample.n_filtered,
    sample.n_blocks,
    sample.n_block_bases,
    sample.n_x_called,
    sample.n_x_haploid,
    sample.n_x_heterozygous,
    sample.n_y_called,
    object.site_id,
    object.consent_research,
    object.consent_genomic,
    object.consent_imaging
FROM sample
INNER JOIN linkage.object ON sample.sample_id = object.object_id AND object.modality = 'genomic'
LEFT JOIN header
    ON
        sample.sample_id = header.sample_id
        AND sample.reference_genome = header.reference_genome
        AND sample.source_file = header.source_file

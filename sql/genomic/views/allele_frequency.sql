-- How frequent an annotated allele is among the samples in which it could be assessed, and why the others could not.
-- One row per reference genome and annotated allele that some file tells of.
-- Read by bioinformaticians and data scientists. n_alt and n_alleles (AC and AN) are of whole calls; n_assessable also
-- holds half calls that show the allele. Not covered: a sample with gVCF blocks, none of them here. Absent: a sample
-- without blocks and without a row, of which nothing is known. n_samples = assessable + half_call + no_call + filtered +
-- not_covered + absent, half_call being the half calls that show other alleles only. A sample whose files tell of no
-- annotated allele at all is in genomic.sample alone, and in none of these numbers.
WITH sample_count AS (
    SELECT
        reference_genome,
        count(DISTINCT sample_id) AS n_samples,
        count(DISTINCT CASE WHEN has_blocks THEN sample_id END) AS n_with_blocks
    FROM genomic.dosage
    GROUP BY reference_genome
),

allele AS (
    SELECT
        reference_genome,
        variant_id,
        max(rs_id) AS rs_id,
        max(gene) AS gene,
        count_if(n_alt IS NOT NULL OR n_alt_at_least > 0) AS n_assessable,
        count_if(n_alt_at_least > 0) AS n_carriers,
        count_if(n_alt > 0 AND n_alt < n_alleles) AS n_heterozygous,
        count_if(n_alt > 1 AND n_alt = n_alleles) AS n_homozygous,
        count_if(n_alt = 1 AND n_alleles = 1) AS n_hemizygous,
        count_if(call_status = 'half_call' AND n_alt_at_least = 0) AS n_half_call,
        count_if(call_status = 'no_call') AS n_no_call,
        count_if(call_status = 'filtered') AS n_filtered,
        count_if(has_blocks) AS n_told_with_blocks,
        count(*) AS n_told,
        sum(n_alt) AS n_alt,
        sum(n_alleles) AS n_alleles,
        cast(sum(n_alt) AS double) / nullif(sum(n_alleles), 0) AS frequency
    FROM genomic.dosage
    GROUP BY reference_genome, variant_id
)

SELECT
    allele.reference_genome,
    allele.variant_id,
    allele.rs_id,
    allele.gene,
    allele.n_assessable,
    allele.n_carriers,
    allele.n_heterozygous,
    allele.n_homozygous,
    allele.n_hemizygous,
    allele.n_half_call,
    allele.n_no_call,
    allele.n_filtered,
    sample_count.n_with_blocks - allele.n_told_with_blocks AS n_not_covered,
    sample_count.n_samples - sample_count.n_with_blocks - allele.n_told + allele.n_told_with_blocks AS n_absent,
    sample_count.n_samples,
    allele.n_alt,
    allele.n_alleles,
    allele.frequency
FROM allele
INNER JOIN sample_count ON allele.reference_genome = sample_count.reference_genome

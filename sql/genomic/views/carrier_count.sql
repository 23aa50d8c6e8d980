-- How many samples carry some allele of a gene and significance, of how many in which that could be told.
-- One row per reference genome, gene and significance of the newest ClinVar release, over alleles that some file tells of.
-- Read by bioinformaticians and data scientists. n_assessable: carriers, and samples in which each of the n_alleles was
-- called; n_samples - n_assessable is not known, never "no". An allele in two genes counts in both.
WITH newest_release AS (
    SELECT
        reference_genome,
        max(release) AS release
    FROM genomic.annotation
    GROUP BY reference_genome
),

asked AS (
    SELECT DISTINCT
        reference_genome,
        variant_id
    FROM genomic.dosage
),

gene_allele AS (
    SELECT
        annotation.reference_genome,
        annotation.release,
        annotation.variant_id,
        one.gene,
        annotation.significance
    FROM genomic.annotation
    INNER JOIN newest_release
        ON
            annotation.reference_genome = newest_release.reference_genome
            AND annotation.release = newest_release.release
    INNER JOIN asked
        ON
            annotation.reference_genome = asked.reference_genome
            AND annotation.variant_id = asked.variant_id
    CROSS JOIN unnest(coalesce(annotation.genes, ARRAY['no gene'])) AS one (gene)
),

sample_count AS (
    SELECT
        reference_genome,
        count(DISTINCT sample_id) AS n_samples
    FROM genomic.dosage
    GROUP BY reference_genome
),

allele_count AS (
    SELECT
        reference_genome,
        gene,
        significance,
        max(release) AS release,
        count(*) AS n_alleles
    FROM gene_allele
    GROUP BY reference_genome, gene, significance
),

sample_state AS (
    SELECT
        gene_allele.reference_genome,
        gene_allele.gene,
        gene_allele.significance,
        dosage.sample_id,
        count_if(dosage.n_alt_at_least > 0) AS n_carried,
        max(coalesce(dosage.n_alt_at_least, 0)) AS n_copies,
        count(dosage.n_alt) AS n_called
    FROM gene_allele
    INNER JOIN genomic.dosage
        ON
            gene_allele.reference_genome = dosage.reference_genome
            AND gene_allele.variant_id = dosage.variant_id
    GROUP BY gene_allele.reference_genome, gene_allele.gene, gene_allele.significance, dosage.sample_id
)

SELECT
    allele_count.reference_genome,
    allele_count.gene,
    allele_count.significance,
    allele_count.release,
    allele_count.n_alleles,
    count_if(sample_state.n_carried > 0) AS n_carriers,
    count_if(sample_state.n_copies > 1) AS n_with_two_copies,
    count_if(sample_state.n_carried > 0 OR sample_state.n_called = allele_count.n_alleles) AS n_assessable,
    max(sample_count.n_samples) AS n_samples
FROM allele_count
INNER JOIN sample_count ON allele_count.reference_genome = sample_count.reference_genome
INNER JOIN sample_state
    ON
        allele_count.reference_genome = sample_state.reference_genome
        AND allele_count.gene = sample_state.gene
        AND allele_count.significance IS NOT DISTINCT FROM sample_state.significance
GROUP BY
    allele_count.reference_genome,
    allele_count.gene,
    allele_count.significance,
    allele_count.release,
    allele_count.n_alleles

-- How frequent an annotated allele is among the samples in which it could be assessed.
-- One row per reference genome and annotated allele.
-- Read by bioinformaticians and data scientists.
SELECT
    reference_genome,
    variant_id,
    max(rs_id) AS rs_id,
    max(gene) AS gene,
    count(n_alt) AS n_assessable,
    count_if(n_alt > 0) AS n_carriers,
    sum(n_alt) AS n_alt,
    sum(n_alleles) AS n_alleles,
    cast(sum(n_alt) AS double) / nullif(sum(n_alleles), 0) AS frequency
FROM genomic.dosage
GROUP BY reference_genome, variant_id

-- Who carries an annotated allele, and in how many copies.
-- One row per sample and carried annotated allele.
-- Read by bioinformaticians and data scientists; count carriers beside allele_frequency.n_assessable.
SELECT
    sample_id,
    patient_id,
    reference_genome,
    variant_id,
    rs_id,
    gene,
    n_alt,
    CASE
        WHEN n_alt < n_alleles THEN 'heterozygous'
        WHEN n_alleles = 1 THEN 'hemizygous'
        ELSE 'homozygous'
    END AS zygosity
FROM genomic.dosage
WHERE n_alt > 0

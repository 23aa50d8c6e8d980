-- Who carries an annotated allele, in how many copies, and what the newest ClinVar release says of it.
-- One row per sample and carried annotated allele; a half call that shows the allele is a carrier of unknown zygosity.
-- Read by bioinformaticians and data scientists; carrier_count and allele_frequency say how many could be assessed.
WITH newest_release AS (
    SELECT
        reference_genome,
        max(release) AS release
    FROM genomic.annotation
    GROUP BY reference_genome
),

newest_annotation AS (
    SELECT
        annotation.reference_genome,
        annotation.variant_id,
        annotation.genes,
        annotation.clinical_significance,
        annotation.significance,
        annotation.is_pathogenic,
        annotation.is_drug_response,
        annotation.review_stars,
        annotation.conditions,
        annotation.release
    FROM genomic.annotation
    INNER JOIN newest_release
        ON
            annotation.reference_genome = newest_release.reference_genome
            AND annotation.release = newest_release.release
)

SELECT
    dosage.sample_id,
    dosage.patient_id,
    dosage.reference_genome,
    dosage.variant_id,
    dosage.rs_id,
    dosage.gene,
    newest_annotation.genes,
    newest_annotation.clinical_significance,
    newest_annotation.significance,
    coalesce(newest_annotation.is_pathogenic, FALSE) AS is_pathogenic,
    coalesce(newest_annotation.is_drug_response, FALSE) AS is_drug_response,
    newest_annotation.review_stars,
    newest_annotation.conditions,
    newest_annotation.release,
    dosage.n_alt,
    dosage.n_alt_at_least,
    CASE
        WHEN dosage.n_alt IS NULL THEN 'unknown'
        WHEN dosage.n_alt < dosage.n_alleles THEN 'heterozygous'
        WHEN dosage.n_alleles = 1 THEN 'hemizygous'
        ELSE 'homozygous'
    END AS zygosity
FROM genomic.dosage
LEFT JOIN newest_annotation
    ON
        dosage.reference_genome = newest_annotation.reference_genome
        AND dosage.variant_id = newest_annotation.variant_id
WHERE dosage.n_alt_at_least > 0

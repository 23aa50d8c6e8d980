-- What is known of each sample at alleles that change the response to a drug, in the newest ClinVar release.
-- One row per sample and drug-response allele that some file of the lake tells of, carried or not.
-- Read by bioinformaticians and data scientists. state: carried; not_carried (called, no copy); not_assessable (no call,
-- filtered, half called); not_told (the sample's files say nothing of the place). Only not_carried means no.
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

drug_allele AS (
    SELECT
        annotation.reference_genome,
        annotation.variant_id,
        annotation.rs_id,
        annotation.gene,
        annotation.clinical_significance,
        annotation.review_stars,
        annotation.conditions,
        annotation.release
    FROM genomic.annotation
    INNER JOIN newest_release
        ON
            annotation.reference_genome = newest_release.reference_genome
            AND annotation.release = newest_release.release
    INNER JOIN asked
        ON
            annotation.reference_genome = asked.reference_genome
            AND annotation.variant_id = asked.variant_id
    WHERE annotation.is_drug_response
),

known_sample AS (
    SELECT DISTINCT
        reference_genome,
        sample_id,
        patient_id
    FROM genomic.dosage
)

SELECT
    known_sample.sample_id,
    known_sample.patient_id,
    drug_allele.reference_genome,
    drug_allele.variant_id,
    drug_allele.rs_id,
    drug_allele.gene,
    drug_allele.clinical_significance,
    drug_allele.review_stars,
    drug_allele.conditions,
    drug_allele.release,
    CASE
        WHEN dosage.sample_id IS NULL THEN 'not_told'
        WHEN dosage.n_alt_at_least > 0 THEN 'carried'
        WHEN dosage.n_alt = 0 THEN 'not_carried'
        ELSE 'not_assessable'
    END AS state,
    dosage.n_alt,
    CASE
        WHEN dosage.n_alt_at_least > 0 AND dosage.n_alt IS NULL THEN 'unknown'
        WHEN dosage.n_alt > 0 AND dosage.n_alt < dosage.n_alleles THEN 'heterozygous'
        WHEN dosage.n_alt = 1 AND dosage.n_alleles = 1 THEN 'hemizygous'
        WHEN dosage.n_alt > 0 THEN 'homozygous'
    END AS zygosity
FROM drug_allele
INNER JOIN known_sample ON drug_allele.reference_genome = known_sample.reference_genome
LEFT JOIN genomic.dosage
    ON
        known_sample.sample_id = dosage.sample_id
        AND drug_allele.reference_genome = dosage.reference_genome
        AND drug_allele.variant_id = dosage.variant_id

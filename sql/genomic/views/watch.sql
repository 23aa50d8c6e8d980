-- What changed in ClinVar from each release to the next for alleles that samples of the lake carry.
-- One row per reference genome, pair of successive releases, changed allele and carrier.
-- Read by bioinformaticians: whose report may have to be written again. n_carriers and n_assessable are of the allele,
-- among the samples that the reader may see.
WITH assessed AS (
    SELECT
        reference_genome,
        variant_id,
        count_if(n_alt_at_least > 0) AS n_carriers,
        count_if(n_alt IS NOT NULL OR n_alt_at_least > 0) AS n_assessable
    FROM genomic.dosage
    GROUP BY reference_genome, variant_id
)

SELECT
    annotation_change.reference_genome,
    annotation_change.previous_release,
    annotation_change.release,
    annotation_change.change,
    annotation_change.variant_id,
    annotation_change.annotation_id,
    annotation_change.gene,
    annotation_change.previous_clinical_significance,
    annotation_change.clinical_significance,
    annotation_change.previous_review_stars,
    annotation_change.review_stars,
    dosage.sample_id,
    dosage.patient_id,
    dosage.n_alt,
    assessed.n_carriers,
    assessed.n_assessable
FROM genomic.annotation_change
INNER JOIN genomic.dosage
    ON
        annotation_change.reference_genome = dosage.reference_genome
        AND annotation_change.variant_id = dosage.variant_id
INNER JOIN assessed
    ON
        annotation_change.reference_genome = assessed.reference_genome
        AND annotation_change.variant_id = assessed.variant_id
WHERE dosage.n_alt_at_least > 0

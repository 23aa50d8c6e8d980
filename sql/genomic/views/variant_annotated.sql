-- Called alleles with what the newest ClinVar release of their reference genome says of them.
-- One row per sample and alternate allele that the sample carries or was called reference at.
-- Read by bioinformaticians. zygosity is reference where the sample was called and has no copy: not every row is a carrier.
WITH newest_release AS (
    SELECT
        reference_genome,
        max(release) AS release
    FROM genomic.annotation
    GROUP BY reference_genome
)

SELECT
    variant.sampleid AS sample_id,
    variant.patient_id,
    variant.reference_genome,
    variant.contigname,
    variant.start,
    variant."end",
    variant.referenceallele,
    variant.alternateallele,
    annotation.variant_id,
    variant.calls,
    CASE
        WHEN none_match(variant.calls, entry -> entry = 1) AND any_match(variant.calls, entry -> entry = -1) THEN 'unknown'
        WHEN none_match(variant.calls, entry -> entry = 1) THEN 'reference'
        WHEN any_match(variant.calls, entry -> entry = -1) THEN 'unknown'
        WHEN any_match(variant.calls, entry -> entry <> 1) THEN 'heterozygous'
        WHEN cardinality(variant.calls) = 1 THEN 'hemizygous'
        ELSE 'homozygous'
    END AS zygosity,
    variant.depth,
    variant.filters,
    annotation.rs_id,
    annotation.gene,
    annotation.genes,
    annotation.clinical_significance,
    annotation.significance,
    annotation.is_pathogenic,
    annotation.is_drug_response,
    annotation.review_stars,
    annotation.condition_name,
    annotation.conditions,
    annotation.release
FROM genomic.variant
INNER JOIN newest_release ON variant.reference_genome = newest_release.reference_genome
INNER JOIN genomic.annotation
    ON
        newest_release.reference_genome = annotation.reference_genome
        AND newest_release.release = annotation.release
        AND variant.contigname = annotation.contigname
        AND variant.start = annotation.start
        AND variant.referenceallele = annotation.referenceallele
        AND variant.alternateallele = annotation.alternateallele
WHERE
    variant.alternateallele <> ''
    AND any_match(variant.calls, entry -> entry >= 0)

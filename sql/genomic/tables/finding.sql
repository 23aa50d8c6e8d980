-- Alleles that a patient carries and that the newest ClinVar release calls pathogenic, likely pathogenic or drug response.
-- One row per sample and such allele; only samples that belong to a patient.
-- Read by clinicians, of the patients in their care: no other genotype is in here. Filtered and uncertain calls are not.
-- is_secondary: pathogenic, in a gene of the ACMG list of findings that are told although nobody asked for them
-- (genomic.gene.is_acmg_sf); those are left out unless the patient agreed to genomics, the only such consent in the chart.
WITH newest_release AS (
    SELECT
        reference_genome,
        max(release) AS release
    FROM genomic.annotation
    GROUP BY reference_genome
),

listed_gene AS (
    SELECT
        reference_genome,
        symbol,
        is_acmg_sf
    FROM genomic.gene
)

SELECT
    dosage.sample_id,
    dosage.patient_id,
    dosage.reference_genome,
    dosage.variant_id,
    dosage.rs_id,
    annotation.gene,
    annotation.annotation_id,
    annotation.clinical_significance,
    annotation.significance,
    annotation.is_pathogenic,
    annotation.is_drug_response,
    annotation.review_status,
    annotation.review_stars,
    annotation.conditions,
    annotation.hgvs,
    CASE
        WHEN dosage.n_alt IS NULL THEN 'unknown'
        WHEN dosage.n_alt < dosage.n_alleles THEN 'heterozygous'
        WHEN dosage.n_alleles = 1 THEN 'hemizygous'
        ELSE 'homozygous'
    END AS zygosity,
    annotation.is_pathogenic AND coalesce(listed_gene.is_acmg_sf, FALSE) AS is_secondary,
    annotation.release,
    dosage.load_id,
    dosage.site_id,
    dosage.consent_research,
    dosage.consent_genomic,
    dosage.consent_imaging
FROM genomic.dosage
INNER JOIN newest_release ON dosage.reference_genome = newest_release.reference_genome
INNER JOIN genomic.annotation
    ON
        newest_release.reference_genome = annotation.reference_genome
        AND newest_release.release = annotation.release
        AND dosage.variant_id = annotation.variant_id
LEFT JOIN listed_gene
    ON
        annotation.reference_genome = listed_gene.reference_genome
        AND annotation.gene = listed_gene.symbol
WHERE
    dosage.n_alt_at_least > 0
    AND dosage.patient_id IS NOT NULL
    AND (annotation.is_pathogenic OR annotation.is_drug_response)
    AND (dosage.consent_genomic OR NOT (annotation.is_pathogenic AND coalesce(listed_gene.is_acmg_sf, FALSE)))

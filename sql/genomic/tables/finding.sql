-- Alleles that a patient carries and that the newest ClinVar release calls pathogenic, likely pathogenic or drug response.
-- One row per sample and such allele; only samples that belong to a patient.
-- Read by clinicians, of the patients in their care: no other genotype is in here. Filtered and uncertain calls are not.
-- is_secondary: pathogenic, in a gene of the ACMG list of findings that are told although nobody asked for them
-- (genomic.gene.is_acmg_sf); those are left out unless the patient agreed to genomics, the only such consent in the chart.
-- Each gene of GENEINFO counts: ClinVar may name a regulatory region first (LOC126862571:126862571|BRCA1:672). A gene is
-- listed by its symbol, whether or not its place on this reference genome is known.
WITH newest_release AS (
    SELECT
        reference_genome,
        max(release) AS release
    FROM genomic.annotation
    GROUP BY reference_genome
),

acmg_gene AS (
    SELECT array_sort(array_agg(DISTINCT symbol)) AS symbols
    FROM genomic.gene
    WHERE is_acmg_sf
),

classified_annotation AS (
    SELECT
        annotation.reference_genome,
        annotation.release,
        annotation.variant_id,
        annotation.gene,
        annotation.genes,
        annotation.annotation_id,
        annotation.clinical_significance,
        annotation.significance,
        annotation.is_pathogenic,
        annotation.is_drug_response,
        annotation.review_status,
        annotation.review_stars,
        annotation.conditions,
        annotation.hgvs,
        annotation.is_pathogenic AND coalesce(
            any_match(
                coalesce(annotation.genes, ARRAY[annotation.gene]),
                symbol -> contains(acmg_gene.symbols, symbol)
            ),
            FALSE
        ) AS is_secondary
    FROM genomic.annotation
    INNER JOIN newest_release
        ON
            annotation.reference_genome = newest_release.reference_genome
            AND annotation.release = newest_release.release
    CROSS JOIN acmg_gene
    WHERE annotation.is_pathogenic OR annotation.is_drug_response
)

SELECT
    dosage.sample_id,
    dosage.patient_id,
    dosage.reference_genome,
    dosage.variant_id,
    dosage.rs_id,
    classified_annotation.gene,
    classified_annotation.genes,
    classified_annotation.annotation_id,
    classified_annotation.clinical_significance,
    classified_annotation.significance,
    classified_annotation.is_pathogenic,
    classified_annotation.is_drug_response,
    classified_annotation.review_status,
    classified_annotation.review_stars,
    classified_annotation.conditions,
    classified_annotation.hgvs,
    CASE
        WHEN dosage.n_alt IS NULL THEN 'unknown'
        WHEN dosage.n_alt < dosage.n_alleles THEN 'heterozygous'
        WHEN dosage.n_alleles = 1 THEN 'hemizygous'
        ELSE 'homozygous'
    END AS zygosity,
    classified_annotation.is_secondary,
    classified_annotation.release,
    dosage.load_id,
    dosage.site_id,
    dosage.consent_research,
    dosage.consent_genomic,
    dosage.consent_imaging
FROM genomic.dosage
INNER JOIN classified_annotation
    ON
        dosage.reference_genome = classified_annotation.reference_genome
        AND dosage.variant_id = classified_annotation.variant_id
WHERE
    dosage.n_alt_at_least > 0
    AND dosage.patient_id IS NOT NULL
    AND (dosage.consent_genomic OR NOT classified_annotation.is_secondary)

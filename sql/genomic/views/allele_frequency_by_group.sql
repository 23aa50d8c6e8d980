-- How frequent an annotated allele is within groups of patients: by sex, site, birth decade, race, ethnicity (as charted).
-- One row per reference genome, annotated allele, kind of group and group; group_value is unknown where the chart is silent.
-- Read by bioinformaticians and data scientists, over samples that belong to a patient. n_samples - n_assessable is not
-- known, as in allele_frequency. Race and ethnicity are the codes of the chart (OMB), which is no genetic ancestry. Any other
-- kind of group is the same query with another membership.
WITH membership AS (
    SELECT
        patient_id,
        'sex' AS group_kind,
        coalesce(gender, 'unknown') AS group_value
    FROM clinical.patient
    UNION ALL
    SELECT
        patient_id,
        'site' AS group_kind,
        coalesce(site_id, 'unknown') AS group_value
    FROM clinical.patient
    UNION ALL
    SELECT
        patient_id,
        'birth_decade' AS group_kind,
        coalesce(cast(birth_year / 10 * 10 AS varchar) || 's', 'unknown') AS group_value
    FROM clinical.patient
    UNION ALL
    SELECT
        patient_id,
        'race' AS group_kind,
        coalesce(race_code, 'unknown') AS group_value
    FROM clinical.patient
    UNION ALL
    SELECT
        patient_id,
        'ethnicity' AS group_kind,
        coalesce(ethnicity_code, 'unknown') AS group_value
    FROM clinical.patient
),

sample_count AS (
    SELECT
        dosage.reference_genome,
        membership.group_kind,
        membership.group_value,
        count(DISTINCT dosage.sample_id) AS n_samples
    FROM genomic.dosage
    INNER JOIN membership ON dosage.patient_id = membership.patient_id
    GROUP BY dosage.reference_genome, membership.group_kind, membership.group_value
),

allele AS (
    SELECT
        dosage.reference_genome,
        dosage.variant_id,
        membership.group_kind,
        membership.group_value,
        max(dosage.rs_id) AS rs_id,
        max(dosage.gene) AS gene,
        count_if(dosage.n_alt IS NOT NULL OR dosage.n_alt_at_least > 0) AS n_assessable,
        count_if(dosage.n_alt_at_least > 0) AS n_carriers,
        sum(dosage.n_alt) AS n_alt,
        sum(dosage.n_alleles) AS n_alleles
    FROM genomic.dosage
    INNER JOIN membership ON dosage.patient_id = membership.patient_id
    GROUP BY dosage.reference_genome, dosage.variant_id, membership.group_kind, membership.group_value
)

SELECT
    allele.reference_genome,
    allele.variant_id,
    allele.rs_id,
    allele.gene,
    allele.group_kind,
    allele.group_value,
    allele.n_assessable,
    allele.n_carriers,
    sample_count.n_samples,
    allele.n_alt,
    allele.n_alleles,
    cast(allele.n_alt AS double) / nullif(allele.n_alleles, 0) AS frequency
FROM allele
INNER JOIN sample_count
    ON
        allele.reference_genome = sample_count.reference_genome
        AND allele.group_kind = sample_count.group_kind
        AND allele.group_value = sample_count.group_value

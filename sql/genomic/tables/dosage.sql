-- How many copies of an annotated allele each sample carries: the genomic features of cohorts and models.
-- One row per sample, reference genome and alternate allele that some annotation release names.
-- Read by data scientists; NULL n_alt means not called or filtered (see call_status), never "none".
WITH annotated_allele AS (
    SELECT
        reference_genome,
        contigname,
        start,
        referenceallele,
        alternateallele,
        max_by(gene, release) AS gene,
        max_by(rs_id, release) AS rs_id
    FROM genomic.annotation
    GROUP BY reference_genome, contigname, start, referenceallele, alternateallele
),

called_allele AS (
    SELECT
        variant.sampleid AS sample_id,
        variant.patient_id,
        variant.reference_genome,
        variant.contigname || '-' || cast(variant.start + 1 AS varchar) || '-' || variant.referenceallele
        || '-' || variant.alternateallele AS variant_id,
        coalesce(annotated_allele.rs_id, element_at(variant.names, 1)) AS rs_id,
        annotated_allele.gene,
        cardinality(filter(variant.calls, one -> one = 1)) AS n_alt,
        CASE
            WHEN NOT coalesce(none_match(variant.filters, one -> one <> 'PASS'), TRUE) THEN 'filtered'
            WHEN variant.calls IS NULL OR any_match(variant.calls, one -> one = -1) THEN 'no_call'
            ELSE 'called'
        END AS call_status,
        variant.site_id,
        variant.consent_research,
        variant.consent_genomic,
        variant.consent_imaging
    FROM genomic.variant
    INNER JOIN annotated_allele
        ON
            variant.reference_genome = annotated_allele.reference_genome
            AND variant.contigname = annotated_allele.contigname
            AND variant.start = annotated_allele.start
            AND variant.referenceallele = annotated_allele.referenceallele
            AND variant.alternateallele = annotated_allele.alternateallele
)

SELECT
    sample_id,
    patient_id,
    reference_genome,
    variant_id,
    rs_id,
    gene,
    CASE WHEN call_status = 'called' THEN cast(n_alt AS integer) END AS n_alt,
    call_status,
    site_id,
    consent_research,
    consent_genomic,
    consent_imaging
FROM called_allele

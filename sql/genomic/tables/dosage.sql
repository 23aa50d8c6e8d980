-- How many copies of an annotated allele each sample carries: the genomic features of cohorts and models.
-- One row per sample, reference genome and alternate allele that some annotation release names.
-- Read by data scientists; NULL n_alt means not called or filtered (see call_status), never "none".
-- A record of the reference alone (ALT .) at the allele's place says zero copies; a newer load outweighs an older one.
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

assessed_allele AS (
    SELECT
        variant.sampleid AS sample_id,
        variant.patient_id,
        variant.reference_genome,
        variant.contigname || '-' || cast(variant.start + 1 AS varchar) || '-' || variant.referenceallele
        || '-' || annotated_allele.alternateallele AS variant_id,
        coalesce(
            annotated_allele.rs_id, element_at(filter(variant.names, one -> regexp_like(one, '^rs[0-9]+$')), 1)
        ) AS rs_id,
        annotated_allele.gene,
        cardinality(filter(variant.calls, one -> one = 1)) AS n_alt,
        cardinality(variant.calls) AS n_alleles,
        CASE
            WHEN NOT coalesce(none_match(variant.filters, one -> one <> 'PASS'), TRUE) THEN 'filtered'
            WHEN variant.calls IS NULL OR any_match(variant.calls, one -> one = -1) THEN 'no_call'
            ELSE 'called'
        END AS call_status,
        variant.site_id,
        variant.consent_research,
        variant.consent_genomic,
        variant.consent_imaging,
        row_number() OVER (
            PARTITION BY
                variant.sampleid,
                variant.reference_genome,
                variant.contigname,
                variant.start,
                variant.referenceallele,
                annotated_allele.alternateallele
            ORDER BY variant.load_id DESC, variant.alternateallele DESC, variant."end" ASC
        ) AS place
    FROM genomic.variant
    INNER JOIN annotated_allele
        ON
            variant.reference_genome = annotated_allele.reference_genome
            AND variant.contigname = annotated_allele.contigname
            AND variant.start = annotated_allele.start
            AND variant.referenceallele = annotated_allele.referenceallele
            AND variant.alternateallele IN (annotated_allele.alternateallele, '')
)

SELECT
    sample_id,
    patient_id,
    reference_genome,
    variant_id,
    rs_id,
    gene,
    CASE WHEN call_status = 'called' THEN cast(n_alt AS integer) END AS n_alt,
    CASE WHEN call_status = 'called' THEN cast(n_alleles AS integer) END AS n_alleles,
    call_status,
    site_id,
    consent_research,
    consent_genomic,
    consent_imaging
FROM assessed_allele
WHERE place = 1

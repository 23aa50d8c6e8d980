-- How many copies of an annotated allele each sample carries: the genomic features of cohorts and models.
-- One row per sample, reference genome and alternate allele that some annotation release names, where the sample's file
-- tells anything of that place. No row is not "no copy": genomic.allele_frequency counts such samples apart.
-- Read by data scientists; NULL n_alt means not called, half called or filtered (see call_status), never "none".
-- Told by (basis), the best of the newest load: the allele's own record; a record of the reference alone at the same
-- place; a record there of other alleles only (no copy of this one); a reference block around the whole allele, unless
-- its depth or quality is 0. Blocks speak of alleles that some sample was asked about, so that the table does not grow
-- with all of ClinVar. Blocks are met by windows of 32,768 bases, since a join of ranges would compare all with all.
-- Chromosomes of which there is one (Y, MT, and X of men but for the pseudoautosomal regions) count once, where a caller
-- wrote the one copy twice (1/1); a call of two different alleles there stays as it was called.
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
    WHERE alternateallele <> ''
    GROUP BY reference_genome, contigname, start, referenceallele, alternateallele
),

call_at_place AS (
    SELECT
        variant.sampleid AS sample_id,
        variant.reference_genome,
        variant.contigname,
        variant.start,
        variant."end",
        variant.referenceallele,
        annotated_allele.alternateallele,
        CASE
            WHEN variant.alternateallele = annotated_allele.alternateallele THEN 'allele'
            WHEN variant.alternateallele IN ('', '<NON_REF>', '<*>') THEN 'reference'
            ELSE 'other_allele'
        END AS basis,
        variant.calls,
        variant.filters,
        variant.load_id,
        element_at(filter(variant.names, entry -> regexp_like(entry, '^rs[0-9]+$')), 1) AS own_rs_id
    FROM genomic.variant
    INNER JOIN annotated_allele
        ON
            variant.reference_genome = annotated_allele.reference_genome
            AND variant.contigname = annotated_allele.contigname
            AND variant.start = annotated_allele.start
            AND variant.referenceallele = annotated_allele.referenceallele
    WHERE
        variant.alternateallele = annotated_allele.alternateallele
        OR variant.alternateallele IN ('', '<NON_REF>', '<*>', '*')
        OR regexp_like(variant.alternateallele, '^[ACGTN]+$')
),

asked_allele AS (
    SELECT DISTINCT
        reference_genome,
        contigname,
        start,
        referenceallele,
        alternateallele,
        start / 32768 AS part -- parts of a contig are whole
    FROM call_at_place
    WHERE basis = 'allele'
),

block_part AS (
    SELECT
        variant.sampleid AS sample_id,
        variant.reference_genome,
        variant.contigname,
        variant.start,
        variant."end",
        CASE WHEN variant.depth = 0 OR variant.conditionalquality = 0 THEN NULL ELSE variant.calls END AS calls,
        variant.filters,
        variant.load_id,
        covered.part
    FROM genomic.variant
    -- parts of a contig are whole
    CROSS JOIN unnest(sequence(variant.start / 32768, (variant."end" - 1) / 32768)) AS covered (part)
    WHERE
        variant.alternateallele IN ('', '<NON_REF>', '<*>')
        AND variant."end" - variant.start > length(variant.referenceallele)
),

call_in_block AS (
    SELECT
        block_part.sample_id,
        block_part.reference_genome,
        block_part.contigname,
        asked_allele.start,
        block_part."end",
        asked_allele.referenceallele,
        asked_allele.alternateallele,
        'block' AS basis,
        block_part.calls,
        block_part.filters,
        block_part.load_id,
        cast(NULL AS varchar) AS own_rs_id
    FROM block_part
    INNER JOIN asked_allele
        ON
            block_part.reference_genome = asked_allele.reference_genome
            AND block_part.contigname = asked_allele.contigname
            AND block_part.part = asked_allele.part
    WHERE
        asked_allele.start >= block_part.start
        AND asked_allele.start + length(asked_allele.referenceallele) <= block_part."end"
),

allele_call AS (
    SELECT
        sample_id,
        reference_genome,
        contigname,
        start,
        call_at_place."end",
        referenceallele,
        alternateallele,
        basis,
        calls,
        filters,
        load_id,
        own_rs_id
    FROM call_at_place
    UNION ALL
    SELECT
        sample_id,
        reference_genome,
        contigname,
        start,
        call_in_block."end",
        referenceallele,
        alternateallele,
        basis,
        calls,
        filters,
        load_id,
        own_rs_id
    FROM call_in_block
),

best_call AS (
    SELECT
        sample_id,
        reference_genome,
        contigname,
        start,
        referenceallele,
        alternateallele,
        basis,
        calls,
        filters,
        load_id,
        own_rs_id,
        -- of one load and basis, what ends at the same place tells the same
        row_number() OVER (
            PARTITION BY sample_id, reference_genome, contigname, start, referenceallele, alternateallele
            ORDER BY
                load_id DESC,
                CASE basis WHEN 'allele' THEN 1 WHEN 'reference' THEN 2 WHEN 'other_allele' THEN 3 ELSE 4 END ASC,
                best_call_row."end" ASC
        ) AS place
    FROM allele_call AS best_call_row
),

assessed_allele AS (
    SELECT
        best_call.sample_id,
        best_call.reference_genome,
        best_call.contigname,
        best_call.start,
        best_call.referenceallele,
        best_call.alternateallele,
        best_call.basis,
        best_call.load_id,
        best_call.own_rs_id,
        sample.patient_id,
        coalesce(sample.n_blocks, 0) > 0 AS has_blocks,
        sample.site_id,
        coalesce(sample.consent_research, FALSE) AS consent_research,
        coalesce(sample.consent_genomic, FALSE) AS consent_genomic,
        coalesce(sample.consent_imaging, FALSE) AS consent_imaging,
        CASE
            WHEN coalesce(any_match(best_call.filters, entry -> entry <> 'PASS'), FALSE) THEN 'filtered'
            WHEN best_call.calls IS NULL OR all_match(best_call.calls, entry -> entry = -1) THEN 'no_call'
            WHEN any_match(best_call.calls, entry -> entry = -1) THEN 'half_call'
            ELSE 'called'
        END AS call_status,
        CASE
            WHEN best_call.basis = 'allele' THEN cardinality(filter(best_call.calls, entry -> entry = 1)) ELSE 0
        END AS n_copies,
        cardinality(best_call.calls) AS n_calls,
        cardinality(best_call.calls) = 2
        AND cardinality(array_distinct(best_call.calls)) = 1
        AND (
            best_call.contigname IN ('Y', 'MT')
            OR (
                best_call.contigname = 'X'
                AND patient.gender = 'male'
                AND NOT CASE best_call.reference_genome
                    WHEN 'GRCh38'
                        THEN best_call.start BETWEEN 10000 AND 2781478 OR best_call.start BETWEEN 155701382 AND 156030894
                    WHEN 'GRCh37'
                        THEN best_call.start BETWEEN 60000 AND 2699519 OR best_call.start BETWEEN 154931043 AND 155260559
                    ELSE TRUE
                END
            )
        ) AS is_one_copy
    FROM best_call
    LEFT JOIN genomic.sample
        ON
            best_call.sample_id = sample.sample_id
            AND best_call.reference_genome = sample.reference_genome
    LEFT JOIN clinical.patient ON sample.patient_id = patient.patient_id
    WHERE best_call.place = 1
)

SELECT
    assessed_allele.sample_id,
    assessed_allele.patient_id,
    assessed_allele.reference_genome,
    assessed_allele.contigname || '-' || cast(assessed_allele.start + 1 AS varchar) || '-'
    || assessed_allele.referenceallele || '-' || assessed_allele.alternateallele AS variant_id,
    coalesce(annotated_allele.rs_id, assessed_allele.own_rs_id) AS rs_id,
    annotated_allele.gene,
    CASE
        WHEN assessed_allele.call_status <> 'called' THEN NULL
        WHEN assessed_allele.is_one_copy THEN cast(least(assessed_allele.n_copies, 1) AS integer)
        ELSE cast(assessed_allele.n_copies AS integer)
    END AS n_alt,
    CASE
        WHEN assessed_allele.call_status <> 'called' THEN NULL
        WHEN assessed_allele.is_one_copy THEN 1
        ELSE cast(assessed_allele.n_calls AS integer)
    END AS n_alleles,
    CASE
        WHEN assessed_allele.call_status NOT IN ('called', 'half_call') THEN NULL
        WHEN assessed_allele.is_one_copy THEN cast(least(assessed_allele.n_copies, 1) AS integer)
        ELSE cast(assessed_allele.n_copies AS integer)
    END AS n_alt_at_least,
    assessed_allele.call_status,
    assessed_allele.basis,
    assessed_allele.has_blocks,
    assessed_allele.load_id,
    assessed_allele.site_id,
    assessed_allele.consent_research,
    assessed_allele.consent_genomic,
    assessed_allele.consent_imaging
FROM assessed_allele
INNER JOIN annotated_allele
    ON
        assessed_allele.reference_genome = annotated_allele.reference_genome
        AND assessed_allele.contigname = annotated_allele.contigname
        AND assessed_allele.start = annotated_allele.start
        AND assessed_allele.referenceallele = annotated_allele.referenceallele
        AND assessed_allele.alternateallele = annotated_allele.alternateallele

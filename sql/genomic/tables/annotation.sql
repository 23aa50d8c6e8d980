-- What ClinVar says of an allele, by release.
-- One row per annotated allele, reference genome and release; alternateallele is empty where the record has ALT '.'.
-- Read by everyone who may see annotated variants (AN): it holds no patients.
-- CLNSIG comes as Pathogenic/Likely_pathogenic|drug_response or, in older files, Pathogenic,_drug_response: significances
-- holds each word once, in small letters; significance is the one that says most about disease. A list that ClinVar calls
-- conflicting is conflicting, whatever else it holds. Stars follow CLNREVSTAT
-- (https://www.ncbi.nlm.nih.gov/clinvar/docs/review_status/), origins the bits of ORIGIN (the file's own header).
WITH numbered_annotation AS (
    SELECT
        contigname,
        start,
        annotation."end",
        names,
        referenceallele,
        coalesce(element_at(alternatealleles, 1), '') AS alternateallele,
        attributes,
        release,
        reference_genome,
        load_id,
        -- a source file names an allele once
        row_number() OVER (
            PARTITION BY
                reference_genome, release, contigname, start, referenceallele, element_at(alternatealleles, 1)
            ORDER BY load_id DESC, source_file ASC, element_at(names, 1) ASC
        ) AS place
    FROM genomic_store.annotation
),

read_annotation AS (
    SELECT
        contigname,
        start,
        numbered_annotation."end",
        element_at(names, 1) AS annotation_id,
        referenceallele,
        alternateallele,
        release,
        reference_genome,
        load_id,
        'rs' || regexp_extract(element_at(attributes, 'RS'), '[0-9]+') AS rs_id,
        nullif(element_at(attributes, 'ALLELEID'), '.') AS allele_id,
        nullif(element_at(attributes, 'GENEINFO'), '.') AS gene_info,
        nullif(element_at(attributes, 'CLNSIG'), '.') AS clinical_significance,
        nullif(element_at(attributes, 'CLNSIGCONF'), '.') AS conflicting_significance,
        nullif(element_at(attributes, 'CLNREVSTAT'), '.') AS review_status,
        nullif(element_at(attributes, 'CLNDN'), '.') AS condition_name,
        nullif(element_at(attributes, 'CLNDISDB'), '.') AS condition_database,
        nullif(element_at(attributes, 'CLNHGVS'), '.') AS hgvs,
        nullif(element_at(attributes, 'CLNVC'), '.') AS variant_type,
        nullif(element_at(attributes, 'MC'), '.') AS molecular_consequence,
        try_cast(element_at(attributes, 'ORIGIN') AS bigint) AS origin,
        array_distinct(
            transform(
                split(
                    regexp_replace(
                        regexp_replace(
                            nullif(element_at(attributes, 'CLNSIG'), '.'), ',_low_penetrance', '_low_penetrance'
                        ),
                        '[/,]',
                        '|'
                    ),
                    '|'
                ),
                entry -> regexp_replace(lower(entry), '^_+', '')
            )
        ) AS significances
    FROM numbered_annotation
    WHERE place = 1
),

classified_annotation AS (
    SELECT
        contigname,
        start,
        read_annotation."end",
        annotation_id,
        referenceallele,
        alternateallele,
        release,
        reference_genome,
        load_id,
        rs_id,
        allele_id,
        gene_info,
        clinical_significance,
        conflicting_significance,
        review_status,
        condition_name,
        condition_database,
        hgvs,
        variant_type,
        molecular_consequence,
        origin,
        significances,
        CASE
            WHEN any_match(significances, entry -> entry LIKE 'conflicting%') THEN 'conflicting'
            WHEN contains(significances, 'pathogenic') THEN 'pathogenic'
            WHEN contains(significances, 'likely_pathogenic') THEN 'likely_pathogenic'
            WHEN any_match(significances, entry -> entry LIKE '%pathogenic_low_penetrance') THEN 'low_penetrance'
            WHEN contains(significances, 'uncertain_significance') THEN 'uncertain_significance'
            WHEN contains(significances, 'likely_benign') THEN 'likely_benign'
            WHEN contains(significances, 'benign') THEN 'benign'
            ELSE element_at(significances, 1)
        END AS significance
    FROM read_annotation
)

SELECT
    annotation_id,
    contigname,
    start,
    classified_annotation."end",
    referenceallele,
    alternateallele,
    contigname || '-' || cast(start + 1 AS varchar) || '-' || referenceallele || '-' || alternateallele AS variant_id,
    rs_id,
    allele_id,
    element_at(split(gene_info, ':'), 1) AS gene,
    transform(split(gene_info, '|'), entry -> element_at(split(entry, ':'), 1)) AS genes,
    transform(split(gene_info, '|'), entry -> element_at(split(entry, ':'), 2)) AS gene_ids,
    clinical_significance,
    significance,
    significances,
    conflicting_significance,
    significance IN ('pathogenic', 'likely_pathogenic', 'low_penetrance') AS is_pathogenic,
    contains(significances, 'drug_response') AS is_drug_response,
    review_status,
    CASE
        WHEN review_status LIKE '%practice_guideline%' THEN 4
        WHEN review_status LIKE '%reviewed_by_expert_panel%' THEN 3
        WHEN review_status LIKE 'criteria_provided%conflicting%' THEN 1
        WHEN review_status LIKE 'criteria_provided%multiple_submitters%' THEN 2
        WHEN review_status LIKE 'criteria_provided%' THEN 1
        WHEN review_status IS NOT NULL THEN 0
    END AS review_stars,
    condition_name,
    filter(
        transform(split(condition_name, '|'), entry -> replace(entry, '_', ' ')),
        entry -> entry NOT IN ('not provided', 'not specified', '.', '')
    ) AS conditions,
    filter(
        split(replace(condition_database, '|', ','), ','), entry -> entry NOT IN ('.', '')
    ) AS condition_ids,
    hgvs,
    variant_type,
    transform(split(molecular_consequence, ','), entry -> element_at(split(entry, '|'), 2)) AS consequences,
    filter(
        ARRAY[
            CASE WHEN bitwise_and(origin, 1) > 0 THEN 'germline' END,
            CASE WHEN bitwise_and(origin, 2) > 0 THEN 'somatic' END,
            CASE WHEN bitwise_and(origin, 4) > 0 THEN 'inherited' END,
            CASE WHEN bitwise_and(origin, 8) > 0 THEN 'paternal' END,
            CASE WHEN bitwise_and(origin, 16) > 0 THEN 'maternal' END,
            CASE WHEN bitwise_and(origin, 32) > 0 THEN 'de_novo' END,
            CASE WHEN bitwise_and(origin, 64) > 0 THEN 'biparental' END,
            CASE WHEN bitwise_and(origin, 128) > 0 THEN 'uniparental' END,
            CASE WHEN bitwise_and(origin, 256) > 0 THEN 'not_tested' END,
            CASE WHEN bitwise_and(origin, 512) > 0 THEN 'tested_inconclusive' END,
            CASE WHEN bitwise_and(origin, 1073741824) > 0 THEN 'other' END,
            CASE WHEN origin = 0 THEN 'unknown' END
        ],
        entry -> entry IS NOT NULL
    ) AS origins,
    release,
    reference_genome,
    load_id
FROM classified_annotation

-- What ClinVar says of an allele, by release.
-- One row per annotated allele, reference genome and release.
-- Read by everyone who may see annotated variants (AN): it holds no patients.
WITH numbered_annotation AS (
    SELECT
        contigname,
        start,
        annotation."end",
        names,
        referenceallele,
        element_at(alternatealleles, 1) AS alternateallele,
        attributes,
        release,
        reference_genome,
        row_number() OVER (
            PARTITION BY
                reference_genome, release, contigname, start, referenceallele, element_at(alternatealleles, 1)
            ORDER BY load_id DESC, source_file ASC
        ) AS place
    FROM genomic_store.annotation
    WHERE cardinality(alternatealleles) > 0
)

SELECT
    element_at(names, 1) AS annotation_id,
    contigname,
    start,
    numbered_annotation."end",
    referenceallele,
    alternateallele,
    'rs' || regexp_extract(element_at(attributes, 'RS'), '[0-9]+') AS rs_id,
    nullif(element_at(split(element_at(attributes, 'GENEINFO'), ':'), 1), '.') AS gene,
    nullif(element_at(attributes, 'CLNSIG'), '.') AS clinical_significance,
    nullif(element_at(attributes, 'CLNREVSTAT'), '.') AS review_status,
    nullif(element_at(attributes, 'CLNDN'), '.') AS condition_name,
    release,
    reference_genome
FROM numbered_annotation
WHERE place = 1

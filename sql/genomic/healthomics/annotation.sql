-- One version of a HealthOmics annotation store, in the columns of our own annotation table.
-- One row per annotated allele of the version.
-- Becomes a part of the view genomic_store.annotation, which joins all versions that count; 'VERSION' stands for its name.
SELECT
    CASE
        WHEN lower(stored.contigname) IN ('chrm', 'm') THEN 'MT'
        WHEN lower(substr(stored.contigname, 1, 3)) = 'chr' AND length(stored.contigname) > 3
            THEN substr(stored.contigname, 4)
        ELSE stored.contigname
    END AS contigname,
    cast(stored.start AS bigint) AS start,
    cast(stored."end" AS bigint) AS "end",
    stored.names,
    stored.referenceallele,
    stored.alternatealleles,
    stored.attributes,
    held.reference_genome,
    held.release,
    held.source_file,
    held.load_id
FROM healthomics.annotation AS stored
INNER JOIN genomic_store.hosted_release AS held ON held.version = 'VERSION'

-- The rows of a HealthOmics variant store that count, in the columns of our own variant table.
-- One row per sample and alternate allele (reference-only records too) of each file whose load is the newest.
-- Becomes the view genomic_store.variant; read by the governed tables, never by personas.
-- HealthOmics keeps contigs as the file names them, and samples under names that the register gives back.
SELECT
    stored.importjobid,
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
    stored.qual,
    stored.filters,
    stored.splitfrommultiallelic,
    stored.attributes,
    stored.phased,
    stored.calls,
    stored.genotypelikelihoods,
    stored.phredlikelihoods,
    stored.alleledepths,
    stored.conditionalquality,
    stored.spl,
    stored.depth,
    stored.ps,
    held.sampleid,
    stored.information,
    cast(
        NULL AS ROW ( -- noqa: CP05
            vep ARRAY(ROW (allele varchar, consequence ARRAY(varchar), impact varchar, symbol varchar, gene varchar)) -- noqa: CP05
        )
    ) AS annotations,
    held.reference_genome,
    held.source_file,
    held.load_id
FROM healthomics.variant AS stored
INNER JOIN genomic_store.hosted_sample AS held
    ON stored.sampleid = held.stored_sampleid AND stored.importjobid = held.import_job_id

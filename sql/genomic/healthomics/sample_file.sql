-- What the header of each imported file tells of its samples, in the columns of our own table of sample files.
-- One row per file and sample.
-- Becomes the view genomic_store.sample_file; read by the governed tables, never by personas.
SELECT
    held.sampleid,
    held.reference_genome,
    held.source_file,
    held.sha256,
    held.file_format,
    held.caller,
    held.caller_version,
    held.load_id
FROM genomic_store.hosted_sample AS held

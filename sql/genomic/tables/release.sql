-- Releases of annotation that are loaded.
-- One row per reference genome and release.
-- Read by whoever asks how current the annotation is; genomic.annotation is brought up to date release by release from it.
SELECT
    release,
    reference_genome,
    max(load_id) AS load_id,
    count(DISTINCT source_file) AS n_files,
    count(*) AS n_records
FROM genomic_store.annotation
GROUP BY release, reference_genome

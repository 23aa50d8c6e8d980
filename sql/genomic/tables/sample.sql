-- Sequenced samples and the patient each belongs to.
-- One row per sample and reference genome.
-- Read by every genomic table; personas see it through their filters.
-- Link, in this order: the sample is named by the patient's id, by the MRN, or its file's name holds the patient's id.
-- An MRN that two patients share leads to neither; names that lead to different patients link to none of them.
WITH stored_file AS (
    SELECT
        sampleid AS sample_id,
        reference_genome,
        source_file,
        max(load_id) AS load_id,
        count(*) AS n_records,
        lower(
            regexp_extract(source_file, '[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}')
        ) AS file_patient_id
    FROM genomic_store.variant
    GROUP BY sampleid, reference_genome, source_file
),

named_sample AS (
    SELECT
        sample_id,
        reference_genome,
        max_by(source_file, load_id || ' ' || source_file) AS source_file,
        max(load_id) AS load_id,
        sum(n_records) AS n_records,
        CASE WHEN count(DISTINCT file_patient_id) = 1 THEN max(file_patient_id) END AS file_patient_id
    FROM stored_file
    GROUP BY sample_id, reference_genome
),

unique_mrn AS (
    SELECT
        mrn,
        min(patient_id) AS patient_id
    FROM clinical.patient
    WHERE mrn IS NOT NULL
    GROUP BY mrn
    HAVING count(*) = 1
),

candidate AS (
    SELECT
        named_sample.sample_id,
        named_sample.reference_genome,
        named_sample.source_file,
        named_sample.load_id,
        named_sample.n_records,
        by_id.patient_id AS patient_id_by_name,
        by_mrn.patient_id AS patient_id_by_mrn,
        array_distinct(
            filter(ARRAY[by_id.patient_id, by_mrn.patient_id, by_file.patient_id], one -> one IS NOT NULL)
        ) AS patient_ids
    FROM named_sample
    LEFT JOIN clinical.patient AS by_id ON named_sample.sample_id = by_id.patient_id
    LEFT JOIN unique_mrn AS by_mrn ON named_sample.sample_id = by_mrn.mrn
    LEFT JOIN clinical.patient AS by_file ON named_sample.file_patient_id = by_file.patient_id
),

linked_sample AS (
    SELECT
        sample_id,
        reference_genome,
        source_file,
        load_id,
        n_records,
        CASE WHEN cardinality(patient_ids) = 1 THEN element_at(patient_ids, 1) END AS patient_id,
        CASE
            WHEN cardinality(patient_ids) <> 1 THEN 'none'
            WHEN patient_id_by_name IS NOT NULL THEN 'uuid'
            WHEN patient_id_by_mrn IS NOT NULL THEN 'mrn'
            ELSE 'file_name'
        END AS link_method
    FROM candidate
)

SELECT
    linked_sample.sample_id,
    linked_sample.patient_id,
    linked_sample.reference_genome,
    linked_sample.link_method,
    linked_sample.source_file,
    linked_sample.load_id,
    linked_sample.n_records,
    patient.site_id,
    coalesce(patient.consent_research, FALSE) AS consent_research,
    coalesce(patient.consent_genomic, FALSE) AS consent_genomic,
    coalesce(patient.consent_imaging, FALSE) AS consent_imaging
FROM linked_sample
LEFT JOIN clinical.patient ON linked_sample.patient_id = patient.patient_id

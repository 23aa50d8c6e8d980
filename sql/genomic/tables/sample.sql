-- Sequenced samples and the patient each belongs to.
-- One row per sample and reference genome.
-- Read by every genomic table; personas see it through their filters.
-- Link, in this order: the sample is named by the patient's id, by the MRN, or its file's name holds the patient's id.
-- An MRN that two patients share links to neither.
WITH loaded_sample AS (
    SELECT
        sampleid AS sample_id,
        reference_genome,
        max_by(source_file, load_id) AS source_file,
        max(load_id) AS load_id,
        count(*) AS n_records
    FROM genomic_store.variant
    GROUP BY sampleid, reference_genome
),

named_sample AS (
    SELECT
        sample_id,
        reference_genome,
        source_file,
        load_id,
        n_records,
        lower(
            regexp_extract(source_file, '[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}')
        ) AS file_patient_id
    FROM loaded_sample
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

linked_sample AS (
    SELECT
        named_sample.sample_id,
        named_sample.reference_genome,
        named_sample.source_file,
        named_sample.load_id,
        named_sample.n_records,
        coalesce(by_id.patient_id, by_mrn.patient_id, by_file.patient_id) AS patient_id,
        CASE
            WHEN by_id.patient_id IS NOT NULL THEN 'uuid'
            WHEN by_mrn.patient_id IS NOT NULL THEN 'mrn'
            WHEN by_file.patient_id IS NOT NULL THEN 'file_name'
            ELSE 'none'
        END AS link_method
    FROM named_sample
    LEFT JOIN clinical.patient AS by_id ON named_sample.sample_id = by_id.patient_id
    LEFT JOIN unique_mrn AS by_mrn ON named_sample.sample_id = by_mrn.mrn
    LEFT JOIN clinical.patient AS by_file ON named_sample.file_patient_id = by_file.patient_id
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

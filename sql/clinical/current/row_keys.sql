-- Rows of a patient-level table with the row keys of their patients (sql/core/row_keys.yaml).
-- One row per row of the table.
-- Put around the SELECT of each patient-level table that does not give row keys itself: fact stands for that SELECT.
SELECT
    fact.*, -- noqa: AM04, the columns are those of the table's own SELECT and the row keys
    patient.site_id,
    -- who is no patient of ours has consented to nothing
    coalesce(patient.consent_research, FALSE) AS consent_research,
    coalesce(patient.consent_genomic, FALSE) AS consent_genomic,
    coalesce(patient.consent_imaging, FALSE) AS consent_imaging
FROM fact
LEFT JOIN clinical.patient ON fact.patient_id = patient.patient_id

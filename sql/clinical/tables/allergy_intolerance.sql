-- Allergies and intolerances of patients as they are now in the FHIR store.
-- One row per allergy or intolerance.
-- Read by cohort, ml and dashboard; personas see it through their filters.
WITH current_allergy_intolerance AS (
    SELECT
        id AS allergy_intolerance_id,
        patient_id,
        patient_link,
        regexp_extract(encounter.reference, '(?:(?:^|/)Encounter/|^urn:uuid:)([^/?#|]+)(?:/_history/.*)?$', 1) AS encounter_id,
        element_at(clinicalstatus.coding, 1).code AS clinical_status,
        element_at(verificationstatus.coding, 1).code AS verification_status,
        type,
        element_at(category, 1) AS category,
        criticality,
        element_at(code.coding, 1) AS coding,
        code.text AS code_text,
        element_at(element_at(element_at(reaction, 1).manifestation, 1).coding, 1) AS reaction_coding,
        element_at(element_at(reaction, 1).manifestation, 1).text AS reaction_code_text,
        element_at(reaction, 1).severity AS reaction_severity,
        coalesce(cardinality(reaction), 0) AS n_reactions,
        coalesce(onsetdatetime, onsetperiod.start) AS onset,
        recordeddate AS recorded,
        lastoccurrence AS last_occurrence
    FROM patient_fhir.allergyintolerance
)

SELECT
    current_allergy_intolerance.allergy_intolerance_id,
    current_allergy_intolerance.patient_id,
    current_allergy_intolerance.patient_link,
    current_allergy_intolerance.encounter_id,
    current_allergy_intolerance.clinical_status,
    current_allergy_intolerance.verification_status,
    current_allergy_intolerance.type,
    current_allergy_intolerance.category,
    current_allergy_intolerance.criticality,
    current_allergy_intolerance.coding.system AS code_system,
    current_allergy_intolerance.coding.code,
    coalesce(current_allergy_intolerance.coding.display, current_allergy_intolerance.code_text) AS display,
    current_allergy_intolerance.code_text,
    current_allergy_intolerance.reaction_coding.code AS reaction_code,
    coalesce(current_allergy_intolerance.reaction_coding.display, current_allergy_intolerance.reaction_code_text) AS reaction_display,
    current_allergy_intolerance.reaction_severity,
    cast(current_allergy_intolerance.n_reactions AS integer) AS n_reactions,
    CASE
        WHEN length(current_allergy_intolerance.onset) > 10
            THEN cast(try(from_iso8601_timestamp(current_allergy_intolerance.onset)) AT TIME ZONE 'UTC' AS timestamp(6))
        WHEN length(current_allergy_intolerance.onset) = 10
            THEN cast(try_cast(current_allergy_intolerance.onset AS date) AS timestamp(6))
    END AS onset_at,
    current_allergy_intolerance.onset AS onset_text,
    CASE
        WHEN length(current_allergy_intolerance.onset) > 10 THEN 'time'
        WHEN length(current_allergy_intolerance.onset) = 10 THEN 'day'
        WHEN length(current_allergy_intolerance.onset) = 7 THEN 'month'
        WHEN length(current_allergy_intolerance.onset) = 4 THEN 'year'
    END AS onset_precision,
    try_cast(substr(current_allergy_intolerance.onset, 1, 4) AS integer) AS onset_year,
    CASE
        WHEN length(current_allergy_intolerance.recorded) > 10
            THEN cast(try(from_iso8601_timestamp(current_allergy_intolerance.recorded)) AT TIME ZONE 'UTC' AS timestamp(6))
        WHEN length(current_allergy_intolerance.recorded) = 10
            THEN cast(try_cast(current_allergy_intolerance.recorded AS date) AS timestamp(6))
    END AS recorded_at,
    current_allergy_intolerance.recorded AS recorded_text,
    CASE
        WHEN length(current_allergy_intolerance.last_occurrence) > 10
            THEN cast(try(from_iso8601_timestamp(current_allergy_intolerance.last_occurrence)) AT TIME ZONE 'UTC' AS timestamp(6))
        WHEN length(current_allergy_intolerance.last_occurrence) = 10
            THEN cast(try_cast(current_allergy_intolerance.last_occurrence AS date) AS timestamp(6))
    END AS last_occurrence_at,
    current_allergy_intolerance.last_occurrence AS last_occurrence_text
FROM current_allergy_intolerance

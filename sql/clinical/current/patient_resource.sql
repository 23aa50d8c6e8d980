-- FHIR resources of one type as they are now, with the patient whom each is about (subject) and how its reference leads there.
-- One row per resource.
-- Read by clinical tables as patient_fhir.<type>: current_fhir.resource stands for that type.
-- subject stands for what R4 calls patient in some types.
WITH resource_reference AS (
    SELECT
        resource.*,
        -- relative, absolute or of a version (R4, references); urn:uuid: is what a bundle leaves that nobody resolved
        regexp_extract(subject.reference, '(?:(?:^|/)Patient/|^urn:uuid:)([^/?#|]+)(?:/_history/.*)?$', 1) AS referenced_id,
        CASE WHEN subject.reference IS NULL THEN subject.identifier.system END AS referenced_system,
        CASE WHEN subject.reference IS NULL THEN subject.identifier.value END AS referenced_value
    FROM current_fhir.resource
),

-- an identifier that several patients have leads to none of them
identified_patient AS (
    SELECT
        system,
        value,
        min(patient_id) AS patient_id
    FROM clinical.patient_identifier
    GROUP BY system, value
    HAVING min(patient_id) = max(patient_id)
)

SELECT
    resource_reference.*, -- noqa: AM04, the columns are those of the type's table and two more
    coalesce(resource_reference.referenced_id, identified_patient.patient_id) AS patient_id,
    CASE
        WHEN resource_reference.referenced_id IS NOT NULL THEN 'reference'
        WHEN identified_patient.patient_id IS NOT NULL THEN 'identifier'
        WHEN resource_reference.referenced_value IS NOT NULL THEN 'unmatched'
        ELSE 'none'
    END AS patient_link
FROM resource_reference
LEFT JOIN identified_patient
    ON
        resource_reference.referenced_system = identified_patient.system
        AND resource_reference.referenced_value = identified_patient.value

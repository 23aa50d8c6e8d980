-- Identifiers of patients as they are now in the FHIR store: record numbers, insurance numbers, ids of other systems.
-- One row per patient and identifier.
-- Read by every clinical table, for references that name a patient by identifier; personas see it through their filters.
WITH one_identifier AS (
    SELECT
        patient.id AS patient_id,
        cast(position.identifier_index AS integer) AS identifier_index,
        element_at(patient.identifier, cast(position.identifier_index AS integer)) AS part
    FROM current_fhir.patient
    CROSS JOIN
        unnest(
            sequence(1, greatest(coalesce(cardinality(patient.identifier), 0), 1))
        ) AS position (identifier_index)
)

SELECT
    one_identifier.patient_id,
    one_identifier.identifier_index,
    one_identifier.part.system,
    one_identifier.part.value,
    element_at(one_identifier.part.type.coding, 1).code AS type_code,
    one_identifier.part.use
FROM one_identifier
WHERE one_identifier.part.value IS NOT NULL

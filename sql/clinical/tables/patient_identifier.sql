-- Identifiers of patients as they are now in the FHIR store: record numbers, insurance numbers, ids of other systems.
-- One row per patient and identifier.
-- Read by every clinical table, for references that name a patient by identifier; personas see it through their filters.
WITH patient_version AS (
    SELECT
        id,
        resourcetype,
        identifier,
        row_number() OVER (
            PARTITION BY id ORDER BY from_iso8601_timestamp(meta.lastupdated) DESC, meta.lastupdated DESC
        ) AS place
    FROM healthlake.patient
),

one_identifier AS (
    SELECT
        patient_version.id AS patient_id,
        cast(position.identifier_index AS integer) AS identifier_index,
        element_at(patient_version.identifier, cast(position.identifier_index AS integer)) AS part
    FROM patient_version
    CROSS JOIN
        unnest(
            sequence(1, greatest(coalesce(cardinality(patient_version.identifier), 0), 1))
        ) AS position (identifier_index)
    WHERE patient_version.place = 1 AND patient_version.resourcetype IS NOT NULL
)

SELECT
    one_identifier.patient_id,
    one_identifier.identifier_index,
    one_identifier.part.system,
    one_identifier.part.value,
    element_at(one_identifier.part.type.coding, 1).code AS type_code,
    one_identifier.part.use,
    patient.site_id,
    coalesce(patient.consent_research, FALSE) AS consent_research,
    coalesce(patient.consent_genomic, FALSE) AS consent_genomic,
    coalesce(patient.consent_imaging, FALSE) AS consent_imaging
FROM one_identifier
LEFT JOIN clinical.patient ON one_identifier.patient_id = patient.patient_id
WHERE one_identifier.part.value IS NOT NULL

-- Every coding of the codes of clinical facts, first and further ones, as they are now in the FHIR store.
-- One row per resource, coded element, its place in a list (element_index from 1; 0 for an element that is no list) and coding.
-- Read by cohorts and value sets that a fact's first coding does not fit; personas see it through their filters.
WITH condition_version AS (
    SELECT
        id,
        resourcetype,
        subject,
        code,
        row_number() OVER (
            PARTITION BY id ORDER BY from_iso8601_timestamp(meta.lastupdated) DESC, meta.lastupdated DESC
        ) AS place
    FROM healthlake.condition
),

observation_version AS (
    SELECT
        id,
        resourcetype,
        subject,
        code,
        valuecodeableconcept,
        component,
        row_number() OVER (
            PARTITION BY id ORDER BY from_iso8601_timestamp(meta.lastupdated) DESC, meta.lastupdated DESC
        ) AS place
    FROM healthlake.observation
),

encounter_version AS (
    SELECT
        id,
        resourcetype,
        subject,
        type,
        reasoncode,
        row_number() OVER (
            PARTITION BY id ORDER BY from_iso8601_timestamp(meta.lastupdated) DESC, meta.lastupdated DESC
        ) AS place
    FROM healthlake.encounter
),

procedure_version AS (
    SELECT
        id,
        resourcetype,
        subject,
        code,
        reasoncode,
        row_number() OVER (
            PARTITION BY id ORDER BY from_iso8601_timestamp(meta.lastupdated) DESC, meta.lastupdated DESC
        ) AS place
    FROM healthlake."procedure"
),

medication_request_version AS (
    SELECT
        id,
        resourcetype,
        subject,
        medicationcodeableconcept,
        row_number() OVER (
            PARTITION BY id ORDER BY from_iso8601_timestamp(meta.lastupdated) DESC, meta.lastupdated DESC
        ) AS place
    FROM healthlake.medicationrequest
),

medication_administration_version AS (
    SELECT
        id,
        resourcetype,
        subject,
        medicationcodeableconcept,
        row_number() OVER (
            PARTITION BY id ORDER BY from_iso8601_timestamp(meta.lastupdated) DESC, meta.lastupdated DESC
        ) AS place
    FROM healthlake.medicationadministration
),

diagnostic_report_version AS (
    SELECT
        id,
        resourcetype,
        subject,
        code,
        row_number() OVER (
            PARTITION BY id ORDER BY from_iso8601_timestamp(meta.lastupdated) DESC, meta.lastupdated DESC
        ) AS place
    FROM healthlake.diagnosticreport
),

immunization_version AS (
    SELECT
        id,
        resourcetype,
        patient,
        vaccinecode,
        row_number() OVER (
            PARTITION BY id ORDER BY from_iso8601_timestamp(meta.lastupdated) DESC, meta.lastupdated DESC
        ) AS place
    FROM healthlake.immunization
),

allergy_intolerance_version AS (
    SELECT
        id,
        resourcetype,
        patient,
        code,
        row_number() OVER (
            PARTITION BY id ORDER BY from_iso8601_timestamp(meta.lastupdated) DESC, meta.lastupdated DESC
        ) AS place
    FROM healthlake.allergyintolerance
),

family_member_history_version AS (
    SELECT
        id,
        resourcetype,
        patient,
        condition,
        row_number() OVER (
            PARTITION BY id ORDER BY from_iso8601_timestamp(meta.lastupdated) DESC, meta.lastupdated DESC
        ) AS place
    FROM healthlake.familymemberhistory
),

document_reference_version AS (
    SELECT
        id,
        resourcetype,
        subject,
        type,
        row_number() OVER (
            PARTITION BY id ORDER BY from_iso8601_timestamp(meta.lastupdated) DESC, meta.lastupdated DESC
        ) AS place
    FROM healthlake.documentreference
),

every_coding AS (
    SELECT
        'Condition' AS resource_type,
        condition_version.id,
        condition_version.subject.reference AS patient_reference,
        condition_version.subject.identifier.system AS patient_system,
        condition_version.subject.identifier.value AS patient_value,
        'code' AS element,
        0 AS element_index,
        cast(position.coding_index AS integer) AS coding_index,
        element_at(condition_version.code.coding, cast(position.coding_index AS integer)).system AS code_system,
        element_at(condition_version.code.coding, cast(position.coding_index AS integer)).code AS code,
        element_at(condition_version.code.coding, cast(position.coding_index AS integer)).display AS display
    FROM condition_version
    CROSS JOIN
        unnest(
            sequence(1, greatest(coalesce(cardinality(condition_version.code.coding), 0), 1))
        ) AS position (coding_index)
    WHERE
        condition_version.place = 1
        AND condition_version.resourcetype IS NOT NULL
        AND cardinality(condition_version.code.coding) > 0
    UNION ALL
    SELECT
        'Observation' AS resource_type,
        observation_version.id,
        observation_version.subject.reference AS patient_reference,
        observation_version.subject.identifier.system AS patient_system,
        observation_version.subject.identifier.value AS patient_value,
        'code' AS element,
        0 AS element_index,
        cast(position.coding_index AS integer) AS coding_index,
        element_at(observation_version.code.coding, cast(position.coding_index AS integer)).system AS code_system,
        element_at(observation_version.code.coding, cast(position.coding_index AS integer)).code AS code,
        element_at(observation_version.code.coding, cast(position.coding_index AS integer)).display AS display
    FROM observation_version
    CROSS JOIN
        unnest(
            sequence(1, greatest(coalesce(cardinality(observation_version.code.coding), 0), 1))
        ) AS position (coding_index)
    WHERE
        observation_version.place = 1
        AND observation_version.resourcetype IS NOT NULL
        AND cardinality(observation_version.code.coding) > 0
    UNION ALL
    SELECT
        'Observation' AS resource_type,
        observation_version.id,
        observation_version.subject.reference AS patient_reference,
        observation_version.subject.identifier.system AS patient_system,
        observation_version.subject.identifier.value AS patient_value,
        'value' AS element,
        0 AS element_index,
        cast(position.coding_index AS integer) AS coding_index,
        element_at(observation_version.valuecodeableconcept.coding, cast(position.coding_index AS integer)).system AS code_system,
        element_at(observation_version.valuecodeableconcept.coding, cast(position.coding_index AS integer)).code AS code,
        element_at(observation_version.valuecodeableconcept.coding, cast(position.coding_index AS integer)).display AS display
    FROM observation_version
    CROSS JOIN
        unnest(
            sequence(1, greatest(coalesce(cardinality(observation_version.valuecodeableconcept.coding), 0), 1))
        ) AS position (coding_index)
    WHERE
        observation_version.place = 1
        AND observation_version.resourcetype IS NOT NULL
        AND cardinality(observation_version.valuecodeableconcept.coding) > 0
    UNION ALL
    SELECT
        'Observation' AS resource_type,
        observation_version.id,
        observation_version.subject.reference AS patient_reference,
        observation_version.subject.identifier.system AS patient_system,
        observation_version.subject.identifier.value AS patient_value,
        'component.code' AS element,
        cast(item.element_index AS integer) AS element_index,
        cast(position.coding_index AS integer) AS coding_index,
        element_at(
            element_at(observation_version.component, cast(item.element_index AS integer)).code.coding,
            cast(position.coding_index AS integer)
        ).system AS code_system,
        element_at(
            element_at(observation_version.component, cast(item.element_index AS integer)).code.coding,
            cast(position.coding_index AS integer)
        ).code AS code,
        element_at(
            element_at(observation_version.component, cast(item.element_index AS integer)).code.coding,
            cast(position.coding_index AS integer)
        ).display AS display
    FROM observation_version
    CROSS JOIN
        unnest(sequence(1, greatest(coalesce(cardinality(observation_version.component), 0), 1))) AS item (element_index)
    CROSS JOIN
        unnest(
            sequence(
                1,
                greatest(
                    coalesce(cardinality(element_at(observation_version.component, cast(item.element_index AS integer)).code.coding), 0), 1
                )
            )
        ) AS position (coding_index)
    WHERE
        observation_version.place = 1
        AND observation_version.resourcetype IS NOT NULL
        AND cardinality(element_at(observation_version.component, cast(item.element_index AS integer)).code.coding) > 0
    UNION ALL
    SELECT
        'Observation' AS resource_type,
        observation_version.id,
        observation_version.subject.reference AS patient_reference,
        observation_version.subject.identifier.system AS patient_system,
        observation_version.subject.identifier.value AS patient_value,
        'component.value' AS element,
        cast(item.element_index AS integer) AS element_index,
        cast(position.coding_index AS integer) AS coding_index,
        element_at(
            element_at(observation_version.component, cast(item.element_index AS integer)).valuecodeableconcept.coding,
            cast(position.coding_index AS integer)
        ).system AS code_system,
        element_at(
            element_at(observation_version.component, cast(item.element_index AS integer)).valuecodeableconcept.coding,
            cast(position.coding_index AS integer)
        ).code AS code,
        element_at(
            element_at(observation_version.component, cast(item.element_index AS integer)).valuecodeableconcept.coding,
            cast(position.coding_index AS integer)
        ).display AS display
    FROM observation_version
    CROSS JOIN
        unnest(sequence(1, greatest(coalesce(cardinality(observation_version.component), 0), 1))) AS item (element_index)
    CROSS JOIN
        unnest(
            sequence(
                1,
                greatest(
                    coalesce(
                        cardinality(
                            element_at(observation_version.component, cast(item.element_index AS integer)).valuecodeableconcept.coding
                        ),
                        0
                    ),
                    1
                )
            )
        ) AS position (coding_index)
    WHERE
        observation_version.place = 1
        AND observation_version.resourcetype IS NOT NULL
        AND cardinality(element_at(observation_version.component, cast(item.element_index AS integer)).valuecodeableconcept.coding) > 0
    UNION ALL
    SELECT
        'Encounter' AS resource_type,
        encounter_version.id,
        encounter_version.subject.reference AS patient_reference,
        encounter_version.subject.identifier.system AS patient_system,
        encounter_version.subject.identifier.value AS patient_value,
        'type' AS element,
        cast(item.element_index AS integer) AS element_index,
        cast(position.coding_index AS integer) AS coding_index,
        element_at(
            element_at(encounter_version.type, cast(item.element_index AS integer)).coding, cast(position.coding_index AS integer)
        ).system AS code_system,
        element_at(
            element_at(encounter_version.type, cast(item.element_index AS integer)).coding, cast(position.coding_index AS integer)
        ).code AS code,
        element_at(
            element_at(encounter_version.type, cast(item.element_index AS integer)).coding, cast(position.coding_index AS integer)
        ).display AS display
    FROM encounter_version
    CROSS JOIN
        unnest(sequence(1, greatest(coalesce(cardinality(encounter_version.type), 0), 1))) AS item (element_index)
    CROSS JOIN
        unnest(
            sequence(
                1, greatest(coalesce(cardinality(element_at(encounter_version.type, cast(item.element_index AS integer)).coding), 0), 1)
            )
        ) AS position (coding_index)
    WHERE
        encounter_version.place = 1
        AND encounter_version.resourcetype IS NOT NULL
        AND cardinality(element_at(encounter_version.type, cast(item.element_index AS integer)).coding) > 0
    UNION ALL
    SELECT
        'Encounter' AS resource_type,
        encounter_version.id,
        encounter_version.subject.reference AS patient_reference,
        encounter_version.subject.identifier.system AS patient_system,
        encounter_version.subject.identifier.value AS patient_value,
        'reasonCode' AS element,
        cast(item.element_index AS integer) AS element_index,
        cast(position.coding_index AS integer) AS coding_index,
        element_at(
            element_at(encounter_version.reasoncode, cast(item.element_index AS integer)).coding, cast(position.coding_index AS integer)
        ).system AS code_system,
        element_at(
            element_at(encounter_version.reasoncode, cast(item.element_index AS integer)).coding, cast(position.coding_index AS integer)
        ).code AS code,
        element_at(
            element_at(encounter_version.reasoncode, cast(item.element_index AS integer)).coding, cast(position.coding_index AS integer)
        ).display AS display
    FROM encounter_version
    CROSS JOIN
        unnest(sequence(1, greatest(coalesce(cardinality(encounter_version.reasoncode), 0), 1))) AS item (element_index)
    CROSS JOIN
        unnest(
            sequence(
                1,
                greatest(coalesce(cardinality(element_at(encounter_version.reasoncode, cast(item.element_index AS integer)).coding), 0), 1)
            )
        ) AS position (coding_index)
    WHERE
        encounter_version.place = 1
        AND encounter_version.resourcetype IS NOT NULL
        AND cardinality(element_at(encounter_version.reasoncode, cast(item.element_index AS integer)).coding) > 0
    UNION ALL
    SELECT
        'Procedure' AS resource_type,
        procedure_version.id,
        procedure_version.subject.reference AS patient_reference,
        procedure_version.subject.identifier.system AS patient_system,
        procedure_version.subject.identifier.value AS patient_value,
        'code' AS element,
        0 AS element_index,
        cast(position.coding_index AS integer) AS coding_index,
        element_at(procedure_version.code.coding, cast(position.coding_index AS integer)).system AS code_system,
        element_at(procedure_version.code.coding, cast(position.coding_index AS integer)).code AS code,
        element_at(procedure_version.code.coding, cast(position.coding_index AS integer)).display AS display
    FROM procedure_version
    CROSS JOIN
        unnest(
            sequence(1, greatest(coalesce(cardinality(procedure_version.code.coding), 0), 1))
        ) AS position (coding_index)
    WHERE
        procedure_version.place = 1
        AND procedure_version.resourcetype IS NOT NULL
        AND cardinality(procedure_version.code.coding) > 0
    UNION ALL
    SELECT
        'Procedure' AS resource_type,
        procedure_version.id,
        procedure_version.subject.reference AS patient_reference,
        procedure_version.subject.identifier.system AS patient_system,
        procedure_version.subject.identifier.value AS patient_value,
        'reasonCode' AS element,
        cast(item.element_index AS integer) AS element_index,
        cast(position.coding_index AS integer) AS coding_index,
        element_at(
            element_at(procedure_version.reasoncode, cast(item.element_index AS integer)).coding, cast(position.coding_index AS integer)
        ).system AS code_system,
        element_at(
            element_at(procedure_version.reasoncode, cast(item.element_index AS integer)).coding, cast(position.coding_index AS integer)
        ).code AS code,
        element_at(
            element_at(procedure_version.reasoncode, cast(item.element_index AS integer)).coding, cast(position.coding_index AS integer)
        ).display AS display
    FROM procedure_version
    CROSS JOIN
        unnest(sequence(1, greatest(coalesce(cardinality(procedure_version.reasoncode), 0), 1))) AS item (element_index)
    CROSS JOIN
        unnest(
            sequence(
                1,
                greatest(coalesce(cardinality(element_at(procedure_version.reasoncode, cast(item.element_index AS integer)).coding), 0), 1)
            )
        ) AS position (coding_index)
    WHERE
        procedure_version.place = 1
        AND procedure_version.resourcetype IS NOT NULL
        AND cardinality(element_at(procedure_version.reasoncode, cast(item.element_index AS integer)).coding) > 0
    UNION ALL
    SELECT
        'MedicationRequest' AS resource_type,
        medication_request_version.id,
        medication_request_version.subject.reference AS patient_reference,
        medication_request_version.subject.identifier.system AS patient_system,
        medication_request_version.subject.identifier.value AS patient_value,
        'medication' AS element,
        0 AS element_index,
        cast(position.coding_index AS integer) AS coding_index,
        element_at(medication_request_version.medicationcodeableconcept.coding, cast(position.coding_index AS integer)).system
            AS code_system,
        element_at(medication_request_version.medicationcodeableconcept.coding, cast(position.coding_index AS integer)).code AS code,
        element_at(medication_request_version.medicationcodeableconcept.coding, cast(position.coding_index AS integer)).display AS display
    FROM medication_request_version
    CROSS JOIN
        unnest(
            sequence(1, greatest(coalesce(cardinality(medication_request_version.medicationcodeableconcept.coding), 0), 1))
        ) AS position (coding_index)
    WHERE
        medication_request_version.place = 1
        AND medication_request_version.resourcetype IS NOT NULL
        AND cardinality(medication_request_version.medicationcodeableconcept.coding) > 0
    UNION ALL
    SELECT
        'MedicationAdministration' AS resource_type,
        medication_administration_version.id,
        medication_administration_version.subject.reference AS patient_reference,
        medication_administration_version.subject.identifier.system AS patient_system,
        medication_administration_version.subject.identifier.value AS patient_value,
        'medication' AS element,
        0 AS element_index,
        cast(position.coding_index AS integer) AS coding_index,
        element_at(medication_administration_version.medicationcodeableconcept.coding, cast(position.coding_index AS integer)).system
            AS code_system,
        element_at(medication_administration_version.medicationcodeableconcept.coding, cast(position.coding_index AS integer)).code AS code,
        element_at(medication_administration_version.medicationcodeableconcept.coding, cast(position.coding_index AS integer)).display
            AS display
    FROM medication_administration_version
    CROSS JOIN
        unnest(
            sequence(1, greatest(coalesce(cardinality(medication_administration_version.medicationcodeableconcept.coding), 0), 1))
        ) AS position (coding_index)
    WHERE
        medication_administration_version.place = 1
        AND medication_administration_version.resourcetype IS NOT NULL
        AND cardinality(medication_administration_version.medicationcodeableconcept.coding) > 0
    UNION ALL
    SELECT
        'DiagnosticReport' AS resource_type,
        diagnostic_report_version.id,
        diagnostic_report_version.subject.reference AS patient_reference,
        diagnostic_report_version.subject.identifier.system AS patient_system,
        diagnostic_report_version.subject.identifier.value AS patient_value,
        'code' AS element,
        0 AS element_index,
        cast(position.coding_index AS integer) AS coding_index,
        element_at(diagnostic_report_version.code.coding, cast(position.coding_index AS integer)).system AS code_system,
        element_at(diagnostic_report_version.code.coding, cast(position.coding_index AS integer)).code AS code,
        element_at(diagnostic_report_version.code.coding, cast(position.coding_index AS integer)).display AS display
    FROM diagnostic_report_version
    CROSS JOIN
        unnest(
            sequence(1, greatest(coalesce(cardinality(diagnostic_report_version.code.coding), 0), 1))
        ) AS position (coding_index)
    WHERE
        diagnostic_report_version.place = 1
        AND diagnostic_report_version.resourcetype IS NOT NULL
        AND cardinality(diagnostic_report_version.code.coding) > 0
    UNION ALL
    SELECT
        'Immunization' AS resource_type,
        immunization_version.id,
        immunization_version.patient.reference AS patient_reference,
        immunization_version.patient.identifier.system AS patient_system,
        immunization_version.patient.identifier.value AS patient_value,
        'vaccineCode' AS element,
        0 AS element_index,
        cast(position.coding_index AS integer) AS coding_index,
        element_at(immunization_version.vaccinecode.coding, cast(position.coding_index AS integer)).system AS code_system,
        element_at(immunization_version.vaccinecode.coding, cast(position.coding_index AS integer)).code AS code,
        element_at(immunization_version.vaccinecode.coding, cast(position.coding_index AS integer)).display AS display
    FROM immunization_version
    CROSS JOIN
        unnest(
            sequence(1, greatest(coalesce(cardinality(immunization_version.vaccinecode.coding), 0), 1))
        ) AS position (coding_index)
    WHERE
        immunization_version.place = 1
        AND immunization_version.resourcetype IS NOT NULL
        AND cardinality(immunization_version.vaccinecode.coding) > 0
    UNION ALL
    SELECT
        'AllergyIntolerance' AS resource_type,
        allergy_intolerance_version.id,
        allergy_intolerance_version.patient.reference AS patient_reference,
        allergy_intolerance_version.patient.identifier.system AS patient_system,
        allergy_intolerance_version.patient.identifier.value AS patient_value,
        'code' AS element,
        0 AS element_index,
        cast(position.coding_index AS integer) AS coding_index,
        element_at(allergy_intolerance_version.code.coding, cast(position.coding_index AS integer)).system AS code_system,
        element_at(allergy_intolerance_version.code.coding, cast(position.coding_index AS integer)).code AS code,
        element_at(allergy_intolerance_version.code.coding, cast(position.coding_index AS integer)).display AS display
    FROM allergy_intolerance_version
    CROSS JOIN
        unnest(
            sequence(1, greatest(coalesce(cardinality(allergy_intolerance_version.code.coding), 0), 1))
        ) AS position (coding_index)
    WHERE
        allergy_intolerance_version.place = 1
        AND allergy_intolerance_version.resourcetype IS NOT NULL
        AND cardinality(allergy_intolerance_version.code.coding) > 0
    UNION ALL
    SELECT
        'FamilyMemberHistory' AS resource_type,
        family_member_history_version.id,
        family_member_history_version.patient.reference AS patient_reference,
        family_member_history_version.patient.identifier.system AS patient_system,
        family_member_history_version.patient.identifier.value AS patient_value,
        'condition.code' AS element,
        cast(item.element_index AS integer) AS element_index,
        cast(position.coding_index AS integer) AS coding_index,
        element_at(
            element_at(family_member_history_version.condition, cast(item.element_index AS integer)).code.coding,
            cast(position.coding_index AS integer)
        ).system AS code_system,
        element_at(
            element_at(family_member_history_version.condition, cast(item.element_index AS integer)).code.coding,
            cast(position.coding_index AS integer)
        ).code AS code,
        element_at(
            element_at(family_member_history_version.condition, cast(item.element_index AS integer)).code.coding,
            cast(position.coding_index AS integer)
        ).display AS display
    FROM family_member_history_version
    CROSS JOIN
        unnest(sequence(1, greatest(coalesce(cardinality(family_member_history_version.condition), 0), 1))) AS item (element_index)
    CROSS JOIN
        unnest(
            sequence(
                1,
                greatest(
                    coalesce(
                        cardinality(element_at(family_member_history_version.condition, cast(item.element_index AS integer)).code.coding), 0
                    ),
                    1
                )
            )
        ) AS position (coding_index)
    WHERE
        family_member_history_version.place = 1
        AND family_member_history_version.resourcetype IS NOT NULL
        AND cardinality(element_at(family_member_history_version.condition, cast(item.element_index AS integer)).code.coding) > 0
    UNION ALL
    SELECT
        'DocumentReference' AS resource_type,
        document_reference_version.id,
        document_reference_version.subject.reference AS patient_reference,
        document_reference_version.subject.identifier.system AS patient_system,
        document_reference_version.subject.identifier.value AS patient_value,
        'type' AS element,
        0 AS element_index,
        cast(position.coding_index AS integer) AS coding_index,
        element_at(document_reference_version.type.coding, cast(position.coding_index AS integer)).system AS code_system,
        element_at(document_reference_version.type.coding, cast(position.coding_index AS integer)).code AS code,
        element_at(document_reference_version.type.coding, cast(position.coding_index AS integer)).display AS display
    FROM document_reference_version
    CROSS JOIN
        unnest(
            sequence(1, greatest(coalesce(cardinality(document_reference_version.type.coding), 0), 1))
        ) AS position (coding_index)
    WHERE
        document_reference_version.place = 1
        AND document_reference_version.resourcetype IS NOT NULL
        AND cardinality(document_reference_version.type.coding) > 0
),

placed AS (
    SELECT
        every_coding.resource_type,
        every_coding.id,
        every_coding.element,
        every_coding.element_index,
        every_coding.coding_index,
        every_coding.code_system,
        every_coding.code,
        every_coding.display,
        regexp_extract(every_coding.patient_reference, '(?:(?:^|/)Patient/|^urn:uuid:)([^/?#|]+)(?:/_history/.*)?$', 1) AS subject_id,
        CASE WHEN every_coding.patient_reference IS NULL THEN every_coding.patient_system END AS subject_system,
        CASE WHEN every_coding.patient_reference IS NULL THEN every_coding.patient_value END AS subject_value
    FROM every_coding
),

identified AS (
    SELECT
        system,
        value,
        min(patient_id) AS patient_id
    FROM clinical.patient_identifier
    GROUP BY system, value
    HAVING min(patient_id) = max(patient_id)
)

SELECT
    placed.resource_type || '/' || placed.id AS reference,
    placed.element,
    placed.element_index,
    placed.coding_index,
    placed.resource_type,
    placed.id AS resource_id,
    coalesce(placed.subject_id, identified.patient_id) AS patient_id,
    CASE
        WHEN placed.subject_id IS NOT NULL THEN 'reference'
        WHEN identified.patient_id IS NOT NULL THEN 'identifier'
        WHEN placed.subject_value IS NOT NULL THEN 'unmatched'
        ELSE 'none'
    END AS patient_link,
    placed.code_system,
    placed.code,
    placed.display,
    patient.site_id,
    coalesce(patient.consent_research, FALSE) AS consent_research,
    coalesce(patient.consent_genomic, FALSE) AS consent_genomic,
    coalesce(patient.consent_imaging, FALSE) AS consent_imaging
FROM placed
LEFT JOIN identified ON placed.subject_system = identified.system AND placed.subject_value = identified.value
LEFT JOIN clinical.patient ON coalesce(placed.subject_id, identified.patient_id) = patient.patient_id

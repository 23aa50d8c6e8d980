-- Every coding of the codes of clinical facts, first and further ones, as they are now in the FHIR store.
-- One row per resource, coded element, its place in a list (element_index from 1; 0 for an element that is no list) and coding.
-- Read by cohorts and value sets that a fact's first coding does not fit; personas see it through their filters.
-- Of a type: its coded elements, the index of their first item (0 for an element that is no list), and per element and item
-- the codings. Rows of three texts, since types of rows must be equal to meet in a UNION, and a table may order the fields of
-- its Codings otherwise.
WITH coded_resource AS (
    SELECT
        'Condition' AS resource_type,
        id,
        patient_id,
        patient_link,
        ARRAY['code'] AS elements,
        ARRAY[0] AS first_indexes,
        ARRAY[ARRAY[transform(code.coding, entry -> row(entry.system, entry.code, entry.display))]] AS codings
    FROM patient_fhir.condition
    UNION ALL
    SELECT
        'Observation' AS resource_type,
        id,
        patient_id,
        patient_link,
        ARRAY['code', 'value', 'component.code', 'component.value'] AS elements,
        ARRAY[0, 0, 1, 1] AS first_indexes,
        ARRAY[
            ARRAY[transform(code.coding, entry -> row(entry.system, entry.code, entry.display))],
            ARRAY[transform(valuecodeableconcept.coding, entry -> row(entry.system, entry.code, entry.display))],
            transform(component, part -> transform(part.code.coding, entry -> row(entry.system, entry.code, entry.display))),
            transform(component, part -> transform(part.valuecodeableconcept.coding, entry -> row(entry.system, entry.code, entry.display)))
        ] AS codings
    FROM patient_fhir.observation
    UNION ALL
    SELECT
        'Encounter' AS resource_type,
        id,
        patient_id,
        patient_link,
        ARRAY['type', 'reasonCode'] AS elements,
        ARRAY[1, 1] AS first_indexes,
        ARRAY[
            transform(type, concept -> transform(concept.coding, entry -> row(entry.system, entry.code, entry.display))),
            transform(reasoncode, concept -> transform(concept.coding, entry -> row(entry.system, entry.code, entry.display)))
        ] AS codings
    FROM patient_fhir.encounter
    UNION ALL
    SELECT
        'Procedure' AS resource_type,
        id,
        patient_id,
        patient_link,
        ARRAY['code', 'reasonCode'] AS elements,
        ARRAY[0, 1] AS first_indexes,
        ARRAY[
            ARRAY[transform(code.coding, entry -> row(entry.system, entry.code, entry.display))],
            transform(reasoncode, concept -> transform(concept.coding, entry -> row(entry.system, entry.code, entry.display)))
        ] AS codings
    FROM patient_fhir."procedure"
    UNION ALL
    SELECT
        'MedicationRequest' AS resource_type,
        id,
        patient_id,
        patient_link,
        ARRAY['medication'] AS elements,
        ARRAY[0] AS first_indexes,
        ARRAY[ARRAY[transform(medicationcodeableconcept.coding, entry -> row(entry.system, entry.code, entry.display))]] AS codings
    FROM patient_fhir.medicationrequest
    UNION ALL
    SELECT
        'MedicationAdministration' AS resource_type,
        id,
        patient_id,
        patient_link,
        ARRAY['medication'] AS elements,
        ARRAY[0] AS first_indexes,
        ARRAY[ARRAY[transform(medicationcodeableconcept.coding, entry -> row(entry.system, entry.code, entry.display))]] AS codings
    FROM patient_fhir.medicationadministration
    UNION ALL
    SELECT
        'DiagnosticReport' AS resource_type,
        id,
        patient_id,
        patient_link,
        ARRAY['code'] AS elements,
        ARRAY[0] AS first_indexes,
        ARRAY[ARRAY[transform(code.coding, entry -> row(entry.system, entry.code, entry.display))]] AS codings
    FROM patient_fhir.diagnosticreport
    UNION ALL
    SELECT
        'Immunization' AS resource_type,
        id,
        patient_id,
        patient_link,
        ARRAY['vaccineCode'] AS elements,
        ARRAY[0] AS first_indexes,
        ARRAY[ARRAY[transform(vaccinecode.coding, entry -> row(entry.system, entry.code, entry.display))]] AS codings
    FROM patient_fhir.immunization
    UNION ALL
    SELECT
        'AllergyIntolerance' AS resource_type,
        id,
        patient_id,
        patient_link,
        ARRAY['code'] AS elements,
        ARRAY[0] AS first_indexes,
        ARRAY[ARRAY[transform(code.coding, entry -> row(entry.system, entry.code, entry.display))]] AS codings
    FROM patient_fhir.allergyintolerance
    UNION ALL
    SELECT
        'FamilyMemberHistory' AS resource_type,
        id,
        patient_id,
        patient_link,
        ARRAY['condition.code'] AS elements,
        ARRAY[1] AS first_indexes,
        ARRAY[transform(condition, item -> transform(item.code.coding, entry -> row(entry.system, entry.code, entry.display)))] AS codings
    FROM patient_fhir.familymemberhistory
    UNION ALL
    SELECT
        'DocumentReference' AS resource_type,
        id,
        patient_id,
        patient_link,
        ARRAY['type'] AS elements,
        ARRAY[0] AS first_indexes,
        ARRAY[ARRAY[transform(type.coding, entry -> row(entry.system, entry.code, entry.display))]] AS codings
    FROM patient_fhir.documentreference
),

coded_element AS (
    SELECT
        coded_resource.resource_type,
        coded_resource.id,
        coded_resource.patient_id,
        coded_resource.patient_link,
        element_at(coded_resource.elements, position.place) AS element,
        element_at(coded_resource.first_indexes, position.place) AS first_index,
        element_at(coded_resource.codings, position.place) AS item_codings
    FROM coded_resource
    CROSS JOIN unnest(sequence(1, cardinality(coded_resource.elements))) AS position (place)
),

-- sequence(1, 0) counts down and gives two numbers: an empty list counts as one item, which has no codings
coded_item AS (
    SELECT
        coded_element.resource_type,
        coded_element.id,
        coded_element.patient_id,
        coded_element.patient_link,
        coded_element.element,
        cast(coded_element.first_index + position.place - 1 AS integer) AS element_index,
        element_at(coded_element.item_codings, position.place) AS codings
    FROM coded_element
    CROSS JOIN
        unnest(sequence(1, greatest(coalesce(cardinality(coded_element.item_codings), 0), 1))) AS position (place)
),

every_coding AS (
    SELECT
        coded_item.resource_type,
        coded_item.id,
        coded_item.element,
        coded_item.element_index,
        cast(position.coding_index AS integer) AS coding_index,
        cast(element_at(coded_item.codings, position.coding_index) AS row (system varchar, code varchar, display varchar)) AS coding,
        coded_item.patient_id,
        coded_item.patient_link
    FROM coded_item
    CROSS JOIN unnest(sequence(1, greatest(coalesce(cardinality(coded_item.codings), 0), 1))) AS position (coding_index)
    WHERE cardinality(coded_item.codings) > 0
)

SELECT
    every_coding.resource_type || '/' || every_coding.id AS reference,
    every_coding.element,
    every_coding.element_index,
    every_coding.coding_index,
    every_coding.resource_type,
    every_coding.id AS resource_id,
    every_coding.patient_id,
    every_coding.patient_link,
    every_coding.coding.system AS code_system,
    every_coding.coding.code,
    every_coding.coding.display
FROM every_coding

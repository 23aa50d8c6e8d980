-- Document references (notes) of patients as they are now in the FHIR store, inline text decoded.
-- One row per document reference and content (content_index from 1; one content almost always).
-- Read by dashboard; personas see it through their filters.
WITH current_document AS (
    SELECT
        id AS document_id,
        patient_id,
        patient_link,
        regexp_extract(
            element_at(filter(context.encounter, entry -> entry.reference IS NOT NULL), 1).reference,
            '(?:(?:^|/)Encounter/|^urn:uuid:)([^/?#|]+)(?:/_history/.*)?$',
            1
        ) AS encounter_id,
        status,
        docstatus AS document_status,
        element_at(type.coding, 1) AS type_coding,
        type.text AS type_code_text,
        element_at(element_at(category, 1).coding, 1).code AS category,
        regexp_extract(
            element_at(filter(author, entry -> entry.reference IS NOT NULL), 1).reference,
            '(?:(?:^|/)Practitioner/|^urn:uuid:)([^/?#|]+)(?:/_history/.*)?$',
            1
        ) AS practitioner_id,
        description,
        date AS created,
        content
    FROM patient_fhir.documentreference
),

document_content AS (
    SELECT
        current_document.document_id,
        current_document.patient_id,
        current_document.patient_link,
        current_document.encounter_id,
        current_document.status,
        current_document.document_status,
        current_document.type_coding,
        current_document.type_code_text,
        current_document.category,
        current_document.practitioner_id,
        current_document.description,
        current_document.created,
        cast(position.content_index AS integer) AS content_index,
        element_at(current_document.content, cast(position.content_index AS integer)) AS part
    FROM current_document
    CROSS JOIN
        unnest(sequence(1, greatest(coalesce(cardinality(current_document.content), 0), 1))) AS position (content_index)
)

SELECT
    document_content.document_id,
    document_content.content_index,
    document_content.patient_id,
    document_content.patient_link,
    document_content.encounter_id,
    document_content.status,
    document_content.document_status,
    document_content.type_coding.system AS type_system,
    document_content.type_coding.code AS type_code,
    coalesce(document_content.type_coding.display, document_content.type_code_text) AS type_text,
    document_content.category,
    document_content.practitioner_id,
    document_content.part.attachment.contenttype AS content_type,
    cast(document_content.part.attachment.size AS integer) AS n_bytes,
    document_content.part.attachment.title,
    document_content.description,
    CASE
        WHEN lower(document_content.part.attachment.contenttype) LIKE 'text/%'
            THEN from_utf8(try(from_base64(regexp_replace(document_content.part.attachment.data, '\s', ''))))
    END AS text,
    CASE
        WHEN length(document_content.created) > 10
            THEN cast(try(from_iso8601_timestamp(document_content.created)) AT TIME ZONE 'UTC' AS timestamp(6))
        WHEN length(document_content.created) = 10
            THEN cast(try_cast(document_content.created AS date) AS timestamp(6))
    END AS created_at,
    document_content.created AS created_text,
    CASE
        WHEN length(document_content.created) > 10 THEN 'time'
        WHEN length(document_content.created) = 10 THEN 'day'
        WHEN length(document_content.created) = 7 THEN 'month'
        WHEN length(document_content.created) = 4 THEN 'year'
    END AS created_precision,
    try_cast(substr(document_content.created, 1, 4) AS integer) AS created_year
FROM document_content

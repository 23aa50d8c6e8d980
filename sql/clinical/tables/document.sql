-- Document references (notes) of patients as they are now in the FHIR store, inline text decoded.
-- One row per document reference.
-- Read by dashboard; personas see it through their filters.
WITH document_version AS (
    SELECT
        id,
        resourcetype,
        subject,
        status,
        type,
        content,
        date,
        row_number() OVER (
            PARTITION BY id ORDER BY from_iso8601_timestamp(meta.lastupdated) DESC, meta.lastupdated DESC
        ) AS place
    FROM healthlake.documentreference
),

current_document AS (
    SELECT
        id AS document_id,
        regexp_extract(subject.reference, '(?:^|/)Patient/([^/]+)', 1) AS patient_id,
        status,
        element_at(type.coding, 1).code AS type_code,
        element_at(content, 1).attachment.contenttype AS content_type,
        element_at(content, 1).attachment.data AS data,
        date AS created
    FROM document_version
    WHERE place = 1 AND resourcetype IS NOT NULL
)

SELECT
    current_document.document_id,
    current_document.patient_id,
    current_document.status,
    current_document.type_code,
    current_document.content_type,
    CASE
        WHEN current_document.content_type LIKE 'text/%'
            THEN from_utf8(try(from_base64(current_document.data)))
    END AS text,
    CASE
        WHEN length(current_document.created) > 10
            THEN cast(try(from_iso8601_timestamp(current_document.created)) AT TIME ZONE 'UTC' AS timestamp(6))
        WHEN length(current_document.created) = 10
            THEN cast(try_cast(current_document.created AS date) AS timestamp(6))
    END AS created_at,
    patient.site_id,
    coalesce(patient.consent_research, FALSE) AS consent_research,
    coalesce(patient.consent_genomic, FALSE) AS consent_genomic,
    coalesce(patient.consent_imaging, FALSE) AS consent_imaging
FROM current_document
LEFT JOIN clinical.patient ON current_document.patient_id = patient.patient_id
WHERE current_document.patient_id IS NOT NULL

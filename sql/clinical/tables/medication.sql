-- Medications that requests and administrations refer to, with every coding.
-- One row per Medication and coding (coding_index from 1; 0 for a medication known by its text only).
-- Read by cohort and dashboard.
WITH medication_version AS (
    SELECT
        id,
        resourcetype,
        status,
        code,
        form,
        row_number() OVER (
            PARTITION BY id ORDER BY from_iso8601_timestamp(meta.lastupdated) DESC, meta.lastupdated DESC
        ) AS place
    FROM healthlake.medication
),

one_coding AS (
    SELECT
        medication_version.id AS medication_id,
        medication_version.status,
        element_at(medication_version.form.coding, 1).code AS form_code,
        medication_version.code.text AS code_text,
        cast(position.coding_index AS integer) AS coding_index,
        CASE
            WHEN position.coding_index > 0
                THEN element_at(medication_version.code.coding, cast(position.coding_index AS integer))
        END AS part
    FROM medication_version
    CROSS JOIN
        unnest(
            sequence(
                least(coalesce(cardinality(medication_version.code.coding), 0), 1),
                coalesce(cardinality(medication_version.code.coding), 0)
            )
        ) AS position (coding_index)
    WHERE medication_version.place = 1 AND medication_version.resourcetype IS NOT NULL
)

SELECT
    medication_id,
    coding_index,
    status,
    part.system AS code_system,
    part.code,
    coalesce(part.display, code_text) AS display,
    form_code
FROM one_coding

-- Medications that requests and administrations refer to, with every coding.
-- One row per Medication and coding (coding_index from 1; 0 for a medication known by its text only).
-- Read by cohort and dashboard.
WITH one_coding AS (
    SELECT
        medication.id AS medication_id,
        medication.status,
        element_at(medication.form.coding, 1).code AS form_code,
        medication.code.text AS code_text,
        cast(position.coding_index AS integer) AS coding_index,
        CASE
            WHEN position.coding_index > 0
                THEN element_at(medication.code.coding, cast(position.coding_index AS integer))
        END AS part
    FROM current_fhir.medication
    CROSS JOIN
        unnest(
            sequence(
                least(coalesce(cardinality(medication.code.coding), 0), 1),
                coalesce(cardinality(medication.code.coding), 0)
            )
        ) AS position (coding_index)
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

"""The three modalities of each patient in one question each, so that one that is closed leaves the others open.

Kept beside sql/cohort/views/coverage.sql, which asks all three at once and so needs all three to be open.

Example: COVERAGE["imaging"]
"""

COVERAGE = {
    "Clinical": """
        SELECT CASE WHEN charted.patient_id IS NOT NULL THEN 'measured' ELSE 'not loaded' END AS state, count(*) AS n
        FROM clinical.patient
        LEFT JOIN (SELECT DISTINCT patient_id FROM clinical.encounter) AS charted
            ON patient.patient_id = charted.patient_id
        GROUP BY 1
    """,
    "Genomic": """
        SELECT CASE WHEN sequenced.patient_id IS NOT NULL THEN 'measured' ELSE 'not measured' END AS state,
            count(*) AS n
        FROM clinical.patient
        LEFT JOIN (SELECT DISTINCT patient_id FROM genomic.dosage) AS sequenced
            ON patient.patient_id = sequenced.patient_id
        GROUP BY 1
    """,
    "Imaging": """
        SELECT
            CASE WHEN stored.patient_id IS NOT NULL THEN 'measured'
                WHEN charted.patient_id IS NOT NULL THEN 'not loaded'
                ELSE 'not measured' END AS state,
            count(*) AS n
        FROM clinical.patient
        LEFT JOIN (SELECT DISTINCT patient_id FROM imaging.study) AS stored
            ON patient.patient_id = stored.patient_id
        LEFT JOIN (SELECT DISTINCT patient_id FROM clinical.imaging_study) AS charted
            ON patient.patient_id = charted.patient_id
        GROUP BY 1
    """,
}
STATES = ("measured", "not measured", "not loaded")

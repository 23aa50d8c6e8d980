-- Illness in the family as it is now in the FHIR store.
-- One row per relative (FamilyMemberHistory) and condition (condition_index from 1; 0 for a relative without conditions).
-- Read by cohort, ml and dashboard; personas see it through their filters.
WITH current_family_member_history AS (
    SELECT
        id AS family_member_history_id,
        patient_id,
        patient_link,
        status,
        element_at(relationship.coding, 1) AS relationship_coding,
        relationship.text AS relationship_code_text,
        element_at(sex.coding, 1).code AS sex,
        borndate AS born,
        ageage.value AS age_value,
        coalesce(deceasedboolean, deceaseddate IS NOT NULL OR deceasedage.value IS NOT NULL OR deceasedstring IS NOT NULL) AS is_deceased,
        deceasedage.value AS deceased_age,
        date AS recorded,
        condition
    FROM patient_fhir.familymemberhistory
),

relative_condition AS (
    SELECT
        current_family_member_history.family_member_history_id,
        current_family_member_history.patient_id,
        current_family_member_history.patient_link,
        current_family_member_history.status,
        current_family_member_history.relationship_coding,
        current_family_member_history.relationship_code_text,
        current_family_member_history.sex,
        current_family_member_history.born,
        current_family_member_history.age_value,
        current_family_member_history.is_deceased,
        current_family_member_history.deceased_age,
        current_family_member_history.recorded,
        cast(position.condition_index AS integer) AS condition_index,
        CASE
            WHEN position.condition_index > 0
                THEN element_at(current_family_member_history.condition, cast(position.condition_index AS integer))
        END AS part
    FROM current_family_member_history
    CROSS JOIN
        unnest(
            sequence(
                least(coalesce(cardinality(current_family_member_history.condition), 0), 1),
                coalesce(cardinality(current_family_member_history.condition), 0)
            )
        ) AS position (condition_index)
)

SELECT
    relative_condition.family_member_history_id,
    relative_condition.condition_index,
    relative_condition.patient_id,
    relative_condition.patient_link,
    relative_condition.status,
    relative_condition.relationship_coding.code AS relationship_code,
    coalesce(relative_condition.relationship_coding.display, relative_condition.relationship_code_text) AS relationship_display,
    relative_condition.sex,
    try_cast(substr(relative_condition.born, 1, 4) AS integer) AS birth_year,
    relative_condition.age_value AS age,
    relative_condition.is_deceased,
    relative_condition.deceased_age,
    element_at(relative_condition.part.code.coding, 1).system AS code_system,
    element_at(relative_condition.part.code.coding, 1).code AS code,
    coalesce(element_at(relative_condition.part.code.coding, 1).display, relative_condition.part.code.text) AS display,
    relative_condition.part.onsetage.value AS onset_age,
    element_at(relative_condition.part.outcome.coding, 1).code AS outcome_code,
    CASE
        WHEN length(relative_condition.recorded) > 10
            THEN cast(try(from_iso8601_timestamp(relative_condition.recorded)) AT TIME ZONE 'UTC' AS timestamp(6))
        WHEN length(relative_condition.recorded) = 10
            THEN cast(try_cast(relative_condition.recorded AS date) AS timestamp(6))
    END AS recorded_at,
    relative_condition.recorded AS recorded_text,
    CASE
        WHEN length(relative_condition.recorded) > 10 THEN 'time'
        WHEN length(relative_condition.recorded) = 10 THEN 'day'
        WHEN length(relative_condition.recorded) = 7 THEN 'month'
        WHEN length(relative_condition.recorded) = 4 THEN 'year'
    END AS recorded_precision,
    try_cast(substr(relative_condition.recorded, 1, 4) AS integer) AS recorded_year
FROM relative_condition

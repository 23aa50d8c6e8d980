-- Care teams of patients as they are now in the FHIR store: who cares for whom, in which role.
-- One row per care team and participant (participant_index from 1; 0 for a team whose participants are not recorded).
-- Read by clinicians and dashboards; personas see it through their filters.
WITH current_care_team AS (
    SELECT
        id AS care_team_id,
        patient_id,
        patient_link,
        regexp_extract(encounter.reference, '(?:(?:^|/)Encounter/|^urn:uuid:)([^/?#|]+)(?:/_history/.*)?$', 1) AS encounter_id,
        status,
        element_at(element_at(category, 1).coding, 1).code AS category,
        name,
        element_at(element_at(reasoncode, 1).coding, 1).code AS reason_code,
        regexp_extract(
            element_at(managingorganization, 1).reference, '(?:(?:^|/)Organization/|^urn:uuid:)([^/?#|]+)(?:/_history/.*)?$', 1
        ) AS organization_id,
        period.start AS started,
        period."end" AS ended,
        participant
    FROM patient_fhir.careteam
),

team_member AS (
    SELECT
        current_care_team.care_team_id,
        current_care_team.patient_id,
        current_care_team.patient_link,
        current_care_team.encounter_id,
        current_care_team.status,
        current_care_team.category,
        current_care_team.name,
        current_care_team.reason_code,
        current_care_team.organization_id,
        current_care_team.started,
        current_care_team.ended,
        cast(position.participant_index AS integer) AS participant_index,
        CASE
            WHEN position.participant_index > 0
                THEN element_at(current_care_team.participant, cast(position.participant_index AS integer))
        END AS part
    FROM current_care_team
    CROSS JOIN
        unnest(
            sequence(
                least(coalesce(cardinality(current_care_team.participant), 0), 1),
                coalesce(cardinality(current_care_team.participant), 0)
            )
        ) AS position (participant_index)
)

SELECT
    team_member.care_team_id,
    team_member.participant_index,
    team_member.patient_id,
    team_member.patient_link,
    team_member.encounter_id,
    team_member.status,
    team_member.category,
    team_member.name,
    regexp_extract(team_member.part.member.reference, '([A-Za-z]+)/[^/?#|]+(?:/_history/.*)?$', 1) AS member_type,
    regexp_extract(team_member.part.member.reference, '(?:[A-Za-z]/|^urn:uuid:)([^/?#|]+)(?:/_history/.*)?$', 1) AS member_id,
    team_member.part.member.display AS member_name,
    element_at(element_at(team_member.part.role, 1).coding, 1).code AS role_code,
    coalesce(element_at(element_at(team_member.part.role, 1).coding, 1).display, element_at(team_member.part.role, 1).text) AS role_display,
    team_member.reason_code,
    team_member.organization_id,
    CASE
        WHEN length(team_member.started) > 10
            THEN cast(try(from_iso8601_timestamp(team_member.started)) AT TIME ZONE 'UTC' AS timestamp(6))
        WHEN length(team_member.started) = 10
            THEN cast(try_cast(team_member.started AS date) AS timestamp(6))
    END AS started_at,
    team_member.started AS started_text,
    CASE
        WHEN length(team_member.started) > 10 THEN 'time'
        WHEN length(team_member.started) = 10 THEN 'day'
        WHEN length(team_member.started) = 7 THEN 'month'
        WHEN length(team_member.started) = 4 THEN 'year'
    END AS started_precision,
    try_cast(substr(team_member.started, 1, 4) AS integer) AS started_year,
    CASE
        WHEN length(team_member.ended) > 10
            THEN cast(try(from_iso8601_timestamp(team_member.ended)) AT TIME ZONE 'UTC' AS timestamp(6))
        WHEN length(team_member.ended) = 10
            THEN cast(try_cast(team_member.ended AS date) AS timestamp(6))
    END AS ended_at,
    team_member.ended AS ended_text
FROM team_member

-- Consents of patients as they are now in the FHIR store, each with what it alone permits.
-- One row per consent resource; what all of a patient's consents permit is in the row keys (clinical/tables/patient).
-- Read by governance reports; personas see it through their filters.
WITH current_consent AS (
    SELECT
        id AS consent_id,
        patient_id,
        patient_link,
        status,
        element_at(scope.coding, 1).code AS scope,
        coalesce(any_match(scope.coding, coding -> coding.code = 'research'), FALSE) AS is_research,
        element_at(element_at(category, 1).coding, 1).code AS category,
        element_at(policyrule.coding, 1).code AS policy_code,
        provision.type AS provision_type,
        provision.period.start AS valid_from,
        provision.period."end" AS valid_until,
        filter(
            provision.provision,
            rule -> any_match(
                rule.code,
                concept -> any_match(
                    concept.coding,
                    coding -> coding.system = 'https://trilake.example/consent' AND coding.code = 'genomic'
                )
            )
        ) AS genomic_rules,
        filter(
            provision.provision,
            rule -> any_match(
                rule.code,
                concept -> any_match(
                    concept.coding,
                    coding -> coding.system = 'https://trilake.example/consent' AND coding.code = 'imaging'
                )
            )
        ) AS imaging_rules,
        datetime AS consented
    FROM patient_fhir.consent
)

SELECT
    current_consent.consent_id,
    current_consent.patient_id,
    current_consent.patient_link,
    current_consent.status,
    current_consent.scope,
    current_consent.category,
    current_consent.policy_code,
    current_consent.provision_type,
    coalesce(current_consent.status = 'active' AND current_consent.is_research AND current_consent.provision_type = 'permit', FALSE)
        AS permits_research,
    coalesce(
        current_consent.status = 'active' AND current_consent.is_research AND current_consent.provision_type = 'permit'
        AND any_match(current_consent.genomic_rules, rule -> rule.type = 'permit')
        AND NOT any_match(current_consent.genomic_rules, rule -> rule.type = 'deny'),
        FALSE
    ) AS permits_genomic,
    coalesce(
        current_consent.status = 'active' AND current_consent.is_research AND current_consent.provision_type = 'permit'
        AND any_match(current_consent.imaging_rules, rule -> rule.type = 'permit')
        AND NOT any_match(current_consent.imaging_rules, rule -> rule.type = 'deny'),
        FALSE
    ) AS permits_imaging,
    CASE
        WHEN length(current_consent.consented) > 10
            THEN cast(try(from_iso8601_timestamp(current_consent.consented)) AT TIME ZONE 'UTC' AS timestamp(6))
        WHEN length(current_consent.consented) = 10
            THEN cast(try_cast(current_consent.consented AS date) AS timestamp(6))
    END AS consented_at,
    current_consent.consented AS consented_text,
    CASE
        WHEN length(current_consent.consented) > 10 THEN 'time'
        WHEN length(current_consent.consented) = 10 THEN 'day'
        WHEN length(current_consent.consented) = 7 THEN 'month'
        WHEN length(current_consent.consented) = 4 THEN 'year'
    END AS consented_precision,
    try_cast(substr(current_consent.consented, 1, 4) AS integer) AS consented_year,
    CASE
        WHEN length(current_consent.valid_from) > 10
            THEN cast(try(from_iso8601_timestamp(current_consent.valid_from)) AT TIME ZONE 'UTC' AS timestamp(6))
        WHEN length(current_consent.valid_from) = 10
            THEN cast(try_cast(current_consent.valid_from AS date) AS timestamp(6))
    END AS valid_from_at,
    current_consent.valid_from AS valid_from_text,
    CASE
        WHEN length(current_consent.valid_until) > 10
            THEN cast(try(from_iso8601_timestamp(current_consent.valid_until)) AT TIME ZONE 'UTC' AS timestamp(6))
        WHEN length(current_consent.valid_until) = 10
            THEN cast(try_cast(current_consent.valid_until AS date) AS timestamp(6))
    END AS valid_until_at,
    current_consent.valid_until AS valid_until_text
FROM current_consent

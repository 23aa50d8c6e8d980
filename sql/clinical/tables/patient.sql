-- Patients as they are now in the FHIR store, with the row keys that every patient-level table takes from here.
-- One row per patient.
-- Read by every room; personas see it through their filters.
-- May be missing: healthlake.consent (then nobody has consented), healthlake.organization (then a site is known only
-- where the patient's own reference names it).
-- Consent: of scope research and active. Each active one must permit; genomic and imaging need a permitting provision
-- of their own, and one denying provision outweighs it. No active consent is no consent.
WITH patient_version AS (
    SELECT
        id,
        resourcetype,
        identifier,
        name,
        gender,
        birthdate,
        deceasedboolean,
        deceaseddatetime,
        address,
        managingorganization,
        meta.lastupdated AS last_updated,
        row_number() OVER (
            PARTITION BY id ORDER BY from_iso8601_timestamp(meta.lastupdated) DESC, meta.lastupdated DESC
        ) AS place
    FROM healthlake.patient
),

current_patient AS (
    SELECT
        id AS patient_id,
        element_at(
            filter(identifier, one -> any_match(one.type.coding, coding -> coding.code = 'MR')), 1
        ).value AS mrn,
        coalesce(element_at(filter(name, one -> one.use = 'official'), 1), element_at(name, 1)) AS name,
        birthdate,
        gender,
        element_at(address, 1) AS address,
        deceasedboolean,
        deceaseddatetime,
        last_updated,
        regexp_extract(managingorganization.reference, '(?:^|/)Organization/([^/]+)', 1) AS organization_id,
        CASE
            WHEN managingorganization.identifier.system = 'https://trilake.example/site'
                THEN managingorganization.identifier.value
        END AS named_site_id
    FROM patient_version
    WHERE place = 1 AND resourcetype IS NOT NULL
),

organization_version AS (
    SELECT
        id,
        resourcetype,
        identifier,
        row_number() OVER (
            PARTITION BY id ORDER BY from_iso8601_timestamp(meta.lastupdated) DESC, meta.lastupdated DESC
        ) AS place
    FROM healthlake.organization
),

site AS (
    SELECT
        id AS organization_id,
        element_at(filter(identifier, one -> one.system = 'https://trilake.example/site'), 1).value AS site_id
    FROM organization_version
    WHERE place = 1 AND resourcetype IS NOT NULL
),

consent_version AS (
    SELECT
        id,
        resourcetype,
        status,
        scope,
        patient,
        provision,
        row_number() OVER (
            PARTITION BY id ORDER BY from_iso8601_timestamp(meta.lastupdated) DESC, meta.lastupdated DESC
        ) AS place
    FROM healthlake.consent
),

research_consent AS (
    SELECT
        regexp_extract(patient.reference, '(?:^|/)Patient/([^/]+)', 1) AS patient_id,
        coalesce(provision.type = 'permit', FALSE) AS permits,
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
        ) AS imaging_rules
    FROM consent_version
    WHERE
        place = 1
        AND resourcetype IS NOT NULL
        AND status = 'active'
        AND any_match(scope.coding, coding -> coding.code = 'research')
),

permission AS (
    SELECT
        patient_id,
        bool_and(permits) AS consent_research,
        bool_or(coalesce(any_match(genomic_rules, rule -> rule.type = 'permit'), FALSE)) AS permits_genomic,
        bool_or(coalesce(any_match(genomic_rules, rule -> rule.type = 'deny'), FALSE)) AS denies_genomic,
        bool_or(coalesce(any_match(imaging_rules, rule -> rule.type = 'permit'), FALSE)) AS permits_imaging,
        bool_or(coalesce(any_match(imaging_rules, rule -> rule.type = 'deny'), FALSE)) AS denies_imaging
    FROM research_consent
    GROUP BY patient_id
)

SELECT
    current_patient.patient_id,
    current_patient.mrn,
    current_patient.name.family AS family_name,
    array_join(current_patient.name.given, ' ') AS given_name,
    CASE
        WHEN length(current_patient.birthdate) = 10 THEN try_cast(current_patient.birthdate AS date)
    END AS birth_date,
    try_cast(substr(current_patient.birthdate, 1, 4) AS integer) AS birth_year,
    current_patient.gender,
    current_patient.address.postalcode AS postcode,
    current_patient.address.city,
    coalesce(current_patient.deceasedboolean, current_patient.deceaseddatetime IS NOT NULL) AS is_deceased,
    CASE
        WHEN length(current_patient.deceaseddatetime) > 10
            THEN cast(try(from_iso8601_timestamp(current_patient.deceaseddatetime)) AT TIME ZONE 'UTC' AS timestamp(6))
        WHEN length(current_patient.deceaseddatetime) = 10
            THEN cast(try_cast(current_patient.deceaseddatetime AS date) AS timestamp(6))
    END AS deceased_at,
    cast(try(from_iso8601_timestamp(current_patient.last_updated)) AT TIME ZONE 'UTC' AS timestamp(6)) AS last_updated_at,
    coalesce(current_patient.named_site_id, site.site_id) AS site_id,
    coalesce(permission.consent_research, FALSE) AS consent_research,
    coalesce(
        permission.consent_research AND permission.permits_genomic AND NOT permission.denies_genomic, FALSE
    ) AS consent_genomic,
    coalesce(
        permission.consent_research AND permission.permits_imaging AND NOT permission.denies_imaging, FALSE
    ) AS consent_imaging
FROM current_patient
LEFT JOIN site ON current_patient.organization_id = site.organization_id
LEFT JOIN permission ON current_patient.patient_id = permission.patient_id

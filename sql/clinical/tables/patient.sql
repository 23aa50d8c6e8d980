-- Patients as they are now in the FHIR store, with the row keys that every patient-level table takes from here.
-- One row per patient.
-- Read by every room; personas see it through their filters.
-- Consent: of scope research and active. Each active one must permit; genomic and imaging need a permitting provision
-- of their own, and one denying provision outweighs it. No active consent is no consent.
-- Extensions are found by their URL, wherever they stand.
WITH current_patient AS (
    SELECT
        id AS patient_id,
        element_at(
            filter(identifier, entry -> any_match(entry.type.coding, coding -> coding.code = 'MR')), 1
        ) AS mrn,
        coalesce(element_at(filter(name, entry -> entry.use = 'official'), 1), element_at(name, 1)) AS name,
        element_at(filter(name, entry -> entry.use = 'maiden'), 1).family AS maiden_name,
        element_at(filter(telecom, entry -> entry.system = 'phone'), 1).value AS phone,
        element_at(maritalstatus.coding, 1).code AS marital_code,
        coalesce(
            element_at(filter(communication, entry -> entry.preferred), 1), element_at(communication, 1)
        ).language AS language,
        birthdate,
        gender,
        element_at(address, 1) AS address,
        deceasedboolean,
        deceaseddatetime,
        meta.lastupdated AS last_updated,
        regexp_extract(managingorganization.reference, '(?:(?:^|/)Organization/|^urn:uuid:)([^/?#|]+)(?:/_history/.*)?$', 1)
            AS organization_id,
        regexp_extract(
            element_at(filter(generalpractitioner, entry -> entry.reference IS NOT NULL), 1).reference,
            '(?:(?:^|/)Practitioner/|^urn:uuid:)([^/?#|]+)(?:/_history/.*)?$',
            1
        )
            AS practitioner_id,
        element_at(
            filter(extension, ext -> json_extract_scalar(ext, '$.url') = 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-race'), 1
        )
            AS race,
        element_at(
            filter(
                extension, ext -> json_extract_scalar(ext, '$.url') = 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-ethnicity'
            ),
            1
        )
            AS ethnicity,
        element_at(
            filter(
                extension, ext -> json_extract_scalar(ext, '$.url') = 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex'
            ),
            1
        )
            AS birth_sex,
        element_at(
            filter(extension, ext -> json_extract_scalar(ext, '$.url') = 'http://hl7.org/fhir/StructureDefinition/patient-birthPlace'), 1
        )
            AS birth_place,
        element_at(
            filter(
                extension, ext -> json_extract_scalar(ext, '$.url') = 'http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName'
            ),
            1
        )
            AS mothers_maiden_name,
        CASE
            WHEN managingorganization.identifier.system = 'https://trilake.example/site'
                THEN managingorganization.identifier.value
        END AS named_site_id
    FROM current_fhir.patient
),

site AS (
    SELECT
        id AS organization_id,
        element_at(filter(identifier, entry -> entry.system = 'https://trilake.example/site'), 1).value AS site_id
    FROM current_fhir.organization
),

research_consent AS (
    SELECT
        regexp_extract(patient.reference, '(?:(?:^|/)Patient/|^urn:uuid:)([^/?#|]+)(?:/_history/.*)?$', 1) AS patient_id,
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
    FROM current_fhir.consent
    WHERE status = 'active' AND any_match(scope.coding, coding -> coding.code = 'research')
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
    current_patient.mrn.system AS mrn_system,
    current_patient.mrn.value AS mrn,
    current_patient.name.family AS family_name,
    array_join(current_patient.name.given, ' ') AS given_name,
    current_patient.maiden_name,
    CASE
        WHEN length(current_patient.birthdate) = 10 THEN try_cast(current_patient.birthdate AS date)
    END AS birth_date,
    current_patient.birthdate AS birth_text,
    CASE
        WHEN length(current_patient.birthdate) = 10 THEN 'day'
        WHEN length(current_patient.birthdate) = 7 THEN 'month'
        WHEN length(current_patient.birthdate) = 4 THEN 'year'
    END AS birth_precision,
    try_cast(substr(current_patient.birthdate, 1, 4) AS integer) AS birth_year,
    current_patient.gender,
    json_extract_scalar(current_patient.birth_sex, '$.valueCode') AS birth_sex,
    json_extract_scalar(
        element_at(
            filter(
                cast(json_extract(current_patient.race, '$.extension') AS ARRAY(json)),
                part -> json_extract_scalar(part, '$.url') = 'ombCategory'
            ),
            1
        ),
        '$.valueCoding.code'
    ) AS race_code,
    json_extract_scalar(
        element_at(
            filter(
                cast(json_extract(current_patient.race, '$.extension') AS ARRAY(json)),
                part -> json_extract_scalar(part, '$.url') = 'text'
            ),
            1
        ),
        '$.valueString'
    ) AS race_text,
    json_extract_scalar(
        element_at(
            filter(
                cast(json_extract(current_patient.ethnicity, '$.extension') AS ARRAY(json)),
                part -> json_extract_scalar(part, '$.url') = 'ombCategory'
            ),
            1
        ),
        '$.valueCoding.code'
    ) AS ethnicity_code,
    json_extract_scalar(
        element_at(
            filter(
                cast(json_extract(current_patient.ethnicity, '$.extension') AS ARRAY(json)),
                part -> json_extract_scalar(part, '$.url') = 'text'
            ),
            1
        ),
        '$.valueString'
    ) AS ethnicity_text,
    current_patient.marital_code,
    element_at(current_patient.language.coding, 1).code AS language_code,
    json_extract_scalar(current_patient.birth_place, '$.valueAddress.city') AS birth_city,
    json_extract_scalar(current_patient.mothers_maiden_name, '$.valueString') AS mothers_maiden_name,
    current_patient.phone,
    array_join(current_patient.address.line, ', ') AS address_line,
    current_patient.address.postalcode AS postcode,
    current_patient.address.city,
    current_patient.address.state,
    current_patient.address.country,
    coalesce(current_patient.deceasedboolean, current_patient.deceaseddatetime IS NOT NULL) AS is_deceased,
    CASE
        WHEN length(current_patient.deceaseddatetime) > 10
            THEN cast(try(from_iso8601_timestamp(current_patient.deceaseddatetime)) AT TIME ZONE 'UTC' AS timestamp(6))
        WHEN length(current_patient.deceaseddatetime) = 10
            THEN cast(try_cast(current_patient.deceaseddatetime AS date) AS timestamp(6))
    END AS deceased_at,
    current_patient.deceaseddatetime AS deceased_text,
    try_cast(substr(current_patient.deceaseddatetime, 1, 4) AS integer) AS deceased_year,
    current_patient.organization_id,
    current_patient.practitioner_id,
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

-- Organisations that care for patients, as they are now in the FHIR store; some are a site that row rules name.
-- One row per organisation.
-- Read by clinicians and dashboards.
SELECT
    id AS organization_id,
    element_at(filter(identifier, entry -> entry.system = 'https://trilake.example/site'), 1).value AS named_site_id,
    name,
    active AS is_active,
    element_at(element_at(type, 1).coding, 1).code AS type_code,
    element_at(address, 1).city AS city,
    element_at(address, 1).state AS state,
    element_at(address, 1).postalcode AS postcode,
    regexp_extract(partof.reference, '(?:(?:^|/)Organization/|^urn:uuid:)([^/?#|]+)(?:/_history/.*)?$', 1) AS part_of_organization_id
FROM current_fhir.organization

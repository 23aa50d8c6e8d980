-- FHIR resources of one type as they are now: the newest version of each id, without those that were deleted.
-- One row per resource.
-- Read by every clinical table as current_fhir.<type>: healthlake.resource stands for that type's table, and its columns.
WITH resource_version AS (
    SELECT
        resource.*,
        -- HealthLake's tables are append-only. Its times are texts, and are compared as times first: one instant may be
        -- written with more or fewer digits, and of two texts for it one has to come first.
        row_number() OVER (
            PARTITION BY id ORDER BY from_iso8601_timestamp(meta.lastupdated) DESC, meta.lastupdated DESC
        ) AS version_place
    FROM healthlake.resource
)

SELECT resource_version.* -- noqa: AM04, the columns are those of the type's table
FROM resource_version
-- a deletion is a version without a type
WHERE resource_version.version_place = 1 AND resource_version.resourcetype IS NOT NULL

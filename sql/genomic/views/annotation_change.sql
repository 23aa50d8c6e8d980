-- What changed in ClinVar from each release to the next: alleles reclassified, reviewed anew, new and withdrawn.
-- One row per reference genome, pair of successive releases and changed allele.
-- Read by everyone who may see annotated variants (AN): it holds no patients; genomic.watch says who carries them.
-- Undated releases take no part. reclassified: another CLNSIG; reviewed: the same one, with another review status.
WITH dated_release AS (
    SELECT DISTINCT
        reference_genome,
        release
    FROM genomic.annotation
    WHERE release <> ''
),

release_pair AS (
    SELECT
        reference_genome,
        lag(release) OVER (PARTITION BY reference_genome ORDER BY release ASC) AS previous_release,
        release
    FROM dated_release
),

earlier AS (
    SELECT
        release_pair.reference_genome,
        release_pair.previous_release,
        release_pair.release,
        annotation.variant_id,
        annotation.annotation_id,
        annotation.gene,
        annotation.clinical_significance,
        annotation.significance,
        annotation.review_status,
        annotation.review_stars
    FROM release_pair
    INNER JOIN genomic.annotation
        ON
            release_pair.reference_genome = annotation.reference_genome
            AND release_pair.previous_release = annotation.release
),

later AS (
    SELECT
        release_pair.reference_genome,
        release_pair.previous_release,
        release_pair.release,
        annotation.variant_id,
        annotation.annotation_id,
        annotation.gene,
        annotation.clinical_significance,
        annotation.significance,
        annotation.review_status,
        annotation.review_stars
    FROM release_pair
    INNER JOIN genomic.annotation
        ON
            release_pair.reference_genome = annotation.reference_genome
            AND release_pair.release = annotation.release
    WHERE release_pair.previous_release IS NOT NULL
)

SELECT
    coalesce(later.reference_genome, earlier.reference_genome) AS reference_genome,
    coalesce(later.previous_release, earlier.previous_release) AS previous_release,
    coalesce(later.release, earlier.release) AS release,
    coalesce(later.variant_id, earlier.variant_id) AS variant_id,
    coalesce(later.annotation_id, earlier.annotation_id) AS annotation_id,
    coalesce(later.gene, earlier.gene) AS gene,
    CASE
        WHEN earlier.variant_id IS NULL THEN 'new'
        WHEN later.variant_id IS NULL THEN 'withdrawn'
        WHEN later.clinical_significance IS DISTINCT FROM earlier.clinical_significance THEN 'reclassified'
        ELSE 'reviewed'
    END AS change,
    earlier.clinical_significance AS previous_clinical_significance,
    later.clinical_significance,
    earlier.significance AS previous_significance,
    later.significance,
    earlier.review_stars AS previous_review_stars,
    later.review_stars
FROM later
FULL OUTER JOIN earlier
    ON
        later.reference_genome = earlier.reference_genome
        AND later.release = earlier.release
        AND later.variant_id = earlier.variant_id
WHERE
    earlier.variant_id IS NULL
    OR later.variant_id IS NULL
    OR later.clinical_significance IS DISTINCT FROM earlier.clinical_significance
    OR later.review_status IS DISTINCT FROM earlier.review_status

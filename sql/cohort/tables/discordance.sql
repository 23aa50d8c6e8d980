-- Where chart, images and genotypes contradict each other, or stand alone: what a steward should look at.
-- One row per code, object, other object and patient.
-- Read by stewards of linkage without the values; those are of classes QI and GT.
-- Sex: of the chart it is birth sex where recorded for genotypes, and either for images. A genotype tells it only with three
-- calls on X and a clear picture: heterozygous means female; one allele, or calls on Y without heterozygous X, male.
-- Ages differ when they are more than a year apart. swap_suspect: two objects of a kind whose birth dates, or sexes where no
-- birth dates are told, are crossed between two patients; an object with more than ten such partners tells nothing.
WITH person AS (
    SELECT
        patient_id,
        birth_date,
        birth_year,
        cast(deceased_at AS date) AS death_date,
        CASE gender WHEN 'male' THEN 'M' WHEN 'female' THEN 'F' END AS gender_sex,
        CASE WHEN birth_sex IN ('M', 'F') THEN birth_sex END AS birth_sex
    FROM clinical.patient
),

study AS (
    SELECT
        study.study_instance_uid AS object_id,
        study.patient_id,
        study.link_verdict,
        study.study_date,
        study.study_year,
        study.dicom_birth_date,
        study.dicom_patient_age,
        CASE WHEN upper(trim(study.dicom_patient_sex)) IN ('M', 'F') THEN upper(trim(study.dicom_patient_sex)) END AS sex,
        try_cast(regexp_extract(study.dicom_patient_age, '^\s*([0-9]{1,3})[YMWDymwd]\s*$', 1) AS double)
        / CASE upper(regexp_extract(study.dicom_patient_age, '^\s*[0-9]{1,3}([YMWDymwd])\s*$', 1))
            WHEN 'Y' THEN 1.0
            WHEN 'M' THEN 12.0
            WHEN 'W' THEN 52.18
            WHEN 'D' THEN 365.25
        END AS age_told
    FROM imaging.study
),

sample AS (
    SELECT DISTINCT
        sample_id AS object_id,
        patient_id,
        link_verdict,
        CASE
            WHEN n_x_called < 3 THEN NULL
            WHEN n_x_heterozygous * 10 >= n_x_called AND n_x_haploid * 10 <= n_x_called THEN 'F'
            WHEN n_x_heterozygous * 20 > n_x_called THEN NULL
            WHEN n_x_haploid * 10 >= n_x_called * 9 OR n_y_called >= 3 THEN 'M'
        END AS sex
    FROM genomic.sample
),

object_sex AS (
    SELECT
        'imaging' AS modality,
        study.object_id,
        study.patient_id,
        study.sex,
        CASE WHEN study.sex = person.birth_sex THEN person.birth_sex ELSE person.gender_sex END AS chart_sex,
        study.dicom_birth_date AS birth_date,
        person.birth_date AS chart_birth_date
    FROM study
    INNER JOIN person ON study.patient_id = person.patient_id
    UNION ALL
    SELECT
        'genomic' AS modality,
        sample.object_id,
        sample.patient_id,
        sample.sex,
        coalesce(person.birth_sex, person.gender_sex) AS chart_sex,
        cast(NULL AS date) AS birth_date,
        person.birth_date AS chart_birth_date
    FROM sample
    INNER JOIN person ON sample.patient_id = person.patient_id
),

sex_against_chart AS (
    SELECT
        CASE modality WHEN 'imaging' THEN 'sex_chart_image' ELSE 'sex_chart_genotype' END AS code,
        'high' AS severity,
        modality,
        object_id,
        '' AS other_object_id,
        patient_id,
        'Patient.gender, us-core-birthsex' AS one_side,
        CASE modality WHEN 'imaging' THEN 'DICOM PatientSex' ELSE 'calls on X and Y' END AS other_side,
        chart_sex AS chart_value,
        CASE modality WHEN 'imaging' THEN sex END AS image_value,
        CASE modality WHEN 'genomic' THEN sex END AS genotype_value
    FROM object_sex
    WHERE sex <> chart_sex
),

sex_of_image_and_genotype AS (
    SELECT
        'sex_image_genotype' AS code,
        'high' AS severity,
        'imaging' AS modality,
        study.object_id,
        sample.object_id AS other_object_id,
        study.patient_id,
        'DICOM PatientSex' AS one_side,
        'calls on X and Y' AS other_side,
        cast(NULL AS varchar) AS chart_value,
        study.sex AS image_value,
        sample.sex AS genotype_value
    FROM study
    INNER JOIN sample ON study.patient_id = sample.patient_id
    WHERE study.sex <> sample.sex
),

aged AS (
    SELECT
        study.object_id,
        study.patient_id,
        study.study_date,
        study.dicom_birth_date,
        study.dicom_patient_age,
        study.age_told,
        person.birth_date,
        person.birth_year,
        person.death_date,
        CASE
            WHEN person.birth_date IS NOT NULL AND study.study_date IS NOT NULL
                THEN date_diff('day', person.birth_date, study.study_date) / 365.25
            ELSE cast(study.study_year - person.birth_year AS double)
        END AS age_charted
    FROM study
    INNER JOIN person ON study.patient_id = person.patient_id
),

birth_date_of_image AS (
    SELECT
        'birth_date_chart_image' AS code,
        'high' AS severity,
        'imaging' AS modality,
        object_id,
        '' AS other_object_id,
        patient_id,
        'Patient.birthDate' AS one_side,
        'DICOM PatientBirthDate' AS other_side,
        coalesce(cast(birth_date AS varchar), cast(birth_year AS varchar)) AS chart_value,
        cast(dicom_birth_date AS varchar) AS image_value,
        cast(NULL AS varchar) AS genotype_value
    FROM aged
    WHERE dicom_birth_date <> birth_date OR (birth_date IS NULL AND year(dicom_birth_date) <> birth_year)
),

age_of_image AS (
    SELECT
        'age_chart_image' AS code,
        'medium' AS severity,
        'imaging' AS modality,
        object_id,
        '' AS other_object_id,
        patient_id,
        'Patient.birthDate' AS one_side,
        'DICOM PatientAge on StudyDate' AS other_side,
        coalesce(cast(birth_date AS varchar), cast(birth_year AS varchar)) AS chart_value,
        dicom_patient_age AS image_value,
        cast(NULL AS varchar) AS genotype_value
    FROM aged
    WHERE age_told > age_charted + 1 OR age_told + 2 < age_charted
),

dated AS (
    SELECT
        'scan' AS kind,
        'imaging' AS modality,
        object_id,
        patient_id,
        study_date AS day,
        birth_date,
        birth_year,
        death_date,
        'DICOM StudyDate' AS element
    FROM aged
    UNION ALL
    SELECT
        'specimen' AS kind,
        'clinical' AS modality,
        specimen.specimen_id AS object_id,
        specimen.patient_id,
        cast(specimen.collected_at AS date) AS day,
        person.birth_date,
        person.birth_year,
        person.death_date,
        'Specimen.collection' AS element
    FROM clinical.specimen
    INNER JOIN person ON specimen.patient_id = person.patient_id
),

out_of_life AS (
    SELECT
        kind || CASE WHEN day > death_date THEN '_after_death' ELSE '_before_birth' END AS code,
        'high' AS severity,
        modality,
        object_id,
        '' AS other_object_id,
        patient_id,
        CASE WHEN day > death_date THEN 'Patient.deceased' ELSE 'Patient.birthDate' END AS one_side,
        element AS other_side,
        CASE
            WHEN day > death_date THEN cast(death_date AS varchar)
            ELSE coalesce(cast(birth_date AS varchar), cast(birth_year AS varchar))
        END AS chart_value,
        cast(day AS varchar) AS image_value,
        cast(NULL AS varchar) AS genotype_value
    FROM dated
    WHERE day > death_date OR day < birth_date OR (birth_date IS NULL AND year(day) < birth_year)
),

orphan AS (
    SELECT
        'orphan_study' AS code,
        'medium' AS severity,
        'imaging' AS modality,
        object_id,
        'DICOM StudyInstanceUID, PatientID' AS other_side
    FROM study
    WHERE link_verdict = 'refuse'
    UNION ALL
    SELECT
        'orphan_sample' AS code,
        'medium' AS severity,
        'genomic' AS modality,
        object_id,
        'VCF sample and file name' AS other_side
    FROM sample
    WHERE link_verdict = 'refuse'
),

mismatched AS (
    SELECT
        modality,
        object_id,
        patient_id,
        sex,
        chart_sex,
        birth_date,
        count(*) OVER (PARTITION BY modality, sex) AS n_alike
    FROM object_sex
    WHERE sex <> chart_sex
),

crossed_pair AS (
    SELECT
        one.modality,
        one.object_id,
        other.object_id AS other_object_id,
        one.patient_id
    FROM object_sex AS one
    INNER JOIN object_sex AS other
        ON
            one.modality = other.modality
            AND one.birth_date = other.chart_birth_date
            AND one.chart_birth_date = other.birth_date
    WHERE
        one.birth_date <> one.chart_birth_date
        AND one.object_id < other.object_id
        AND one.patient_id <> other.patient_id
    UNION
    SELECT
        one.modality,
        one.object_id,
        other.object_id AS other_object_id,
        one.patient_id
    FROM mismatched AS one
    INNER JOIN mismatched AS other
        ON
            one.modality = other.modality
            AND one.sex = other.chart_sex
            AND one.chart_sex = other.sex
    WHERE
        (one.birth_date IS NULL OR other.birth_date IS NULL)
        AND one.object_id < other.object_id
        AND one.patient_id <> other.patient_id
        AND one.n_alike <= 10
        AND other.n_alike <= 10
),

crossed AS (
    SELECT
        modality,
        object_id,
        other_object_id,
        patient_id,
        count(*) OVER (PARTITION BY modality, object_id) AS n_others,
        count(*) OVER (PARTITION BY modality, other_object_id) AS n_ones
    FROM crossed_pair
),

swap AS (
    SELECT
        'swap_suspect' AS code,
        CASE WHEN n_others = 1 AND n_ones = 1 THEN 'high' ELSE 'medium' END AS severity,
        modality,
        object_id,
        other_object_id,
        patient_id
    FROM crossed
    WHERE n_others <= 10 AND n_ones <= 10
),

-- any coding of the gene's component or of the result counts, not the first alone
gene_component AS (
    SELECT
        observation_id,
        component_index
    FROM clinical.observation
    WHERE component_index > 0 AND code_system = 'http://loinc.org' AND code = '48018-6'
    UNION
    SELECT
        resource_id AS observation_id,
        element_index AS component_index
    FROM clinical.coding
    WHERE
        resource_type = 'Observation'
        AND element = 'component.code'
        AND code_system = 'http://loinc.org'
        AND code = '48018-6'
),

absent_result AS (
    SELECT observation_id
    FROM clinical.observation
    WHERE
        component_index = 0
        AND (
            value_code IN ('LA9634-2', 'LA6577-6', '260385009', '260415000', '2667000')
            OR lower(trim(value_text)) IN ('absent', 'negative', 'not detected', 'none')
            OR (value_type IS NULL AND interpretation_code IN ('NEG', 'ND'))
        )
    UNION
    SELECT resource_id AS observation_id
    FROM clinical.coding
    WHERE
        resource_type = 'Observation'
        AND element = 'value'
        AND code IN ('LA9634-2', 'LA6577-6', '260385009', '260415000', '2667000')
),

tested AS (
    SELECT
        observation.patient_id,
        observation.observation_id,
        upper(trim(coalesce(gene.value_text, gene.value_code))) AS gene
    FROM clinical.observation
    INNER JOIN clinical.observation AS gene ON observation.observation_id = gene.observation_id
    INNER JOIN gene_component
        ON gene.observation_id = gene_component.observation_id AND gene.component_index = gene_component.component_index
    INNER JOIN absent_result ON observation.observation_id = absent_result.observation_id
    WHERE
        observation.component_index = 0
        AND observation.status IN ('final', 'amended', 'corrected')
),

refuted AS (
    SELECT
        patient_id,
        condition_id,
        trim(lower(regexp_replace(display, '[^A-Za-z0-9]+', ' '))) AS name
    FROM clinical.condition
    WHERE verification_status = 'refuted'
),

named_finding AS (
    SELECT
        finding.sample_id,
        finding.patient_id,
        finding.variant_id,
        finding.gene,
        transform(coalesce(finding.genes, ARRAY[finding.gene]), symbol -> upper(symbol)) AS genes,
        trim(lower(regexp_replace(named.name, '[^A-Za-z0-9]+', ' '))) AS condition_name
    FROM genomic.finding
    CROSS JOIN unnest(finding.conditions) AS named (name)
    WHERE finding.is_pathogenic
),

absent_but_present AS (
    SELECT
        tested.observation_id AS other_object_id,
        named_finding.sample_id AS object_id,
        tested.patient_id,
        'Observation: no variant in the gene studied' AS one_side,
        tested.gene || ': absent' AS chart_value,
        max(tested.gene || ' ' || named_finding.variant_id) AS genotype_value
    FROM tested
    INNER JOIN named_finding
        ON tested.patient_id = named_finding.patient_id AND contains(named_finding.genes, tested.gene)
    GROUP BY tested.observation_id, named_finding.sample_id, tested.patient_id, tested.gene
    UNION ALL
    SELECT
        refuted.condition_id AS other_object_id,
        named_finding.sample_id AS object_id,
        refuted.patient_id,
        'Condition: refuted' AS one_side,
        max(refuted.name) || ': refuted' AS chart_value,
        max(named_finding.gene || ' ' || named_finding.variant_id) AS genotype_value
    FROM refuted
    INNER JOIN named_finding
        ON refuted.patient_id = named_finding.patient_id AND refuted.name = named_finding.condition_name
    WHERE refuted.name <> ''
    GROUP BY refuted.condition_id, named_finding.sample_id, refuted.patient_id
),

contradiction AS (
    SELECT
        code,
        severity,
        modality,
        object_id,
        other_object_id,
        patient_id,
        one_side,
        other_side,
        chart_value,
        image_value,
        genotype_value
    FROM sex_against_chart
    UNION ALL
    SELECT
        code,
        severity,
        modality,
        object_id,
        other_object_id,
        patient_id,
        one_side,
        other_side,
        chart_value,
        image_value,
        genotype_value
    FROM sex_of_image_and_genotype
    UNION ALL
    SELECT
        code,
        severity,
        modality,
        object_id,
        other_object_id,
        patient_id,
        one_side,
        other_side,
        chart_value,
        image_value,
        genotype_value
    FROM birth_date_of_image
    UNION ALL
    SELECT
        code,
        severity,
        modality,
        object_id,
        other_object_id,
        patient_id,
        one_side,
        other_side,
        chart_value,
        image_value,
        genotype_value
    FROM age_of_image
    UNION ALL
    SELECT
        code,
        severity,
        modality,
        object_id,
        other_object_id,
        patient_id,
        one_side,
        other_side,
        chart_value,
        image_value,
        genotype_value
    FROM out_of_life
    UNION ALL
    SELECT
        code,
        severity,
        modality,
        object_id,
        '' AS other_object_id,
        '' AS patient_id,
        'no chart' AS one_side,
        other_side,
        NULL AS chart_value,
        NULL AS image_value,
        NULL AS genotype_value
    FROM orphan
    UNION ALL
    SELECT
        code,
        severity,
        modality,
        object_id,
        other_object_id,
        patient_id,
        'the chart of each' AS one_side,
        'crossed' AS other_side,
        NULL AS chart_value,
        NULL AS image_value,
        NULL AS genotype_value
    FROM swap
    UNION ALL
    SELECT
        'chart_absent_sequencing_present' AS code,
        'high' AS severity,
        'genomic' AS modality,
        object_id,
        other_object_id,
        patient_id,
        one_side,
        'genomic.finding' AS other_side,
        chart_value,
        NULL AS image_value,
        genotype_value
    FROM absent_but_present
)

SELECT
    contradiction.code,
    contradiction.severity,
    contradiction.modality,
    contradiction.object_id,
    contradiction.other_object_id,
    contradiction.patient_id,
    contradiction.one_side,
    contradiction.other_side,
    contradiction.chart_value,
    contradiction.image_value,
    contradiction.genotype_value
FROM contradiction

-- Genotypes of every sample at every loaded allele, in the columns of a HealthOmics variant store.
-- One row per sample, reference genome and alternate allele (reference-only records too); the newest load wins.
-- Read by bioinformaticians through their filter; feeds dosage and the carrier views.
WITH numbered_variant AS (
    SELECT
        importjobid,
        contigname,
        start,
        variant."end",
        names,
        referenceallele,
        alternatealleles,
        qual,
        filters,
        splitfrommultiallelic,
        attributes,
        phased,
        calls,
        genotypelikelihoods,
        phredlikelihoods,
        alleledepths,
        conditionalquality,
        spl,
        depth,
        ps,
        sampleid,
        information,
        annotations,
        reference_genome,
        coalesce(element_at(alternatealleles, 1), '') AS alternateallele,
        source_file,
        load_id,
        -- a source file tells a sample's allele once
        row_number() OVER (
            PARTITION BY
                sampleid,
                reference_genome,
                contigname,
                start,
                "end",
                referenceallele,
                coalesce(element_at(alternatealleles, 1), '')
            ORDER BY load_id DESC, source_file ASC, element_at(names, 1) ASC
        ) AS place
    FROM genomic_store.variant
)

SELECT
    numbered_variant.importjobid,
    numbered_variant.contigname,
    numbered_variant.start,
    numbered_variant."end",
    numbered_variant.names,
    numbered_variant.referenceallele,
    numbered_variant.alternatealleles,
    numbered_variant.qual,
    numbered_variant.filters,
    numbered_variant.splitfrommultiallelic,
    numbered_variant.attributes,
    numbered_variant.phased,
    numbered_variant.calls,
    numbered_variant.genotypelikelihoods,
    numbered_variant.phredlikelihoods,
    numbered_variant.alleledepths,
    numbered_variant.conditionalquality,
    numbered_variant.spl,
    numbered_variant.depth,
    numbered_variant.ps,
    numbered_variant.sampleid,
    numbered_variant.information,
    numbered_variant.annotations,
    numbered_variant.reference_genome,
    numbered_variant.alternateallele,
    numbered_variant.source_file,
    numbered_variant.load_id,
    sample.patient_id,
    sample.site_id,
    coalesce(sample.consent_research, FALSE) AS consent_research,
    coalesce(sample.consent_genomic, FALSE) AS consent_genomic,
    coalesce(sample.consent_imaging, FALSE) AS consent_imaging
FROM numbered_variant
LEFT JOIN genomic.sample
    ON
        numbered_variant.sampleid = sample.sample_id
        AND numbered_variant.reference_genome = sample.reference_genome
WHERE numbered_variant.place = 1

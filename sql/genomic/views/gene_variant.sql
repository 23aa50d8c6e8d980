-- Rows of genomic.variant by the gene that they lie in, on the row's own reference genome, blocks too.
-- One row per sample, alternate allele (or reference record) and gene whose place it overlaps.
-- Read by bioinformaticians: WHERE symbol = 'APOE'. Genes and both builds' coordinates are those of genomic.gene.
SELECT
    gene.symbol,
    variant.sampleid AS sample_id,
    variant.patient_id,
    variant.reference_genome,
    variant.contigname,
    variant.start,
    variant."end",
    variant.referenceallele,
    variant.alternateallele,
    variant.names,
    variant.calls,
    variant.filters,
    variant.depth,
    variant.conditionalquality
FROM genomic.gene
INNER JOIN genomic.variant
    ON
        gene.reference_genome = variant.reference_genome
        AND gene.contigname = variant.contigname
        AND gene.start < variant."end"
        AND gene."end" > variant.start

"""Genomic room: VCF into one variant table in the shape of a HealthOmics variant store, and ClinVar beside it."""

"""Cohorts over clinical, genomic and imaging data: definition, attrition, lock, extract."""

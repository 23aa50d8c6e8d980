"""Synthetic linked patients: one latent person, three writers (FHIR, VCF, DICOM), and the truth about all of it.

Arrows: this room stands on core only, and no other room reads the truth that it writes.

Example: trilake sample --patients 100 --seed 7 --out data/
"""

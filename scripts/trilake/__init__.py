"""Trilake: one governed lake for clinical (FHIR), genomic (VCF) and imaging (DICOM) data.

Each sub-package is a room (README, "The rooms"); `trilake <verb>` is the command line over them.
"""

__version__ = "0.3.1"

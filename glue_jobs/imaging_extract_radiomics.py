"""Glue job: features measured on the frames of a load's image sets into the radiomics table of the imaging store.

Reads the work list that `trilake ingest` staged (--load_id), the series table and HealthImaging.
Started by `make ingest`.

Example: aws glue start-job-run --job-name trilake-local-imaging-extract-radiomics --arguments '{"--load_id": "..."}'
"""

import sys

from trilake.core.glue_job import Job
from trilake.imaging.radiomics_job import extract_radiomics

if __name__ == "__main__":
    extract_radiomics(Job.start(sys.argv))

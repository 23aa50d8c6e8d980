"""Glue job: the metadata of a load's image sets into the series and instance tables of the imaging store.

Reads the work list that `trilake ingest` staged (--load_id) and HealthImaging. Started by `make ingest`.

Example: aws glue start-job-run --job-name trilake-local-imaging-flatten-metadata --arguments '{"--load_id": "..."}'
"""

import sys

from trilake.core.job import Job
from trilake.imaging.jobs import flatten

if __name__ == "__main__":
    flatten(Job.start(sys.argv))

"""Glue job: the metadata of image sets into the series and instance tables of the imaging store.

With --load_id, of the work list that `trilake ingest` staged; without, of every image set that changed since. Reads
HealthImaging. Started by `make ingest`, by HealthImaging's events and by the clock.

Example: aws glue start-job-run --job-name trilake-local-imaging-flatten-metadata
"""

import sys

from trilake.core.glue_job import Job
from trilake.imaging.flatten_job import flatten

if __name__ == "__main__":
    flatten(Job.start(sys.argv))

"""Glue job: the VCF files of one load into the variant and annotation tables of the genomic store.

Reads the work list that `trilake ingest` staged (--load_id) and its files; writes genomic_store.variant and
genomic_store.annotation in one commit each, and a report per file. Started by `make ingest`.

Example: aws glue start-job-run --job-name trilake-local-genomic-load-variants --arguments '{"--load_id": "..."}'
"""

import sys

from trilake.core.glue_job import Job
from trilake.genomic.load import fill_store

if __name__ == "__main__":
    fill_store(Job.start(sys.argv))

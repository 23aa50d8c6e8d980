"""The Glue service: our operations over moto's.

Reads and writes moto's Glue backend, S3 and the state folder. Behind `make deploy`, `make ingest`.
Example: `boto3.client("glue")` pointed at a LocalAws.
"""

from __future__ import annotations

from localaws.glue.databases import DatabaseOperations
from localaws.glue.partitions import PartitionOperations
from localaws.glue.runs import RunOperations
from localaws.glue.search import SearchOperations


class Glue(DatabaseOperations, SearchOperations, PartitionOperations, RunOperations):
    """Glue as localaws has it; operations that are not here are moto's."""

    imitated = {
        "get_job_run": "capacity and DPU figures are arithmetic",
        "search_tables": "a text within names, comments and parameters",
        "start_job_run": "a process of its own with the role's keys; Spark where `make setup-engines` brought it; "
        "bookmarks and other Glue arguments are passed on, without effect",
        "update_table": "also adds columns to an Iceberg table's metadata; UpdateOpenTableFormatInput is refused",
    }

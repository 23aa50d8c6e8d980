"""The Glue service: our operations over moto's.

Reads and writes moto's Glue backend, S3 and the state folder. Behind `make deploy`, `make ingest`.
Example: `boto3.client("glue")` pointed at a LocalAws.
"""

from __future__ import annotations

from localaws.glue.databases import DatabaseOperations
from localaws.glue.partitions import PartitionOperations
from localaws.glue.runs import RunOperations
from localaws.glue.tables import TableOperations


class Glue(DatabaseOperations, TableOperations, PartitionOperations, RunOperations):
    """Glue as localaws has it; operations that are not here are moto's."""

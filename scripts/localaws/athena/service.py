"""Athena, whole: workgroups, queries, results, metadata, over the embedded engine.

Reads and writes S3, the Glue catalog and the state folder. Behind every make target that asks SQL.
Example: `boto3.client("athena")` pointed at a LocalAws.
"""

from __future__ import annotations

from localaws.athena.executions import ExecutionOperations
from localaws.athena.metadata_api import MetadataOperations


class Athena(ExecutionOperations, MetadataOperations):
    """The Athena service; nothing of it is moto's."""

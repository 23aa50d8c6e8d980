"""Athena, whole: workgroups, queries, results, metadata, over the embedded engine.

Reads and writes S3, the Glue catalog and the state folder. Behind every make target that asks SQL.
Example: `boto3.client("athena")` pointed at a LocalAws.
"""

from __future__ import annotations

from localaws.athena.answers import AnswerOperations
from localaws.athena.metadata_api import MetadataOperations
from localaws.athena.state import Shape as Params
from localaws.caller import REGION


class Athena(AnswerOperations, MetadataOperations):
    """The Athena service; nothing of it is moto's."""

    imitated = {
        "create_data_catalog": "GLUE catalogs of the own account",
        "get_query_runtime_statistics": "rows and bytes, no stages",
        "list_engine_versions": "version 3 and AUTO",
        "start_query_execution": "on DuckDB or, with `--engine trino`, on Trino; results are never reused",
    }

    def resources(self, operation: str, params: Params) -> list[str]:
        """The workgroups behind the ids of queries: whoever asks about a query needs the right to its workgroup."""
        ids = [*params.get("QueryExecutionIds", []), *params.get("NamedQueryIds", [])]
        ids += [params[name] for name in ("QueryExecutionId", "NamedQueryId") if name in params]
        executions = (self._state.executions[one].shape for one in ids if one in self._state.executions)
        named = (self._state.named[one] for one in ids if one in self._state.named)
        groups = sorted({str(shape["WorkGroup"]) for shape in (*executions, *named)})
        return [f"arn:aws:athena:{REGION}:{self.world.account_id}:workgroup/{group}" for group in groups]

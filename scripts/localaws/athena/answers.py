"""Query executions looked at: their state, their results page by page, their numbers; and stopped.

Reads results and the service's state. Behind `make query` and everything that asks Athena.
Example: `get_query_results({"QueryExecutionId": query_id, "MaxResults": 100}, caller)`
"""

from __future__ import annotations

from typing import Any

from localaws.athena.base import Params, invalid, page
from localaws.athena.errors import QueryError
from localaws.athena.executions import ExecutionOperations
from localaws.athena.results import read_page
from localaws.athena.state import Execution
from localaws.athena.storage import require
from localaws.caller import Caller
from localaws.service import ServiceError


class AnswerOperations(ExecutionOperations):
    """Operations on executions that were started."""

    def _execution(self, query_id: str) -> Execution:
        found = self._state.executions.get(query_id)
        if found is None:
            raise invalid(f"QueryExecution {query_id} was not found")
        return found

    def get_query_execution(self, params: Params, caller: Caller) -> Params:
        return {"QueryExecution": self._execution(params["QueryExecutionId"]).shape}

    def batch_get_query_execution(self, params: Params, caller: Caller) -> Params:
        known = self._state.executions
        missing = [
            {"QueryExecutionId": query_id, "ErrorCode": "NOT_FOUND", "ErrorMessage": "Not found"}
            for query_id in params["QueryExecutionIds"]
            if query_id not in known
        ]
        found = [known[query_id].shape for query_id in params["QueryExecutionIds"] if query_id in known]
        return {"QueryExecutions": found, "UnprocessedQueryExecutionIds": missing}

    def list_query_executions(self, params: Params, caller: Caller) -> Params:
        group = params.get("WorkGroup") or "primary"
        self._workgroup(group)
        ids = [key for key, item in self._state.executions.items() if item.shape["WorkGroup"] == group]
        found, more = page(ids[::-1], params)
        return {"QueryExecutionIds": found, **more}

    def stop_query_execution(self, params: Params, caller: Caller) -> Params:
        self._execution(params["QueryExecutionId"])
        work = self._works.get(params["QueryExecutionId"])
        if work is not None:
            work.stop("Query cancelled by user")
        return {}

    def get_query_results(self, params: Params, caller: Caller) -> Params:
        execution = self._succeeded(params["QueryExecutionId"])
        size = params.get("MaxResults") or 1000
        rows: list[list[str | None]] = []
        token = None
        if execution.location.endswith((".csv", ".txt")):
            require_read(caller, execution.location)
            rows, token = read_page(self.world, execution.location, params.get("NextToken"), size)
        result: dict[str, Any] = {
            "ResultSet": {
                "Rows": [{"Data": [_datum(value) for value in row]} for row in rows],
                "ResultSetMetadata": {"ColumnInfo": execution.columns},
            }
        }
        if execution.update_count is not None:
            result["UpdateCount"] = execution.update_count
        return {**result, "NextToken": token} if token else result

    def _succeeded(self, query_id: str) -> Execution:
        execution = self._execution(query_id)
        if execution.state in ("QUEUED", "RUNNING"):
            raise invalid(f"Query has not yet finished. Current state: {execution.state}")
        if execution.state != "SUCCEEDED":
            raise invalid(f"Query did not finish successfully. Final query state: {execution.state}")
        return execution

    def get_query_runtime_statistics(self, params: Params, caller: Caller) -> Params:
        execution = self._execution(params["QueryExecutionId"])
        numbers = execution.shape["Statistics"]
        names = ("QueryQueueTimeInMillis", "EngineExecutionTimeInMillis", "ServiceProcessingTimeInMillis")
        timeline = {name: numbers.get(name, 0) for name in (*names, "TotalExecutionTimeInMillis")}
        timeline["QueryPlanningTimeInMillis"] = 0
        read = {"InputBytes": numbers.get("DataScannedInBytes", 0), "OutputRows": execution.rows or 0}
        return {"QueryRuntimeStatistics": {"Timeline": timeline, "Rows": read}}


def _datum(value: str | None) -> dict[str, str]:
    return {} if value is None else {"VarCharValue": value}


def require_read(caller: Caller, location: str) -> None:
    """GetQueryResults reads the object with the caller's rights."""
    try:
        require(caller, "s3:GetObject", location)
    except QueryError as error:
        raise ServiceError("InvalidRequestException", error.reason) from None

"""Prepared statements and named queries.

Reads and writes the service's state. Behind `make local-aws`.
Example: `create_prepared_statement({"StatementName": "p", "WorkGroup": "w", "QueryStatement": "SELECT ?"}, caller)`
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from localaws.athena.base import Params, invalid, page
from localaws.athena.workgroups import WorkGroupOperations
from localaws.caller import Caller
from localaws.service import ServiceError


class SavedOperations(WorkGroupOperations):
    """Operations on statements and queries that are kept by name."""

    def create_prepared_statement(self, params: Params, caller: Caller) -> Params:
        key = (params["WorkGroup"], params["StatementName"])
        with self._lock:
            self._workgroup(params["WorkGroup"])
            if key in self._state.prepared:
                raise invalid(f"The prepared statement {params['StatementName']} already exists", "INVALID_INPUT")
            self._keep_prepared(key, params)
        return {}

    def _keep_prepared(self, key: tuple[str, str], params: Params) -> None:
        self._state.prepared[key] = {
            "StatementName": key[1],
            "WorkGroupName": key[0],
            "QueryStatement": params["QueryStatement"],
            "Description": params.get("Description", ""),
            "LastModifiedTime": datetime.now(UTC),
        }

    def get_prepared_statement(self, params: Params, caller: Caller) -> Params:
        return {"PreparedStatement": self._prepared(params["WorkGroup"], params["StatementName"])}

    def _prepared(self, workgroup: str, name: str) -> Params:
        found = self._state.prepared.get((workgroup, name))
        if found is None:
            message = f"PreparedStatement {name} was not found in workGroup {workgroup}"
            raise ServiceError("ResourceNotFoundException", message, ResourceName=name)
        return found

    def list_prepared_statements(self, params: Params, caller: Caller) -> Params:
        self._workgroup(params["WorkGroup"])
        items = [
            {"StatementName": found["StatementName"], "LastModifiedTime": found["LastModifiedTime"]}
            for (group, _), found in sorted(self._state.prepared.items())
            if group == params["WorkGroup"]
        ]
        found, more = page(items, params)
        return {"PreparedStatements": found, **more}

    def update_prepared_statement(self, params: Params, caller: Caller) -> Params:
        self._prepared(params["WorkGroup"], params["StatementName"])
        self._keep_prepared((params["WorkGroup"], params["StatementName"]), params)
        return {}

    def delete_prepared_statement(self, params: Params, caller: Caller) -> Params:
        self._prepared(params["WorkGroup"], params["StatementName"])
        del self._state.prepared[(params["WorkGroup"], params["StatementName"])]
        return {}

    def batch_get_prepared_statement(self, params: Params, caller: Caller) -> Params:
        known = self._state.prepared
        keys = [(params["WorkGroup"], name) for name in params["PreparedStatementNames"]]
        missing = [
            {"StatementName": key[1], "ErrorCode": "STATEMENT_NOT_FOUND", "ErrorMessage": "Not found"}
            for key in keys
            if key not in known
        ]
        return {
            "PreparedStatements": [known[key] for key in keys if key in known],
            "UnprocessedPreparedStatementNames": missing,
        }

    def create_named_query(self, params: Params, caller: Caller) -> Params:
        group = params.get("WorkGroup") or "primary"
        self._workgroup(group)
        query_id = str(uuid.uuid4())
        kept: Params = {key: params[key] for key in ("Name", "Description", "Database", "QueryString") if key in params}
        self._state.named[query_id] = {**kept, "NamedQueryId": query_id, "WorkGroup": group}
        return {"NamedQueryId": query_id}

    def _named(self, query_id: str) -> Params:
        found = self._state.named.get(query_id)
        if found is None:
            raise invalid(f"NamedQuery {query_id} was not found")
        return found

    def get_named_query(self, params: Params, caller: Caller) -> Params:
        return {"NamedQuery": self._named(params["NamedQueryId"])}

    def batch_get_named_query(self, params: Params, caller: Caller) -> Params:
        known = self._state.named
        missing = [
            {"NamedQueryId": query_id, "ErrorCode": "NOT_FOUND", "ErrorMessage": "Not found"}
            for query_id in params["NamedQueryIds"]
            if query_id not in known
        ]
        found = [known[query_id] for query_id in params["NamedQueryIds"] if query_id in known]
        return {"NamedQueries": found, "UnprocessedNamedQueryIds": missing}

    def list_named_queries(self, params: Params, caller: Caller) -> Params:
        group = params.get("WorkGroup") or "primary"
        self._workgroup(group)
        ids = [query_id for query_id, query in self._state.named.items() if query["WorkGroup"] == group]
        found, more = page(ids, params)
        return {"NamedQueryIds": found, **more}

    def update_named_query(self, params: Params, caller: Caller) -> Params:
        found = self._named(params["NamedQueryId"])
        for key in ("Name", "Description", "QueryString"):
            if key in params:
                found[key] = params[key]
        return {}

    def delete_named_query(self, params: Params, caller: Caller) -> Params:
        self._named(params["NamedQueryId"])
        del self._state.named[params["NamedQueryId"]]
        return {}

"""Athena's API: query executions, saved statements, workgroups and what there is to query; nothing of it is moto's.

Example: `boto3.client("athena")` pointed at a LocalAws.
"""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from sqlglot import exp

from localaws.athena import executions
from localaws.athena.authorise import visible_columns
from localaws.athena.catalog import CATALOG, CatalogView
from localaws.athena.engine import EnginePool, Work
from localaws.athena.errors import QueryError, invalid
from localaws.athena.metadata_tables import sees, table_metadata
from localaws.athena.results import read_page
from localaws.athena.rights import require
from localaws.athena.session import Session
from localaws.athena.state import (
    ENGINE,
    AthenaState,
    Execution,
    Shape,
    new_configuration,
    new_workgroup,
    updated_configuration,
)
from localaws.athena.statements.model import Statement
from localaws.caller import REGION, Caller
from localaws.service import Service, ServiceError

if TYPE_CHECKING:
    from localaws.world import World


Params = Shape
T = TypeVar("T")
PATIENCE = 5.0
"""Seconds that StartQueryExecution waits: clients that poll once a second see SUCCEEDED the first time."""
OWN_CATALOG = {"Name": "AwsDataCatalog", "Type": "GLUE", "Description": ""}


class Athena(Service):
    """The Athena service."""

    service_name = "athena"
    imitated = {
        "create_data_catalog": "GLUE catalogs of the own account",
        "get_query_runtime_statistics": "rows and bytes, no stages",
        "list_engine_versions": "version 3 and AUTO",
        "start_query_execution": "on DuckDB or, with `--engine trino`, on Trino; results are never reused",
    }

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.engines = EnginePool(world)
        self._lock = threading.RLock()
        self._pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="localaws-athena")
        self._works: dict[str, Work] = {}

    @property
    def _state(self) -> AthenaState:
        state: AthenaState = self.world.state("athena", AthenaState)
        return state

    def warm_up(self) -> None:
        """Start the engine, and wait for its first answer."""
        self.engines.chosen().constant(exp.Literal.number(1), Work())

    def close(self) -> None:
        """Wait for the queries that run, then let go of the engine."""
        self._pool.shutdown(wait=True)
        self.engines.close()

    def resources(self, operation: str, params: Params) -> list[str]:
        """The workgroups behind the ids of queries: whoever asks about a query needs the right to its workgroup."""
        ids = [*params.get("QueryExecutionIds", []), *params.get("NamedQueryIds", [])]
        ids += [params[name] for name in ("QueryExecutionId", "NamedQueryId") if name in params]
        executions = (self._state.executions[key].shape for key in ids if key in self._state.executions)
        named = (self._state.named[key] for key in ids if key in self._state.named)
        groups = sorted({str(shape["WorkGroup"]) for shape in (*executions, *named)})
        return [f"arn:aws:athena:{REGION}:{self.world.account_id}:workgroup/{group}" for group in groups]

    # Query executions

    def start_query_execution(self, params: Params, caller: Caller) -> Params:
        with self._lock:
            # A repeated ClientRequestToken gives the first call's id: retries by botocore do not run a query twice.
            token = params.get("ClientRequestToken")
            key = f"{caller.arn} {token}"
            if token and key in self._state.tokens:
                return {"QueryExecutionId": self._state.tokens[key]}
            group = self._enabled(params.get("WorkGroup") or "primary")
            values = params.get("ExecutionParameters") or []
            statement = executions.read(self._state, params["QueryString"], group["Name"], values)
            execution, place = executions.planned(params, group, statement)
            query_id = execution.shape["QueryExecutionId"]
            self._state.remember(execution)
            if token:
                self._state.tokens[key] = query_id
            work = Work(byte_limit=group["Configuration"].get("BytesScannedCutoffPerQuery"))
            self._works[query_id] = work
        session = Session(self.world, self.engines.chosen(), caller, place, work)
        session.database = (params.get("QueryExecutionContext") or {}).get("Database", "").strip('`"').lower() or None
        session.workgroup = group["Name"]
        self._wait(self._pool.submit(self._perform, execution, session, statement))
        return {"QueryExecutionId": query_id}

    def _perform(self, execution: Execution, session: Session, statement: Statement | QueryError) -> None:
        try:
            executions.perform(execution, session, statement, self._state)
        finally:
            self._works.pop(execution.shape["QueryExecutionId"], None)

    def _wait(self, future: Future[None]) -> None:
        """A quick query is done when its id is handed out; a longer one goes on in the background."""
        self.world.submit(future.exception)
        with suppress(NotYet):
            future.result(PATIENCE)

    def _enabled(self, name: str) -> Shape:
        group = self._workgroup(name)
        if group["State"] != "ENABLED":
            raise invalid(f"WorkGroup {name} is disabled.")
        return group

    def _execution(self, query_id: str) -> Execution:
        execution = self._state.executions.get(query_id)
        if execution is None:
            raise invalid(f"QueryExecution {query_id} was not found")
        return execution

    def get_query_execution(self, params: Params, caller: Caller) -> Params:
        return {"QueryExecution": self._execution(params["QueryExecutionId"]).shape}

    def batch_get_query_execution(self, params: Params, caller: Caller) -> Params:
        known = self._state.executions
        missing = [
            {"QueryExecutionId": query_id, "ErrorCode": "NOT_FOUND", "ErrorMessage": "Not found"}
            for query_id in params["QueryExecutionIds"]
            if query_id not in known
        ]
        shapes = [known[query_id].shape for query_id in params["QueryExecutionIds"] if query_id in known]
        return {"QueryExecutions": shapes, "UnprocessedQueryExecutionIds": missing}

    def list_query_executions(self, params: Params, caller: Caller) -> Params:
        group = params.get("WorkGroup") or "primary"
        self._workgroup(group)
        ids = [key for key, item in self._state.executions.items() if item.shape["WorkGroup"] == group]
        chosen, more = page(ids[::-1], params)
        return {"QueryExecutionIds": chosen, **more}

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

    # Prepared statements and named queries

    def create_prepared_statement(self, params: Params, caller: Caller) -> Params:
        key = (params["WorkGroup"], params["StatementName"])
        with self._lock:
            self._workgroup(params["WorkGroup"])
            if key in self._state.prepared:
                raise invalid(f"The prepared statement {params['StatementName']} already exists", "INVALID_INPUT")
            self._state.keep_prepared(key, params)
        return {}

    def get_prepared_statement(self, params: Params, caller: Caller) -> Params:
        return {"PreparedStatement": self._prepared(params["WorkGroup"], params["StatementName"])}

    def _prepared(self, workgroup: str, name: str) -> Params:
        prepared = self._state.prepared.get((workgroup, name))
        if prepared is None:
            message = f"PreparedStatement {name} was not found in workGroup {workgroup}"
            raise ServiceError("ResourceNotFoundException", message, ResourceName=name)
        return prepared

    def list_prepared_statements(self, params: Params, caller: Caller) -> Params:
        self._workgroup(params["WorkGroup"])
        items = [
            {"StatementName": chosen["StatementName"], "LastModifiedTime": chosen["LastModifiedTime"]}
            for (group, _), chosen in sorted(self._state.prepared.items())
            if group == params["WorkGroup"]
        ]
        chosen, more = page(items, params)
        return {"PreparedStatements": chosen, **more}

    def update_prepared_statement(self, params: Params, caller: Caller) -> Params:
        self._prepared(params["WorkGroup"], params["StatementName"])
        self._state.keep_prepared((params["WorkGroup"], params["StatementName"]), params)
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
        query: Params = {
            key: params[key] for key in ("Name", "Description", "Database", "QueryString") if key in params
        }
        self._state.named[query_id] = {**query, "NamedQueryId": query_id, "WorkGroup": group}
        return {"NamedQueryId": query_id}

    def _named(self, query_id: str) -> Params:
        query = self._state.named.get(query_id)
        if query is None:
            raise invalid(f"NamedQuery {query_id} was not found")
        return query

    def get_named_query(self, params: Params, caller: Caller) -> Params:
        return {"NamedQuery": self._named(params["NamedQueryId"])}

    def batch_get_named_query(self, params: Params, caller: Caller) -> Params:
        known = self._state.named
        missing = [
            {"NamedQueryId": query_id, "ErrorCode": "NOT_FOUND", "ErrorMessage": "Not found"}
            for query_id in params["NamedQueryIds"]
            if query_id not in known
        ]
        queries = [known[query_id] for query_id in params["NamedQueryIds"] if query_id in known]
        return {"NamedQueries": queries, "UnprocessedNamedQueryIds": missing}

    def list_named_queries(self, params: Params, caller: Caller) -> Params:
        group = params.get("WorkGroup") or "primary"
        self._workgroup(group)
        ids = [query_id for query_id, query in self._state.named.items() if query["WorkGroup"] == group]
        chosen, more = page(ids, params)
        return {"NamedQueryIds": chosen, **more}

    def update_named_query(self, params: Params, caller: Caller) -> Params:
        query = self._named(params["NamedQueryId"])
        for key in ("Name", "Description", "QueryString"):
            if key in params:
                query[key] = params[key]
        return {}

    def delete_named_query(self, params: Params, caller: Caller) -> Params:
        self._named(params["NamedQueryId"])
        del self._state.named[params["NamedQueryId"]]
        return {}

    # Workgroups and tags

    def create_work_group(self, params: Params, caller: Caller) -> Params:
        with self._lock:
            if params["Name"] in self._state.workgroups:
                raise invalid("WorkGroup is already created")
            configuration = new_configuration(params.get("Configuration") or {})
            group = new_workgroup(params["Name"], configuration, params.get("Description", ""))
            self._state.workgroups[params["Name"]] = group
            self._tag(self._arn(params["Name"]), params.get("Tags") or [])
        return {}

    def get_work_group(self, params: Params, caller: Caller) -> Params:
        return {"WorkGroup": self._workgroup(params["WorkGroup"])}

    def list_work_groups(self, params: Params, caller: Caller) -> Params:
        names = ("Name", "State", "Description", "CreationTime")
        items = [
            {**{name: group[name] for name in names if name in group}, "EngineVersion": dict(ENGINE)}
            for group in self._state.workgroups.values()
        ]
        chosen, more = page(items, params)
        return {"WorkGroups": chosen, **more}

    def update_work_group(self, params: Params, caller: Caller) -> Params:
        with self._lock:
            group = self._workgroup(params["WorkGroup"])
            updates = params.get("ConfigurationUpdates") or {}
            configuration = updated_configuration(group["Configuration"], updates)
            changed: Shape = {**group, "Configuration": configuration}
            for key in ("Description", "State"):
                if key in params:
                    changed[key] = params[key]
            self._state.workgroups[group["Name"]] = changed
        return {}

    def delete_work_group(self, params: Params, caller: Caller) -> Params:
        name = params["WorkGroup"]
        if name == "primary":
            raise invalid("Primary WorkGroup cannot be deleted")
        with self._lock:
            state = self._state
            self._workgroup(name)
            prepared = [key for key in state.prepared if key[0] == name]
            named = [key for key, query in state.named.items() if query.get("WorkGroup") == name]
            if (prepared or named) and not params.get("RecursiveDeleteOption"):
                raise invalid(f"WorkGroup {name} is not empty")
            for key in prepared:
                del state.prepared[key]
            for query_id in named:
                del state.named[query_id]
            del state.workgroups[name]
            state.tags.pop(self._arn(name), None)
        return {}

    def _workgroup(self, name: str) -> Shape:
        group = self._state.workgroups.get(name)
        if group is None:
            raise invalid(f"WorkGroup {name} is not found.")
        return group

    def _arn(self, name: str) -> str:
        return f"arn:aws:athena:{self.world.region}:{self.world.account_id}:workgroup/{name}"

    def _tag(self, arn: str, tags: list[dict[str, str]]) -> None:
        current = self._state.tags.setdefault(arn, {})
        current.update({tag["Key"]: tag.get("Value", "") for tag in tags})

    def tag_resource(self, params: Params, caller: Caller) -> Params:
        self._known(params["ResourceARN"])
        self._tag(params["ResourceARN"], params["Tags"])
        return {}

    def untag_resource(self, params: Params, caller: Caller) -> Params:
        self._known(params["ResourceARN"])
        for key in params["TagKeys"]:
            self._state.tags.get(params["ResourceARN"], {}).pop(key, None)
        return {}

    def list_tags_for_resource(self, params: Params, caller: Caller) -> Params:
        self._known(params["ResourceARN"])
        tags = self._state.tags.get(params["ResourceARN"], {})
        chosen, more = page([{"Key": key, "Value": value} for key, value in tags.items()], params, 75)
        return {"Tags": chosen, **more}

    def _known(self, arn: str) -> None:
        kind, _, name = arn.rpartition(":")[2].partition("/")
        known = self._state.workgroups if kind == "workgroup" else self._state.catalogs
        if name not in known and not (kind == "datacatalog" and name.lower() == CATALOG):
            raise ServiceError("ResourceNotFoundException", f"Resource {arn} is not found", ResourceName=arn)

    def list_engine_versions(self, params: Params, caller: Caller) -> Params:
        fixed = {name: "Athena engine version 3" for name in ("SelectedEngineVersion", "EffectiveEngineVersion")}
        chosen, more = page([dict(ENGINE), fixed], params, 10)
        return {"EngineVersions": chosen, **more}

    # Data catalogs, databases, tables

    def list_data_catalogs(self, params: Params, caller: Caller) -> Params:
        items = [OWN_CATALOG, *self._state.catalogs.values()]
        chosen, more = page([{"CatalogName": item["Name"], "Type": item["Type"]} for item in items], params)
        return {"DataCatalogsSummary": chosen, **more}

    def get_data_catalog(self, params: Params, caller: Caller) -> Params:
        name = params["Name"]
        if name.lower() == CATALOG:
            own = {**OWN_CATALOG, "Parameters": {"catalog-id": self.world.account_id}}
            return {"DataCatalog": own}
        return {"DataCatalog": self._data_catalog(name)}

    def _data_catalog(self, name: str) -> Params:
        if name not in self._state.catalogs:
            raise invalid(f"DataCatalog {name} was not found")
        return self._state.catalogs[name]

    def create_data_catalog(self, params: Params, caller: Caller) -> Params:
        if params["Type"] != "GLUE" or params["Name"] in self._state.catalogs:
            raise invalid("Only GLUE data catalogs with a new name can be registered here")
        catalog: Params = {key: params[key] for key in ("Name", "Type", "Description", "Parameters") if key in params}
        self._state.catalogs[params["Name"]] = catalog
        return {}

    def delete_data_catalog(self, params: Params, caller: Caller) -> Params:
        self._data_catalog(params["Name"])
        del self._state.catalogs[params["Name"]]
        return {}

    def list_databases(self, params: Params, caller: Caller) -> Params:
        self._own_catalog(params)
        names = [item.link_name for item in CatalogView(self.world).databases() if self._sees(caller, item.link_name)]
        chosen, more = page([self._database(name) for name in names], params)
        return {"DatabaseList": chosen, **more}

    def get_database(self, params: Params, caller: Caller) -> Params:
        self._own_catalog(params)
        name = params["DatabaseName"].lower()
        if CatalogView(self.world).database(name) is None or not self._sees(caller, name):
            raise ServiceError("MetadataException", f"Database {name} not found.")
        return {"Database": self._database(name)}

    def _database(self, name: str) -> Params:
        answer = self.world.client("glue").get_database(Name=name)["Database"]
        return {"Name": name, "Description": answer.get("Description", ""), "Parameters": answer.get("Parameters", {})}

    def _sees(self, caller: Caller, name: str) -> bool:
        database = CatalogView(self.world).database(name)
        return database is not None and sees(self.world, caller.arn, database)

    def _own_catalog(self, params: Params) -> None:
        if params["CatalogName"].lower() != CATALOG:
            self._data_catalog(params["CatalogName"])

    def get_table_metadata(self, params: Params, caller: Caller) -> Params:
        self._own_catalog(params)
        name, database = params["TableName"].lower(), params["DatabaseName"].lower()
        table = CatalogView(self.world).relation(CATALOG, database, name)
        columns = visible_columns(caller, self.world, table) if table else ()
        if table is None or not columns:
            raise ServiceError("MetadataException", f"EntityNotFoundException: Entity Not Found: table {name}")
        return {"TableMetadata": table_metadata(table, name, columns)}

    def list_table_metadata(self, params: Params, caller: Caller) -> Params:
        self._own_catalog(params)
        view = CatalogView(self.world)
        database = view.database(params["DatabaseName"])
        if database is None or not self._sees(caller, params["DatabaseName"].lower()):
            raise ServiceError("MetadataException", f"Database {params['DatabaseName']} not found.")
        pattern = params.get("Expression") or ""
        items = []
        for table in view.relations(database):
            columns = visible_columns(caller, self.world, table)
            if columns and (not pattern or re.search(pattern, table.name)):
                items.append(table_metadata(table, table.name, columns))
        chosen, more = page(items, params)
        return {"TableMetadataList": chosen, **more}


def page(items: Sequence[T], params: Params, default: int = 50) -> tuple[list[T], dict[str, str]]:
    """The items from the request's token on, and `NextToken` if there are more."""
    token = params.get("NextToken") or "0"
    if not token.isdigit():
        raise invalid("The nextToken is not valid")
    start, size = int(token), params.get("MaxResults") or default
    more = {"NextToken": str(start + size)} if start + size < len(items) else {}
    return list(items[start : start + size]), more


def _datum(value: str | None) -> dict[str, str]:
    return {} if value is None else {"VarCharValue": value}


def require_read(caller: Caller, location: str) -> None:
    """GetQueryResults reads the object with the caller's rights."""
    try:
        require(caller, "s3:GetObject", location)
    except QueryError as error:
        raise ServiceError("InvalidRequestException", error.reason) from None

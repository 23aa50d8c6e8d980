"""Query executions: started, followed, stopped, and their results.

Reads tables; writes results and the service's state. Behind `make query` and everything that asks Athena.
Example: `start_query_execution({"QueryString": "SELECT 1", "WorkGroup": "primary"}, caller)`
"""

from __future__ import annotations

import logging
import traceback
import uuid
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlglot import exp

from localaws.athena import statements as st
from localaws.athena.base import Params, invalid
from localaws.athena.columninfo import column_info
from localaws.athena.engine import Cancelled, Work
from localaws.athena.engines import Engines
from localaws.athena.errors import QueryError, error_type
from localaws.athena.results import encryption_of, write_lines
from localaws.athena.run import run, with_values
from localaws.athena.saved import SavedOperations
from localaws.athena.session import Outcome, Place, Session
from localaws.athena.state import ENGINE, Execution, Shape
from localaws.athena.storage import require
from localaws.caller import Caller

if TYPE_CHECKING:
    from localaws.world import World

log = logging.getLogger("localaws.athena")
OUT_OF_RANGE = "A date or time of the result is outside of the years 1 to 9999"
LONGEST_QUERY = 262_144
PATIENCE = 5.0
"""Seconds that StartQueryExecution waits, so that a quick query is done when its id is handed out."""
EXTERNAL = (
    "The Create Table As Select query failed because it was submitted with an 'external_location' property to an "
    "Athena Workgroup that enforces a centralized output location for all queries. Please remove the "
    "'external_location' property and resubmit the query."
)
NO_PLACE = (
    "No output location provided. An output location is required either through the Workgroup result configuration "
    "setting or as an API input."
)


class ExecutionOperations(SavedOperations):
    """Operations on query executions."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="localaws-athena")
        self._works: dict[str, Work] = {}
        self.engines = Engines(world)

    def start_query_execution(self, params: Params, caller: Caller) -> Params:
        with self._lock:
            token = params.get("ClientRequestToken")
            key = f"{caller.arn} {token}"
            if token and key in self._state.tokens:
                return {"QueryExecutionId": self._state.tokens[key]}
            group = self._enabled(params.get("WorkGroup") or "primary")
            statement = self._statement(params["QueryString"], group["Name"], params.get("ExecutionParameters") or [])
            execution, place = self._planned(params, group, statement)
            query_id = execution.shape["QueryExecutionId"]
            self._state.remember(execution)
            if token:
                self._state.tokens[key] = query_id
            work = Work(byte_limit=group["Configuration"].get("BytesScannedCutoffPerQuery"))
            self._works[query_id] = work
        session = Session(self.world, self.engines.chosen(), caller, place, work)
        session.database = (params.get("QueryExecutionContext") or {}).get("Database", "").strip('`"').lower() or None
        session.workgroup, session.sql = group["Name"], params["QueryString"]
        self._wait(self._pool.submit(self._perform, execution, session, statement))
        return {"QueryExecutionId": query_id}

    def _wait(self, future: Future[None]) -> None:
        self.world.submit(future.exception)
        with suppress(NotYet):
            future.result(PATIENCE)

    def warm_up(self) -> None:
        """Start the engine, and wait for its first answer."""
        self.engines.chosen().constant(exp.Literal.number(1), Work())

    def close(self) -> None:
        """Wait for the queries that run, then let go of the engine."""
        self._pool.shutdown(wait=True)
        self.engines.close()

    def _enabled(self, name: str) -> Shape:
        group = self._workgroup(name)
        if group["State"] != "ENABLED":
            raise invalid(f"WorkGroup {name} is disabled.")
        return group

    def _statement(self, sql: str, workgroup: str, values: list[str]) -> st.Statement | QueryError:
        """The statement, ready to run; a prepared one is looked up. An error in it fails the query, not the request."""
        if len(sql.encode()) > LONGEST_QUERY:
            raise invalid(f"Your query has exceeded the maximum query length of {LONGEST_QUERY} bytes.")
        try:
            statement = st.read_statement(sql)
            if isinstance(statement, st.Execute):
                values = statement.values or values
                statement = st.read_statement(self._text_of(workgroup, statement.name))
            return with_values(statement, values)
        except st.Unsupported as error:
            raise invalid(str(error), "MALFORMED_QUERY") from None
        except QueryError as error:
            if error.code == "SYNTAX_ERROR":
                raise invalid(error.reason.removeprefix("SYNTAX_ERROR: "), "MALFORMED_QUERY") from None
            return error

    def _text_of(self, workgroup: str, name: str) -> str:
        """The SQL of a prepared statement; one that is not there makes the request invalid, not its query fail."""
        found = self._state.prepared.get((workgroup, name))
        if found is None:
            raise invalid(f"PreparedStatement {name} was not found in workGroup {workgroup}")
        return str(found["QueryStatement"])

    def _planned(self, params: Params, group: Shape, statement: st.Statement | QueryError) -> tuple[Execution, Place]:
        configuration = group["Configuration"]
        enforced = bool(configuration.get("EnforceWorkGroupConfiguration"))
        of_group = configuration.get("ResultConfiguration") or {}
        given = {} if enforced else (params.get("ResultConfiguration") or {})
        chosen = {**of_group, **given}
        if not chosen.get("OutputLocation"):
            raise invalid(NO_PLACE)
        if not chosen["OutputLocation"].startswith("s3://"):
            raise invalid(f"Invalid S3 folder location: {chosen['OutputLocation']}")
        if enforced and isinstance(statement, st.CreateTableAs) and "external_location" in statement.properties:
            raise invalid(EXTERNAL)
        query_id = str(uuid.uuid4())
        place = Place(chosen["OutputLocation"], query_id, encryption_of(chosen), enforced)
        kind = statement.kind if isinstance(statement, st.Statement) else "DML"
        shape: Shape = {
            "QueryExecutionId": query_id,
            "Query": params["QueryString"],
            "StatementType": kind,
            "ResultConfiguration": {**chosen, "OutputLocation": _expected(place, statement)},
            "ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": False}},
            "QueryExecutionContext": params.get("QueryExecutionContext") or {},
            "Status": {"State": "QUEUED", "SubmissionDateTime": datetime.now(UTC)},
            "Statistics": {},
            "WorkGroup": group["Name"],
            "EngineVersion": dict(ENGINE),
        }
        if params.get("ExecutionParameters"):
            shape["ExecutionParameters"] = params["ExecutionParameters"]
        if isinstance(statement, st.Statement) and (statement.sub_kind or isinstance(statement, st.Change)):
            shape["SubstatementType"] = statement.word if isinstance(statement, st.Change) else statement.sub_kind
        return Execution(shape), place

    def _perform(self, execution: Execution, session: Session, statement: st.Statement | QueryError) -> None:
        shape, started = execution.shape, datetime.now(UTC)
        try:
            session.work.check()
            shape["Status"] = {**shape["Status"], "State": "RUNNING"}
            if isinstance(statement, QueryError):
                raise statement
            require(session.caller, "s3:PutObject", session.place.path(".csv"))
            outcome = self._own(session, statement) or run(session, statement)
            self._succeed(execution, session, outcome)
        except Cancelled as stopped:
            self._end(execution, "CANCELLED", stopped.reason)
        except QueryError as error:
            self._fail(execution, error)
        except OverflowError:
            self._fail(execution, QueryError("NUMERIC_VALUE_OUT_OF_RANGE", OUT_OF_RANGE))
        except Exception as error:
            # Its message may quote values of rows: where it came from is told, and what kind it is.
            where = "".join(traceback.format_tb(error.__traceback__))
            log.error("query %s failed: %s\n%s", shape["QueryExecutionId"], type(error).__name__, where)
            self._fail(execution, QueryError("GENERIC_INTERNAL_ERROR", "The query could not be run", category=1))
        finally:
            self._measure(execution, session, started)

    def _own(self, session: Session, statement: st.Statement) -> Outcome | None:
        """PREPARE and DEALLOCATE change what this service keeps."""
        if isinstance(statement, st.Prepare):
            st.read_statement(statement.sql)
            self._keep_prepared((session.workgroup, statement.name), {"QueryStatement": statement.sql})
            return Outcome(lines=[])
        if isinstance(statement, st.Deallocate):
            if self._state.prepared.pop((session.workgroup, statement.name), None) is None:
                raise QueryError("NOT_FOUND", f"Prepared statement not found: {statement.name}")
            return Outcome(lines=[])
        return None

    def _succeed(self, execution: Execution, session: Session, outcome: Outcome) -> None:
        shape = execution.shape
        if outcome.lines is not None:
            outcome.location = session.place.path(".txt")
            encryption = session.place.encryption
            write_lines(self.world, outcome.location, outcome.lines, outcome.columns, encryption)
        session.work.check()
        execution.columns = [column_info(column) for column in outcome.columns]
        execution.update_count, execution.rows = outcome.update_count, outcome.rows
        shape["ResultConfiguration"]["OutputLocation"] = outcome.location
        if outcome.manifest:
            shape["Statistics"]["DataManifestLocation"] = outcome.manifest
        self._end(execution, "SUCCEEDED")

    def _fail(self, execution: Execution, error: QueryError) -> None:
        details = {"ErrorCategory": error.category, "ErrorType": error_type(error.code), "Retryable": False}
        execution.shape["Status"]["AthenaError"] = {**details, "ErrorMessage": error.reason}
        self._end(execution, "FAILED", error.reason)

    def _end(self, execution: Execution, state: str, reason: str = "") -> None:
        ended = {"State": state, "CompletionDateTime": datetime.now(UTC)}
        if reason:
            ended["StateChangeReason"] = reason
        execution.shape["Status"] = {**execution.shape["Status"], **ended}

    def _measure(self, execution: Execution, session: Session, started: datetime) -> None:
        now, status = datetime.now(UTC), execution.shape["Status"]
        engine = int((now - started).total_seconds() * 1000)
        total = int((now - status["SubmissionDateTime"]).total_seconds() * 1000)
        execution.shape["Statistics"] |= {
            "EngineExecutionTimeInMillis": engine,
            "DataScannedInBytes": session.work.bytes_scanned,
            "TotalExecutionTimeInMillis": total,
            "QueryQueueTimeInMillis": max(0, total - engine),
            "ServiceProcessingTimeInMillis": 0,
            "ResultReuseInformation": {"ReusedPreviousResult": False},
        }
        self._works.pop(execution.shape["QueryExecutionId"], None)


def _expected(place: Place, statement: st.Statement | QueryError) -> str:
    """The object that will hold the result."""
    if isinstance(statement, st.CreateTableAs):
        return f"{place.folder.rstrip('/')}/tables/{place.query_id}"
    if isinstance(statement, QueryError | st.Select):
        return place.path(".csv")
    writes = isinstance(statement, st.Insert | st.Change | st.Unload)
    return place.path("" if writes else ".txt")

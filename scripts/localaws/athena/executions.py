"""One query execution from request to result: read the text, choose where the result goes, run, report.

Athena splits its errors in two: what is wrong with the request is an InvalidRequestException of StartQueryExecution and
leaves no execution behind; what is wrong with the query makes the execution FAILED.
"""

from __future__ import annotations

import logging
import traceback
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from localaws.athena.engine import Cancelled
from localaws.athena.errors import QueryError, error_type, invalid
from localaws.athena.parser import with_parameters
from localaws.athena.results import column_info, encryption_of, write_lines
from localaws.athena.rights import require
from localaws.athena.session import Outcome, Place, Session
from localaws.athena.state import ENGINE, AthenaState, Execution, Shape
from localaws.athena.statements import model as st
from localaws.athena.statements.create_tables import create_table, create_table_as, unload
from localaws.athena.statements.ddl import add_partitions, alter, create_database, create_view, drop, repair
from localaws.athena.statements.dml import change, explain, insert, maintain, select
from localaws.athena.statements.grammar import read_statement
from localaws.athena.statements.show import describe, show

log = logging.getLogger("localaws.athena")
OUT_OF_RANGE = "A date or time of the result is outside of the years 1 to 9999"
# https://docs.aws.amazon.com/athena/latest/ug/service-limits.html, "Query string length".
LONGEST_QUERY = 262_144
EXTERNAL_LOCATION_REFUSED = (
    "The Create Table As Select query failed because it was submitted with an 'external_location' property to an "
    "Athena Workgroup that enforces a centralized output location for all queries. Please remove the "
    "'external_location' property and resubmit the query."
)
NO_OUTPUT_LOCATION = (
    "No output location provided. An output location is required either through the Workgroup result configuration "
    "setting or as an API input."
)
Handler = Callable[[Session, Any], Outcome]
_HANDLERS: dict[type[st.Statement], Handler] = {
    st.Select: select,
    st.Explain: explain,
    st.Insert: insert,
    st.Change: change,
    st.CreateTableAs: create_table_as,
    st.Unload: unload,
    st.CreateTable: create_table,
    st.CreateView: create_view,
    st.CreateDatabase: create_database,
    st.Drop: drop,
    st.AddColumns: alter,
    st.ChangeColumn: alter,
    st.DropColumn: alter,
    st.SetProperties: alter,
    st.AddPartitions: add_partitions,
    st.Repair: repair,
    st.Show: show,
    st.Describe: describe,
    st.Maintain: maintain,
}


def read(state: AthenaState, sql: str, workgroup: str, values: Sequence[str]) -> st.Statement | QueryError:
    """The statement, ready to run; a prepared one is looked up. An error in it fails the query, not the request."""
    if len(sql.encode()) > LONGEST_QUERY:
        raise invalid(f"Your query has exceeded the maximum query length of {LONGEST_QUERY} bytes.")
    try:
        statement = read_statement(sql)
        if isinstance(statement, st.Execute):
            values = statement.values or values
            statement = read_statement(_prepared_text(state, workgroup, statement.name))
        return _with_values(statement, values)
    except st.Unsupported as error:
        raise invalid(str(error), "MALFORMED_QUERY") from None
    except QueryError as error:
        if error.code == "SYNTAX_ERROR":
            raise invalid(error.reason.removeprefix("SYNTAX_ERROR: "), "MALFORMED_QUERY") from None
        return error


def _prepared_text(state: AthenaState, workgroup: str, name: str) -> str:
    """The SQL of a prepared statement; one that is not there makes the request invalid, not its query fail."""
    prepared = state.prepared.get((workgroup, name))
    if prepared is None:
        raise invalid(f"PreparedStatement {name} was not found in workGroup {workgroup}")
    return str(prepared["QueryStatement"])


def _with_values(statement: st.Statement, values: Sequence[str]) -> st.Statement:
    """The statement with its `?` filled; a statement without a query takes no values."""
    tree = getattr(statement, "tree", None)
    if tree is not None:
        with_parameters(tree, values)
    elif values:
        message = f"Incorrect number of parameters: expected 0 but found {len(values)}"
        raise QueryError("INVALID_PARAMETER_USAGE", message)
    return statement


def planned(params: Shape, group: Shape, statement: st.Statement | QueryError) -> tuple[Execution, Place]:
    """A queued execution, and where its result goes.

    The client's ResultConfiguration counts only where the workgroup does not enforce its own:
    https://docs.aws.amazon.com/athena/latest/ug/workgroups-settings-override.html
    """
    configuration = group["Configuration"]
    enforced = bool(configuration.get("EnforceWorkGroupConfiguration"))
    of_group = configuration.get("ResultConfiguration") or {}
    of_client = {} if enforced else (params.get("ResultConfiguration") or {})
    chosen = {**of_group, **of_client}
    if not chosen.get("OutputLocation"):
        raise invalid(NO_OUTPUT_LOCATION)
    if not chosen["OutputLocation"].startswith("s3://"):
        raise invalid(f"Invalid S3 folder location: {chosen['OutputLocation']}")
    if enforced and isinstance(statement, st.CreateTableAs) and "external_location" in statement.properties:
        raise invalid(EXTERNAL_LOCATION_REFUSED)
    query_id = str(uuid.uuid4())
    place = Place(chosen["OutputLocation"], query_id, encryption_of(chosen), enforced)
    kind = statement.kind if isinstance(statement, st.Statement) else "DML"
    shape: Shape = {
        "QueryExecutionId": query_id,
        "Query": params["QueryString"],
        "StatementType": kind,
        "ResultConfiguration": {**chosen, "OutputLocation": _expected_location(place, statement)},
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


def _expected_location(place: Place, statement: st.Statement | QueryError) -> str:
    """The object that will hold the result: `.csv` of a query, `.txt` of DDL, a manifest beside what was written."""
    if isinstance(statement, st.CreateTableAs):
        return f"{place.folder.rstrip('/')}/tables/{place.query_id}"
    if isinstance(statement, QueryError | st.Select):
        return place.path(".csv")
    writes = isinstance(statement, st.Insert | st.Change | st.Unload)
    return place.path("" if writes else ".txt")


def perform(execution: Execution, session: Session, statement: st.Statement | QueryError, state: AthenaState) -> None:
    """Run the statement to its end; whatever happens is written into the execution and nothing is raised."""
    shape, started = execution.shape, datetime.now(UTC)
    try:
        session.work.check()
        shape["Status"] = {**shape["Status"], "State": "RUNNING"}
        if isinstance(statement, QueryError):
            raise statement
        # Asked of every statement: Athena writes a result object for DDL too, with the caller's rights.
        require(session.caller, "s3:PutObject", session.place.path(".csv"))
        outcome = _of_prepared(session, statement, state) or _run(session, statement)
        _succeed(execution, session, outcome)
    except Cancelled as stopped:
        _end(execution, "CANCELLED", stopped.reason)
    except QueryError as error:
        _fail(execution, error)
    except OverflowError:
        _fail(execution, QueryError("NUMERIC_VALUE_OUT_OF_RANGE", OUT_OF_RANGE))
    except Exception as error:
        # The message may quote values of rows, so only where it came from and its kind are logged.
        where = "".join(traceback.format_tb(error.__traceback__))
        log.error("query %s failed: %s\n%s", shape["QueryExecutionId"], type(error).__name__, where)
        _fail(execution, QueryError("GENERIC_INTERNAL_ERROR", "The query could not be run", category=1))
    finally:
        _measure(execution, session, started)


def _run(session: Session, statement: st.Statement) -> Outcome:
    handler = _HANDLERS.get(type(statement))
    if handler is None:
        raise QueryError("NOT_SUPPORTED", "Statement is not supported")
    return handler(session, statement)


def _of_prepared(session: Session, statement: st.Statement, state: AthenaState) -> Outcome | None:
    """PREPARE and DEALLOCATE change what the service keeps; None for any other statement."""
    if isinstance(statement, st.Prepare):
        read_statement(statement.sql)
        state.keep_prepared((session.workgroup, statement.name), {"QueryStatement": statement.sql})
        return Outcome(lines=[])
    if isinstance(statement, st.Deallocate):
        if state.prepared.pop((session.workgroup, statement.name), None) is None:
            raise QueryError("NOT_FOUND", f"Prepared statement not found: {statement.name}")
        return Outcome(lines=[])
    return None


def _succeed(execution: Execution, session: Session, outcome: Outcome) -> None:
    shape = execution.shape
    if outcome.lines is not None:
        outcome.location = session.place.path(".txt")
        write_lines(session.world, outcome.location, outcome.lines, outcome.columns, session.place.encryption)
    session.work.check()
    execution.columns = [column_info(column) for column in outcome.columns]
    execution.update_count, execution.rows = outcome.update_count, outcome.rows
    shape["ResultConfiguration"]["OutputLocation"] = outcome.location
    if outcome.manifest:
        shape["Statistics"]["DataManifestLocation"] = outcome.manifest
    _end(execution, "SUCCEEDED")


def _fail(execution: Execution, error: QueryError) -> None:
    details = {"ErrorCategory": error.category, "ErrorType": error_type(error.code), "Retryable": False}
    execution.shape["Status"]["AthenaError"] = {**details, "ErrorMessage": error.reason}
    _end(execution, "FAILED", error.reason)


def _end(execution: Execution, state: str, reason: str = "") -> None:
    ended = {"State": state, "CompletionDateTime": datetime.now(UTC)}
    if reason:
        ended["StateChangeReason"] = reason
    execution.shape["Status"] = {**execution.shape["Status"], **ended}


def _measure(execution: Execution, session: Session, started: datetime) -> None:
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

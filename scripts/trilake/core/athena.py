"""One Athena query, run as the session's caller in that caller's workgroup, its rows as Python values.

Example: run(session, "SELECT count(*) AS n FROM clinical.patient").rows  ->  [[100]]
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import awswrangler as wr
from botocore.exceptions import ClientError

from trilake.core.errors import AccessError, QueryError
from trilake.core.session import Session
from trilake.core.sql import to_athena

NO_SUCH_TABLE = "TABLE_NOT_FOUND"
"""What Athena says of a table that the caller may see nothing of."""
DENIALS = ("not authorized", "Insufficient permissions", "Insufficient Lake Formation", "AccessDenied", "access denied")
CONVERT: dict[str, Callable[[str], Any]] = {
    "boolean": lambda text: text == "true",
    **{name: int for name in ("tinyint", "smallint", "integer", "int", "bigint")},
    **{name: float for name in ("float", "real", "double", "decimal")},
}


@dataclass(frozen=True)
class Answer:
    """A query's result: column names, Athena types, rows (dates and nested values as text, NULL as None)."""

    columns: list[str]
    types: list[str]
    rows: list[list[Any]]
    bytes_scanned: int

    def records(self) -> list[dict[str, Any]]:
        """The rows as objects by column name."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def run(session: Session, text: str, *, parameters: list[str] | None = None) -> Answer:
    """The answer to one statement that names tables as `room.table`.

    `parameters` fill `?` placeholders, as Athena execution parameters (SQL literals: quote strings).
    AccessError when the caller may not, QueryError when it fails for any other reason.
    """
    visible = cache(partial(visible_columns, session)) if session.persona is not None else None
    return run_athena(session, to_athena(session, text, visible=visible), parameters=parameters)


def visible_columns(session: Session, table: str) -> list[str] | None:
    """The columns of `room.table` that this caller may see, as Athena answers it; None when there is none."""
    room, name = table.split(".")
    try:
        return run_athena(session, to_athena(session, f'SELECT * FROM {room}."{name}" LIMIT 0')).columns
    except AccessError:
        return None
    except QueryError as error:
        if NO_SUCH_TABLE in error.message:
            return None
        raise


def run_governed(caller: Session, text: str, tables: list[str]) -> Answer:
    """The answer of a query over governed tables. AccessError names those that the caller may not see."""
    try:
        return run(caller, text)
    except (AccessError, QueryError):
        closed = [name for name in tables if visible_columns(caller, name) is None]
        if closed:
            raise AccessError(
                f"{caller.persona or 'The deployer'} may not see {', '.join(closed)}",
                next_step=f"trilake explain --as {caller.persona} --column {closed[0]}.patient_id",
            ) from None
        raise


def run_athena(session: Session, statement: str, *, parameters: list[str] | None = None) -> Answer:
    """The same for a statement that already has Glue names."""
    try:
        query_id = wr.athena.start_query_execution(
            statement,
            workgroup=session.workgroup,
            boto3_session=session.boto,
            params=parameters,
            paramstyle="qmark" if parameters else "named",
        )
        execution = wr.athena.wait_query(query_id, boto3_session=session.boto, athena_query_wait_polling_delay=0.05)
    except wr.exceptions.QueryFailed as error:
        raise failure(str(error)) from None
    except wr.exceptions.QueryCancelled as error:
        raise QueryError(f"Athena stopped the query: {error}") from None
    except ClientError as error:
        raise failure(f"{error.response['Error']['Code']}: {error.response['Error']['Message']}") from None
    return fetch(session, query_id, execution["Statistics"].get("DataScannedInBytes", 0))


def failure(reason: str) -> AccessError | QueryError:
    """The error that fits Athena's words."""
    kind = AccessError if any(words in reason for words in DENIALS) else QueryError
    return kind(f"Athena refused the query: {reason}")


def fetch(session: Session, query_id: str, bytes_scanned: int) -> Answer:
    pages = list(session.client("athena").get_paginator("get_query_results").paginate(QueryExecutionId=query_id))
    described = pages[0]["ResultSet"]["ResultSetMetadata"].get("ColumnInfo", [])
    columns, types = [item["Name"] for item in described], [item["Type"] for item in described]
    rows = [row["Data"] for page in pages for row in page["ResultSet"]["Rows"]]
    if any(len(row) != len(columns) for row in rows):  # DESCRIBE and SHOW answer in lines of text.
        columns, types = ["text"], ["varchar"]
    if rows and [cell.get("VarCharValue") for cell in rows[0]] == columns:
        rows = rows[1:]
    values = [[value_of(cell, kind) for cell, kind in zip(row, types, strict=True)] for row in rows]
    return Answer(columns, types, values, bytes_scanned)


def value_of(cell: dict[str, str], kind: str) -> Any:
    text = cell.get("VarCharValue")
    return None if text is None else CONVERT.get(kind, str)(text)

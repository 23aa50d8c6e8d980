"""DuckDB's errors in Athena's words, without DuckDB's texts: those may show values and file names.

Reads and writes nothing. Behind `make local-aws`.
Example: a division by zero is `DIVISION_BY_ZERO: Division by zero`.
"""

from __future__ import annotations

import logging
import re

import duckdb

from localaws.athena.embedded.typed import ERROR_MARK
from localaws.athena.engine import Cancelled, Work, internal_error
from localaws.athena.errors import SYSTEM, QueryError

log = logging.getLogger("localaws.athena")
_MARKED = re.compile(re.escape(ERROR_MARK) + r"([A-Z_]+)\|([^']*)'")
_KNOWN: list[tuple[re.Pattern[str], str, str]] = [
    (
        re.compile(r"Division by zero|value inf to DECIMAL|value nan to DECIMAL|(-?inf|nan) .*DECIMAL", re.I),
        "DIVISION_BY_ZERO",
        "Division by zero",
    ),
    (re.compile(r"Overflow|out of range|Out of Range", re.I), "NUMERIC_VALUE_OUT_OF_RANGE", "Value is out of range"),
    (re.compile(r"Map keys must be unique", re.I), "INVALID_FUNCTION_ARGUMENT", "Duplicate map keys are not allowed"),
    (re.compile(r"Map keys can not be NULL|map key", re.I), "INVALID_FUNCTION_ARGUMENT", "map key cannot be null"),
    (
        re.compile(r"More than one row returned by a subquery", re.I),
        "SUBQUERY_MULTIPLE_ROWS",
        "Scalar sub-query has returned multiple rows",
    ),
    (
        re.compile(r"Could not convert|Conversion Error|can't be cast|cast", re.I),
        "INVALID_CAST_ARGUMENT",
        "Value cannot be cast to the type asked for",
    ),
    (
        re.compile(r"Could not parse string|strptime|timestamp field", re.I),
        "INVALID_FUNCTION_ARGUMENT",
        "Invalid format of a date or time",
    ),
    (re.compile(r"Unknown TimeZone", re.I), "INVALID_FUNCTION_ARGUMENT", "Time zone is not known"),
    (re.compile(r"JSON", re.I), "INVALID_FUNCTION_ARGUMENT", "Cannot convert value to JSON"),
    (
        re.compile(r"regex|invalid escape sequence|missing \)|no argument for repetition", re.I),
        "INVALID_FUNCTION_ARGUMENT",
        "Pattern is not valid",
    ),
    (
        re.compile(r"Out of Memory|could not allocate", re.I),
        "EXCEEDED_LOCAL_MEMORY_LIMIT",
        "Query exceeded per-node memory limit",
    ),
]


def translated(error: BaseException, work: Work | None = None) -> Exception:
    """The error to raise instead of DuckDB's."""
    if isinstance(error, duckdb.InterruptException) and work is not None:
        return Cancelled(work.stop_reason or "Query was cancelled by user")
    message = str(error)
    marked = _MARKED.search(message)
    if marked:
        return QueryError(marked[1], marked[2])
    if isinstance(error, duckdb.IOException | duckdb.PermissionException):
        log.error("DuckDB could not read a file: %s", type(error).__name__)
        return QueryError("HIVE_CANNOT_OPEN_SPLIT", "A data file of the table cannot be read", category=SYSTEM)
    for pattern, code, words in _KNOWN:
        if pattern.search(message):
            return QueryError(code, words)
    if isinstance(error, duckdb.InvalidInputException):
        return QueryError("INVALID_FUNCTION_ARGUMENT", "An argument is not valid")
    # Its message may quote values of rows; the query is in the state, to be run again.
    log.error("DuckDB refused what was translated: %s", type(error).__name__)
    return internal_error()

"""Trino's errors as Athena says them: its own names, the place in the user's text, no values of rows.

Example: "line 1:26: Column 'x' cannot be resolved" of Trino's text becomes `COLUMN_NOT_FOUND: line 1:8: …`.

What Trino finds wrong with a query before it runs speaks of the query only and stays. What goes wrong on rows may quote
them, so its words are replaced by ours, one for each kind.
"""

from __future__ import annotations

import logging
import re

from trino.exceptions import TrinoQueryError

from localaws.athena.engine import Cancelled, internal_error
from localaws.athena.errors import SYSTEM, QueryError
from localaws.athena.trino.text import Text

log = logging.getLogger("localaws.athena")
_PLACE = re.compile(r"line \d+:(\d+): ")
_UNAUTHORISED = " or requester is not authorized to access requested resources"
_STOPPED = frozenset({"USER_CANCELED", "ADMINISTRATIVELY_KILLED"})
_FILES = frozenset({"ICEBERG_CANNOT_OPEN_SPLIT", "HIVE_CANNOT_OPEN_SPLIT", "ICEBERG_FILESYSTEM_ERROR", "HIVE_BAD_DATA"})
_ON_QUERIES = frozenset(
    {
        "COLUMN_TYPE_UNKNOWN",
        "EXPRESSION_NOT_AGGREGATE",
        "EXPRESSION_NOT_SCALAR",
        "FUNCTION_NOT_FOUND",
        "INVALID_PARAMETER_USAGE",
        "MISSING_CATALOG_NAME",
        "MISSING_SCHEMA_NAME",
        "NOT_SUPPORTED",
        "SYNTAX_ERROR",
        "TYPE_MISMATCH",
    }
)
"""What is found before a row is read, though Trino names no place."""

# (error name, pattern of Trino's words or None for any, our words)
_ON_ROWS: tuple[tuple[str, str | None, str], ...] = (
    ("DIVISION_BY_ZERO", None, "Division by zero"),
    ("NUMERIC_VALUE_OUT_OF_RANGE", None, "Value is out of range"),
    ("SUBQUERY_MULTIPLE_ROWS", None, "Scalar sub-query has returned multiple rows"),
    ("INVALID_CAST_ARGUMENT", None, "Value cannot be cast to the type asked for"),
    ("CONSTRAINT_VIOLATION", r"NULL value not allowed for NOT NULL column: \w+", "{0}"),
    ("MERGE_TARGET_ROW_MULTIPLE_MATCHES", None, "One MERGE target table row matched more than one source row"),
    ("INVALID_FUNCTION_ARGUMENT", "Key not present in map", "Key not present in map"),
    ("INVALID_FUNCTION_ARGUMENT", "Duplicate map keys", "Duplicate map keys are not allowed"),
    ("INVALID_FUNCTION_ARGUMENT", "map key cannot be", "map key cannot be null"),
    ("INVALID_FUNCTION_ARGUMENT", r"Array subscript must be less than or equal to array length", "{0}"),
    ("INVALID_FUNCTION_ARGUMENT", r"Array subscript is (negative|out of bounds)|SQL array indices start at 1", "{0}"),
    ("INVALID_FUNCTION_ARGUMENT", r"Index must be greater than zero", "{0}"),
    ("INVALID_FUNCTION_ARGUMENT", r"JSON", "Cannot convert value to JSON"),
    ("INVALID_FUNCTION_ARGUMENT", r"Invalid format|pattern.*date|timestamp", "Invalid format of a date or time"),
    ("INVALID_FUNCTION_ARGUMENT", r"[Tt]ime ?[Zz]one|zone key", "Time zone is not known"),
    ("INVALID_FUNCTION_ARGUMENT", r"regex|[Pp]attern|group", "Pattern is not valid"),
    ("INVALID_FUNCTION_ARGUMENT", None, "An argument is not valid"),
    ("EXCEEDED_LOCAL_MEMORY_LIMIT", None, "Query exceeded per-node memory limit"),
    ("EXCEEDED_GLOBAL_MEMORY_LIMIT", None, "Query exceeded distributed user memory limit"),
    ("ICEBERG_COMMIT_ERROR", None, "Failed to commit: the table was changed in the meantime"),
    ("TRANSACTION_CONFLICT", None, "Failed to commit: the table was changed in the meantime"),
)


def translated(error: TrinoQueryError, text: Text, stop_reason: str) -> Exception:
    """The error to raise instead of Trino's."""
    name, words = str(error.error_name), str(error.message)
    if name in _STOPPED:
        return Cancelled(stop_reason or "Query was cancelled by user")
    place = _PLACE.match(words)
    if place is not None:
        return _in_text(name, words[place.end() :], text.place(int(place[1])))
    if name in _ON_QUERIES:
        return QueryError(name, words)
    return _on_rows(name, words)


def _on_rows(name: str, words: str) -> QueryError:
    """What went wrong while rows were read; never Trino's own words."""
    if name in _FILES:
        log.error("Trino could not read a file: %s", name)
        return QueryError("HIVE_CANNOT_OPEN_SPLIT", "A data file of the table cannot be read", category=SYSTEM)
    for kind, pattern, ours in _ON_ROWS:
        match = re.search(pattern, words) if pattern else None
        if kind == name and (match or pattern is None):
            return QueryError(name, ours.format(match[0] if match else ""))
    log.error("Trino failed on a query: %s", name)
    return internal_error()


def _in_text(name: str, words: str, place: tuple[int, int] | None) -> QueryError:
    """What is wrong with the query, where the user wrote it."""
    if name == "COLUMN_NOT_FOUND" and words.endswith("cannot be resolved"):
        words += _UNAUTHORISED
    where = f"line {place[0]}:{place[1]}: " if place else ""
    return QueryError(name, where + words)

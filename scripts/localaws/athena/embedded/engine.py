"""The embedded engine: translate, bind tables to files, run in DuckDB, stream Arrow batches.

Two locks on one door: DuckDB only sees text that the translator wrote, and even if it let something through, no file
outside of the folder of objects, no network, no extension, no setting and no Python variable can be reached.
Example: `Embedded(world, folder).run(Query(tree, {"__t0": ref}), Work())`
"""

from __future__ import annotations

import atexit
import logging
import os
import re
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
from sqlglot import exp

from localaws.athena.embedded import functions, literals, names, operators, queries
from localaws.athena.embedded.compiler import Compiled, Compiler
from localaws.athena.embedded.extras import add_extras
from localaws.athena.embedded.pruning import row_filters
from localaws.athena.embedded.scope import Scope
from localaws.athena.embedded.sources import Needs, Source, source_of
from localaws.athena.embedded.typed import ERROR_MARK, quoted, text
from localaws.athena.engine import Cancelled, Query, Result, ResultColumn, Work, internal_error, offered
from localaws.athena.errors import SYSTEM, QueryError

if TYPE_CHECKING:
    from localaws.world import World


_CONFIG = {
    # DuckDB would take an unknown table's name for a variable of this Python.
    "python_enable_replacements": "false",
    "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false",
    "allow_community_extensions": "false",
    # A laptop has other programs; what does not fit spills.
    "memory_limit": "1500MB",
    "threads": str(min(4, os.cpu_count() or 1)),
}


class Database:
    """One locked DuckDB, made when first asked; each query gets a cursor of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._lock = threading.Lock()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        with self._lock:
            if self._connection is None:
                self._connection = self._opened()
                atexit.register(self.close)
            return self._connection.cursor()

    def _opened(self) -> duckdb.DuckDBPyConnection:
        # Outside of the folder of objects, the one folder that a query can reach.
        spill = Path(tempfile.gettempdir()) / f"localaws-spill-{os.getpid()}-{id(self)}"
        connection = duckdb.connect(":memory:", config={**_CONFIG, "temp_directory": str(spill)})
        add_extras(connection)
        # GLOBAL: each query's cursor is a session of its own.
        connection.execute("SET GLOBAL TimeZone = 'UTC'")
        # In this order: without external access the list cannot be changed any more, and the lock ends it all.
        connection.execute(f"SET allowed_directories = [{text(f'{self.folder.as_posix()}/')}]")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        return connection

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
                atexit.unregister(self.close)


log = logging.getLogger("localaws.athena")
_MARKED = re.compile(re.escape(ERROR_MARK) + r"([A-Z_]+)\|([^']*)'")
# The first that matches counts, so the words that are part of others' messages stand below them.
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


BATCH_ROWS = 50_000
# Imported for what they register: handlers of nodes, of queries, and functions by name.
LOADED = (functions, literals, names, operators, queries)


class Embedded:
    """DuckDB behind Athena's dialect."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.database = Database(folder)

    def describe(self, query: Query) -> tuple[ResultColumn, ...]:
        return _columns(self._compiled(query, datetime.now(UTC))[0])

    @contextmanager
    def run(self, query: Query, work: Work) -> Iterator[Result]:
        compiled, used = self._compiled(query, work.started_at)
        cursor = self.database.cursor()
        work.on_stop(cursor.interrupt)
        try:
            self._bind(cursor, query, used, work)
            reader = cursor.sql(compiled.sql).to_arrow_reader(BATCH_ROWS)
            yield Result(_columns(compiled), _batches(reader, work))
        except duckdb.Error as error:
            raise translated(error, work) from None
        finally:
            cursor.close()

    def change(self, statement: Query, work: Work) -> None:
        """DuckDB reads; localaws commits."""

    def constant(self, node: exp.Expr, work: Work) -> object:
        compiler = Compiler({}, work.started_at)
        value = compiler.expression(node, Scope())
        with _quietly(self.database) as cursor:
            return cursor.sql(f"SELECT {value.sql} AS c0").to_arrow_table().column(0)[0].as_py()

    def explain(self, query: Query) -> str:
        compiled, used = self._compiled(query, datetime.now(UTC))
        lines = [f"Output[{', '.join(column.name for column in _columns(compiled))}]"]
        for name, table in query.tables.items():
            columns = ", ".join(sorted(used.get(name, set()) & offered(query.tree, name))) or "-"
            lines.append(
                f"    TableScan[table = {table.catalog_id}:{table.database}.{table.name}, columns = {columns}]"
            )
        return "\n".join(lines)

    def close(self) -> None:
        self.database.close()

    def _compiled(self, query: Query, now: datetime) -> tuple[Compiled, Mapping[str, set[str]]]:
        compiler = Compiler({name: table.columns for name, table in query.tables.items()}, now)
        try:
            compiled = compiler.query(query.tree, Scope())
        except RecursionError:
            raise QueryError("SYNTAX_ERROR", "statement is too large (stack overflow during analysis)") from None
        compiler.use(*compiled.fields)
        return compiled, compiler.used

    def _bind(self, cursor: duckdb.DuckDBPyConnection, query: Query, used: Mapping[str, set[str]], work: Work) -> None:
        # After the translation, which says what columns are used; before any file is opened.
        filters = row_filters(query.tree, query.tables)
        for name, table in query.tables.items():
            if name in query.rows:
                source = Source(rows=query.rows[name])
            else:
                needs = Needs(frozenset(used.get(name, set())), filters[name])
                source = source_of(self.world, table, needs, lambda node: self.constant(node, work))
            work.scanned(source.bytes_read)
            if source.rows is not None:
                cursor.register(name, source.rows)
            else:
                cursor.execute(f"CREATE TEMP VIEW {quoted(name)} AS {source.sql}")


@contextmanager
def _quietly(database: Database) -> Iterator[duckdb.DuckDBPyConnection]:
    cursor = database.cursor()
    try:
        yield cursor
    except duckdb.Error as error:
        raise translated(error) from None
    finally:
        cursor.close()


def _columns(compiled: Compiled) -> tuple[ResultColumn, ...]:
    return tuple(
        ResultColumn(item.name or f"_col{index}", item.type, item.zone, bool(item.name))
        for index, item in enumerate(compiled.fields)
    )


def _batches(reader: pa.RecordBatchReader, work: Work) -> Iterator[pa.RecordBatch]:
    try:
        for batch in reader:
            work.check()
            yield batch
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        raise translated(error, work) from None

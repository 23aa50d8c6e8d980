"""The embedded engine: translate, bind tables to files, run in DuckDB, stream Arrow batches.

Reads object files; writes nothing but spill files. Behind `make local-aws`.
Example: `Embedded(world).run(Query(tree, {"__t0": ref}), Work())`
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
from sqlglot import exp

from localaws.athena.embedded import access, conditions, functions, names
from localaws.athena.embedded.compiler import Compiled, Compiler
from localaws.athena.embedded.database import Database
from localaws.athena.embedded.failures import translated
from localaws.athena.embedded.pruning import row_filters
from localaws.athena.embedded.scope import Scope
from localaws.athena.embedded.sources import Needs, Source, source_of
from localaws.athena.embedded.typed import quoted
from localaws.athena.engine import Query, Result, ResultColumn, Work, offered
from localaws.athena.errors import QueryError

if TYPE_CHECKING:
    from localaws.world import World

BATCH_ROWS = 50_000
LOADED = (access, conditions, functions, names)
"""Modules that fill the lists of what there is."""


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
        found = compiler.expression(node, Scope())
        with _quietly(self.database) as cursor:
            return cursor.sql(f"SELECT {found.sql} AS c0").to_arrow_table().column(0)[0].as_py()

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
        filters = row_filters(query.tree, query.tables)
        for name, table in query.tables.items():
            if name in query.given:
                source = Source(rows=query.given[name])
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

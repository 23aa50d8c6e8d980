"""The seam between Athena and what runs its queries: an authorised query in, typed batches of rows out.

An engine gets trees over internal table names and never the caller: what a caller may not see is gone by then.
Example: `with engine.run(query, work) as result: write(result.columns, result.batches)`
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa
from sqlglot import exp

from localaws.athena.catalog import TableRef
from localaws.athena.errors import QueryError
from localaws.athena.types import Type
from localaws.s3.object_files import store

if TYPE_CHECKING:
    from localaws.world import World


@dataclass(frozen=True)
class Query:
    """A query over internal names; `rows` holds the rows of tables that are no files (information_schema, …)."""

    tree: exp.Expr
    tables: Mapping[str, TableRef] = field(default_factory=dict)
    rows: Mapping[str, pa.Table] = field(default_factory=dict)


@dataclass(frozen=True)
class ResultColumn:
    """A result's column: its name as Athena shows it, its type, the zone of its times, whether the query named it."""

    name: str
    type: Type
    zone: str | None = None
    named: bool = True


@dataclass(frozen=True)
class Result:
    """Rows in batches; a batch's columns come in the order of `columns`."""

    columns: tuple[ResultColumn, ...]
    batches: Iterator[pa.RecordBatch]


class Counted:
    """Batches on their way to somewhere, counted."""

    def __init__(self, batches: Iterable[pa.RecordBatch]) -> None:
        self._batches = batches
        self.rows = 0

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        for batch in self._batches:
            self.rows += batch.num_rows
            yield batch


class Cancelled(Exception):
    """The query was stopped; `reason` is what Athena says about it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass
class Work:
    """One run: when it began, what it may read, what it has read, and how to stop it."""

    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    byte_limit: int | None = None
    bytes_scanned: int = 0
    stop_reason: str = ""
    _on_stop: list[Callable[[], None]] = field(default_factory=list)

    def scanned(self, count: int) -> None:
        """Add to the bytes read; Cancelled once the workgroup's limit is passed."""
        self.bytes_scanned += count
        if self.byte_limit is not None and self.bytes_scanned > self.byte_limit:
            raise Cancelled("Query cancelled! : Bytes scanned limit was exceeded")

    def stop(self, reason: str) -> None:
        """Ask the run to end."""
        self.stop_reason = reason
        for call in list(self._on_stop):
            call()

    def on_stop(self, call: Callable[[], None]) -> None:
        self._on_stop.append(call)
        if self.stop_reason:
            call()

    def check(self) -> None:
        """Cancelled if somebody asked for it."""
        if self.stop_reason:
            raise Cancelled(self.stop_reason)


class Engine(Protocol):
    """What runs queries."""

    def describe(self, query: Query) -> tuple[ResultColumn, ...]:
        """The columns that the query would give; QueryError where it is not valid."""

    def run(self, query: Query, work: Work) -> AbstractContextManager[Result]:
        """Run the query; its batches are read inside the `with`, errors are QueryErrors there too."""

    def change(self, statement: Query, work: Work) -> int | None:
        """Rows that an INSERT, MERGE, UPDATE or DELETE of an Iceberg table has changed, committed by the engine.

        None from an engine that only reads: then localaws runs a query and commits.
        """

    def constant(self, node: exp.Expr, work: Work) -> object:
        """The value of an expression without columns."""

    def explain(self, query: Query) -> str:
        """How the query would run, in words that name no files."""

    def close(self) -> None:
        """Let go of everything."""


def offered(tree: exp.Expr, name: str) -> set[str]:
    """The columns that a query is offered of a table: a row rule's own columns are nobody's business."""
    # The authoriser's derived table is the SELECT right over the internal name.
    places = [table.find_ancestor(exp.Select) for table in tree.find_all(exp.Table) if table.name == name]
    return {item.alias_or_name for select in places if select for item in select.expressions}


def internal_error() -> QueryError:
    """What is said when the fault is ours."""
    return QueryError("GENERIC_INTERNAL_ERROR", "The query could not be run", category=1)


class EnginePool:
    """The engines of one LocalAws."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._lock = threading.Lock()
        self._found: dict[str, Engine] = {}

    def chosen(self) -> Engine:
        """The engine for the next query."""
        return self.named(self._world.engine)

    def named(self, name: str) -> Engine:
        with self._lock:
            if name not in self._found:
                self._found[name] = MAKERS[name](self._world)
            return self._found[name]

    def close(self) -> None:
        with self._lock:
            for engine in self._found.values():
                engine.close()
            self._found.clear()


def embedded(world: World) -> Engine:
    """DuckDB in this process."""
    from localaws.athena.embedded.engine import Embedded

    assert store.root is not None
    return Embedded(world, store.root)


def trino(world: World) -> Engine:
    """A Trino server of our own."""
    from localaws.athena.trino.engine import Trino

    return Trino(world)


# Each imports its engine when asked: DuckDB, or Trino's client, would slow down every start.
MAKERS: dict[str, Callable[[World], Engine]] = {"duckdb": embedded, "trino": trino}
"""What makes an engine, by name. `make verify` puts both behind one name to compare their answers."""

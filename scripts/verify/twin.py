"""Two engines as one: each query runs on DuckDB and on Trino, and what they answer is compared.

Reads through both engines; what is written comes from DuckDB's rows. Behind `make verify`.

Since it stands behind Athena's seam, every statement that reaches it has been parsed, authorised and rewritten for its
caller, whoever asked it: a persona's query, a dashboard page, a cohort, a MERGE that builds a governed table.

Example: with twinned() as twins: ...; twins.differences
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
from sqlglot import exp

from localaws.athena import engine
from localaws.athena.embedded.sources import POSITION
from localaws.athena.engine import Cancelled, Engine, Query, Result, ResultColumn, Work
from localaws.athena.errors import QueryError
from localaws.athena.parser import AthenaSql
from verify.comparison import Answer, differences, ordered_outputs

if TYPE_CHECKING:
    from localaws.world import World

LONGEST = 4_000
NO_ANSWER = "GENERIC_INTERNAL_ERROR"
UNREADABLE = Answer(error=f"{NO_ANSWER}: a value that Python cannot hold")
"""A date before the year 1 or after 9999."""


@dataclass(frozen=True)
class Difference:
    """One query on which the engines did not agree."""

    sql: str
    lines: list[str]

    def __str__(self) -> str:
        return "\n".join([self.sql[:LONGEST], *(f"    {line[:400]}" for line in self.lines)])


@dataclass
class Twins:
    """What has been asked so far."""

    n_queries: int = 0
    n_failed: int = 0
    n_unanswered: int = 0
    differences: list[Difference] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def keep(self, query: Query, one: Answer, other: Answer) -> None:
        """Compare two answers to a query and count."""
        faults = differences(one, other, ordered_outputs(query.tree))
        with self.lock:
            self.n_queries += 1
            self.n_failed += bool(one.error and other.error)
            if other.error.startswith(NO_ANSWER):
                # Trino fell over its own feet: no answer to compare with, told of by number.
                self.n_unanswered += 1
            elif faults:
                self.differences.append(Difference(shown(query), faults))


class Twin:
    """DuckDB, watched by Trino."""

    def __init__(self, world: World, twins: Twins) -> None:
        self.duckdb, self.trino = engine.embedded(world), engine.trino(world)
        self.twins = twins

    def describe(self, query: Query) -> tuple[ResultColumn, ...]:
        return self.duckdb.describe(query)

    def run(self, query: Query, work: Work) -> AbstractContextManager[Result]:
        return self._compared(query, work)

    @contextmanager
    def _compared(self, query: Query, work: Work) -> Iterator[Result]:
        answer, batches, failure = answered(self.duckdb, query, work)
        if is_of_files(query):
            yield from _handed_on(answer, batches, failure)
            return
        theirs, _, _ = answered(self.trino, query, Work(started_at=work.started_at))
        self.twins.keep(query, answer, theirs)
        yield from _handed_on(answer, batches, failure)

    def change(self, statement: Query, work: Work) -> int | None:
        """DuckDB only reads, so that what is written comes from a query that both are asked."""
        return self.duckdb.change(statement, work)

    def constant(self, node: exp.Expr, work: Work) -> object:
        return self.duckdb.constant(node, work)

    def explain(self, query: Query) -> str:
        return self.duckdb.explain(query)

    def close(self) -> None:
        self.duckdb.close()
        self.trino.close()


def is_of_files(query: Query) -> bool:
    """How the embedded engine finds what a MERGE changes: by file and position, which Trino does in its own way."""
    return any(node.name == POSITION for node in query.tree.find_all(exp.Column))


def _handed_on(answer: Answer, batches: list[pa.RecordBatch], failure: QueryError | None) -> Iterator[Result]:
    if failure is not None:
        raise failure
    yield Result(answer.columns, iter(batches))


def answered(engine: Engine, query: Query, work: Work) -> tuple[Answer, list[pa.RecordBatch], QueryError | None]:
    """An engine's whole answer, as values and as batches; or the error that it ends with."""
    try:
        with engine.run(query, work) as result:
            batches = list(result.batches)
    except Cancelled:
        raise
    except QueryError as error:
        return Answer(error=error.reason), [], error
    except ValueError:
        return UNREADABLE, [], QueryError(NO_ANSWER, "a value that Python cannot hold")
    try:
        rows = [row for batch in batches for row in rows_of(batch)]
    except (ValueError, OverflowError):
        return UNREADABLE, batches, None
    return Answer(result.columns, tuple(rows)), batches, None


def rows_of(batch: pa.RecordBatch) -> list[tuple[object, ...]]:
    """A batch's rows as Python values."""
    return list(zip(*(column.to_pylist() for column in batch.columns), strict=True))


def shown(query: Query) -> str:
    """The authorised query with its tables' own names for the internal ones."""
    tree = query.tree.copy()
    for node in tree.find_all(exp.Table):
        if node.name in query.tables and not node.db:
            ref = query.tables[node.name]
            node.set("this", exp.to_identifier(f"{ref.database}.{ref.name}"))
    return tree.sql(dialect=AthenaSql)


@contextmanager
def twinned() -> Iterator[Twins]:
    """Both engines wherever a LocalAws of this process would use DuckDB."""
    twins, before = Twins(), engine.MAKERS["duckdb"]
    engine.MAKERS["duckdb"] = lambda world: Twin(world, twins)
    try:
        yield twins
    finally:
        engine.MAKERS["duckdb"] = before

"""Trino behind Athena's seam: its text, its tables, its rows as Arrow batches.

Example: `with Trino(world).run(Query(tree, {"__t0": ref}), Work()) as result: …`
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import requests
from sqlglot import exp
from trino.exceptions import Error, TrinoQueryError

from localaws.athena.engine import Query, Result, ResultColumn, Work, offered
from localaws.athena.errors import SYSTEM, QueryError
from localaws.athena.trino.bindings import bound, catalogs_in, creation
from localaws.athena.trino.client import Client, Page
from localaws.athena.trino.failures import translated
from localaws.athena.trino.server import Server, ServerFailed
from localaws.athena.trino.text import Text, written
from localaws.athena.trino.values import array_of, zone_of
from localaws.athena.types import parse_type

if TYPE_CHECKING:
    from localaws.world import World


log = logging.getLogger("localaws.athena")


class Trino:
    """The server that Athena runs on; it starts with this object, in the background, and again should it end."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._lock = threading.Lock()
        self._start()

    def _start(self) -> None:
        self._server = Server()
        self._client = Client(self._server)
        self._catalogs: set[str] = set()

    def _standing(self) -> Client:
        """The client of a server that is there: one that has ended (out of memory, killed) is started anew."""
        with self._lock:
            if self._server.has_ended:
                log.warning("Trino has ended; it is started again")
                self.close()
                self._start()
            return self._client

    def describe(self, query: Query) -> tuple[ResultColumn, ...]:
        text = self._text(query, Work())
        # LIMIT 0 has columns and types and reads nothing.
        empty = Text(f"SELECT * FROM ({text.sql}) LIMIT 0", {key + _BEFORE: at for key, at in text.places.items()})
        with self._pages(empty, Work()) as (columns, _):
            return columns

    @contextmanager
    def run(self, query: Query, work: Work) -> Iterator[Result]:
        with self._pages(self._text(query, work), work) as (columns, rows):
            yield Result(columns, _batches(columns, rows))

    def change(self, statement: Query, work: Work) -> int:
        text = self._text(statement, work)
        with _in_our_words(text, work), closing(self._standing().pages(text.sql, work)) as pages:
            return max(page.update_count or 0 for page in pages)

    def constant(self, node: exp.Expr, work: Work) -> object:
        text = written(exp.Select(expressions=[node.copy()]))
        with self._pages(text, work) as (columns, pages):
            (row,) = chain.from_iterable(pages)
            return array_of(row, columns[0].type)[0].as_py()

    def explain(self, query: Query) -> str:
        """Output and tables; Trino's own plan would show row rules and their columns."""
        lines = [f"Output[{', '.join(column.name for column in self.describe(query))}]"]
        for name, table in query.tables.items():
            columns = ", ".join(sorted(offered(query.tree, name))) or "-"
            lines.append(
                f"    TableScan[table = {table.catalog_id}:{table.database}.{table.name}, columns = {columns}]"
            )
        return "\n".join(lines)

    def close(self) -> None:
        self._client.close()
        self._server.close()

    def _text(self, query: Query, work: Work) -> Text:
        tree = bound(query, self.world, lambda node: self.constant(node, work))
        text = written(tree)
        with _in_our_words(text, work):
            self._need(catalogs_in(tree))
        return text

    def _need(self, names: Iterable[str]) -> None:
        """Make the catalogs that are not there yet."""
        self._standing()
        with self._lock:
            for name in set(names) - self._catalogs:
                for _ in self._client.pages(creation(name, self.world), Work()):
                    pass
                self._catalogs.add(name)

    @contextmanager
    def _pages(self, text: Text, work: Work) -> Iterator[tuple[tuple[ResultColumn, ...], Iterator[list[list[Any]]]]]:
        """The columns, and the rows page by page."""
        with _in_our_words(text, work), closing(self._standing().pages(text.sql, work)) as pages:
            first = _first(pages)
            yield _columns(first), (page.rows for page in chain([first], pages) if page.rows)


@contextmanager
def _in_our_words(text: Text, work: Work) -> Iterator[None]:
    """Trino's errors, and those on the way to it, as Athena says them."""
    try:
        yield
    except TrinoQueryError as error:
        raise translated(error, text, work.stop_reason) from None
    except (Error, ServerFailed, requests.RequestException) as error:
        work.check()
        log.error("Trino does not answer: %s", error if isinstance(error, ServerFailed) else type(error).__name__)
        message = "Trino does not answer; what it said last stands on standard error"
        raise QueryError("GENERIC_INTERNAL_ERROR", message, category=SYSTEM) from error


# How far the text moves to the right, and with it the places of Trino's errors.
_BEFORE = len("SELECT * FROM (")


def _first(pages: Iterator[Page]) -> Page:
    """The first page that has rows, or the last of all: then the columns are known."""
    first = Page(None, [])
    for page in pages:
        first = page if page.columns else first
        if page.rows:
            break
    return first


def _columns(page: Page) -> tuple[ResultColumn, ...]:
    columns = []
    for place, item in enumerate(page.columns or ()):
        kind = parse_type(item["type"])
        zone = zone_of([row[place] for row in page.rows], kind)
        columns.append(ResultColumn(item["name"], kind, zone, named=item["name"] != f"_col{place}"))
    return tuple(columns)


def _batches(columns: Sequence[ResultColumn], pages: Iterator[list[list[Any]]]) -> Iterator[pa.RecordBatch]:
    names = [f"c{place}" for place in range(len(columns))]
    for rows in pages:
        arrays = [
            array_of(values, column.type) for values, column in zip(zip(*rows, strict=True), columns, strict=True)
        ]
        yield pa.RecordBatch.from_arrays(arrays, names)

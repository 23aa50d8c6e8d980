"""Trino over copies of the tables in its own memory: as the Trino of localaws, ten times as fast.

Reads the Iceberg tables once, through Trino; writes to its memory. Behind `make verify`.
Example: InMemory(world, trino, ["lab.every"]).run(query, work)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlglot import exp

from localaws.athena.catalog import CatalogView
from localaws.athena.engine import Engine, Query, Work
from localaws.athena.rewriter import identifier
from localaws.athena.trino.bindings import bound, table_of
from localaws.athena.trino.engine import Trino
from localaws.athena.trino.text import Text, written
from localaws.world import World

CATALOG = "memory"


class InMemory(Trino):
    """The same server, looking elsewhere for the tables. The server belongs to `trino`, who closes it."""

    def __init__(self, world: World, trino: Engine, tables: Sequence[str]) -> None:
        assert isinstance(trino, Trino)
        self.__dict__.update(trino.__dict__)
        self.world = world
        self.tell(f"CREATE CATALOG IF NOT EXISTS {CATALOG} USING memory")
        view = CatalogView(world)
        for database in sorted({name.partition(".")[0] for name in tables}):
            self.tell(f"CREATE SCHEMA IF NOT EXISTS {CATALOG}.{database}")
        for name in tables:
            database, _, table = name.partition(".")
            ref = view.relation(None, database, table)
            assert ref is not None
            source = table_of(ref)
            self._need([source.catalog])
            copied = exp.Select(expressions=[exp.Star()], from_=exp.From(this=source))
            self.tell(f'CREATE TABLE {CATALOG}.{database}."{table}" AS {written(copied).sql}')

    def tell(self, sql: str) -> None:
        """A statement whose answer says nothing."""
        with self._pages(Text(sql, {}), Work()) as (_, pages):
            for _page in pages:
                pass

    def _text(self, query: Query, work: Work) -> Text:
        tree = bound(query, self.world, self._evaluate(work))
        for node in tree.find_all(exp.Table):
            if node.catalog:
                node.set("catalog", identifier(CATALOG))
        return written(tree)

    def _evaluate(self, work: Work) -> Callable[[exp.Expr], object]:
        return lambda node: self.constant(node, work)

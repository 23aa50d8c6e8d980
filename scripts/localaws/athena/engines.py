"""The engines that run Athena's queries, each made when it is first needed: `duckdb` (embedded) and `trino` (real).

Reads and writes nothing. Behind `make local-aws ENGINE=trino`.
Example: `Engines(world).chosen()` is the engine that `world.engine` names now; both work on the same tables.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from localaws.athena.engine import Engine
from localaws.objects import store

if TYPE_CHECKING:
    from localaws.world import World


class Engines:
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
    from localaws.athena.embedded.duck import Embedded

    assert store.root is not None
    return Embedded(world, store.root)


def trino(world: World) -> Engine:
    """A Trino server of our own."""
    from localaws.athena.trino.real import Trino

    return Trino(world)


MAKERS: dict[str, Callable[[World], Engine]] = {"duckdb": embedded, "trino": trino}
"""What makes an engine, by name. `make verify` puts both behind one name to compare their answers."""

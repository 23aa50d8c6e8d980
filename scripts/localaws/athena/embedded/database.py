"""The DuckDB instance: in memory, with Athena's extras, then locked.

Reads the folder of objects; spills to a temporary folder. Behind `make local-aws`.
Example: `Database(objects_folder).cursor()`

Even if the translator let something through: no file outside the folder of objects, no network, no extension, no
setting, no Python variable can be reached from here.
"""

from __future__ import annotations

import atexit
import os
import tempfile
import threading
from pathlib import Path

import duckdb

from localaws.athena.embedded.extras import add_extras
from localaws.athena.embedded.typed import text

_CONFIG = {
    "python_enable_replacements": "false",
    "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false",
    "allow_community_extensions": "false",
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
        spill = Path(tempfile.gettempdir()) / f"localaws-spill-{os.getpid()}-{id(self)}"
        connection = duckdb.connect(":memory:", config={**_CONFIG, "temp_directory": str(spill)})
        add_extras(connection)
        connection.execute("SET GLOBAL TimeZone = 'UTC'")
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

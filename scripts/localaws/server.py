"""LocalAws: the state folder, moto, our services and the port they answer on, as one context manager.

Reads and writes the state folder. Behind every make target; `local-aws` keeps one in the foreground.
Example: `with LocalAws(Path(".trilake/local")) as aws: print(aws.endpoint)`.
"""

from __future__ import annotations

import logging
import os
import threading
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from localaws import attach, bootstrap, installed
from localaws.dispatch import Dispatcher
from localaws.httpd import HttpServer
from localaws.keys import Credentials
from localaws.state import LocalAwsBusy, LocalAwsStateError, StateStore
from localaws.world import World

log = logging.getLogger("localaws")
_one_per_process = threading.Lock()


class LocalAws:
    """An AWS on a loopback port while the `with` block runs; its state is saved when the block ends.

    With `autosave_seconds` it is also saved while it runs, whenever something changed and nothing is going on, and
    other programs find it (`attach.running`). `engine` runs Athena's queries: `duckdb`, or `trino` (the real server;
    EnginesMissing where it is not installed).
    """

    def __init__(
        self, state_dir: Path, port: int = 0, *, autosave_seconds: float | None = None, engine: str = "duckdb"
    ) -> None:
        self._store = StateStore(Path(state_dir))
        self._port = port
        self._autosave_seconds = autosave_seconds
        self._engine = engine
        self._ended = threading.Event()
        self._saver: threading.Thread | None = None
        self.endpoint = ""
        self.credentials = Credentials("", "")

    def __enter__(self) -> LocalAws:
        if not _one_per_process.acquire(blocking=False):
            raise LocalAwsBusy("This process already runs a local AWS; end that one first.")
        with ExitStack() as undo:
            undo.callback(_one_per_process.release)
            self._store.lock()
            undo.callback(self._store.unlock)
            undo.callback(self._store.close)
            self._start()
            self._undo = undo.pop_all()
        return self

    def _start(self) -> None:
        attach.withdraw(self._store.folder)
        if self._engine == "trino":
            installed.installed_engines().need_trino()
        self._store.load()
        keys = bootstrap.credentials(self._store.folder)
        self._server = HttpServer(self._port)
        self.endpoint = self._server.endpoint
        self.world = World(self.endpoint, self._store, keys)
        self.world.engine = self._engine
        self.credentials = self.world.credentials()
        self._dispatcher = Dispatcher(self.world)
        self._server.start(self._dispatcher)
        if self._autosave_seconds is not None:
            self._saver = threading.Thread(target=self._save_now_and_then, name="localaws-save", daemon=True)
            self._saver.start()
            here = attach.Running(self.endpoint, self.credentials, self._engine, os.getpid())
            attach.publish(self._store.folder, here)

    def _save_now_and_then(self) -> None:
        saved = self._server.gate.served
        while not self._ended.wait(self._autosave_seconds):
            served = self._server.gate.served
            if served != saved and not self.world.is_busy and self._server.gate.run_if_idle(self._save_or_say):
                saved = served

    def _save_or_say(self) -> None:
        try:
            self._store.save()
        except LocalAwsStateError as error:
            log.error("%s", error)

    def warm_up(self) -> None:
        """Start Athena's engine now instead of at the first query; back when it answers."""
        self._dispatcher.warm_up()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._undo:
            attach.withdraw(self._store.folder)
            try:
                self.world.close()
                self._dispatcher.close()
            finally:
                self._server.stop()
                self._ended.set()
                if self._saver is not None:
                    self._saver.join()
            self._store.save()

"""LocalAws: the state folder, moto, our services and the port they answer on, as one context manager.

Reads and writes the state folder. Behind every make target; `local-aws` keeps one in the foreground.
Example: `with LocalAws(Path(".trilake/local")) as aws: print(aws.endpoint)`.
"""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType

from localaws import bootstrap
from localaws.dispatch import Dispatcher
from localaws.httpd import HttpServer
from localaws.keys import Credentials
from localaws.state import LocalAwsBusy, StateStore
from localaws.world import World

_one_per_process = threading.Lock()


class LocalAws:
    """An AWS on a loopback port while the `with` block runs; its state is saved when the block ends."""

    def __init__(self, state_dir: Path, port: int = 0) -> None:
        self._store = StateStore(Path(state_dir))
        self._port = port
        self.endpoint = ""
        self.credentials = Credentials("", "")

    def __enter__(self) -> LocalAws:
        if not _one_per_process.acquire(blocking=False):
            raise LocalAwsBusy("This process already runs a local AWS; end that one first.")
        try:
            self._store.lock()
            try:
                self._start()
            except BaseException:
                self._store.close()
                self._store.unlock()
                raise
        except BaseException:
            _one_per_process.release()
            raise
        return self

    def _start(self) -> None:
        self._store.load()
        keys = bootstrap.credentials(self._store.folder)
        self._server = HttpServer(self._port)
        self.endpoint = self._server.endpoint
        self.world = World(self.endpoint, self._store, keys)
        self.credentials = self.world.credentials()
        self._server.start(Dispatcher(self.world))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.world.close()
            self._server.stop()
            self._store.save()
        finally:
            self._server.stop()
            self._store.close()
            self._store.unlock()
            _one_per_process.release()

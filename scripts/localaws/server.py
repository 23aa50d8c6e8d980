"""LocalAws: the state folder, moto, our services and the port they answer on, as one context manager.

Example: `with LocalAws(Path("state")) as aws: print(aws.endpoint)`.

A new AWS has two users with keys: the deployer of the customer's account (keys also in `credentials.json`, mode 600),
and the user that acts for AWS's services in theirs.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from moto.iam.models import iam_backends

from localaws import connection, installed
from localaws.caller import ACCOUNT_ID, DEPLOYER, PARTITION, SERVICE_ACCOUNT_ID, SERVICE_USER
from localaws.connection import Credentials
from localaws.dispatch import Dispatcher
from localaws.http_server import HttpServer
from localaws.saved_state import LocalAwsBusy, LocalAwsStateError, StateStore
from localaws.world import World

log = logging.getLogger("localaws")
_one_per_process = threading.Lock()


class LocalAws:
    """An AWS on a loopback port while the `with` block runs; its state is saved when the block ends.

    With `autosave_seconds` it is also saved while it runs, whenever something changed and nothing is going on, and
    other programs find it (`connection.running`). `engine` runs Athena's queries: `duckdb`, or `trino` (the real
    server; EnginesMissing where it is not installed).
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
        connection.withdraw(self._store.folder)
        if self._engine == "trino":
            installed.installed_engines().need_trino()
        self._store.load()
        keys = _first_keys(self._store.folder)
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
            here = connection.Running(self.endpoint, self.credentials, self._engine, os.getpid())
            connection.publish(self._store.folder, here)

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
            connection.withdraw(self._store.folder)
            try:
                self.world.close()
                self._dispatcher.close()
            finally:
                self._server.stop()
                self._ended.set()
                if self._saver is not None:
                    self._saver.join()
            self._store.save()


# moto tells accounts apart by access key alone, so each account needs a user of its own.
_USERS = {ACCOUNT_ID: DEPLOYER, SERVICE_ACCOUNT_ID: SERVICE_USER}


def _first_keys(folder: Path) -> dict[str, Credentials]:
    """Account id -> keys of its administrator; users and keys are made when they are not there yet."""
    keys = {account_id: _keys(account_id, user) for account_id, user in _USERS.items()}
    _write_keys(folder / "credentials.json", keys[ACCOUNT_ID])
    return keys


def _keys(account_id: str, user_name: str) -> Credentials:
    iam = iam_backends[account_id][PARTITION]
    if user_name not in {user.name for user in iam.users.values()}:
        iam.create_user("us-east-1", user_name)
        iam.create_access_key(user_name)
    key = iam.get_user(user_name).access_keys[0]
    return Credentials(key.access_key_id, key.secret_access_key)


def _write_keys(path: Path, keys: Credentials) -> None:
    """Keep the deployer's key where only the owner of the folder reads it."""
    content = {"access_key_id": keys.access_key_id, "secret_access_key": keys.secret_access_key}
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(content, file)

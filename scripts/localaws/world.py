"""The world a service of ours lives in: accounts, state, clients, object bytes, background jobs.

Reads object files of the state folder; writes only through the services. Behind every make target that uses localaws.
Example: `world.client("s3").get_object(Bucket=bucket, Key=key)`; `world.state("healthlake", dict)`.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.config import Config
from moto.events.models import events_backends

from localaws.caller import ACCOUNT_ID, REGION, SERVICE_ACCOUNT_ID
from localaws.connection import Credentials
from localaws.iam.trust import session_for_service
from localaws.s3 import object_files

if TYPE_CHECKING:
    from pyiceberg.catalog.glue import GlueCatalog

    from localaws.caller import Caller
    from localaws.saved_state import StateStore

log = logging.getLogger("localaws")
Forward = Callable[[str, str, dict[str, Any], str], dict[str, Any]]


class World:
    """One LocalAws as its own services see it."""

    account_id = ACCOUNT_ID
    service_account_id = SERVICE_ACCOUNT_ID
    region = REGION

    def __init__(self, endpoint: str, store: StateStore, credentials: dict[str, Credentials]) -> None:
        self.endpoint = endpoint
        self.store = store
        self._credentials = credentials
        self.forward: Forward | None = None
        self.engine = "duckdb"
        """What runs Athena's queries from now on: `duckdb` (embedded) or `trino` (the real server)."""
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.RLock()
        self._jobs = ThreadPoolExecutor(max_workers=4, thread_name_prefix="localaws-job")
        self._running: set[Future[None]] = set()

    def state(self, service: str, factory: Callable[[], Any]) -> Any:
        """The service's picklable state, kept between commands; made by `factory` the first time."""
        with self._lock:
            return self.store.services.setdefault(service, None) or self._make_state(service, factory)

    def _make_state(self, service: str, factory: Callable[[], Any]) -> Any:
        if self.store.services[service] is None:
            self.store.services[service] = factory()
        return self.store.services[service]

    @property
    def creators(self) -> dict[tuple[str, str, str | None], str]:
        """Who created each catalog object: (catalog id, database, table or None) -> ARN."""
        found: dict[tuple[str, str, str | None], str] = self.state("catalog_creators", dict)
        return found

    def credentials(self, account_id: str | None = None) -> Credentials:
        return self._credentials[account_id or self.account_id]

    def client(self, service: str, account_id: str | None = None) -> Any:
        """A boto3 client on our own endpoint, as the deployer or as the service account's user; cached."""
        key = (service, account_id or self.account_id)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = make_client(service, self.endpoint, self.credentials(key[1]))
            return self._clients[key]

    def role_client(self, service: str, role_arn: str, principal: str, session_name: str = "localaws") -> Any:
        """A client acting as a role that a service of ours was handed (`principal`: `healthlake.amazonaws.com`).

        The role's policies bind it. `localaws.iam.trust.NotTrusted` when the role is not there or does not
        trust the service.
        """
        return make_client(service, self.endpoint, session_for_service(role_arn, principal, session_name))

    def moto(self, service: str, operation: str, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        """What moto answers to an operation (`("glue", "CreateTable", params, caller)`); ServiceError when it refuses.

        For services of ours that add to one of moto: the request goes straight to moto, past our services.
        """
        if self.forward is None:
            raise RuntimeError("the server has not started")
        return self.forward(service, operation, params, caller.access_key_id)

    def iceberg_catalog(self, account_id: str | None = None) -> GlueCatalog:
        """A pyiceberg catalog over our Glue, as `client` acts; its files are read and written where they lie."""
        from pyiceberg.catalog.glue import GlueCatalog

        files = {"py-io-impl": "localaws.s3.files.ObjectFiles"}
        return GlueCatalog("localaws", client=self.client("glue", account_id), **files)

    def object_path(self, bucket: str, key: str) -> Path:
        """The file holding the bytes of the newest version of an object (read only); KeyError when there is none."""
        return object_files.path_of(bucket, key)

    def submit(self, work: Callable[..., Any], *args: Any) -> Future[None]:
        """Run `work(*args)` in the background; LocalAws waits for it before it saves and ends."""
        future = self._jobs.submit(work, *args)
        with self._lock:
            self._running.add(future)
        future.add_done_callback(self._forget)
        return future

    def _forget(self, future: Future[None]) -> None:
        if future.exception() is not None:
            log.error("background work failed", exc_info=future.exception())
        with self._lock:
            self._running.discard(future)

    @property
    def is_busy(self) -> bool:
        with self._lock:
            return bool(self._running)

    def emit_event(self, source: str, detail_type: str, detail: dict[str, Any]) -> None:
        """Put an event on the default EventBridge bus as an AWS service does (`source`: `aws.healthlake`)."""
        entry = {"Source": source, "DetailType": detail_type, "Detail": json.dumps(detail, default=str)}
        events_backends[self.account_id][self.region].put_events([entry])

    def close(self) -> None:
        """Wait for background jobs (and the jobs they start)."""
        while True:
            with self._lock:
                running = list(self._running)
            if not running:
                break
            for future in running:
                future.exception()
        self._jobs.shutdown(wait=True)


@cache
def _session() -> boto3.Session:
    """A session that no profile and no file of the user's steers elsewhere."""
    unset: tuple[None, None, str | None, None] = (None, None, None, None)
    nowhere: tuple[None, None, str | None, None] = (None, None, os.devnull, None)
    variables = {"profile": unset, "config_file": nowhere, "credentials_file": nowhere}
    return boto3.Session(botocore_session=botocore.session.Session(session_vars=variables))


def make_client(service: str, endpoint: str, keys: Credentials, patience: float = 60) -> Any:
    """A boto3 client of ours: path-style S3, no host prefixes (`runtime-127.0.0.1` would not resolve)."""
    config = Config(
        inject_host_prefix=False,
        proxies={},
        s3={"addressing_style": "path"},
        max_pool_connections=32,
        connect_timeout=patience,
        read_timeout=patience,
        retries={"total_max_attempts": 1, "mode": "standard"},
    )
    return _session().client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=keys.access_key_id,
        aws_secret_access_key=keys.secret_access_key,
        aws_session_token=keys.session_token,
        config=config,
    )

"""A Trino server of our own: configured, started, watched and ended.

Reads `.engines/` (localaws.engines); writes a folder of its own below the system's temporary one, gone at the end.
Behind `make local-aws ENGINE=trino`. Example: `Server(world).address()` is `("127.0.0.1", 45123)` once it answers.

It listens on loopback and answers nobody without a token that only this process can sign. It reads the catalog and
the objects as localaws' own service identity: whoever asks Athena has been authorised before.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from localaws.athena.trino import keeper
from localaws.engines import Engines, engines

if TYPE_CHECKING:
    from localaws.world import World

log = logging.getLogger("localaws.athena")
USER = "localaws"
STARTED = "======== SERVER STARTED ========"
LONGEST_START = 180.0
JVM = (
    "-Xmx2G",
    # Queries on a laptop end before the second compiler has paid for itself; half the time to start.
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:-UsePerfData",
    "-XX:+EnableDynamicAgentLoading",
    "-Djdk.attach.allowAttachSelf=true",
    "-Djdk.nio.maxCachedBufferSize=2000000",
    "-Dfile.encoding=UTF-8",
    "-Duser.timezone=UTC",
)


class ServerFailed(Exception):
    """Trino did not start, or ended while it was needed; the text says what it said last."""


class Server:
    """One server; it starts at once and in the background."""

    def __init__(self, world: World, parts: Engines | None = None) -> None:
        self._world = world
        self._parts = parts or engines()
        self._home, self._java = self._parts.trino_home, self._parts.trino_java
        self._secret = secrets.token_bytes(48)
        self._port = _free_port()
        self._ready = threading.Event()
        self._last: list[str] = []
        self._process = self._start()
        self._reader = threading.Thread(target=self._read, name="localaws-trino", daemon=True)
        self._reader.start()

    def address(self) -> tuple[str, int]:
        """Host and port, as soon as it answers; ServerFailed if it will not."""
        if not self._ready.wait(LONGEST_START) or self._process.poll() is not None:
            self.close()
            said = "; ".join(line for line in self._last[-40:] if "ERROR" in line or "Error" in line)
            raise ServerFailed(f"Trino did not start: {said or 'see its output with --verbose'}")
        return "127.0.0.1", self._port

    def token(self) -> str:
        """The token that the server takes for an answer to who is asking."""
        signed = f"{_coded({'alg': 'HS384', 'typ': 'JWT'})}.{_coded({'sub': USER})}"
        seal = hmac.new(self._secret, signed.encode(), hashlib.sha384).digest()
        return f"{signed}.{_base64url(seal)}"

    def close(self) -> None:
        """End the server and wait until it is gone."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()
        self._reader.join()

    def _start(self) -> subprocess.Popen[str]:
        folder = Path(tempfile.mkdtemp(prefix="localaws-trino-"))
        self._configure(folder)
        classes = str(self._home / "lib" / "*")
        java = [str(self._java / "bin" / "java"), *JVM, f"-Dconfig={folder / 'config.properties'}"]
        command = [sys.executable, "-S", "-E", keeper.__file__, str(folder), *java, "-cp", classes]
        return subprocess.Popen(
            [*command, "io.trino.server.TrinoServer"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )

    def _read(self) -> None:
        """Follow the output: for the line that says it is ready, and for what it said when it fails."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            log.debug("trino: %s", line.rstrip())
            self._last = [*self._last[-200:], line.rstrip()] if not self._ready.is_set() else []
            if STARTED in line:
                self._ready.set()
        self._ready.set()

    def _configure(self, folder: Path) -> None:
        _private(folder / "jwt.key", base64.b64encode(self._secret).decode())
        (folder / "catalog").mkdir()
        for name, settings in catalogs(self._world).items():
            _write(folder / "catalog" / f"{name}.properties", settings)
        _write(
            folder / "config.properties",
            {
                "node.id": "localaws",
                "node.environment": "localaws",
                "node.bind-ip": "127.0.0.1",
                "node.internal-address": "127.0.0.1",
                "coordinator": "true",
                "node-scheduler.include-coordinator": "true",
                "http-server.http.port": str(self._port),
                "discovery.uri": f"http://127.0.0.1:{self._port}",
                "internal-communication.shared-secret": secrets.token_hex(32),
                "http-server.authentication.type": "JWT",
                "http-server.authentication.jwt.key-file": str(folder / "jwt.key"),
                "http-server.authentication.allow-insecure-over-http": "false",
                # A token is only asked for on what counts as HTTPS; on loopback our word for it is enough.
                "http-server.process-forwarded": "true",
                "http-server.log.enabled": "false",
                "web-ui.enabled": "false",
                "catalog.management": "static",
                "catalog.config-dir": str(folder / "catalog"),
                "plugin.dir": str(self._home / "plugin"),
                "query.max-length": "100000000",
                "query.max-memory": "1GB",
                "query.max-memory-per-node": "1GB",
                "query.min-expire-age": "10s",
                "query.max-history": "5",
                "query.client.timeout": "2m",
            },
        )


def catalogs(world: World) -> dict[str, dict[str, str]]:
    """Trino's catalogs: for each account its Iceberg tables and its other tables."""
    found = {}
    for account in (world.account_id, world.service_account_id):
        found[iceberg_catalog(account)] = _iceberg(world, account)
        found[hive_catalog(account)] = _hive(world, account)
    return found


def iceberg_catalog(account_id: str) -> str:
    return f"iceberg_{account_id}"


def hive_catalog(account_id: str) -> str:
    return f"hive_{account_id}"


def _iceberg(world: World, account_id: str) -> dict[str, str]:
    return {
        "connector.name": "iceberg",
        "iceberg.catalog.type": "glue",
        "iceberg.file-format": "PARQUET",
        "iceberg.compression-codec": "ZSTD",
        **_glue_and_s3(world, account_id),
    }


def _hive(world: World, account_id: str) -> dict[str, str]:
    return {
        "connector.name": "hive",
        "hive.metastore": "glue",
        "hive.security": "read-only",
        "hive.recursive-directories": "true",
        **_glue_and_s3(world, account_id),
    }


def _glue_and_s3(world: World, account_id: str) -> dict[str, str]:
    glue, objects = world.credentials(account_id), world.credentials(world.service_account_id)
    return {
        "hive.metastore.glue.region": world.region,
        "hive.metastore.glue.endpoint-url": world.endpoint,
        "hive.metastore.glue.aws-access-key": glue.access_key_id,
        "hive.metastore.glue.aws-secret-key": glue.secret_access_key,
        "fs.native-s3.enabled": "true",
        "s3.endpoint": world.endpoint,
        "s3.region": world.region,
        "s3.path-style-access": "true",
        "s3.aws-access-key": objects.access_key_id,
        "s3.aws-secret-key": objects.secret_access_key,
    }


def _write(path: Path, settings: Mapping[str, str]) -> None:
    _private(path, "".join(f"{name}={value}\n" for name, value in settings.items()))


def _private(path: Path, content: str) -> None:
    """A file that only its owner reads."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(content)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _coded(content: Mapping[str, str]) -> str:
    return _base64url(json.dumps(content).encode())


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")

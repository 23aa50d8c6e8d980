"""A Trino server of our own: configured, started, watched and ended.

Example: `Server().address()` is `("127.0.0.1", 45123)` once it answers.

It listens on loopback and answers nobody without a token that only this process can sign.
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

from localaws.athena.trino import keeper
from localaws.installed import InstalledEngines, installed_engines

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

    def __init__(self, parts: InstalledEngines | None = None) -> None:
        self._parts = parts or installed_engines()
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
        if not self._ready.wait(LONGEST_START) or self.has_ended:
            self.close()
            errors = "; ".join(line for line in self._last[-40:] if "ERROR" in line or "Error" in line)
            raise ServerFailed(f"Trino did not start: {errors or 'see its output with --verbose'}")
        return "127.0.0.1", self._port

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def token(self) -> str:
        """The token that the server takes for an answer to who is asking."""
        signed = f"{_coded({'alg': 'HS384', 'typ': 'JWT'})}.{_coded({'sub': USER})}"
        seal = hmac.new(self._secret, signed.encode(), hashlib.sha384).digest()
        return f"{signed}.{_base64url(seal)}"

    def close(self) -> None:
        """End the server and wait until it is gone."""
        if self._process.stdin is not None:
            # The keeper's sign to end Trino.
            self._process.stdin.close()
        self._process.wait()
        self._reader.join()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _start(self) -> subprocess.Popen[str]:
        folder = self.folder = Path(tempfile.mkdtemp(prefix="localaws-trino-"))
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
            # Ctrl-C in a terminal goes to the whole group: localaws decides when Trino ends.
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
                # Each catalog costs a second to make: `catalogs` makes those that a query asks for.
                "catalog.management": "dynamic",
                "catalog.store": "memory",
                "plugin.dir": str(self._home / "plugin"),
                "query.max-length": "100000000",
                "query.max-memory": "1GB",
                "query.max-memory-per-node": "1GB",
                "query.min-expire-age": "10s",
                "query.max-history": "5",
                "query.client.timeout": "2m",
            },
        )


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

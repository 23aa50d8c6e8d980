"""The HTTP/1.1 server on the loopback port: one thread a connection, connections kept alive.

Example: `server = HttpServer(0); server.start(application)`, where `application` is WSGI.

werkzeug's server, which moto would bring, closes each connection and waits 10 ms after it; S3 clients make thousands of
requests. `http.server` reads headers with the mail parser, a fifth of the time of a PUT: heads are read here instead,
strictly (RFC 9112, sections 3 and 5; folded lines are refused, as section 5.2 asks of servers).
"""

from __future__ import annotations

import io
import logging
import socket
import sys
import threading
from abc import abstractmethod
from collections.abc import Callable, ItemsView, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from typing import Any
from urllib.parse import unquote_to_bytes

from moto.core.request import (
    PRESERVED_HEADER_NAMES_ENVIRON_KEY,
    environ_key_for_header,
    should_preserve_original_header_name,
)

LONGEST_LINE = 65_536
MOST_HEADERS = 200
VERSIONS = ("HTTP/1.1", "HTTP/1.0")


class BadHead(Exception):
    """A request that cannot be read; `status` is the answer's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Headers:
    """Headers in their order; one that comes twice is one, with a comma between."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}
        self._spelled: dict[str, str] = {}

    def add(self, name: str, value: str) -> None:
        key = name.lower()
        if key in self._spelled:
            name = self._spelled[key]
            value = f"{self._values[name]},{value}"
        self._spelled[key] = name
        self._values[name] = value

    def get(self, name: str, default: str | None = None) -> str | None:
        spelled = self._spelled.get(name.lower())
        return default if spelled is None else self._values[spelled]

    def items(self) -> ItemsView[str, str]:
        """Names as the client spells them, and values."""
        return self._values.items()


def request_line(line: bytes) -> tuple[str, str, str]:
    """Method, target and version; BadHead for anything else."""
    words = line.decode("latin-1").rstrip("\r\n").split()
    if len(words) != 3:
        raise BadHead(400, "The request line is not a method, a target and a version")
    method, target, version = words
    if version not in VERSIONS:
        raise BadHead(505, "HTTP/1.1 is spoken here")
    return method, "/" + target.lstrip("/") if target.startswith("//") else target, version


def read_headers(source: BufferedIOBase) -> Headers:
    """All headers up to the empty line."""
    found = Headers()
    for _ in range(MOST_HEADERS + 1):
        line = source.readline(LONGEST_LINE + 1)
        if len(line) > LONGEST_LINE:
            raise BadHead(431, "A header line is too long")
        if line in (b"\r\n", b"\n", b""):
            return found
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon or not name or name != name.strip():
            raise BadHead(400, "A header line is not a name, a colon and a value")
        found.add(name, value.strip())
    raise BadHead(431, "There are too many headers")


_BLOCK = 256 * 1024


class _Body(io.RawIOBase):
    def readable(self) -> bool:
        return True

    def drain(self) -> None:
        """Read and drop the rest, so that the next request on the connection starts where it should."""
        block = bytearray(_BLOCK)
        while self._next(memoryview(block)):
            pass

    def readinto(self, buffer: Any) -> int:
        return self._next(memoryview(buffer))

    def close(self) -> None:
        """The reader around a body closes it when it is dropped; draining still has to read."""

    @abstractmethod
    def _next(self, buffer: memoryview) -> int: ...


class LimitedBody(_Body):
    """A body of `Content-Length` bytes."""

    def __init__(self, source: BufferedIOBase, length: int) -> None:
        self._source = source
        self._left = length

    def _next(self, buffer: memoryview) -> int:
        wanted = min(len(buffer), self._left)
        if not wanted:
            return 0
        count: int = self._source.readinto(buffer[:wanted])
        if not count:
            raise ConnectionResetError("the client ended the connection within a request body")
        self._left -= count
        return count


class ChunkedBody(_Body):
    """A body of `Transfer-Encoding: chunked`."""

    def __init__(self, source: BufferedIOBase) -> None:
        self._source = source
        self._left = 0
        self._ended = False

    def _next(self, buffer: memoryview) -> int:
        if not self._left and not self._ended:
            self._read_size()
        if self._ended:
            return 0
        count: int = self._source.readinto(buffer[: min(len(buffer), self._left)])
        if not count:
            raise ConnectionResetError("the client ended the connection within a chunk")
        self._left -= count
        if not self._left:
            self._source.readline(_BLOCK)
        return count

    def _read_size(self) -> None:
        self._left = int(self._source.readline(_BLOCK).split(b";", 1)[0] or b"0", 16)
        if not self._left:
            self._ended = True
            while self._source.readline(_BLOCK).strip():
                continue


log = logging.getLogger("localaws")

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
_GONE = (BrokenPipeError, ConnectionResetError, ConnectionAbortedError)


class HttpServer:
    """A WSGI server that can say when it is idle and ends without losing a request."""

    def __init__(self, port: int) -> None:
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._thread: threading.Thread | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def start(self, application: Application) -> None:
        self._server.application = application
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="localaws", daemon=True)
        self._thread.start()

    @property
    def gate(self) -> RequestGate:
        return self._server.gate

    def stop(self) -> None:
        """Take no more connections, let running requests end, close the rest; safe to call twice."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._thread = None
            self._server.gate.wait_idle()
            self._server.close_connections()
        self._server.server_close()


class RequestGate:
    """Counts running requests; `paused` holds new ones back while nothing runs."""

    def __init__(self) -> None:
        self._running = 0
        self._changed = threading.Condition()
        self.served = 0

    def __enter__(self) -> None:
        with self._changed:
            self._running += 1
            self.served += 1

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._running -= 1
            self._changed.notify_all()

    def wait_idle(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._running == 0)

    def run_if_idle(self, work: Callable[[], None]) -> bool:
        """Run `work` with new requests waiting; False, and nothing done, while a request is running."""
        with self._changed:
            if self._running:
                return False
            work()
            return True


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    application: Application

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self.gate = RequestGate()
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        with self._lock:
            waiting = list(self._connections)
        for connection in waiting:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), _GONE):
            log.exception("a connection failed")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "localaws"
    sys_version = ""
    disable_nagle_algorithm = True
    rbufsize = 256 * 1024
    wbufsize = 256 * 1024
    server: _Server
    headers: Headers  # type: ignore[assignment]
    raw_requestline: bytes

    def parse_request(self) -> bool:
        """Read the head; False, with an answer sent, when it cannot be read."""
        self.close_connection = True
        self.requestline = self.command = ""
        self.request_version = self.protocol_version
        try:
            self.command, self.path, self.request_version = request_line(self.raw_requestline)
            self.headers = read_headers(self.rfile)
        except BadHead as error:
            self.send_error(error.status, str(error))
            return False
        wish = (self.headers.get("Connection") or "").lower()
        self.close_connection = wish == "close" or (self.request_version == "HTTP/1.0" and wish != "keep-alive")
        if (self.headers.get("Expect") or "").lower() == "100-continue":
            return self.handle_expect_100()
        return True

    def log_message(self, format: str, *args: Any) -> None:
        """The request log is the dispatcher's: it knows operations and keeps values out."""

    def do_any(self) -> None:
        length = self.headers.get("Content-Length") or "0"
        if not length.isdigit():
            self.send_error(400, "Content-Length is not a number")
            return
        body = self._body(int(length))
        with self.server.gate:
            _Exchange(self, body).run()
        body.drain()

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = do_any

    def handle_expect_100(self) -> bool:
        answered = super().handle_expect_100()
        self.wfile.flush()
        return answered

    def _body(self, length: int) -> LimitedBody | ChunkedBody:
        if "chunked" in (self.headers.get("Transfer-Encoding") or "").lower():
            return ChunkedBody(self.rfile)
        return LimitedBody(self.rfile, length)

    def environ(self, body: LimitedBody | ChunkedBody) -> dict[str, Any]:
        path, _, query = self.path.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "RAW_URI": self.path,
            "REQUEST_URI": self.path,
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": str(self.server.server_port),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BufferedReader(body, 256 * 1024),
            "wsgi.input_terminated": True,
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        environ.update(self._header_environ())
        return environ

    def _header_environ(self) -> dict[str, Any]:
        """Headers as WSGI names them; moto is told the spelling of S3 metadata names with underscores."""
        found: dict[str, Any] = {}
        spelled: dict[str, str] = {}
        for name, text in self.headers.items():
            if "_" in name and not should_preserve_original_header_name(name):
                continue
            key = environ_key_for_header(name)
            found[key] = f"{found[key]},{text}" if key in found else text
            if "_" in name:
                spelled[key] = name
        found[PRESERVED_HEADER_NAMES_ENVIRON_KEY] = spelled
        return found


class _Exchange:
    """One request and its answer."""

    def __init__(self, handler: _Handler, body: LimitedBody | ChunkedBody) -> None:
        self._handler = handler
        self._environ = handler.environ(body)
        self._status = ""
        self._headers: list[tuple[str, str]] = []
        self._started = False
        self._chunked = False

    def run(self) -> None:
        try:
            blocks = self._handler.server.application(self._environ, self._start_response)
            try:
                for block in blocks:
                    self._write(block)
                self._finish()
            finally:
                close = getattr(blocks, "close", None)
                if close is not None:
                    close()
        except _GONE:
            self._handler.close_connection = True
        except Exception:
            log.exception("a request failed")
            self._fail()

    def _start_response(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        self._status, self._headers = status, headers
        return self._write

    def _write(self, block: bytes) -> None:
        if not self._started:
            self._send_head(known_length=None)
        if not block or self._environ["REQUEST_METHOD"] == "HEAD":
            return
        if self._chunked:
            block = b"%x\r\n%b\r\n" % (len(block), block)
        self._handler.wfile.write(block)

    def _finish(self) -> None:
        if not self._started:
            self._send_head(known_length=0)
        if self._chunked:
            self._handler.wfile.write(b"0\r\n\r\n")
        self._handler.wfile.flush()

    def _send_head(self, known_length: int | None) -> None:
        self._started = True
        handler = self._handler
        code, _, phrase = self._status.partition(" ")
        names = {name.lower() for name, _ in self._headers}
        handler.send_response_only(int(code), phrase)
        for name, text in self._headers:
            if name.lower() not in {"connection", "transfer-encoding"}:
                handler.send_header(name, text)
        if "date" not in names:
            handler.send_header("Date", handler.date_time_string())
        bodiless = self._environ["REQUEST_METHOD"] == "HEAD" or int(code) in {204, 304}
        if "content-length" not in names and not bodiless:
            if known_length is not None:
                handler.send_header("Content-Length", str(known_length))
            else:
                self._chunked = True
                handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()

    def _fail(self) -> None:
        """Nothing sent yet: a plain 500. Half an answer sent: the connection ends, so that the client notices."""
        self._handler.close_connection = True
        if not self._started:
            self._status, self._headers = "500 Internal Server Error", [("Connection", "close")]
            self._send_head(known_length=0)
            self._handler.wfile.flush()

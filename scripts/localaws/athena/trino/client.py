"""Statements to the Trino server and pages of rows back, over its HTTP protocol.

Example: `for page in client.pages("SELECT 1", work): page.rows`
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from trino.client import ClientSession, TrinoRequest, TrinoStatus
from trino.exceptions import TrinoConnectionError, TrinoQueryError

from localaws.athena.engine import Cancelled, Work
from localaws.athena.trino.server import USER, Server

TIMEOUT = 120.0
CONNECTIONS = 16
MEASURED = "physicalInputBytes"


@dataclass(frozen=True)
class Page:
    """Some rows of a result as JSON has them; `columns` are Trino's descriptions, None before they are known."""

    columns: list[dict[str, Any]] | None
    rows: list[list[Any]]
    update_count: int | None = None


class _Loopback(HTTPAdapter):
    """Plain HTTP to what calls itself HTTPS, since it was told that a proxy in front of it is."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        request.url = str(request.url).replace("https://", "http://", 1)
        return super().send(request, *args, **kwargs)


class Client:
    """Speaks to one server."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._http = requests.Session()
        self._http.trust_env = False
        for scheme in ("https://", "http://"):
            self._http.mount(scheme, _Loopback(pool_maxsize=CONNECTIONS))

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def pages(self, sql: str, work: Work) -> Generator[Page, None, None]:
        """The statement's pages; Cancelled when the work is stopped, TrinoQueryError when Trino refuses or fails."""
        request = self._request()
        status = request.process(request.post(sql))
        work.on_stop(lambda: _cancel(request))
        scanned = 0
        try:
            while True:
                work.check()
                now = int(status.stats.get(MEASURED, 0))
                work.scanned(now - scanned)
                scanned = now
                rows = status.rows if isinstance(status.rows, list) else []
                yield Page(status.columns, rows, status.update_count)
                if status.next_uri is None:
                    return
                status = self._next(request, work)
        except (Cancelled, GeneratorExit):
            _cancel(request)
            raise

    def _next(self, request: TrinoRequest, work: Work) -> TrinoStatus:
        try:
            return request.process(request.get(str(request.next_uri)))
        except TrinoQueryError:
            work.check()
            raise

    def _request(self) -> TrinoRequest:
        host, port = self._server.address()
        headers = {"Authorization": f"Bearer {self._server.token()}", "X-Forwarded-Proto": "https"}
        session = ClientSession(user=USER, source="localaws", timezone="UTC", headers=headers)
        return TrinoRequest(host, port, session, self._http, request_timeout=TIMEOUT)


def _cancel(request: TrinoRequest) -> None:
    """Tell the server that nobody waits any more; it may have ended already."""
    if request.next_uri is not None:
        with suppress(requests.RequestException, TrinoConnectionError):
            request.delete(request.next_uri)

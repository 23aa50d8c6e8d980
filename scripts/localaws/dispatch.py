"""Every request's way: who calls, may they, and who answers - one of our services, or moto.

Reads and writes through the services. Behind every make target that talks to localaws.
Example: `Dispatcher(world)` is a WSGI application.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from localaws import caller as callers
from localaws.request import WireRequest
from localaws.service import Service, ServiceError
from localaws.services import TABLE, Services
from localaws.wire import Wire, WireResponse
from localaws.world import World

log = logging.getLogger("localaws")

StartResponse = Callable[..., Any]


class Dispatcher:
    """The WSGI application in front of moto."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._services = Services(world)
        self.moto = DomainDispatcherApplication(create_backend_app)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        request = WireRequest(environ)
        name = request.signing_name
        if name not in TABLE:
            return self.moto(environ, start_response)  # type: ignore[no-any-return]
        wire = Wire.of(TABLE[name][0])
        response = self._answer(name, wire, request)
        if response is None:
            return self.moto(environ, start_response)  # type: ignore[no-any-return]
        return _send(response, start_response)

    def _answer(self, name: str, wire: Wire, request: WireRequest) -> WireResponse | None:
        """Our answer; None when it is moto that answers this one."""
        try:
            operation, labels = wire.route(request)
            service = self._services.find(name)
            if service is None or (method := service.operation(operation.name)) is None:
                if _moto_answers(name, service):
                    return None
                raise wire.missing(operation.name)
            caller = callers.resolve(request.access_key_id or "")
            result = method(wire.parse(operation, request, labels), caller)
            return wire.render(operation, result)
        except ServiceError as error:
            return wire.render_error(error)
        except callers.UnknownKey:
            error = ServiceError(
                "UnrecognizedClientException", "The security token included in the request is invalid.", status=403
            )
            return wire.render_error(error)
        except Exception as error:
            log.exception("%s failed", name)
            failure = ServiceError("InternalServerException", f"{type(error).__name__}: {error}", status=500)
            return wire.render_error(failure)


def _moto_answers(name: str, service: Service | None) -> bool:
    """Whether what we lack of a service is moto's to answer."""
    return service.overlay if service is not None else name in {"athena", "glue", "lakeformation"}


def _send(response: WireResponse, start_response: StartResponse) -> Iterable[bytes]:
    headers = list(response.headers.items())
    if isinstance(response.body, bytes):
        headers.append(("Content-Length", str(len(response.body))))
    start_response(f"{response.status} {HTTPStatus(response.status).phrase}", headers)
    return [response.body] if isinstance(response.body, bytes) else response.body

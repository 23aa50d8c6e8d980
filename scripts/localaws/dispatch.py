"""Every request's way: who calls, may they, and who answers - one of our services, or moto.

Reads and writes through the services. Behind every make target that talks to localaws.
Example: `Dispatcher(world)` is a WSGI application.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from botocore.model import OperationModel

from localaws import caller as callers
from localaws import events
from localaws.caller import Caller
from localaws.iam import actions, denial, gate, managed, public, shape, trust
from localaws.iam.policy import Call
from localaws.moto_calls import Moto, MotoCalls
from localaws.request import WireRequest
from localaws.s3 import plain
from localaws.s3.checksum import BadDigest
from localaws.service import TABLE, Service, ServiceError, Services
from localaws.wire import Wire, WireResponse
from localaws.world import World

log = logging.getLogger("localaws")
requests_log = logging.getLogger("localaws.requests")

StartResponse = Callable[..., Any]


class Dispatcher:
    """The WSGI application in front of moto."""

    def __init__(self, world: World) -> None:
        self._services = Services(world)
        self._moto = Moto()
        public.install()
        events.install(world)
        world.forward = MotoCalls(self._moto)

    def warm_up(self) -> None:
        """Start what takes long to start."""
        athena = self._services.find("athena")
        if athena is not None:
            athena.warm_up()

    def close(self) -> None:
        """End what our services have going on, while they can still be asked."""
        self._services.close()

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        _keep_to_this_host(environ)
        request = WireRequest(environ)
        started = time.perf_counter()

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            _note(request, status, time.perf_counter() - started)
            return start_response(status, headers, *rest)

        response = self._answer(request)
        if response is not None:
            return _send(response, start)
        try:
            answer: Iterable[bytes] = self._moto(environ, start)
        except NotImplementedError as error:
            message = f"localaws does not have this operation of {request.signing_name}: {error}"
            return _send(denial.denial(request, denial.NOT_HERE, message, status=501), start)
        except Exception as error:
            log.exception("moto's %s failed", request.signing_name)
            message = f"{type(error).__name__}: {error}"
            return _send(denial.denial(request, denial.FAILED, message, status=500), start)
        return answer

    def _answer(self, request: WireRequest) -> WireResponse | None:
        """Our answer; None when it is moto that answers this one."""
        try:
            caller = admit(request)
            if request.signing_name == "s3":
                return plain.answer(request)
        except _REFUSALS as error:
            return _refused(request, error)
        name = request.signing_name
        if caller is None or name is None or name not in TABLE:
            return None
        return self._own(name, request, caller)

    def _own(self, name: str, request: WireRequest, caller: Caller) -> WireResponse | None:
        wire, operation = Wire.of(TABLE[name][0]), None
        try:
            service = self._services.find(name)
            answer = service.answer(request, caller) if service is not None else None
            if answer is not None:
                return answer
            operation, labels = wire.route(request)
            if service is None or service.operation(operation.name) is None:
                if _moto_answers(name, service):
                    return None
                raise wire.missing(operation)
            return _called(service, wire, operation, wire.parse(operation, request, labels), caller)
        except gate.AccessDenied as error:
            return denial.denial(request, denial.DENIED, str(error))
        except ServiceError as error:
            return wire.render_error(error, operation)
        except Exception as error:
            log.exception("%s failed", name)
            return wire.render_error(
                ServiceError("InternalServerException", f"{type(error).__name__}: {error}", status=500)
            )


def _called(
    service: Service, wire: Wire, operation: OperationModel, params: dict[str, Any], caller: Caller
) -> WireResponse:
    """The answer of a service's method, once the caller may touch what only the service can tell."""
    method = service.operation(operation.name)
    if method is None:
        raise wire.missing(operation)
    action = f"{actions.prefix_of(wire.model.signing_name)}:{operation.name}"
    gate.check(caller, [Call(action, arn) for arn in service.resources(operation.name, params)])
    return wire.render(operation, method(params, caller))


_REFUSALS = (callers.UnknownKey, gate.AccessDenied, shape.NotOffered, shape.Unreadable, BadDigest)


def _refused(request: WireRequest, error: Exception) -> WireResponse:
    """The answer to a request that goes no further."""
    message = str(error)
    match error:
        case callers.UnknownKey():
            codes = denial.EXPIRED if error.expired else denial.UNKNOWN_KEY
            message = "The security token included in the request is invalid."
        case gate.AccessDenied():
            codes = denial.DENIED
        case shape.Unreadable():
            return denial.denial(request, denial.UNREADABLE, message, status=400)
        case BadDigest():
            return denial.denial(request, denial.BAD_DIGEST, message, status=400)
        case _:
            codes = denial.NOT_OFFERED
    return denial.denial(request, codes, message)


def admit(request: WireRequest) -> Caller | None:
    """The caller of a request that may go on; None for an unsigned read of what is public."""
    shape.check(request)
    if request.access_key_id is None:
        if not public.is_public(request):
            raise shape.NotOffered("localaws answers signed requests.")
        return None
    caller = callers.resolve(request.access_key_id)
    if request.signing_name == "sts" and request.form.get("Action") == "AssumeRole":
        trust.check_assume_role(caller, request.form)
    else:
        gate.check(caller, _calls(request, caller))
    if request.signing_name == "iam":
        managed.make_known(request.form.get("PolicyArn", ""), caller.account_id)
    return caller


def _calls(request: WireRequest, caller: Caller) -> list[Call]:
    """What the request asks for; Unreadable when its parameters are not of the types that tell."""
    try:
        return actions.calls_of(request, caller.account_id)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise shape.Unreadable("The request's parameters are not of the types of the service's model.") from error


def _note(request: WireRequest, status: str, seconds: float) -> None:
    """One line a request for who asked for them: service, operation, status, time - never a name or a value."""
    if requests_log.isEnabledFor(logging.INFO):
        target = request.headers.get("x-amz-target", "").rpartition(".")[2]
        operation = target or (request.form.get("Action") if request.is_form else None) or request.method
        service = request.signing_name or "unsigned"
        requests_log.info("%s %s %s %.0f ms", service, operation, status.split(" ", 1)[0], 1000 * seconds)


def _keep_to_this_host(environ: dict[str, Any]) -> None:
    """One host, one addressing style, accounts by key: nothing else may choose a bucket or an account."""
    environ["HTTP_HOST"] = f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
    environ.pop("HTTP_X_MOTO_ACCOUNT_ID", None)


def _moto_answers(name: str, service: Service | None) -> bool:
    """Whether what we lack of a service is moto's to answer."""
    return service.overlay if service is not None else name in {"athena", "glue", "lakeformation"}


def _send(response: WireResponse, start_response: StartResponse) -> Iterable[bytes]:
    headers = list(response.headers.items())
    if isinstance(response.body, bytes) and "content-length" not in response.headers:
        headers.append(("Content-Length", str(len(response.body))))
    start_response(f"{response.status} {HTTPStatus(response.status).phrase}", headers)
    return [response.body] if isinstance(response.body, bytes) else response.body

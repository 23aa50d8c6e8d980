"""Calls from our services straight to moto, in process, by any of its protocols.

Reads and writes moto's backends. Behind every make target that talks to localaws.
Example: `MotoCalls(moto)("glue", "CreateTable", params, access_key_id)`.
"""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import urlencode

from botocore import parsers, serialize
from botocore.awsrequest import HeadersDict
from botocore.model import OperationModel
from moto.backends import list_of_moto_modules
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.test import run_wsgi_app

from localaws.caller import REGION
from localaws.service import ServiceError
from localaws.wire import service_model


class Moto(DomainDispatcherApplication):
    """moto's dispatcher; which service a host means is looked up once (moto lists its own folder each time)."""

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self._services: dict[str | None, Any] = {}

    def get_backend_for_host(self, host: str | None) -> Any:
        """The service of a host; NotImplementedError, where moto prints, for one that moto has not."""
        if host not in self._services:
            self._services[host] = self._look_up(host)
        return self._services[host]

    def _look_up(self, host: str | None) -> Any:
        if host is None or host in list_of_moto_modules() or host == "moto_api":
            return host
        for backend, pattern in self.backend_url_patterns:
            if pattern.match(f"http://{host}"):
                return backend
        raise NotImplementedError(f"moto has no service at {host}")


class MotoCalls:
    """moto as a function: service, operation, parameters and access key in, result out."""

    def __init__(self, moto: Any) -> None:
        self._moto = moto

    def __call__(self, service: str, operation: str, params: dict[str, Any], access_key_id: str) -> dict[str, Any]:
        model = service_model(service)
        operation_model = model.operation_model(operation)
        request = serialize.create_serializer(model.protocol).serialize_to_request(params, operation_model)
        environ = _environ(request, model.signing_name, access_key_id)
        body, status, headers = run_wsgi_app(self._moto, environ, buffered=True)
        answer = {
            "status_code": int(status.split(" ", 1)[0]),
            "headers": HeadersDict(headers.items()),
            "body": b"".join(body),
        }
        return _parsed(answer, operation_model, model.protocol)


def _environ(request: dict[str, Any], signing_name: str, access_key_id: str) -> dict[str, Any]:
    body = request["body"]
    content = urlencode(body).encode() if isinstance(body, dict) else (body or b"")
    content = content.encode() if isinstance(content, str) else content
    query = request["query_string"]
    query_text = query if isinstance(query, str) else urlencode(query or {})
    scope = f"{access_key_id}/20260101/{REGION}/{signing_name}/aws4_request"
    environ = {
        "REQUEST_METHOD": request["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": request["url_path"],
        "RAW_URI": request["url_path"] + (f"?{query_text}" if query_text else ""),
        "QUERY_STRING": query_text,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "127.0.0.1",
        "HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
        "CONTENT_LENGTH": str(len(content)),
        "wsgi.input": io.BytesIO(content),
        "wsgi.errors": io.StringIO(),
        "wsgi.url_scheme": "http",
        "wsgi.version": (1, 0),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, text in request["headers"].items():
        key = name.upper().replace("-", "_")
        environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = text
    return environ


def _parsed(answer: dict[str, Any], operation: OperationModel, protocol: str) -> dict[str, Any]:
    parsed: dict[str, Any] = parsers.create_parser(protocol).parse(answer, operation.output_shape)
    if answer["status_code"] >= 300:
        error = parsed.get("Error", {})
        raise ServiceError(error.get("Code", "InternalFailure"), error.get("Message", ""), status=answer["status_code"])
    parsed.pop("ResponseMetadata", None)
    return parsed

"""One service's protocol (json 1.0, json 1.1, rest-json), both ways: the operation a request means, its answer.

Example: `Wire.of("healthlake").route(request)` is the operation's model and the labels of its path.
"""

from __future__ import annotations

import json
import re
import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel, StructureShape
from botocore.validate import ParamValidator

from localaws import wire_values
from localaws.request import WireRequest
from localaws.service import ServiceError

if TYPE_CHECKING:
    from collections.abc import Mapping


@cache
def _loader() -> Loader:
    return Loader()


@cache
def service_model(service_name: str) -> ServiceModel:
    """The model of a service by its boto3 name, the newest API version."""
    description: Mapping[str, object] = _loader().load_service_model(service_name, "service-2")
    return ServiceModel(description, service_name)


_LABEL = re.compile(r"\{([^}]+)\}")


@dataclass(frozen=True)
class _Route:
    operation: OperationModel
    pattern: re.Pattern[str]
    labels: tuple[str, ...]
    fixed: tuple[tuple[str, str], ...]
    query: tuple[str, ...]
    headers: tuple[str, ...]
    literals: int

    def match(self, path: str) -> dict[str, str] | None:
        found = self.pattern.fullmatch(path)
        if found is None:
            return None
        return {name: unquote(value) for name, value in zip(self.labels, found.groups(), strict=True)}

    def is_fixed(self, request: WireRequest) -> bool:
        """Whether the request has what the path's own query says."""
        return all(name in request.args and value in ("", request.args[name]) for name, value in self.fixed)

    def accepts(self, request: WireRequest) -> bool:
        """Whether the request has every required member of the query and the headers."""
        wanted = all(name in request.args for name in self.query)
        return wanted and all(name in request.headers for name in self.headers)


class Routes:
    """The routes of one REST service, most particular first."""

    def __init__(self, model: ServiceModel) -> None:
        self._by_method: dict[str, list[_Route]] = defaultdict(list)
        for name in model.operation_names:
            operation = model.operation_model(name)
            self._by_method[operation.http["method"]].append(_route(operation))
        for routes in self._by_method.values():
            routes.sort(key=lambda route: (-route.literals, -len(route.fixed) - len(route.query), -len(route.headers)))

    def match(self, request: WireRequest) -> tuple[OperationModel, dict[str, str]] | None:
        """The operation and its path labels, decoded; None when the model has no such route.

        A request that lacks a required member of the query or a header still means the operation of its path.
        """
        for path in (request.raw_path, request.raw_path.rstrip("/") or "/"):
            found = [(route, route.match(path)) for route in self._by_method.get(request.method, [])]
            meant = [(route, labels) for route, labels in found if labels is not None and route.is_fixed(request)]
            whole = [pair for pair in meant if pair[0].accepts(request)]
            for route, labels in whole or meant:
                return route.operation, labels
        return None


def _route(operation: OperationModel) -> _Route:
    path, _, fixed = operation.http["requestUri"].partition("?")
    pairs = parse_qsl(fixed, keep_blank_values=True)
    query: list[str] = []
    headers: list[str] = []
    shape = operation.input_shape
    if isinstance(shape, StructureShape):
        for name in shape.required_members:
            member = shape.members[name].serialization
            wire_name = member.get("name", name)
            if member.get("location") == "querystring" and wire_name not in dict(pairs):
                query.append(wire_name)
            elif member.get("location") == "header":
                headers.append(wire_name.lower())
    labels = _LABEL.findall(path)
    return _Route(
        operation=operation,
        pattern=re.compile(_pattern(path)),
        labels=tuple(label.rstrip("+") for label in labels),
        fixed=tuple(pairs),
        query=tuple(query),
        headers=tuple(headers),
        literals=len(_LABEL.sub("", path)),
    )


def _pattern(path: str) -> str:
    """A regular expression of a path template; `{label+}`, and a last label, may hold slashes."""
    parts = _LABEL.split(path)
    pattern = re.escape(parts[0])
    for label, literal in zip(parts[1::2], parts[2::2], strict=True):
        is_last = literal == "" and label == parts[-2]
        pattern += "(.+)" if label.endswith("+") or is_last else "([^/]+)"
        pattern += re.escape(literal)
    return pattern


_INVALID_CODES = ("ValidationException", "InvalidInputException", "InvalidRequestException")


@dataclass
class WireResponse:
    """An HTTP answer: `body` whole, or in blocks when it is streamed from a file."""

    status: int
    body: bytes | Iterable[bytes] = b""
    headers: dict[str, str] = field(default_factory=dict)


class Wire:
    """The protocol of one service (json 1.0, json 1.1 or rest-json)."""

    def __init__(self, model: ServiceModel) -> None:
        self.model = model
        self.is_rest = model.protocol == "rest-json"
        self._routes = Routes(model) if self.is_rest else None
        self._errors = {shape.name: shape for shape in model.error_shapes}

    @staticmethod
    @cache
    def of(service_name: str) -> Wire:
        return Wire(service_model(service_name))

    def route(self, request: WireRequest) -> tuple[OperationModel, dict[str, str]]:
        """The operation a request means and the labels in its path; ServiceError when the model has none."""
        if self._routes is not None:
            found = self._routes.match(request)
            if found is not None:
                return found
            named = f"{request.method} {request.raw_path}"
        else:
            named = request.headers.get("x-amz-target", "").rpartition(".")[2]
            if named in self.model.operation_names:
                return self.model.operation_model(named), {}
        raise ServiceError("UnknownOperationException", f"{self.model.service_name} has no operation {named!r}.")

    def parse(self, operation: OperationModel, request: WireRequest, labels: dict[str, str]) -> dict[str, Any]:
        """The parameters as boto3's user wrote them; ServiceError when the model does not allow them."""
        shape = operation.input_shape
        if not isinstance(shape, StructureShape):
            return {}
        try:
            params = wire_values.parameters(shape, request, labels, is_rest=self.is_rest)
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise self.invalid(operation, f"The request cannot be read: {error}") from error
        report = ParamValidator().validate(params, shape)
        if report.has_errors():
            raise self.invalid(operation, report.generate_report())
        found = list(wire_values.problems(shape, params))
        if found:
            errors = "1 validation error" if len(found) == 1 else f"{len(found)} validation errors"
            raise self.invalid(operation, f"{errors} detected: {'; '.join(found)}")
        return params

    def invalid(self, operation: OperationModel, message: str, *, status: int | None = None) -> ServiceError:
        """The error by which an operation says that it cannot take a request: its own, else what every service has."""
        modelled = {shape.name for shape in operation.error_shapes}
        code = next((code for code in _INVALID_CODES if code in modelled), "ValidationException")
        return ServiceError(code, message, status=status)

    def missing(self, operation: OperationModel) -> ServiceError:
        """The answer to an operation that the model has and localaws has not: modelled, status 501, named."""
        message = f"localaws does not have {self.model.service_name} {operation.name}."
        return self.invalid(operation, message, status=501)

    def render(self, operation: OperationModel, result: dict[str, Any] | None) -> WireResponse:
        """The answer to a call that went well."""
        status = int(operation.http.get("responseCode", 200))
        shape = operation.output_shape
        if not isinstance(shape, StructureShape):
            return self._answer(status, b"" if self.is_rest else b"{}")
        body, headers, set_status = wire_values.result(shape, result or {}, is_rest=self.is_rest)
        return self._answer(set_status or status, body, headers)

    def render_error(self, error: ServiceError, operation: OperationModel | None = None) -> WireResponse:
        """The answer to a call that failed, with the status of its model and the members the model has.

        A refusal of the request as such goes by the name that the operation has for it, unless it brings its status.
        """
        if operation is not None and error.status is None and error.code in _INVALID_CODES:
            modelled = {shape.name for shape in operation.error_shapes}
            error = error if error.code in modelled else self.invalid(operation, error.message, status=error.status)
        shape = self._errors.get(error.code)
        metadata = (shape.metadata.get("error") or {}) if shape is not None else {}
        fault = shape is not None and shape.metadata.get("fault")
        status = error.status or metadata.get("httpStatusCode") or (500 if fault else 400)
        code = metadata.get("code", error.code)
        content: dict[str, Any] = {"message": error.message, "Message": error.message}
        if shape is not None:
            known = {name: value for name, value in {**error.members, **content}.items() if name in shape.members}
            content = {"message": error.message, **wire_values.members(shape, known)}
        if not self.is_rest:
            content = {"__type": code, **content}
        return self._answer(status, json.dumps(content).encode(), {"x-amzn-ErrorType": code})

    def _answer(
        self, status: int, body: bytes | Iterable[bytes], headers: dict[str, str] | None = None
    ) -> WireResponse:
        version = self.model.metadata.get("jsonVersion", "1.1")
        kind = "application/json" if self.is_rest else f"application/x-amz-json-{version}"
        return WireResponse(
            status, body, {"Content-Type": kind, "x-amzn-RequestId": str(uuid.uuid4()), **(headers or {})}
        )

"""Which operation a REST request means: method, path template, required query and headers.

Reads a botocore service model. Behind every make target that talks to localaws.
Example: `Routes(service_model("omics")).match(request)`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

from botocore.model import OperationModel, ServiceModel, StructureShape

from localaws.request import WireRequest

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

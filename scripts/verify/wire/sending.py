"""Requests as bytes on the wire, whether a client would send them or not, and what comes back.

Talks to a localaws endpoint. Example: `Sender(endpoint, keys).send(operation, written(operation, params))`.
"""

import copy
import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from botocore import serialize
from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from localaws.connection import Credentials

WRONG_TYPES: tuple[Any, ...] = ({"wrong": "type"}, ["wrong type"], "wrong type", 7, True)
# JSON has no type of its own for the others: a timestamp may be a number or a text, a blob is a text.
JSON_TYPES: dict[str, tuple[type, ...]] = {
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
    "string": (str,),
    "blob": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "timestamp": (int, float, str),
}
NO_ANSWER = 599
BODIES = {
    "no JSON": b"{",
    "a list": b"[]",
    "a text": b'"text"',
    "no UTF-8": b'{"a": "\xff\xfe"}',
    "deep": b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    "large numbers": b'{"a": 1e999, "b": -1E400, "c": NaN}',
}


@dataclass(frozen=True)
class Written:
    """A request: method, path with query, headers and body."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)


def written(operation: OperationModel, params: dict[str, Any]) -> Written:
    """What botocore would send, without asking it whether the parameters are allowed."""
    model = operation.service_model
    serializer = serialize.create_serializer(model.protocol, include_validation=False)
    request = serializer.serialize_to_request(copy.deepcopy(params), operation)
    query, body = request["query_string"], request["body"] or b""
    text = urlencode(query, doseq=True) if isinstance(query, dict) else query
    path = request["url_path"]
    joint = "&" if "?" in path else "?"
    return Written(
        method=request["method"],
        path=f"{path}{joint}{text}" if text else path,
        headers={name: str(value) for name, value in request["headers"].items()},
        body=body.encode() if isinstance(body, str) else body,
    )


def mistyped(operation: OperationModel, request: Written) -> Iterator[tuple[str, str, Written]]:
    """Kind, place and request, for each value of the body written as another type of JSON."""
    shape = operation.input_shape
    if shape is None or not request.body.startswith(b"{"):
        return
    payload = shape.serialization.get("payload")
    content = json.loads(request.body)
    root = shape.members[payload] if payload else shape
    for path, inner in _places(root, content):
        for wrong in WRONG_TYPES:
            allowed = JSON_TYPES[inner.type_name]
            is_allowed = isinstance(wrong, allowed) and (isinstance(wrong, bool) is (bool in allowed))
            if not is_allowed and not (inner.type_name == "timestamp" and wrong == "wrong type"):
                changed = _replaced(content, path, wrong)
                where = ".".join(map(str, path))
                kind = f"{type(wrong).__name__} for {inner.type_name}"
                yield kind, where, Written(request.method, request.path, request.headers, json.dumps(changed).encode())


def _places(shape: Shape, content: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Shape]]:
    if path:
        yield path, shape
    if getattr(shape, "is_document_type", False):
        return
    if isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            key = member.serialization.get("name", name)
            if key in content:
                yield from _places(member, content[key], (*path, key))
    elif isinstance(shape, ListShape) and content:
        yield from _places(shape.member, content[0], (*path, 0))
    elif isinstance(shape, MapShape) and content:
        key = next(iter(content))
        yield from _places(shape.value, content[key], (*path, key))


def _replaced(content: Any, path: tuple[Any, ...], value: Any) -> Any:
    found = copy.deepcopy(content)
    holder = found
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    return found


class Sender:
    """One connection, kept; signed in name only, since localaws looks at the key id alone."""

    def __init__(self, endpoint: str, keys: Credentials) -> None:
        parts = urlsplit(endpoint)
        self._connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=120)
        self._key = keys.access_key_id

    def send(self, operation: OperationModel, request: Written) -> Answer:
        scope = f"{self._key}/20260102/us-east-1/{operation.service_model.signing_name}/aws4_request"
        signed = {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"}
        headers = {"Content-Type": "application/json", **request.headers, **signed}
        try:
            self._connection.request(request.method, request.path, body=request.body, headers=headers)
            response = self._connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read())
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            return Answer(NO_ANSWER, {}, f"{type(error).__name__}: {error}".encode())

    def close(self) -> None:
        self._connection.close()

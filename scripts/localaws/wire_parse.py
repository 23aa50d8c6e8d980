"""From the wire to parameters: JSON bodies, path labels, query strings, headers, payloads.

Reads a request and a botocore shape. Behind every make target that talks to localaws.
Example: `parameters(operation.input_shape, request, labels, is_rest=True)`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.utils import parse_timestamp

from localaws.params import Given
from localaws.request import WireRequest


def parameters(shape: StructureShape, request: WireRequest, labels: dict[str, str], *, is_rest: bool) -> dict[str, Any]:
    """The parameters of a request by member name; ValueError when it cannot be read."""
    if not is_rest:
        return structure(shape, _json(request.body))
    found = _located(shape, request, labels)
    payload = shape.serialization.get("payload")
    if payload is None:
        if any("location" not in member.serialization for member in shape.members.values()):
            found.update(structure(shape, _json(request.body)))
    elif shape.members[payload].type_name in {"blob", "string"}:
        is_text = shape.members[payload].type_name == "string"
        found[payload] = request.body.decode() if is_text else request.body
    elif request.body:
        found[payload] = value(shape.members[payload], _json(request.body))
    return found


def _json(body: bytes) -> Any:
    content = json.loads(body) if body else {}
    if not isinstance(content, dict):
        raise ValueError("the body is not a JSON object")
    return content


def structure(shape: StructureShape, content: dict[str, Any]) -> dict[str, Any]:
    """The members of a JSON object that the shape knows and that are not null."""
    if getattr(shape, "is_document_type", False):
        return content
    found = Given()
    for name, member in shape.members.items():
        raw = content.get(member.serialization.get("name", name))
        if raw is not None and "location" not in member.serialization:
            found[name] = value(member, raw)
    return found


def value(shape: Shape, raw: Any) -> Any:
    """A JSON value as its shape means it: blobs are bytes, timestamps aware datetimes."""
    if isinstance(shape, StructureShape):
        if not isinstance(raw, dict) and not getattr(shape, "is_document_type", False):
            raise ValueError(f"{shape.name} is not a JSON object")
        return structure(shape, raw)
    if isinstance(shape, ListShape):
        if not isinstance(raw, list):
            raise ValueError(f"{shape.name} is not a JSON list")
        return [value(shape.member, item) for item in raw]
    if isinstance(shape, MapShape):
        if not isinstance(raw, dict):
            raise ValueError(f"{shape.name} is not a JSON object")
        return {key: value(shape.value, item) for key, item in raw.items() if item is not None}
    return _scalar(shape, raw)


def _scalar(shape: Shape, raw: Any) -> Any:
    match shape.type_name:
        case "blob":
            return base64.b64decode(raw)
        case "timestamp":
            return timestamp(raw)
        case "float" | "double":
            return _decimal(raw)
    return raw


def _decimal(raw: Any) -> float:
    """A number; JSON has no other way to write the three that are none than as a text."""
    is_number = isinstance(raw, int | float) and not isinstance(raw, bool)
    if not is_number and raw not in ("NaN", "Infinity", "-Infinity"):
        raise ValueError("a number is expected")
    return float(raw)


def timestamp(raw: Any) -> datetime:
    """An aware UTC datetime from epoch seconds, ISO 8601 or an HTTP date."""
    if isinstance(raw, bool):
        raise ValueError("a boolean is no timestamp")
    try:
        if isinstance(raw, int | float):
            return datetime.fromtimestamp(raw, UTC)
        found: datetime = parse_timestamp(raw)
    except (OverflowError, OSError) as error:
        raise ValueError("a timestamp is out of range") from error
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _located(shape: StructureShape, request: WireRequest, labels: dict[str, str]) -> dict[str, Any]:
    found = Given()
    for name, member in shape.members.items():
        raw = _raw(member, member.serialization.get("name", name), request, labels)
        if raw is not None:
            found[name] = raw
    return found


def _raw(member: Shape, wire_name: str, request: WireRequest, labels: dict[str, str]) -> Any:
    match member.serialization.get("location"):
        case "uri":
            return _from_text(member, labels.get(wire_name))
        case "header":
            return _from_text(member, request.headers.get(wire_name.lower()))
        case "headers":
            prefix = wire_name.lower()
            return {key[len(prefix) :]: text for key, text in request.headers.items() if key.startswith(prefix)}
        case "querystring":
            return _from_query(member, wire_name, request)
    return None


def _from_query(member: Shape, wire_name: str, request: WireRequest) -> Any:
    if isinstance(member, MapShape):
        return request.args
    values = [text for key, text in request.query if key == wire_name]
    if isinstance(member, ListShape):
        return [_from_text(member.member, text) for text in values] or None
    return _from_text(member, values[-1] if values else None)


def _from_text(shape: Shape, text: str | None) -> Any:
    """A value that travelled as text."""
    if text is None:
        return None
    reader = _TEXT_READERS.get(shape.type_name)
    if reader is not None:
        return reader(text)
    if isinstance(shape, ListShape):
        return [_from_text(shape.member, item.strip()) for item in text.split(",")]
    return text


def _truth(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError("true or false is expected")
    return text.lower() == "true"


def _timestamp_text(text: str) -> datetime:
    return timestamp(float(text) if text.replace(".", "", 1).isdigit() else text)


_TEXT_READERS: dict[str, Callable[[str], Any]] = {
    "boolean": _truth,
    "integer": int,
    "long": int,
    "short": int,
    "byte": int,
    "float": float,
    "double": float,
    "timestamp": _timestamp_text,
    "blob": base64.b64decode,
}

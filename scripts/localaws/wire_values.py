"""Values between a request or an answer and a service's methods, as botocore's shapes describe them.

`parameters` reads a request (JSON body, path labels, query, headers, payload), `problems` says which values the model
does not allow, `result` writes an answer.

Types, required members and smallest sizes are checked by botocore's own ParamValidator (`wire.py`); longest lengths,
largest numbers, patterns, enums and unions here, because boto3 checks none of these and AWS refuses them.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from email.utils import format_datetime
from functools import cache
from pathlib import Path
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.utils import parse_timestamp

from localaws.request import WireRequest
from localaws.service import ServiceError


class MissingMember(ServiceError, KeyError):
    """A member that the operation needs is not in the request."""

    def __init__(self, name: str) -> None:
        super().__init__("ValidationException", f"{name} is missing.")


class Given(dict[str, Any]):
    """One structure of a request."""

    def __missing__(self, name: str) -> Any:
        raise MissingMember(name)


_ASTRAL = "\\uD800\\uDC00-\\uDBFF\\uDFFF"
# Java's character classes as near as Python's `re` comes to them, never narrower.
_CLASSES = (
    ("[\\P{M}\\p{M}]", "[\\s\\S]"),
    (_ASTRAL, "\\U00010000-\\U0010FFFF"),
    ("\\p{ASCII}", "[\\x00-\\x7f]"),
    ("\\p{L}", "\\w"),
    ("\\p{N}", "\\d"),
    ("\\p{Z}", " \\u00a0\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000"),
    ("\\p{P}", "\\S"),
    ("\\p{S}", "\\S"),
    ("\\p{M}", "\\S"),
    ("||", ""),
)


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """A model's pattern, which is Java's, for `fullmatch`."""
    for java, python in _CLASSES:
        pattern = pattern.replace(java, python)
    return re.compile(pattern, re.DOTALL)


def problems(shape: Shape, value: Any, path: str = "") -> Iterator[str]:
    """A sentence for each value of a request that its shape does not allow."""
    if getattr(shape, "is_document_type", False):
        return
    if isinstance(shape, StructureShape):
        yield from _structure_problems(shape, value, path)
    elif isinstance(shape, ListShape):
        yield from _size(shape, len(value), path)
        for index, item in enumerate(value):
            yield from problems(shape.member, item, f"{path}[{index}]")
    elif isinstance(shape, MapShape):
        yield from _size(shape, len(value), path)
        for key, item in value.items():
            yield from problems(shape.key, key, f"{path} (a key)")
            yield from problems(shape.value, item, f"{path} (a value)")
    else:
        yield from _scalar_problems(shape, value, path)


def _structure_problems(shape: StructureShape, value: dict[str, Any], path: str) -> Iterator[str]:
    if getattr(shape, "is_tagged_union", False) and len(value) != 1:
        yield f"{path or shape.name}: exactly one of {', '.join(shape.members)} must be set"
    for name, item in value.items():
        if name in shape.members:
            yield from problems(shape.members[name], item, f"{path}.{name}" if path else name)


def _scalar_problems(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if isinstance(value, str):
        yield from _text(shape, value, path)
    elif isinstance(value, bytes):
        yield from _size(shape, len(value), path)
    elif isinstance(value, bool):
        if shape.type_name != "boolean":
            yield f"{path}: a boolean where the model has a {shape.type_name}"
    elif isinstance(value, int | float):
        yield from _number(shape, value, path)


def _text(shape: Shape, value: str, path: str) -> Iterator[str]:
    yield from _size(shape, len(value), path)
    enum = getattr(shape, "enum", None)
    if enum and value not in enum:
        yield f"{path}: Member must satisfy enum value set: [{', '.join(enum)}]"
    pattern = shape.metadata.get("pattern")
    if pattern and not compiled(pattern).fullmatch(value):
        yield f"{path}: Member must satisfy regular expression pattern: {pattern}"


def _size(shape: Shape, size: int, path: str) -> Iterator[str]:
    most = shape.metadata.get("max")
    if most is not None and size > most:
        yield f"{path}: Member must have length less than or equal to {most}"


def _number(shape: Shape, value: float, path: str) -> Iterator[str]:
    most, bits = shape.metadata.get("max"), {"integer": 31, "long": 63}.get(shape.type_name)
    if most is not None and value > most:
        yield f"{path}: Member must have value less than or equal to {most}"
    if bits is not None and not -(2**bits) <= value < 2**bits:
        yield f"{path}: Member is not a number of {bits + 1} bits"


def parameters(shape: StructureShape, request: WireRequest, labels: dict[str, str], *, is_rest: bool) -> dict[str, Any]:
    """The parameters of a request by member name; ValueError when it cannot be read."""
    if not is_rest:
        return parsed_structure(shape, _json(request.body))
    found = _from_head(shape, request, labels)
    payload = shape.serialization.get("payload")
    if payload is None:
        if any("location" not in member.serialization for member in shape.members.values()):
            found.update(parsed_structure(shape, _json(request.body)))
    elif shape.members[payload].type_name in {"blob", "string"}:
        is_text = shape.members[payload].type_name == "string"
        found[payload] = request.body.decode() if is_text else request.body
    elif request.body:
        found[payload] = parsed_value(shape.members[payload], _json(request.body))
    return found


def _json(body: bytes) -> Any:
    content = json.loads(body) if body else {}
    if not isinstance(content, dict):
        raise ValueError("the body is not a JSON object")
    return content


def parsed_structure(shape: StructureShape, content: dict[str, Any]) -> dict[str, Any]:
    """The members of a JSON object that the shape knows and that are not null."""
    if getattr(shape, "is_document_type", False):
        return content
    found = Given()
    for name, member in shape.members.items():
        raw = content.get(member.serialization.get("name", name))
        if raw is not None and "location" not in member.serialization:
            found[name] = parsed_value(member, raw)
    return found


def parsed_value(shape: Shape, raw: Any) -> Any:
    """A JSON value as its shape means it: blobs are bytes, timestamps aware datetimes."""
    if isinstance(shape, StructureShape):
        if not isinstance(raw, dict) and not getattr(shape, "is_document_type", False):
            raise ValueError(f"{shape.name} is not a JSON object")
        return parsed_structure(shape, raw)
    if isinstance(shape, ListShape):
        if not isinstance(raw, list):
            raise ValueError(f"{shape.name} is not a JSON list")
        return [parsed_value(shape.member, item) for item in raw]
    if isinstance(shape, MapShape):
        if not isinstance(raw, dict):
            raise ValueError(f"{shape.name} is not a JSON object")
        return {key: parsed_value(shape.value, item) for key, item in raw.items() if item is not None}
    return _parsed_scalar(shape, raw)


def _parsed_scalar(shape: Shape, raw: Any) -> Any:
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


def _from_head(shape: StructureShape, request: WireRequest, labels: dict[str, str]) -> dict[str, Any]:
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


CHUNK = 1024 * 1024


def result(
    shape: StructureShape, content: dict[str, Any], *, is_rest: bool
) -> tuple[bytes | Iterable[bytes], dict[str, str], int | None]:
    """Body, headers and (when a member is bound to it) status of a result."""
    if not is_rest:
        return json.dumps(members(shape, content)).encode(), {}, None
    headers, status = _to_head(shape, content)
    payload = shape.serialization.get("payload")
    if payload is None:
        return json.dumps(members(shape, content)).encode(), headers, status
    member = shape.members[payload]
    if member.type_name in {"blob", "string"}:
        return stream(content.get(payload) or b""), headers, status
    return json.dumps(rendered_value(member, content.get(payload) or {})).encode(), headers, status


def stream(source: Any) -> bytes | Iterable[bytes]:
    """A payload as bytes, or in blocks when it is a path or an open file."""
    if isinstance(source, str):
        return source.encode()
    if isinstance(source, Path):
        return _blocks(source.open("rb"))
    if hasattr(source, "read"):
        return _blocks(source)
    return bytes(source)


def _blocks(file: Any) -> Iterator[bytes]:
    with file:
        while block := file.read(CHUNK):
            yield block


def members(shape: StructureShape, content: dict[str, Any]) -> dict[str, Any]:
    """The members of a result that belong in its JSON body."""
    if getattr(shape, "is_document_type", False):
        return content
    unknown = set(content) - set(shape.members)
    if unknown:
        raise ValueError(f"{shape.name} has no member {', '.join(sorted(unknown))}")
    found = {}
    for name, member in shape.members.items():
        if content.get(name) is not None and "location" not in member.serialization:
            found[member.serialization.get("name", name)] = rendered_value(member, content[name])
    return found


def rendered_value(shape: Shape, content: Any) -> Any:
    """A result's value as JSON has it."""
    if isinstance(shape, StructureShape):
        return members(shape, content)
    if isinstance(shape, ListShape):
        return [rendered_value(shape.member, item) for item in content]
    if isinstance(shape, MapShape):
        return {str(key): rendered_value(shape.value, item) for key, item in content.items() if item is not None}
    return _rendered_scalar(shape, content)


def _rendered_scalar(shape: Shape, content: Any) -> Any:
    match shape.type_name:
        case "blob":
            return base64.b64encode(content.encode() if isinstance(content, str) else content).decode()
        case "timestamp":
            return _timestamp(shape, content, "unixtimestamp")
        case "string":
            return str(content)
        case "integer" | "long":
            return int(content)
    return content


def _timestamp(shape: Shape, content: datetime | date | float | int, usual: str) -> str | float:
    moment = _moment(content)
    match shape.serialization.get("timestampFormat", usual):
        case "iso8601":
            return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        case "rfc822":
            return format_datetime(moment.replace(microsecond=0), usegmt=True)
    return round(moment.timestamp(), 3)


def _moment(content: datetime | date | float | int) -> datetime:
    if isinstance(content, datetime):
        return content.astimezone(UTC) if content.tzinfo else content.replace(tzinfo=UTC)
    if isinstance(content, date):
        return datetime(content.year, content.month, content.day, tzinfo=UTC)
    return datetime.fromtimestamp(content, UTC)


def _to_head(shape: StructureShape, content: dict[str, Any]) -> tuple[dict[str, str], int | None]:
    headers: dict[str, str] = {}
    status = None
    for name, member in shape.members.items():
        if content.get(name) is None:
            continue
        wire_name = member.serialization.get("name", name)
        match member.serialization.get("location"):
            case "header":
                headers[wire_name] = _header(member, content[name])
            case "headers":
                headers.update({wire_name + key: str(text) for key, text in content[name].items()})
            case "statusCode":
                status = int(content[name])
    return headers, status


def _header(shape: Shape, content: Any) -> str:
    match shape.type_name:
        case "boolean":
            return "true" if content else "false"
        case "timestamp":
            return str(_timestamp(shape, content, "rfc822"))
        case "list":
            return ",".join(str(item) for item in content)
    return str(content)

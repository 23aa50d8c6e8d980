"""From results to the wire: JSON bodies, headers, status members, payloads.

Reads a result and a botocore shape; a member that the shape does not know is a fault of ours and raises.
Behind every make target that talks to localaws. Example: `result(output_shape, {"Name": "a"}, is_rest=False)`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

CHUNK = 1024 * 1024


def result(
    shape: StructureShape, content: dict[str, Any], *, is_rest: bool
) -> tuple[bytes | Iterable[bytes], dict[str, str], int | None]:
    """Body, headers and (when a member is bound to it) status of a result."""
    if not is_rest:
        return json.dumps(members(shape, content)).encode(), {}, None
    headers, status = _located(shape, content)
    payload = shape.serialization.get("payload")
    if payload is None:
        return json.dumps(members(shape, content)).encode(), headers, status
    member = shape.members[payload]
    if member.type_name in {"blob", "string"}:
        return stream(content.get(payload) or b""), headers, status
    return json.dumps(value(member, content.get(payload) or {})).encode(), headers, status


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
            found[member.serialization.get("name", name)] = value(member, content[name])
    return found


def value(shape: Shape, content: Any) -> Any:
    """A result's value as JSON has it."""
    if isinstance(shape, StructureShape):
        return members(shape, content)
    if isinstance(shape, ListShape):
        return [value(shape.member, item) for item in content]
    if isinstance(shape, MapShape):
        return {str(key): value(shape.value, item) for key, item in content.items() if item is not None}
    return _scalar(shape, content)


def _scalar(shape: Shape, content: Any) -> Any:
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


def _located(shape: StructureShape, content: dict[str, Any]) -> tuple[dict[str, str], int | None]:
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

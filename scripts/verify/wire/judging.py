"""Whether an answer is one that the model allows: status, shape, members, types, enums; or a modelled error.

Pure. Example: `list(faults(operation, answer))` is empty for an answer that may be given.
"""

import json
from collections.abc import Iterator
from typing import Any

from botocore import parsers
from botocore.awsrequest import HeadersDict
from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from verify.wire.sending import JSON_TYPES, Answer

# What every AWS service may answer, whether its model says so or not.
# https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
COMMON = {"AccessDeniedException": 403, "ThrottlingException": 429, "ValidationException": 400}
# Required of the answer, optional in the request that sets it: a TSV annotation store may have been made without one.
# https://docs.aws.amazon.com/omics/latest/api/API_CreateAnnotationStore.html
MAY_LACK = {("AnnotationStoreItem", "reference"), ("GetAnnotationStoreResponse", "reference")}
ERROR_WORDS = {"__type", "message", "Message", "code"}


def faults(operation: OperationModel, answer: Answer) -> Iterator[str]:
    """A sentence for each way in which the answer breaks the model."""
    if answer.status >= 500:
        yield f"status {answer.status}: {answer.body[:300].decode('utf-8', 'replace')}"
    elif answer.status >= 300:
        yield from _error_faults(operation, answer)
    else:
        yield from _result_faults(operation, answer)


def error_code(operation: OperationModel, answer: Answer) -> str:
    parsed = _parsed(operation, answer, None)
    return str(parsed.get("Error", {}).get("Code", ""))


def _parsed(operation: OperationModel, answer: Answer, shape: Shape | None) -> dict[str, Any]:
    given = {"status_code": answer.status, "headers": HeadersDict(answer.headers), "body": answer.body}
    parsed: dict[str, Any] = parsers.create_parser(operation.service_model.protocol).parse(given, shape)
    return parsed


def _error_faults(operation: OperationModel, answer: Answer) -> Iterator[str]:
    code = error_code(operation, answer)
    shape = next((shape for shape in operation.error_shapes if code in {shape.name, shape.error_code}), None)
    if shape is None:
        if code not in COMMON:
            yield f"{code} is none of the operation's errors"
        return
    metadata = shape.metadata.get("error") or {}
    wanted = metadata.get("httpStatusCode", 400)
    if answer.status != wanted:
        yield f"{code} has status {answer.status}, the model has {wanted}"
    content = {name: value for name, value in json.loads(answer.body).items() if name not in ERROR_WORDS}
    members = {member.serialization.get("name", name) for name, member in shape.members.items()}
    yield from (f"{code} has no member {name}" for name in content.keys() - members)
    known = {name: value for name, value in content.items() if name in members}
    yield from _value_faults(shape, known, code, required=False)


def _result_faults(operation: OperationModel, answer: Answer) -> Iterator[str]:
    shape = operation.output_shape
    status = operation.http.get("responseCode", 200)
    if answer.status != status and not _has_status_member(shape):
        yield f"status {answer.status}, the model has {status}"
    if shape is None or operation.has_event_stream_output:
        return
    if operation.has_streaming_output:
        if not answer.body:
            yield "an empty stream"
        return
    parsed = _parsed(operation, answer, shape)
    yield from (f"{name} is missing" for name in _required(shape) if name not in parsed)
    payload = shape.serialization.get("payload")
    root = shape.members[payload] if payload else shape
    if answer.body:
        yield from _value_faults(root, json.loads(answer.body), operation.name)


def _required(shape: StructureShape) -> list[str]:
    return [name for name in shape.required_members if (shape.name, name) not in MAY_LACK]


def _has_status_member(shape: StructureShape | None) -> bool:
    members = shape.members.values() if shape is not None else ()
    return any(member.serialization.get("location") == "statusCode" for member in members)


def _value_faults(shape: Shape, value: Any, path: str, *, required: bool = True) -> Iterator[str]:
    if getattr(shape, "is_document_type", False) or value is None:
        return
    allowed: Any = JSON_TYPES[shape.type_name]
    if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
        yield f"{path} is a {type(value).__name__}, the model has a {shape.type_name}"
    elif isinstance(shape, StructureShape):
        yield from _structure_faults(shape, value, path, required=required)
    elif isinstance(shape, ListShape):
        for item in value:
            yield from _value_faults(shape.member, item, f"{path}[]")
    elif isinstance(shape, MapShape):
        for item in value.values():
            yield from _value_faults(shape.value, item, f"{path}{{}}")
    elif getattr(shape, "enum", None) and value not in shape.enum:
        yield f"{path}: {value!r} is none of the model's words"


def _structure_faults(shape: StructureShape, value: dict[str, Any], path: str, *, required: bool) -> Iterator[str]:
    members = {
        member.serialization.get("name", name): member
        for name, member in shape.members.items()
        if "location" not in member.serialization
    }
    yield from (f"{path}.{name} is not in the model" for name in value.keys() - members.keys())
    for name in _required(shape):
        member = shape.members[name]
        if required and "location" not in member.serialization:
            key = member.serialization.get("name", name)
            if value.get(key) is None:
                yield f"{path}.{key} is missing"
    for name, member in members.items():
        if name in value:
            yield from _value_faults(member, value[name], f"{path}.{name}")

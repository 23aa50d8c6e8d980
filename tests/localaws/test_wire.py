"""The wire form of every operation of botocore's models, both ways, without a service behind it.

Reads botocore's models; writes nothing. Make target: `test`. Example: `pytest tests/localaws/test_wire.py -k omics`.
A service joins by standing in `localaws.service.TABLE`.
"""

from __future__ import annotations

import inspect
import io
from datetime import UTC, datetime
from importlib import import_module
from random import Random
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore import parsers, serialize, xform_name
from botocore.awsrequest import HeadersDict
from botocore.exceptions import ClientError
from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from localaws import LocalAws
from localaws.request import WireRequest
from localaws.service import TABLE, Service, ServiceError
from localaws.wire import Wire, service_model
from verify.wire.known import Known
from verify.wire.values import Values, Want

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SCALARS: dict[str, Any] = {
    "string": "a text",
    "integer": 7,
    "long": 8,
    "double": 1.5,
    "float": 2.5,
    "boolean": True,
    "blob": b"\x00\xffbytes",
    "timestamp": MOMENT,
}


OPERATIONS = [
    pytest.param(service_model(boto_name).operation_model(name), id=f"{boto_name}.{name}")
    for boto_name, _, _ in TABLE.values()
    for name in service_model(boto_name).operation_names
    if not service_model(boto_name).operation_model(name).has_event_stream_output
]


def a_value(shape: Shape, within: tuple[str, ...] = ()) -> Any:
    """A value with every member of its shape, within its limits, down to where shapes repeat themselves."""
    deeper = (*within, shape.name)
    if isinstance(shape, StructureShape):
        members = list(shape.members.items())
        if getattr(shape, "is_tagged_union", False):
            members = members[-1:]
        return {name: a_value(member, deeper) for name, member in members if member.name not in within}
    least = shape.metadata.get("min", 0)
    if isinstance(shape, ListShape):
        return [a_value(shape.member, deeper)] * max(1, least) if shape.member.name not in within else []
    if isinstance(shape, MapShape):
        return {a_value(shape.key): a_value(shape.value, deeper)}
    if getattr(shape, "enum", None):
        return shape.enum[0]
    value = SCALARS[shape.type_name]
    if shape.type_name == "string":
        return value.ljust(least, "x")
    return max(value, least) if shape.type_name in {"integer", "long"} else value


def an_input(operation: OperationModel) -> dict[str, Any]:
    """Parameters with every member, as the model allows them."""
    return Values(operation, Random(7), Known({})).params(Want(optional=1))


def sent(operation: OperationModel, params: dict[str, Any]) -> WireRequest:
    """What botocore's own serialiser puts on the wire."""
    model = operation.service_model
    serializer = serialize.create_serializer(model.protocol, include_validation=False)
    request = serializer.serialize_to_request(params, operation)
    body = request["body"] or b""
    content = body.encode() if isinstance(body, str) else body
    query = request["query_string"]
    return WireRequest(
        {
            "REQUEST_METHOD": request["method"],
            "RAW_URI": request["url_path"],
            "QUERY_STRING": urlencode(query, doseq=True) if isinstance(query, dict) else query,
            "CONTENT_LENGTH": str(len(content)),
            "wsgi.input": io.BytesIO(content),
            **{f"HTTP_{name.upper().replace('-', '_')}": str(text) for name, text in request["headers"].items()},
        }
    )


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_a_client_sends_is_what_the_service_gets(operation: OperationModel) -> None:
    params = an_input(operation)
    wire = Wire.of(operation.service_model.service_name)
    found, labels = wire.route(sent(operation, params))
    assert found.name == operation.name
    assert wire.parse(operation, sent(operation, params), labels) == params


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_a_service_answers_is_what_a_client_gets(operation: OperationModel) -> None:
    output = operation.output_shape
    result = a_value(output) if output is not None else {}
    status_members = [
        name
        for name, member in getattr(output, "members", {}).items()
        if member.serialization.get("location") == "statusCode"
    ]
    result.update(dict.fromkeys(status_members, 200))
    wire = Wire.of(operation.service_model.service_name)
    response = wire.render(operation, result)
    body = response.body if isinstance(response.body, bytes) else b"".join(response.body)
    answer = {"status_code": response.status, "headers": HeadersDict(response.headers), "body": body}
    if operation.has_streaming_output:
        answer["body"] = io.BytesIO(body)
    parsed = parsers.create_parser(operation.service_model.protocol).parse(answer, output)
    parsed.pop("ResponseMetadata", None)
    if operation.has_streaming_output:
        name = output.serialization["payload"]
        parsed[name], result[name] = parsed[name].read(), as_bytes(result[name])
    assert parsed == result


def as_bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


@pytest.mark.parametrize(("signing_name", "entry"), list(TABLE.items()), ids=list(TABLE))
def test_every_public_method_is_an_operation_of_the_model(signing_name: str, entry: tuple[str, str, str]) -> None:
    boto_name, module, class_name = entry
    service = getattr(import_module(module), class_name)
    assert issubclass(service, Service) and service.service_name == boto_name
    model = service_model(boto_name)
    assert model.signing_name == signing_name
    known = {xform_name(name) for name in model.operation_names}
    methods = {name for name, _ in inspect.getmembers(service, inspect.isfunction) if not name.startswith("_")}
    assert methods - set(dir(Service)) - known == set()


@pytest.mark.parametrize("boto_name", [entry[0] for entry in TABLE.values()])
def test_every_modelled_error_reaches_the_client_under_its_name(boto_name: str) -> None:
    wire = Wire.of(boto_name)
    model = service_model(boto_name)
    for shape in model.error_shapes:
        response = wire.render_error(ServiceError(shape.name, "what happened"))
        answer = {"status_code": response.status, "headers": HeadersDict(response.headers), "body": response.body}
        error = parsers.create_parser(model.protocol).parse(answer, None)["Error"]
        assert error == {"Code": shape.error_code, "Message": "what happened"}
        modelled = (shape.metadata.get("error") or {}).get("httpStatusCode")
        assert response.status == (modelled or response.status) and response.status >= 400


def test_an_answer_with_a_member_the_model_lacks_is_refused() -> None:
    operation = service_model("healthlake").operation_model("ListFHIRDatastores")
    with pytest.raises(ValueError, match="has no member Datastores"):
        Wire.of("healthlake").render(operation, {"Datastores": []})


def test_a_request_the_model_forbids_is_refused_by_name(aws: LocalAws) -> None:
    """Clients other than botocore do not validate: the server does."""
    wire = Wire.of("healthlake")
    operation = service_model("healthlake").operation_model("DescribeFHIRDatastore")
    with pytest.raises(ServiceError, match="DatastoreId") as caught:
        wire.parse(operation, sent(operation, {}), {})
    assert caught.value.code == "ValidationException"


def test_an_operation_we_do_not_have_is_named_not_a_crash(aws: LocalAws) -> None:
    with pytest.raises(ClientError) as caught:
        aws.world.client("omics").list_runs()
    assert "ListRuns" in caught.value.response["Error"]["Message"]
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501

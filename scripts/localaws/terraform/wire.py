"""Plugin protocol 6 on the wire: schemas as protobuf messages, values as msgpack, problems as diagnostics.

Reads and writes nothing. Make targets: deploy, plan, destroy.
Example: encode({"name": "a", "arn": UNKNOWN})
"""

import json
from collections.abc import Iterable
from typing import Any

import msgpack
from tf.gen import tfplugin_pb2 as pb

from localaws.terraform.schemas import Spec
from localaws.terraform.values import UNKNOWN, Path, Problem

NESTING = {"single": 1, "list": 2, "set": 3, "map": 4, "group": 5}
SEVERITY = {"error": pb.Diagnostic.ERROR, "warning": pb.Diagnostic.WARNING}
UNKNOWN_CODE = 0
REFINED_UNKNOWN_CODE = 12


def schema_message(spec: Spec) -> pb.Schema:
    """The Schema message of one resource, data source or provider."""
    return pb.Schema(version=spec.get("version", 0), block=block_message(spec.get("block", {})))


def block_message(spec: Spec) -> pb.Schema.Block:
    return pb.Schema.Block(
        attributes=[attribute_message(*item) for item in sorted(spec.get("attributes", {}).items())],
        block_types=[
            pb.Schema.NestedBlock(
                type_name=name,
                block=block_message(child["block"]),
                nesting=NESTING[child["nesting_mode"]],
                min_items=child.get("min_items", 0),
                max_items=child.get("max_items", 0),
            )
            for name, child in sorted(spec.get("block_types", {}).items())
        ],
        deprecated=spec.get("deprecated", False),
    )


def attribute_message(name: str, spec: Spec) -> pb.Schema.Attribute:
    flags = {flag: True for flag in ("required", "optional", "computed", "sensitive", "deprecated") if spec.get(flag)}
    message = pb.Schema.Attribute(name=name, **flags)
    if "nested_type" in spec:
        nested = spec["nested_type"]
        message.nested_type.nesting = NESTING[nested["nesting_mode"]]
        children = sorted(nested.get("attributes", {}).items())
        message.nested_type.attributes.extend(attribute_message(*item) for item in children)
    else:
        message.type = json.dumps(spec["type"]).encode()
    return message


def decode(value: pb.DynamicValue) -> Any:
    """The Python value of a DynamicValue: None, bool, number, str, list, dict or UNKNOWN."""
    if value.json:
        return json.loads(value.json)
    if value.msgpack:
        return msgpack.unpackb(value.msgpack, ext_hook=_unknown, strict_map_key=False)
    return None


def encode(value: Any) -> pb.DynamicValue:
    """The DynamicValue of a Python value."""
    return pb.DynamicValue(msgpack=msgpack.packb(value, default=_extension))


def _unknown(code: int, data: bytes) -> Any:
    if code in (UNKNOWN_CODE, REFINED_UNKNOWN_CODE):
        return UNKNOWN
    return msgpack.ExtType(code, data)


def _extension(value: Any) -> Any:
    if value is UNKNOWN:
        return msgpack.ExtType(UNKNOWN_CODE, b"\x00")
    raise TypeError(f"no Terraform value: {value!r}")


def diagnostics(problems: Iterable[Problem]) -> list[pb.Diagnostic]:
    """Diagnostic messages; Terraform adds the resource's address and place in the file."""
    return [
        pb.Diagnostic(
            severity=SEVERITY[problem.severity],
            summary=problem.summary,
            detail=problem.detail,
            attribute=path_message(problem.path) if problem.path else None,
        )
        for problem in problems
    ]


def path_message(path: Path) -> pb.AttributePath:
    """An attribute path: names as str steps, list positions as int steps."""
    return pb.AttributePath(
        steps=[
            pb.AttributePath.Step(element_key_int=step)
            if isinstance(step, int)
            else pb.AttributePath.Step(attribute_name=step)
            for step in path
        ]
    )

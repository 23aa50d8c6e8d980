"""Every answer of a client held against botocore's model: required members, types, enums, patterns, no stray members.

Reads and writes nothing. Make target: `test`. Example: `api = conforming(client("healthlake"))`.
"""

from __future__ import annotations

import re
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from botocore.validate import ParamValidator


def conforming(client: Any) -> Any:
    """The client; from now on an answer that the model does not allow raises AssertionError."""
    client.meta.events.register("after-call", _check)
    return client


def _check(parsed: dict[str, Any], model: OperationModel, **rest: Any) -> None:
    if "Error" in parsed or model.output_shape is None:
        return
    answer = {name: value for name, value in parsed.items() if name != "ResponseMetadata"}
    problems = list(_problems(model.output_shape, answer, model.name))
    assert not problems, "; ".join(problems)


def _problems(shape: Shape, value: Any, path: str) -> list[str]:
    if shape.serialization.get("streaming"):
        return []
    if isinstance(shape, StructureShape):
        missing = [f"{path}.{name} is missing" for name in shape.required_members if name not in value]
        unknown = [f"{path}.{name} is not in the model" for name in value if name not in shape.members]
        inner = [
            _problems(shape.members[name], value[name], f"{path}.{name}") for name in value if name in shape.members
        ]
        return missing + unknown + [problem for found in inner for problem in found]
    if isinstance(shape, ListShape):
        return [problem for item in value for problem in _problems(shape.member, item, f"{path}[]")]
    if isinstance(shape, MapShape):
        return [problem for item in value.values() for problem in _problems(shape.value, item, f"{path}{{}}")]
    return _scalar_problems(shape, value, path)


def _scalar_problems(shape: Shape, value: Any, path: str) -> list[str]:
    report = ParamValidator().validate(value, shape)
    problems = [f"{path}: {report.generate_report()}"] if report.has_errors() else []
    if getattr(shape, "enum", None) and value not in shape.enum:  # type: ignore[attr-defined]
        problems.append(f"{path}: {value!r} is not one of {shape.enum}")  # type: ignore[attr-defined]
    pattern = shape.metadata.get("pattern")
    if pattern and isinstance(value, str) and not re.fullmatch(_python(pattern), value, re.DOTALL):
        problems.append(f"{path}: {value!r} does not match {pattern}")
    return problems


def _python(pattern: str) -> str:
    """Java's `\\p{L}` classes as near as Python's `re` comes to them."""
    classes = {"L": "\\w", "Z": "\\s", "N": "\\d", "S": "\\W", "P": "\\W", "ASCII": "[\\x00-\\x7f]"}
    pattern = pattern.replace("||", "").replace("\\p{M}\\p{Z}", "\\p{Z}")
    for java, python in classes.items():
        pattern = pattern.replace(f"\\p{{{java}}}", python)
    return re.sub(r"\[\\P\{M\}\\p\{M\}\]", ".", pattern)

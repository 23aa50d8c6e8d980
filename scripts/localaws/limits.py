"""What a model asks of a value beyond its type: longest lengths, largest numbers, patterns, enums, unions.

Reads a botocore shape; errors name members and limits, never a value. Behind every make target that talks to localaws.
Example: `list(problems(operation.input_shape, params))` is empty when every value is within its limits.

Types, required members and smallest sizes are botocore's own ParamValidator's; clients other than boto3 check neither.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

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
        yield from _structure(shape, value, path)
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
        yield from _scalar(shape, value, path)


def _structure(shape: StructureShape, value: dict[str, Any], path: str) -> Iterator[str]:
    if getattr(shape, "is_tagged_union", False) and len(value) != 1:
        yield f"{path or shape.name}: exactly one of {', '.join(shape.members)} must be set"
    for name, item in value.items():
        if name in shape.members:
            yield from problems(shape.members[name], item, f"{path}.{name}" if path else name)


def _scalar(shape: Shape, value: Any, path: str) -> Iterator[str]:
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

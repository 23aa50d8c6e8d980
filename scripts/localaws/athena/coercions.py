"""Which type becomes which without being asked: Trino's implicit coercions.

Reads and writes nothing. Behind `make local-aws`.
Example: `common_type([Type("integer"), Type("double")])` is double.
"""

from __future__ import annotations

from collections.abc import Sequence

from localaws.athena.types import INTEGERS, NUMBERS, Type

_DIGITS = {"tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19}
_TIMES = ("date", "timestamp", "timestamp with time zone")


def common_type(types: Sequence[Type]) -> Type | None:
    """The type that all of these coerce to, None if Trino knows none."""
    found = Type("unknown")
    for item in types:
        merged = _merge(found, item)
        if merged is None:
            return None
        found = merged
    return found


def _merge(left: Type, right: Type) -> Type | None:
    if left == right or "unknown" in (left.name, right.name):
        return right if left.name == "unknown" else left
    if left.name in NUMBERS and right.name in NUMBERS:
        return _number(left, right)
    if left.name in _TIMES and right.name in _TIMES:
        return _time(left, right)
    if {left.name, right.name} <= {"varchar", "char"}:
        bounded = left.numbers and right.numbers
        return Type("varchar", (max(left.numbers[0], right.numbers[0]),) if bounded else ())
    nested = left.name == right.name and len(left.elements) == len(right.elements) and left.elements
    return _nested(left, right) if nested else None


def _number(left: Type, right: Type) -> Type:
    for name in ("double", "real"):
        if name in (left.name, right.name):
            return Type(name)
    if "decimal" in (left.name, right.name):
        one, other = as_decimal(left), as_decimal(right)
        scale = max(one[1], other[1])
        return _decimal(max(one[0] - one[1], other[0] - other[1]) + scale, scale)
    return max((left, right), key=lambda item: INTEGERS.index(item.name))


def as_decimal(found: Type) -> tuple[int, int]:
    """Precision and scale of a decimal, or of the decimal that holds an integer type."""
    if found.name == "decimal":
        return found.numbers[0], found.numbers[1] if len(found.numbers) > 1 else 0
    return _DIGITS[found.name], 0


def _time(left: Type, right: Type) -> Type:
    name = max(left.name, right.name, key=_TIMES.index)
    precisions = [item.numbers[0] if item.numbers else 3 for item in (left, right) if item.name != "date"]
    return Type(name, (max(precisions),))


def _nested(left: Type, right: Type) -> Type | None:
    merged = [_merge(one, other) for one, other in zip(left.elements, right.elements, strict=True)]
    if any(item is None for item in merged):
        return None
    names = tuple(a if a == b else "" for a, b in zip(left.fields, right.fields, strict=True))
    return Type(left.name, elements=tuple(item for item in merged if item), fields=names)


def coerces(source: Type, target: Type) -> bool:
    """Whether Trino turns source into target without being asked."""
    if source == target or source.name == "unknown":
        return True
    if target.name in ("varchar", "char") and source.name in ("varchar", "char"):
        return not target.numbers or (bool(source.numbers) and source.numbers[0] <= target.numbers[0])
    if target.name == "decimal" and source.name in (*INTEGERS, "decimal"):
        digits, scale = as_decimal(source)
        return scale <= target.numbers[1] and digits - scale <= target.numbers[0] - target.numbers[1]
    if source.name in _TIMES and target.name == source.name:
        return True
    if source.elements and target.name == source.name and len(source.elements) == len(target.elements):
        return all(coerces(one, other) for one, other in zip(source.elements, target.elements, strict=True))
    return common_type((source, target)) == target


def _decimal(precision: int, scale: int) -> Type:
    return Type("decimal", (max(1, min(38, precision)), max(0, min(38, scale))))

"""Which type becomes which: Trino's implicit coercions and explicit casts, written for DuckDB.

Reads and writes nothing. Behind `make local-aws`.
Example: `common_type([INTEGER, DOUBLE])` is DOUBLE; `to_type(Typed("1", INTEGER), DOUBLE).sql` is a cast.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from localaws.athena.embedded.typed import INTEGERS, NUMBERS, Typed, cast, decimal, duck_type, member, quoted, row_names
from localaws.athena.types import Type

Change = Callable[[str, Type, Type], str]
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
    if left == right or right.name == "unknown":
        return left
    if left.name == "unknown":
        return right
    if left.name in NUMBERS and right.name in NUMBERS:
        return _number(left, right)
    if left.name in _TIMES and right.name in _TIMES:
        return _time(left, right)
    if {left.name, right.name} <= {"varchar", "char"}:
        bounded = left.numbers and right.numbers
        return Type("varchar", (max(left.numbers[0], right.numbers[0]),) if bounded else ())
    if left.name == right.name and len(left.elements) == len(right.elements) and left.elements:
        return _nested(left, right)
    return None


def _number(left: Type, right: Type) -> Type:
    for name in ("double", "real"):
        if name in (left.name, right.name):
            return Type(name)
    if "decimal" in (left.name, right.name):
        one, other = as_decimal(left), as_decimal(right)
        scale = max(one[1], other[1])
        return decimal(max(one[0] - one[1], other[0] - other[1]) + scale, scale)
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


def to_type(item: Typed, target: Type) -> Typed:
    """The expression with its value turned into target by an implicit coercion (or nothing, if it is one already)."""
    return replace(item, sql=convert(item.sql, item.type, target), type=target)


def convert(sql: str, source: Type, target: Type) -> str:
    """DuckDB text for a lossless change of type; rows change by place, not by name."""
    if duck_type(source) == duck_type(target):
        return sql
    if differs_in_names(source, target):
        return rebuild(sql, source, target, convert)
    if source.name == "timestamp" and target.name == "timestamp with time zone":
        return f"timezone('UTC', {sql})"
    if source.name == "date" and target.name == "timestamp with time zone":
        return f"timezone('UTC', CAST({sql} AS TIMESTAMP))"
    if source.name == "timestamp with time zone" and target.name in ("timestamp", "date"):
        return cast(f"timezone('UTC', {sql})", target)
    return cast(sql, target)


def differs_in_names(source: Type, target: Type) -> bool:
    """Whether DuckDB's own cast, which matches row fields by name, would lose values."""
    if source.name == "row" and target.name == "row" and row_names(source) != row_names(target):
        return True
    return any(differs_in_names(one, other) for one, other in zip(source.elements, target.elements, strict=False))


def rebuild(sql: str, source: Type, target: Type, change: Change) -> str:
    """A row, array or map with each element changed in turn; the value itself is written once."""
    if source.name == "row":
        once = f"list_transform([{sql}], lambda s: {_packed('s', source, target, change)})"
        return f"list_extract({once}, 1)"
    if source.name == "array":
        inner = change("e", source.elements[0], target.elements[0])
        return f"list_transform({sql}, lambda e: {inner})"
    key = change("e.key", source.elements[0], target.elements[0])
    value = change("e.value", source.elements[1], target.elements[1])
    return (
        f"map_from_entries(list_transform(map_entries({sql}), lambda e: struct_pack(key := {key}, value := {value})))"
    )


def _packed(sql: str, source: Type, target: Type, change: Change) -> str:
    parts = [
        f"{quoted(new)} := {change(member(sql, old), one, other)}"
        for old, new, one, other in zip(
            row_names(source), row_names(target), source.elements, target.elements, strict=True
        )
    ]
    return f"CASE WHEN {sql} IS NULL THEN NULL ELSE struct_pack({', '.join(parts)}) END"

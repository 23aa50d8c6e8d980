"""Implicit coercions written for DuckDB.

Reads and writes nothing. Behind `make local-aws`.
Example: `to_type(Typed("1", INTEGER), DOUBLE).sql` is a cast.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from localaws.athena.embedded.rounding import rounded
from localaws.athena.embedded.typed import Typed, cast, duck_type, member, quoted, row_names
from localaws.athena.types import Type

Change = Callable[[str, Type, Type], str]


def to_type(item: Typed, target: Type) -> Typed:
    """The expression with its value turned into target by an implicit coercion (or nothing, if it is one already)."""
    return replace(item, sql=convert(item.sql, item.type, target), type=target)


def convert(sql: str, source: Type, target: Type) -> str:
    """DuckDB text for a lossless change of type; rows change by place, not by name."""
    if source.name == target.name and source.name.startswith("timestamp"):
        return rounded(sql, source, target)
    if duck_type(source) == duck_type(target) and not _has_times(source):
        return sql
    if source.elements and (differs_in_names(source, target) or (source != target and _has_times(source))):
        return rebuild(sql, source, target, convert)
    return sql if source == target else _moment_or_plain(sql, source, target)


def _moment_or_plain(sql: str, source: Type, target: Type) -> str:
    if source.name == "timestamp" and target.name == "timestamp with time zone":
        return f"timezone('UTC', {rounded(sql, source, target)})"
    if source.name == "date" and target.name == "timestamp with time zone":
        return f"timezone('UTC', CAST({sql} AS TIMESTAMP))"
    if source.name == "timestamp with time zone" and target.name in ("timestamp", "date"):
        shown = cast(f"timezone('UTC', {sql})", target)
        return rounded(shown, source, target) if target.name == "timestamp" else shown
    return cast(sql, target)


def _has_times(found: Type) -> bool:
    return found.name.startswith("timestamp") or any(_has_times(item) for item in found.elements)


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

"""Column types in the forms that meet in Athena: Hive (Glue), Trino (results), Iceberg, Arrow (files, engines).

Example: `trino_from_hive("array<struct<a:int>>")` is `array(row(a integer))`.
At the end: which type becomes which without being asked, Trino's implicit coercions (its `TypeCoercion`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import pyarrow as pa
from pyiceberg.types import DecimalType, IcebergType, ListType, MapType, StructType

INTEGERS = ("tinyint", "smallint", "integer", "bigint")
NUMBERS = (*INTEGERS, "decimal", "real", "double")
T = TypeVar("T")
_TOKEN = re.compile(r"\s*(\"(?:[^\"]|\"\")*\"|`[^`]*`|[A-Za-z0-9_$.\-]+|[<>(),:])")
_PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_]*\Z")
_TRINO_NAME = {"string": "varchar", "int": "integer", "float": "real", "binary": "varbinary", "struct": "row"}
_TRINO_NAME |= {"long": "bigint", "short": "smallint", "byte": "tinyint", "timestamptz": "timestamp with time zone"}
# Iceberg counts microseconds: https://iceberg.apache.org/spec/#primitive-types
_ICEBERG_TIMES = {"timestamp": "timestamp", "timestamptz": "timestamp with time zone", "time": "time"}
_HIVE_NAME = {"varchar": "string", "integer": "int", "real": "float", "varbinary": "binary", "json": "string"}
# Hive knows no JSON, UUID, time of day or zone; for an Iceberg table its own metadata still does
# (`CatalogView._exact`).
_HIVE_NAME |= {"time": "string", "uuid": "string", "unknown": "string", "timestamp with time zone": "timestamp"}
_ARROW = {
    "boolean": pa.bool_(),
    "tinyint": pa.int8(),
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "real": pa.float32(),
    "double": pa.float64(),
    "varchar": pa.string(),
    "char": pa.string(),
    "json": pa.string(),
    "uuid": pa.string(),
    "varbinary": pa.binary(),
    "date": pa.date32(),
    "time": pa.time64("us"),
    "timestamp": pa.timestamp("us"),
    "timestamp with time zone": pa.timestamp("us", tz="UTC"),
    "unknown": pa.null(),
}


@dataclass(frozen=True)
class Type:
    """One type: Trino base name, then numbers (`decimal(10,2)`), or element types with row field names."""

    name: str
    numbers: tuple[int, ...] = ()
    elements: tuple[Type, ...] = ()
    fields: tuple[str, ...] = ()


class TypeTextError(ValueError):
    """The text is not a type."""


@lru_cache(maxsize=4096)
def parse_type(text: str) -> Type:
    """A Hive or Trino type text as a Type; both spell types so alike that one reader serves."""
    reader = _Reader(text)
    parsed = reader.type()
    if reader.tokens:
        raise TypeTextError(f"not a type: {text}")
    return parsed


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = [token for token in _TOKEN.findall(text)][::-1]

    def take(self, expected: str = "") -> str:
        token = self.tokens.pop() if self.tokens else ""
        if not token or (expected and token not in expected):
            raise TypeTextError(f"not a type: {self.text}")
        return token

    def peek(self) -> str:
        return self.tokens[-1] if self.tokens else ""

    def type(self) -> Type:
        name = self.take().lower()
        name = _TRINO_NAME.get(name, name)
        if name == "row":
            return self._row()
        if name == "interval":
            return Type(" ".join(["interval", self.take().lower(), self.take().lower(), self.take().lower()]))
        if name in ("array", "map"):
            return Type(name, elements=self._list(self.type))
        numbers = tuple(int(item) for item in self._list(self.take)) if self.peek() == "(" else ()
        return self._zoned(name, numbers)

    def _zoned(self, name: str, numbers: tuple[int, ...]) -> Type:
        # In `timestamp(3) with time zone` the digits stand in the middle of the name.
        if self.peek().lower() in ("with", "without"):
            zoned = self.take().lower() == "with"
            self.take()
            self.take()
            name = f"{name} with time zone" if zoned else name
        if name == "double" and self.peek().lower() == "precision":
            self.take()
        if name == "decimal" and not numbers:
            numbers = (38, 0)
        return Type(name, numbers)

    def _list(self, item: Callable[[], T]) -> tuple[T, ...]:
        self.take("<(")
        items = [item()]
        while self.peek() == ",":
            self.take()
            items.append(item())
        self.take(">)")
        return tuple(items)

    def _row(self) -> Type:
        pairs = self._list(self._field)
        return Type("row", elements=tuple(pair[1] for pair in pairs), fields=tuple(pair[0] for pair in pairs))

    def _field(self) -> tuple[str, Type]:
        following = self.tokens[-2] if len(self.tokens) > 1 else ""
        if following in ("", ",", ")", ">", "(", "<"):
            return "", self.type()
        name = self.take()
        if self.peek() == ":":
            self.take()
        return name.strip('"`').replace('""', '"').lower(), self.type()


def trino_text(kind: Type) -> str:
    """A Type as Athena prints it in result metadata and SHOW COLUMNS."""
    if kind.name == "row":
        pairs = zip(kind.fields, kind.elements, strict=True)
        return "row(" + ", ".join(f"{_quoted(name)} {trino_text(item)}".strip() for name, item in pairs) + ")"
    if kind.elements:
        return f"{kind.name}({', '.join(trino_text(item) for item in kind.elements)})"
    numbers = f"({','.join(str(number) for number in kind.numbers)})" if kind.numbers else ""
    base, _, zone = kind.name.partition(" ")
    return f"{base}{numbers} {zone}".strip()


def _quoted(name: str) -> str:
    return name if not name or _PLAIN_NAME.match(name) else '"' + name.replace('"', '""') + '"'


def hive_text(kind: Type) -> str:
    """A Type as Glue keeps it."""
    if kind.name == "row":
        pairs = zip(kind.fields, kind.elements, strict=True)
        return "struct<" + ",".join(f"{name}:{hive_text(item)}" for name, item in pairs) + ">"
    if kind.elements:
        return f"{kind.name}<{','.join(hive_text(item) for item in kind.elements)}>"
    # The digits of times are lost in Glue: `timestamp(6)` is `timestamp` there.
    keeps = kind.name in ("decimal", "char") or (kind.name == "varchar" and kind.numbers)
    if keeps:
        return f"{kind.name}({','.join(str(number) for number in kind.numbers)})"
    return _HIVE_NAME.get(kind.name, kind.name)


@lru_cache(maxsize=4096)
def trino_from_hive(text: str) -> str:
    """`array<struct<a:int>>` as `array(row(a integer))`; a text that is no type stays as it is."""
    try:
        return trino_text(parse_type(text))
    except (TypeTextError, ValueError):
        return text


def hive_from_trino(text: str) -> str:
    """`array(row(a integer))` as `array<struct<a:int>>`."""
    return hive_text(parse_type(text))


def trino_from_iceberg(kind: IcebergType) -> str:
    """The Trino type of an Iceberg type; times keep their six digits."""
    return trino_text(_from_iceberg(kind))


def _from_iceberg(kind: IcebergType) -> Type:
    if isinstance(kind, StructType):
        elements = tuple(_from_iceberg(item.field_type) for item in kind.fields)
        return Type("row", elements=elements, fields=tuple(item.name.lower() for item in kind.fields))
    if isinstance(kind, ListType):
        return Type("array", elements=(_from_iceberg(kind.element_type),))
    if isinstance(kind, MapType):
        return Type("map", elements=(_from_iceberg(kind.key_type), _from_iceberg(kind.value_type)))
    if isinstance(kind, DecimalType):
        return Type("decimal", (kind.precision, kind.scale))
    name = str(kind).partition("[")[0]
    if name in _ICEBERG_TIMES:
        return Type(_ICEBERG_TIMES[name], (6,))
    name = "binary" if name == "fixed" else name
    return Type(_TRINO_NAME.get(name, name))


def arrow_type(kind: Type) -> pa.DataType:
    """The Arrow type that holds a Type's values."""
    if kind.name == "row":
        pairs = zip(kind.fields, kind.elements, strict=True)
        return pa.struct([pa.field(name, arrow_type(item)) for name, item in pairs])
    if kind.name == "array":
        return pa.list_(arrow_type(kind.elements[0]))
    if kind.name == "map":
        return pa.map_(arrow_type(kind.elements[0]), arrow_type(kind.elements[1]))
    if kind.name == "decimal":
        return pa.decimal128(*kind.numbers) if len(kind.numbers) > 1 else pa.decimal128(kind.numbers[0], 0)
    if kind.name not in _ARROW:
        raise TypeTextError(f"Unknown type: {trino_text(kind)}")
    return _ARROW[kind.name]


def type_from_arrow(arrow: pa.DataType) -> Type:
    """The Trino type of an Arrow type, as a query's result names it (times in milliseconds)."""
    if pa.types.is_struct(arrow):
        members = [arrow.field(index) for index in range(arrow.num_fields)]
        elements = tuple(type_from_arrow(member.type) for member in members)
        return Type("row", elements=elements, fields=tuple(member.name for member in members))
    if pa.types.is_map(arrow):
        return Type("map", elements=(type_from_arrow(arrow.key_type), type_from_arrow(arrow.item_type)))
    if pa.types.is_list(arrow) or pa.types.is_large_list(arrow) or pa.types.is_fixed_size_list(arrow):
        return Type("array", elements=(type_from_arrow(arrow.value_type),))
    if pa.types.is_decimal(arrow):
        return Type("decimal", (arrow.precision, arrow.scale))
    if pa.types.is_timestamp(arrow):
        return Type("timestamp with time zone" if arrow.tz else "timestamp", (3,))
    return Type(_scalar_name(arrow))


def _scalar_name(arrow: pa.DataType) -> str:
    if pa.types.is_large_string(arrow) or pa.types.is_string_view(arrow):
        return "varchar"
    if pa.types.is_large_binary(arrow) or pa.types.is_binary_view(arrow) or pa.types.is_fixed_size_binary(arrow):
        return "varbinary"
    if pa.types.is_time(arrow):
        return "time"
    if pa.types.is_interval(arrow) or pa.types.is_duration(arrow):
        return "interval day to second"
    # Trino has no unsigned types: the next wider one holds the values.
    unsigned = {pa.uint8(): "smallint", pa.uint16(): "integer", pa.uint32(): "bigint", pa.uint64(): "bigint"}
    if arrow in unsigned:
        return unsigned[arrow]
    names = [name for name, known in _ARROW.items() if known == arrow]
    if not names:
        raise TypeTextError(f"no Trino type for {arrow}")
    return names[0]


_DIGITS = {"tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19}
# In the order in which one becomes the other.
_TIMES = ("date", "timestamp", "timestamp with time zone")


def common_type(types: Sequence[Type]) -> Type | None:
    """The type that all of these coerce to, None if Trino knows none."""
    common = Type("unknown")
    for item in types:
        merged = _merge(common, item)
        if merged is None:
            return None
        common = merged
    return common


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
        a, b = as_decimal(left), as_decimal(right)
        scale = max(a[1], b[1])
        return _decimal(max(a[0] - a[1], b[0] - b[1]) + scale, scale)
    return max((left, right), key=lambda item: INTEGERS.index(item.name))


def as_decimal(kind: Type) -> tuple[int, int]:
    """Precision and scale of a decimal, or of the decimal that holds an integer type."""
    if kind.name == "decimal":
        return kind.numbers[0], kind.numbers[1] if len(kind.numbers) > 1 else 0
    return _DIGITS[kind.name], 0


def _time(left: Type, right: Type) -> Type:
    name = max(left.name, right.name, key=_TIMES.index)
    precisions = [item.numbers[0] if item.numbers else 3 for item in (left, right) if item.name != "date"]
    return Type(name, (max(precisions),))


def _nested(left: Type, right: Type) -> Type | None:
    merged = [_merge(a, b) for a, b in zip(left.elements, right.elements, strict=True)]
    if any(item is None for item in merged):
        return None
    # Fields that two rows call differently lose their name, as in Trino.
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
        return all(coerces(a, b) for a, b in zip(source.elements, target.elements, strict=True))
    return common_type((source, target)) == target


def _decimal(precision: int, scale: int) -> Type:
    return Type("decimal", (max(1, min(38, precision)), max(0, min(38, scale))))

"""An expression on its way to DuckDB: its text, its Trino type, and the small words for writing such text.

Example: `Typed("1", INTEGER).sql`

Every Typed keeps one promise: DuckDB gives its text the type that `duck_type` names, so that a result's columns
have Trino's types without a second look.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlglot import exp

from localaws.athena.types import Type

BOOLEAN, TINYINT, SMALLINT, INTEGER, BIGINT = map(Type, ("boolean", "tinyint", "smallint", "integer", "bigint"))
REAL, DOUBLE, VARCHAR, VARBINARY, DATE, TIME = map(Type, ("real", "double", "varchar", "varbinary", "date", "time"))
JSON, UNKNOWN = Type("json"), Type("unknown")
TIMESTAMP, ZONED = Type("timestamp", (3,)), Type("timestamp with time zone", (3,))
DAYS, MONTHS = Type("interval day to second"), Type("interval year to month")

_DUCK = {
    "real": "FLOAT",
    "char": "VARCHAR",
    "uuid": "VARCHAR",
    "varbinary": "BLOB",
    "timestamp with time zone": "TIMESTAMPTZ",
    "interval day to second": "INTERVAL",
    "interval year to month": "INTERVAL",
    "unknown": '"NULL"',
}


@dataclass(frozen=True)
class Typed:
    """One translated expression; `value` is set for constants, `zone` for times shown in another zone than UTC.

    `origin` is the table and column that the value is, or is a part of, as long as nothing has been made of it.
    """

    sql: str
    type: Type
    node: exp.Expr | None = None
    value: Any = None
    zone: str | None = None
    origin: tuple[str, str] | None = None

    def at(self, node: exp.Expr | None) -> Typed:
        return replace(self, node=node)


def array_of(element: Type) -> Type:
    """`array(element)`."""
    return Type("array", elements=(element,))


def map_of(key: Type, value: Type) -> Type:
    """`map(key, value)`."""
    return Type("map", elements=(key, value))


def decimal(precision: int, scale: int) -> Type:
    """`decimal(precision, scale)`, kept within Trino's 38 digits."""
    return Type("decimal", (max(1, min(38, precision)), max(0, min(38, scale))))


def row_names(row: Type) -> tuple[str, ...]:
    """Field names as DuckDB knows them: a nameless field is called by its place."""
    return tuple(name or f"field{index}" for index, name in enumerate(row.fields))


def duck_type(kind: Type) -> str:
    """The DuckDB type that holds a Trino type's values."""
    if kind.name == "row":
        pairs = zip(row_names(kind), kind.elements, strict=True)
        return "STRUCT(" + ", ".join(f"{quoted(name)} {duck_type(item)}" for name, item in pairs) + ")"
    if kind.name == "array":
        return f"{duck_type(kind.elements[0])}[]"
    if kind.name == "map":
        return f"MAP({duck_type(kind.elements[0])}, {duck_type(kind.elements[1])})"
    if kind.name == "decimal":
        return f"DECIMAL({kind.numbers[0]}, {kind.numbers[1] if len(kind.numbers) > 1 else 0})"
    return _DUCK.get(kind.name, kind.name.upper())


def quoted(name: str) -> str:
    """A name as a DuckDB identifier."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """A text as a DuckDB string literal."""
    return "'" + value.replace("'", "''") + "'"


def cast(sql: str, target: Type) -> str:
    """A plain DuckDB cast."""
    return f"CAST({sql} AS {duck_type(target)})"


ERROR_MARK = "athena-error|"


def fail(code: str, message: str, target: Type) -> str:
    """An expression that ends the query with this Athena error when a row reaches it."""
    # A failing cast, not DuckDB's error(): that one counts as volatile, which TRY and many rewrites refuse.
    return f"CAST(CAST({text(f'{ERROR_MARK}{code}|{message}')} AS INTEGER) AS {duck_type(target)})"


def member(sql: str, name: str) -> str:
    """A field of a struct."""
    return f"struct_extract({sql}, {text(name)})"

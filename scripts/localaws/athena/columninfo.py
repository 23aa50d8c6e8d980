"""Result columns as Athena describes them, in the API and in the `.metadata` object beside a result.

Reads and writes nothing. Behind `make local-aws`.
Example: `column_info(ResultColumn("n", Type("bigint")))["Precision"]` is 19.

The `.metadata` object is a protocol buffer; its field numbers are those that public readers of it use.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from localaws.athena.engine import ResultColumn
from localaws.athena.types import Type

_UNBOUNDED = 2147483647
_PRECISIONS = {
    "tinyint": 3,
    "smallint": 5,
    "integer": 10,
    "bigint": 19,
    "real": 24,
    "double": 17,
    "timestamp": 3,
    "timestamp with time zone": 3,
    "time": 3,
    "varbinary": 1073741824,
}


def column_info(column: ResultColumn) -> dict[str, Any]:
    """One entry of ResultSetMetadata.ColumnInfo."""
    precision, scale = _digits(column.type)
    return {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": column.name,
        "Label": column.name,
        "Type": athena_name(column.type),
        "Precision": precision,
        "Scale": scale,
        "Nullable": "UNKNOWN",
        "CaseSensitive": column.type.name in ("varchar", "char"),
    }


def athena_name(found: Type) -> str:
    """The type's name as results give it: without what is inside."""
    return {"real": "float", "unknown": "unknown"}.get(found.name, found.name)


def _digits(found: Type) -> tuple[int, int]:
    if found.name in ("varchar", "char"):
        return (found.numbers[0] if found.numbers else _UNBOUNDED), 0
    if found.name == "decimal":
        return found.numbers[0], found.numbers[1] if len(found.numbers) > 1 else 0
    return _PRECISIONS.get(found.name, 0), 0


def metadata_bytes(columns: Sequence[ResultColumn]) -> bytes:
    """The `.metadata` object of a result."""
    return b"".join(_field(4, _column_bytes(column_info(column))) for column in columns)


def _column_bytes(info: dict[str, Any]) -> bytes:
    texts = ((1, "CatalogName"), (2, "SchemaName"), (3, "TableName"), (4, "Name"), (5, "Label"), (6, "Type"))
    found = b"".join(_field(number, info[name].encode()) for number, name in texts)
    found += _number(7, info["Precision"]) + _number(8, info["Scale"])
    return found + _number(9, 3) + _number(10, int(info["CaseSensitive"]))


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)

"""Hive column types, as the Glue catalog keeps them, to Iceberg types.

Pure. Behind `make deploy`. Example: `HiveTypes().read("array<struct<code:string,rank:int>>")`.

Grammar: https://docs.aws.amazon.com/athena/latest/ug/data-types.html
"""

from __future__ import annotations

import re
from itertools import count

from pyiceberg.types import (
    BinaryType,
    BooleanType,
    DateType,
    DecimalType,
    DoubleType,
    FloatType,
    IcebergType,
    IntegerType,
    ListType,
    LongType,
    MapType,
    NestedField,
    StringType,
    StructType,
    TimestampType,
    TimestamptzType,
)

_SIMPLE: dict[str, IcebergType] = {
    "boolean": BooleanType(),
    "tinyint": IntegerType(),
    "smallint": IntegerType(),
    "int": IntegerType(),
    "integer": IntegerType(),
    "bigint": LongType(),
    "long": LongType(),
    "float": FloatType(),
    "real": FloatType(),
    "double": DoubleType(),
    "string": StringType(),
    "char": StringType(),
    "varchar": StringType(),
    "date": DateType(),
    "timestamp": TimestampType(),
    "timestamptz": TimestamptzType(),
    "binary": BinaryType(),
}
_TOKEN = re.compile(r"\s*([A-Za-z_][\w$-]*|`[^`]+`|\d+|[<>(),:])")


class HiveTypeError(ValueError):
    """A text that is no Hive type, or one without an Iceberg counterpart."""


class HiveTypes:
    """Reads types one after the other; every nested field gets a number of its own."""

    def __init__(self) -> None:
        self._ids = count(1)

    def next_id(self) -> int:
        return next(self._ids)

    def read(self, text: str) -> IcebergType:
        """The Iceberg type of a Hive type; HiveTypeError when there is none."""
        tokens = _Tokens(text)
        found = self._type(tokens)
        if tokens.peek():
            raise HiveTypeError(f"{text!r}: nothing more was expected at {tokens.peek()!r}")
        return found

    def _type(self, tokens: _Tokens) -> IcebergType:
        name = tokens.take().lower()
        match name:
            case "array":
                return self._array(tokens)
            case "map":
                return self._map(tokens)
            case "struct":
                return self._struct(tokens)
            case "decimal" | "numeric":
                precision, scale = (*tokens.numbers(), 10, 0)[:2] if tokens.peek() == "(" else (10, 0)
                return DecimalType(precision, scale)
        if name not in _SIMPLE:
            raise HiveTypeError(f"{tokens.text!r}: Iceberg has no type for {name!r}")
        if tokens.peek() == "(":
            tokens.numbers()
        return _SIMPLE[name]

    def _array(self, tokens: _Tokens) -> ListType:
        tokens.expect("<")
        number = self.next_id()
        element = self._type(tokens)
        tokens.expect(">")
        return ListType(element_id=number, element_type=element, element_required=False)

    def _map(self, tokens: _Tokens) -> MapType:
        tokens.expect("<")
        key_id, value_id = self.next_id(), self.next_id()
        key = self._type(tokens)
        tokens.expect(",")
        value = self._type(tokens)
        tokens.expect(">")
        return MapType(key_id=key_id, key_type=key, value_id=value_id, value_type=value, value_required=False)

    def _struct(self, tokens: _Tokens) -> StructType:
        tokens.expect("<")
        fields = []
        while True:
            name = tokens.take().strip("`")
            tokens.expect(":")
            fields.append(NestedField(self.next_id(), name, self._type(tokens), required=False))
            if tokens.take() == ">":
                return StructType(*fields)


class _Tokens:
    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = _TOKEN.findall(text)
        if "".join(self._tokens) != re.sub(r"\s+", "", text):
            raise HiveTypeError(f"{text!r} is not a Hive type")

    def peek(self) -> str:
        return self._tokens[0] if self._tokens else ""

    def take(self) -> str:
        if not self._tokens:
            raise HiveTypeError(f"{self.text!r} ends too early")
        found: str = self._tokens.pop(0)
        return found

    def expect(self, token: str) -> None:
        if self.take() != token:
            raise HiveTypeError(f"{self.text!r}: {token!r} was expected")

    def numbers(self) -> tuple[int, ...]:
        """The numbers in a pair of brackets."""
        self.expect("(")
        found = []
        while True:
            found.append(int(self.take()))
            if self.take() == ")":
                return tuple(found)

"""A FHIR resource as one row of its type's table, nested as HealthLake nests it.

Reads and writes nothing. Behind `make ingest`. Example: `shape("Patient").row(resource)["birthdate"]`.

Names are lower-cased at every level. 0..1 is a struct, 0..* an array; `value[x]` is one column per type; references
are structs with a `reference` string; dates are strings; decimals are doubles. `extension` and `modifierextension`
are arrays of JSON strings, so are contained resources. Structures end where FHIR's do not: a data type inside itself
(Reference -> Identifier -> Reference) and a nested type more than once inside itself (Consent.provision.provision
.provision) are JSON strings. Companions of primitives (`_birthdate`) are structs at the top, JSON strings one level
below (`name._family`) and not kept further down.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.json

from localaws.healthlake.elements import Element, elements, is_backbone

Convert = Callable[[Any], Any]
Row = dict[str, Any]
_ARROW = {"boolean": pa.bool_(), "decimal": pa.float64()}
_WHOLE = {"integer", "unsignedInt", "positiveInt"}
_JSON_TYPES = {"Extension", "Resource"}


def _list(arrow: pa.DataType) -> pa.DataType:
    return pa.list_(pa.field("element", arrow))


def json_text(value: Any) -> str:
    return orjson.dumps(value).decode()


def _json_texts(values: list[Any]) -> list[str]:
    return [orjson.dumps(value).decode() for value in values]


@dataclass(frozen=True)
class Field:
    """One element's column: its lower-case name, Arrow type, and how its JSON becomes a value (None: as it is).

    `inner` is the shape of a struct or of an array's structs; `is_json` says that values are JSON texts.
    """

    column: str
    arrow: pa.DataType
    convert: Convert | None = None
    inner: Shape | None = None
    is_json: bool = False


@dataclass(frozen=True)
class Shape:
    """The columns of one type, and how a JSON object of it becomes a row."""

    fields: dict[str, Field]

    @property
    def arrow_fields(self) -> list[pa.Field]:
        return [pa.field(field.column, field.arrow) for field in self.fields.values()]

    def row(self, value: dict[str, Any]) -> Row:
        """The row of a valid object; what the type does not know is left out."""
        row: Row = {}
        fields = self.fields
        for name, content in value.items():
            field = fields.get(name)
            if field is not None:
                convert = field.convert
                row[field.column] = content if convert is None or content is None else convert(content)
        return row


@cache
def shape(resource_type: str) -> Shape:
    """The shape of a resource type's table."""
    return Shape({"resourceType": Field("resourcetype", pa.string()), **_fields(resource_type, ())})


@cache
def schema(resource_type: str) -> pa.Schema:
    """The Arrow schema of a resource type's table; every column may be null."""
    return pa.schema(shape(resource_type).arrow_fields)


def table_name(resource_type: str) -> str:
    return resource_type.lower()


def read_rows(lines: list[bytes], resource_type: str, columns: set[str]) -> pa.Table:
    """Rows in JSON, one a line, as an Arrow table of the type's whole schema; only `columns` occur in them.

    JSON is read into those columns alone, the others are null: most of a type's columns are absent from most files.
    """
    whole = schema(resource_type)
    content = b"\n".join(lines) + b"\n"
    found = pyarrow.json.read_json(
        pa.BufferReader(content),
        read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=len(content) + 1),
        parse_options=pyarrow.json.ParseOptions(
            explicit_schema=pa.schema([field for field in whole if field.name in columns]),
            unexpected_field_behavior="error",
        ),
    )
    arrays = [
        found.column(field.name) if field.name in columns else pa.nulls(found.num_rows, field.type) for field in whole
    ]
    return pa.Table.from_arrays(arrays, schema=whole)


def _fields(type_name: str, path: tuple[str, ...]) -> dict[str, Field]:
    found: dict[str, Field] = {}
    inner = (*path, type_name)
    for element in elements(type_name).values():
        if element.is_primitive:
            found[element.name] = Field(element.name.lower(), _many(element, _arrow(element)))
            if element.name != "id" and len(path) < 2:
                found["_" + element.name] = _companion(element, is_top=not path)
        elif element.type in _JSON_TYPES or inner.count(element.type) > is_backbone(element.type):
            found[element.name] = _json(element)
        else:
            found[element.name] = _struct(element.name.lower(), element, Shape(_fields(element.type, inner)))
    return found


def _arrow(element: Element) -> pa.DataType:
    return pa.int32() if element.type in _WHOLE else _ARROW.get(element.type, pa.string())


def _many(element: Element, arrow: pa.DataType) -> pa.DataType:
    return _list(arrow) if element.is_list else arrow


def _json(element: Element) -> Field:
    convert = _json_texts if element.is_list else json_text
    return Field(element.name.lower(), _many(element, pa.string()), convert, is_json=True)


def _struct(column: str, element: Element, inner: Shape) -> Field:
    convert = _each(inner.row) if element.is_list else inner.row
    return Field(column, _many(element, pa.struct(inner.arrow_fields)), convert, inner)


def _companion(element: Element, *, is_top: bool) -> Field:
    name = "_" + element.name.lower()
    return _struct(name, element, _companion_shape()) if is_top else Field(name, pa.string(), json_text, is_json=True)


@cache
def _companion_shape() -> Shape:
    extension = Field("extension", _list(pa.string()), _json_texts, is_json=True)
    return Shape({"id": Field("id", pa.string()), "extension": extension})


def _each(convert: Convert) -> Convert:
    def each(values: list[Any]) -> list[Any]:
        return [None if value is None else convert(value) for value in values]

    return each

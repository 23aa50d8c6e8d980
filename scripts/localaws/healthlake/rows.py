"""A FHIR resource as one row of its type's table, nested as HealthLake nests it, and a row as its resource again.

Names are lower-cased at every level. 0..1 is a struct, 0..* an array; `value[x]` is one column per type; references
are structs with a `reference` string; dates are strings; decimals are doubles. `extension` and `modifierextension`
are arrays of JSON strings, so are contained resources. AWS does not say where its nesting ends; here a data type inside
itself (Reference -> Identifier -> Reference) and a nested type more than once inside itself (Consent.provision
.provision.provision) are JSON strings. Companions of primitives (`_birthdate`) are structs at the top, JSON strings one
level below (`name._family`) and not kept further down, and so do not come back.

Example: shape("Patient").row(resource)["birthdate"]; restore(row, "Patient")["birthDate"]
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from keyword import iskeyword
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.json

from fhir_r4.definitions import Element, definition, resource_types
from fhir_r4.primitives import LEAST, problem

Convert = Callable[[Any], Any]
Row = dict[str, Any]
_ARROW = {"boolean": pa.bool_(), "decimal": pa.float64()}
_JSON_TYPES = {"Extension", "Resource"}
BASES = (
    ("id", "implicitRules", "language", "meta"),
    ("contained", "extension", "modifierExtension", "text"),
)
"""Resource's elements, then DomainResource's."""


@cache
def elements(type_name: str) -> dict[str, Element]:
    """JSON name -> element of a resource type, data type or nested type (`Consent.provision`); KeyError if unknown."""
    by_name = definition(type_name).elements
    return {name: by_name[name] for name in sorted(by_name, key=lambda name: _place(name, type_name))}


def _place(name: str, type_name: str) -> tuple[int, str]:
    """Base types' elements first, each group by name: rows are written by position into tables that were made before.

    A word of Python's sorts with `_` behind it, so that `classHistory` stands before `class`, as in those tables.
    """
    if type_name in resource_types():
        return next((place for place, names in enumerate(BASES) if name in names), len(BASES)), _sortable(name)
    return (0 if name in ("extension", "id") else 1 if name == "modifierExtension" else 2), name


def _sortable(name: str) -> str:
    return f"{name}_" if iskeyword(name) else name


def is_backbone(type_name: str) -> bool:
    """Whether a type is defined inside one resource type (`Consent.provision`) rather than for all."""
    return "." in type_name or type_name in ("Timing", "Dosage")


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
    rows = pyarrow.json.read_json(
        pa.BufferReader(content),
        read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=len(content) + 1),
        parse_options=pyarrow.json.ParseOptions(
            explicit_schema=pa.schema([field for field in whole if field.name in columns]),
            unexpected_field_behavior="error",
        ),
    )
    arrays = [
        rows.column(field.name) if field.name in columns else pa.nulls(rows.num_rows, field.type) for field in whole
    ]
    return pa.Table.from_arrays(arrays, schema=whole)


def _fields(type_name: str, path: tuple[str, ...]) -> dict[str, Field]:
    fields: dict[str, Field] = {}
    inner = (*path, type_name)
    for element in elements(type_name).values():
        if element.is_primitive:
            fields[element.name] = Field(element.name.lower(), _many(element, _arrow(element)))
            if element.name != "id" and len(path) < 2:
                fields["_" + element.name] = _companion(element, is_top=not path)
        elif element.type in _JSON_TYPES or inner.count(element.type) > is_backbone(element.type):
            fields[element.name] = _json(element)
        else:
            fields[element.name] = _struct(element.name.lower(), element, Shape(_fields(element.type, inner)))
    return fields


def _arrow(element: Element) -> pa.DataType:
    return pa.int32() if element.type in LEAST else _ARROW.get(element.type, pa.string())


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


def prune(resource: dict[str, Any]) -> dict[str, Any]:
    """The resource without what its table cannot hold."""
    return {"resourceType": resource["resourceType"], **_fitting(resource, resource["resourceType"])}


def _fitting(value: dict[str, Any], type_name: str) -> dict[str, Any]:
    fitting = {}
    for name, element in elements(type_name).items():
        if name in value:
            part = _fitting_items(value[name], element) if element.is_list else _fitting_value(value[name], element)
            if part is not None:
                fitting[name] = part
    return fitting


def _fitting_items(value: Any, element: Element) -> list[Any] | None:
    if not isinstance(value, list):
        return None
    return [part for item in value if (part := _fitting_value(item, element)) is not None]


def _fitting_value(value: Any, element: Element) -> Any:
    """The value as far as it fits, else None."""
    if element.is_primitive:
        fault = problem(element.type, value)
        is_wrong_type = fault is not None and fault[0] == "FHIR_WRONG_TYPE"
        # Whole numbers are 32-bit columns; one below its type's least (a negative count) still fits.
        is_too_wide = element.type in LEAST and not is_wrong_type and abs(value) >= 2**31
        return None if is_wrong_type or is_too_wide else value
    if element.type in _JSON_TYPES:
        return value
    return _fitting(value, element.type) if isinstance(value, dict) else None


def restore(row: dict[str, Any], resource_type: str) -> dict[str, Any]:
    """The resource of a row, without its empty columns."""
    return _object(row, shape(resource_type))


def _object(row: dict[str, Any], of: Shape) -> dict[str, Any]:
    resource = {}
    for name, field in of.fields.items():
        value = row.get(field.column)
        if value is not None and value != []:  # pyiceberg reads a null array of structs as an empty one
            resource[name] = _value(value, field)
    return resource


def _value(value: Any, field: Field) -> Any:
    if isinstance(value, list):
        return [None if item is None else _item(item, field) for item in value]
    return _item(value, field)


def _item(value: Any, field: Field) -> Any:
    if field.is_json:
        return orjson.loads(value)
    return value if field.inner is None else _object(value, field.inner)

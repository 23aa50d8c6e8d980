"""Iceberg metadata that Glue itself writes: for a new table, and for one whose columns grow.

Reads and writes `<table location>/metadata/*.metadata.json` in S3. Behind `make deploy`.
Example: `created(table_input, iceberg_input)` -> metadata; `stored(s3, metadata, version=0)` -> its address.

Source: https://docs.aws.amazon.com/glue/latest/dg/create-otf.html
"""

from __future__ import annotations

import re
import uuid
from typing import Any

import pydantic
from pyiceberg.catalog.glue import _to_columns
from pyiceberg.exceptions import ValidationError
from pyiceberg.io import FileIO, InputFile, OutputFile
from pyiceberg.partitioning import UNPARTITIONED_PARTITION_SPEC, PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.table.metadata import TableMetadata, TableMetadataUtil, new_table_metadata
from pyiceberg.table.sorting import UNSORTED_SORT_ORDER
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import NestedField

from localaws.glue.hive_types import HiveTypeError, HiveTypes

_FIRST_PARTITION_ID = 1000
_PROPERTY_PREFIXES = ("write.", "read.", "commit.", "history.")
_FILE = re.compile(r"(\d+)-[0-9a-f-]+\.metadata\.json")


class IcebergInputError(ValueError):
    """A table that Glue cannot make into an Iceberg table."""


def created(table_input: dict[str, Any], iceberg_input: dict[str, Any]) -> TableMetadata:
    """Metadata of a new, empty table; IcebergInputError names what is wrong with the input."""
    if iceberg_input.get("MetadataOperation") != "CREATE":
        raise IcebergInputError("MetadataOperation must be CREATE.")
    try:
        return _new(table_input, iceberg_input)
    except pydantic.ValidationError as error:
        places = sorted({".".join(map(str, fault["loc"])) for fault in error.errors()})
        raise IcebergInputError(f"The Iceberg schema or partition spec is not valid at {', '.join(places)}.") from error
    except ValueError as error:
        raise IcebergInputError(str(error)) from error


def _new(table_input: dict[str, Any], iceberg_input: dict[str, Any]) -> TableMetadata:
    own = iceberg_input.get("CreateIcebergTableInput") or {}
    descriptor = table_input.get("StorageDescriptor") or {}
    location = (own.get("Location") or descriptor.get("Location") or "").rstrip("/")
    if not location.startswith("s3://"):
        raise IcebergInputError("An Iceberg table needs a StorageDescriptor with an S3 location.")
    if own:
        schema, spec = _given_schema(own["Schema"]), _given_spec(own.get("PartitionSpec"))
    else:
        schema = schema_of(table_input)
        spec = _spec_of(table_input, schema)
    parameters = {**(table_input.get("Parameters") or {}), **(own.get("Properties") or {})}
    properties = {name: text for name, text in parameters.items() if name.startswith(_PROPERTY_PREFIXES)}
    properties["format-version"] = iceberg_input.get("Version", "2")
    return new_table_metadata(schema, spec, UNSORTED_SORT_ORDER, location, properties)


def schema_of(table_input: dict[str, Any]) -> Schema:
    """The columns and partition keys of a Glue table as an Iceberg schema."""
    types = HiveTypes()
    columns = [*((table_input.get("StorageDescriptor") or {}).get("Columns") or [])]
    columns += table_input.get("PartitionKeys") or []
    try:
        return Schema(*(_field(column, types) for column in columns if _is_current(column)))
    except HiveTypeError as error:
        raise IcebergInputError(str(error)) from error


def _field(column: dict[str, Any], types: HiveTypes) -> NestedField:
    number = types.next_id()
    is_optional = (column.get("Parameters") or {}).get("iceberg.field.optional", "true") != "false"
    return NestedField(
        number,
        column["Name"],
        types.read(column.get("Type", "string")),
        required=not is_optional,
        doc=column.get("Comment") or None,
    )


def _is_current(column: dict[str, Any]) -> bool:
    return (column.get("Parameters") or {}).get("iceberg.field.current", "true") != "false"


def _spec_of(table_input: dict[str, Any], schema: Schema) -> PartitionSpec:
    keys = [key["Name"] for key in table_input.get("PartitionKeys") or []]
    fields = [
        PartitionField(schema.find_field(name).field_id, _FIRST_PARTITION_ID + index, IdentityTransform(), name)
        for index, name in enumerate(keys)
    ]
    return PartitionSpec(*fields) if fields else UNPARTITIONED_PARTITION_SPEC


def _given_schema(given: dict[str, Any]) -> Schema:
    fields = [
        {"id": field["Id"], "name": field["Name"], "type": field["Type"], "required": field.get("Required", False)}
        | ({"doc": field["Doc"]} if field.get("Doc") else {})
        for field in given["Fields"]
    ]
    return Schema.model_validate({"type": "struct", "fields": fields})


def _given_spec(given: dict[str, Any] | None) -> PartitionSpec:
    fields = [
        {
            "source-id": field["SourceId"],
            "field-id": field.get("FieldId", _FIRST_PARTITION_ID + index),
            "transform": field["Transform"],
            "name": field["Name"],
        }
        for index, field in enumerate((given or {}).get("Fields", []))
    ]
    return PartitionSpec.model_validate({"spec-id": 0, "fields": fields}) if fields else UNPARTITIONED_PARTITION_SPEC


def grown(metadata: TableMetadata, table_input: dict[str, Any]) -> TableMetadata:
    """The metadata with the columns that a Glue table has and it has not; columns are never dropped.

    IcebergInputError when a column's type cannot become the new one.
    """
    table = Table(("glue", "table"), metadata, "", _NoFiles(), None)  # type: ignore[arg-type]
    transaction = table.transaction()
    try:
        with transaction.update_schema() as update:
            update.union_by_name(schema_of(table_input))
    except (ValidationError, ValueError) as error:
        raise IcebergInputError(str(error)) from error
    return transaction.table_metadata


class _NoFiles(FileIO):
    """A change of schema touches no file."""

    def new_input(self, location: str) -> InputFile:
        raise FileNotFoundError(location)

    def new_output(self, location: str) -> OutputFile:
        raise FileNotFoundError(location)

    def delete(self, location: str | InputFile | OutputFile) -> None:
        raise FileNotFoundError(str(location))


def columns_of(metadata: TableMetadata) -> list[dict[str, Any]]:
    """The current columns as the Glue catalog shows them, with Iceberg's field numbers."""
    return [dict(column) for column in _to_columns(metadata) if _is_current(dict(column))]


def stored(s3: Any, metadata: TableMetadata, version: int) -> str:
    """Write a metadata file and give its address."""
    location = f"{metadata.location}/metadata/{version:05d}-{uuid.uuid4()}.metadata.json"
    bucket, key = split(location)
    s3.put_object(Bucket=bucket, Key=key, Body=metadata.model_dump_json(exclude_none=True).encode())
    return location


def loaded(s3: Any, location: str) -> TableMetadata:
    bucket, key = split(location)
    return TableMetadataUtil.parse_raw(s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode())


def version_of(location: str) -> int:
    """The number at the front of a metadata file's name."""
    found = _FILE.fullmatch(location.rpartition("/")[2])
    return int(found.group(1)) if found else 0


def split(location: str) -> tuple[str, str]:
    """Bucket and key of an `s3://` address."""
    bucket, _, key = location.removeprefix("s3://").partition("/")
    return bucket, key

"""CREATE TABLE: Iceberg tables through pyiceberg, external tables as catalog entries.

Reads nothing but the catalog; writes Glue entries and Iceberg metadata. Behind `make local-aws`.
Example: `CREATE TABLE t (id string) LOCATION 's3://b/t/' TBLPROPERTIES ('table_type' = 'ICEBERG')`
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from botocore.exceptions import ClientError
from pyiceberg import transforms as tr
from pyiceberg import types as it
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema

from localaws.athena import statements as st
from localaws.athena.catalog import TableRef
from localaws.athena.catalog_rights import require_catalog
from localaws.athena.errors import QueryError
from localaws.athena.hive_write import storage_of
from localaws.athena.placement import check_properties
from localaws.athena.session import Name, Outcome, Session
from localaws.athena.storage import require_write
from localaws.athena.types import Type, parse_type, trino_from_hive

_PLAIN: dict[str, it.IcebergType] = {
    "boolean": it.BooleanType(),
    "tinyint": it.IntegerType(),
    "smallint": it.IntegerType(),
    "integer": it.IntegerType(),
    "bigint": it.LongType(),
    "real": it.FloatType(),
    "double": it.DoubleType(),
    "varchar": it.StringType(),
    "char": it.StringType(),
    "json": it.StringType(),
    "uuid": it.StringType(),
    "varbinary": it.BinaryType(),
    "date": it.DateType(),
    "time": it.TimeType(),
    "timestamp": it.TimestampType(),
    "timestamp with time zone": it.TimestamptzType(),
}
_TRANSFORM = re.compile(r"(\w+)\s*\(\s*([^,()]+?)\s*(?:,\s*([^,()]+?)\s*)?\)\Z")
_TIMES: dict[str, tr.Transform[Any, Any]] = {
    "year": tr.YearTransform(),
    "month": tr.MonthTransform(),
    "day": tr.DayTransform(),
    "hour": tr.HourTransform(),
}
_SETTINGS = ("format", "write_compression", "compression_level")
FIRST_PARTITION_ID = 1000


class NewColumn(NamedTuple):
    """A column of a table to be made: name, Trino type, comment."""

    name: str
    type: str
    comment: str = ""


def create_table(session: Session, statement: st.CreateTable) -> Outcome:
    """The table of a CREATE TABLE statement, empty."""
    name = session.named(statement.table)
    database = session.database_ref(name.database)
    session.require(database, "CREATE_TABLE")
    if session.relation(name) is not None:
        if statement.if_not_exists:
            return Outcome(lines=[])
        message = (
            f"FAILED: Execution Error, return code 1. AlreadyExistsException(message:Table {name.name} already exists)"
        )
        raise QueryError("DDL_ERROR", message)
    if statement.properties.get("table_type", "").upper() == "ICEBERG":
        _iceberg(session, statement, name)
    else:
        _hive(session, statement, name)
    return Outcome(lines=[])


def _iceberg(session: Session, statement: st.CreateTable, name: Name) -> None:
    if statement.external or statement.partition_columns:
        message = "Iceberg tables are neither EXTERNAL nor partitioned by new columns"
        raise QueryError("INVALID_TABLE_PROPERTY", message)
    if not statement.location:
        raise QueryError("INVALID_TABLE_PROPERTY", "Table location can not be null or empty for an Iceberg table")
    require_write(session.caller, statement.location)
    columns = [NewColumn(item.name, trino_from_hive(item.type), item.comment) for item in statement.columns]
    properties = {key: value for key, value in statement.properties.items() if key != "table_type"}
    check_properties(properties)
    create_iceberg(session, name, columns, statement.partitions, statement.location.rstrip("/"), properties)


def create_iceberg(
    session: Session,
    name: Name,
    columns: Sequence[NewColumn],
    partitions: Sequence[str],
    location: str,
    properties: dict[str, str],
) -> None:
    """An empty Iceberg table (format 2) in the catalog, the caller its creator."""
    database = session.database_ref(name.database)
    schema = iceberg_schema(columns)
    kept = {key: value for key, value in properties.items() if key not in _SETTINGS}
    if "write_compression" in properties:
        kept["write.parquet.compression-codec"] = properties["write_compression"].lower()
    if properties.get("format", "parquet").lower() != "parquet":
        raise QueryError("NOT_SUPPORTED", "Iceberg data files are Parquet here")
    spec = partition_spec(schema, partitions)
    require_catalog(session.caller, "CreateTable", database.catalog_id, database.name, name.name)
    catalog = session.world.iceberg_catalog(database.catalog_id)
    catalog.create_table((database.name, name.name), schema, location, spec, properties=kept)
    session.world.creators[(database.catalog_id, database.name, name.name)] = session.caller.arn
    session.fresh()


def iceberg_schema(columns: Sequence[NewColumn]) -> Schema:
    """An Iceberg schema with ids of its own."""
    names = [column.name for column in columns]
    double = next((name for name in names if names.count(name) > 1), None)
    if double:
        raise QueryError("DUPLICATE_COLUMN_NAME", f"Column name '{double}' specified more than once")
    ids = iter(range(1, 100_000))
    fields = []
    numbers = [next(ids) for _ in columns]
    for column, number in zip(columns, numbers, strict=True):
        kind = iceberg_type(parse_type(column.type), ids)
        fields.append(it.NestedField(number, column.name, kind, required=False, doc=column.comment or None))
    return Schema(*fields)


def iceberg_type(found: Type, ids: Any) -> it.IcebergType:
    """The Iceberg type that holds a Trino type; `ids` numbers what is inside."""
    if found.name == "row":
        pairs = [(next(ids), name or f"field{place}") for place, name in enumerate(found.fields)]
        return it.StructType(
            *(
                it.NestedField(number, name, iceberg_type(item, ids), required=False)
                for (number, name), item in zip(pairs, found.elements, strict=True)
            )
        )
    if found.name == "array":
        return it.ListType(next(ids), iceberg_type(found.elements[0], ids), element_required=False)
    if found.name == "map":
        key, value = next(ids), next(ids)
        inner = [iceberg_type(item, ids) for item in found.elements]
        return it.MapType(key, inner[0], value, inner[1], value_required=False)
    if found.name == "decimal":
        return it.DecimalType(found.numbers[0], found.numbers[1] if len(found.numbers) > 1 else 0)
    if found.name not in _PLAIN:
        raise QueryError("NOT_SUPPORTED", f"Type not supported for Iceberg: {found.name}")
    return _PLAIN[found.name]


def partition_spec(schema: Schema, partitions: Sequence[str]) -> PartitionSpec:
    """`day(ts)`, `bucket(16, id)`, `truncate(3, code)`, `site` as an Iceberg partition spec."""
    fields = []
    for place, text in enumerate(partitions):
        name, transform, ending = _transform(text)
        column = next((field for field in schema.fields if field.name == name), None)
        if column is None:
            raise QueryError("INVALID_TABLE_PROPERTY", f"Unable to parse partitioning value: no column {name}")
        if not transform.can_transform(column.field_type):
            raise QueryError("INVALID_TABLE_PROPERTY", f"Invalid partition transform for column {name}: {text}")
        fields.append(PartitionField(column.field_id, FIRST_PARTITION_ID + place, transform, name + ending))
    return PartitionSpec(*fields)


def _transform(text: str) -> tuple[str, tr.Transform[Any, Any], str]:
    match = _TRANSFORM.match(text.strip())
    if match is None:
        return text.strip().strip('"`').lower(), tr.IdentityTransform(), ""
    word, arguments = match[1].lower().removesuffix("s"), [item.strip('"`') for item in match.groups()[1:] if item]
    if word in _TIMES and len(arguments) == 1:
        return arguments[0].lower(), _TIMES[word], f"_{word}"
    number = next((item for item in arguments if item.isdigit()), "")
    column = next((item for item in arguments if not item.isdigit()), "")
    if number and column and word in ("bucket", "truncate"):
        size = int(number)
        transform: tr.Transform[Any, Any] = tr.BucketTransform(size) if word == "bucket" else tr.TruncateTransform(size)
        return column.lower(), transform, "_bucket" if word == "bucket" else "_trunc"
    raise QueryError("INVALID_TABLE_PROPERTY", f"Unable to parse partitioning value: {text}")


def _hive(session: Session, statement: st.CreateTable, name: Name) -> None:
    if not statement.external:
        message = "Table must be EXTERNAL, or Iceberg by TBLPROPERTIES ('table_type' = 'ICEBERG')"
        raise QueryError("INVALID_TABLE_PROPERTY", message)
    if not statement.location or statement.partitions:
        message = "An external table needs a LOCATION, and types for the columns it is partitioned by"
        raise QueryError("INVALID_TABLE_PROPERTY", message)
    check_properties(statement.properties)
    columns = [_glue_column(item) for item in statement.columns]
    storage = storage_of(_format(statement.format), statement.location, columns, dict(statement.serde))
    if "serde" in statement.format:
        storage["SerdeInfo"]["SerializationLibrary"] = statement.format["serde"]
    if "input" in statement.format:
        storage["InputFormat"], storage["OutputFormat"] = statement.format["input"], statement.format["output"]
    entry = {
        "Name": name.name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE", **statement.properties},
        "PartitionKeys": [_glue_column(item) for item in statement.partition_columns],
        "StorageDescriptor": storage,
    }
    if statement.comment:
        entry["Parameters"]["comment"] = statement.comment  # type: ignore[index]
    register(session, name, entry)


def _format(given: dict[str, str]) -> str:
    stored = given.get("stored", "")
    words = f"{stored} {given.get('serde', '')} {given.get('input', '')}".lower()
    for word, name in (("parquet", "PARQUET"), ("json", "JSON")):
        if word in words:
            return name
    return "TEXTFILE" if stored in ("", "TEXTFILE") else stored


def _glue_column(item: st.ColumnText) -> dict[str, str]:
    found = {"Name": item.name, "Type": item.type}
    return {**found, "Comment": item.comment} if item.comment else found


def register(session: Session, name: Name, entry: dict[str, Any]) -> TableRef:
    """Put a table or view into Glue, the caller its creator."""
    database = session.database_ref(name.database)
    require_catalog(session.caller, "CreateTable", database.catalog_id, database.name, name.name)
    try:
        session.world.client("glue", database.catalog_id).create_table(DatabaseName=database.name, TableInput=entry)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        raise QueryError(
            "TABLE_ALREADY_EXISTS" if code == "AlreadyExistsException" else "HIVE_METASTORE_ERROR",
            error.response["Error"]["Message"],
        ) from None
    session.world.creators[(database.catalog_id, database.name, name.name)] = session.caller.arn
    session.fresh()
    found = session.relation(name)
    assert found is not None
    return found

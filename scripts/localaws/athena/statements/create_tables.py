"""CREATE TABLE, CREATE TABLE AS SELECT and UNLOAD: Iceberg through pyiceberg, external tables as Glue entries.

https://docs.aws.amazon.com/athena/latest/ug/create-table-as.html names the properties of CTAS,
https://docs.aws.amazon.com/athena/latest/ug/unload.html those of UNLOAD.
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

from localaws.athena.catalog import TableRef
from localaws.athena.engine import Counted, Result, ResultColumn
from localaws.athena.errors import QueryError
from localaws.athena.iceberg import Writer
from localaws.athena.results import metadata_bytes, put
from localaws.athena.rights import check_properties, keys_under, require, require_catalog, require_write
from localaws.athena.session import Name, Outcome, Session
from localaws.athena.statements import model as st
from localaws.athena.statements.data_files import (
    Format,
    Sink,
    add_partitions,
    check_names,
    glue_columns,
    manifest,
    storage_of,
)
from localaws.athena.statements.dml import ROWS
from localaws.athena.types import Type, parse_type, trino_from_hive, trino_text

_PLAIN: dict[str, it.IcebergType] = {
    "boolean": it.BooleanType(),
    # Iceberg's smallest integer has 32 bits.
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
# As every Iceberg writer numbers them: https://iceberg.apache.org/spec/#partition-specs
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
        _create_iceberg(session, statement, name)
    else:
        _create_external(session, statement, name)
    return Outcome(lines=[])


def _create_iceberg(session: Session, statement: st.CreateTable, name: Name) -> None:
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
    table_properties = {key: value for key, value in properties.items() if key not in _SETTINGS}
    if "write_compression" in properties:
        table_properties["write.parquet.compression-codec"] = properties["write_compression"].lower()
    if properties.get("format", "parquet").lower() != "parquet":
        raise QueryError("NOT_SUPPORTED", "Iceberg data files are Parquet here")
    spec = partition_spec(schema, partitions)
    require_catalog(session.caller, "CreateTable", database.catalog_id, database.name, name.name)
    catalog = session.world.iceberg_catalog(database.catalog_id)
    # pyiceberg makes format 2, the one that Athena makes too:
    # https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg.html
    catalog.create_table((database.name, name.name), schema, location, spec, properties=table_properties)
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
        # Optional always: Athena's DDL has no NOT NULL.
        kind = iceberg_type(parse_type(column.type), ids)
        fields.append(it.NestedField(number, column.name, kind, required=False, doc=column.comment or None))
    return Schema(*fields)


def iceberg_type(kind: Type, ids: Any) -> it.IcebergType:
    """The Iceberg type that holds a Trino type; `ids` numbers what is inside."""
    if kind.name == "row":
        pairs = [(next(ids), name or f"field{place}") for place, name in enumerate(kind.fields)]
        return it.StructType(
            *(
                it.NestedField(number, name, iceberg_type(item, ids), required=False)
                for (number, name), item in zip(pairs, kind.elements, strict=True)
            )
        )
    if kind.name == "array":
        return it.ListType(next(ids), iceberg_type(kind.elements[0], ids), element_required=False)
    if kind.name == "map":
        key, value = next(ids), next(ids)
        inner = [iceberg_type(item, ids) for item in kind.elements]
        return it.MapType(key, inner[0], value, inner[1], value_required=False)
    if kind.name == "decimal":
        return it.DecimalType(kind.numbers[0], kind.numbers[1] if len(kind.numbers) > 1 else 0)
    if kind.name not in _PLAIN:
        raise QueryError("NOT_SUPPORTED", f"Type not supported for Iceberg: {kind.name}")
    return _PLAIN[kind.name]


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


def _create_external(session: Session, statement: st.CreateTable, name: Name) -> None:
    if not statement.external:
        message = "Table must be EXTERNAL, or Iceberg by TBLPROPERTIES ('table_type' = 'ICEBERG')"
        raise QueryError("INVALID_TABLE_PROPERTY", message)
    if not statement.location or statement.partitions:
        message = "An external table needs a LOCATION, and types for the columns it is partitioned by"
        raise QueryError("INVALID_TABLE_PROPERTY", message)
    check_properties(statement.properties)
    columns = [_glue_column(item) for item in statement.columns]
    storage = storage_of(_format_named(statement.format), statement.location, columns, dict(statement.serde))
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


def _format_named(format_words: dict[str, str]) -> str:
    stored = format_words.get("stored", "")
    words = f"{stored} {format_words.get('serde', '')} {format_words.get('input', '')}".lower()
    for word, name in (("parquet", "PARQUET"), ("json", "JSON")):
        if word in words:
            return name
    return "TEXTFILE" if stored in ("", "TEXTFILE") else stored


def _glue_column(item: st.ColumnText) -> dict[str, str]:
    column = {"Name": item.name, "Type": item.type}
    return {**column, "Comment": item.comment} if item.comment else column


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
    table = session.relation(name)
    assert table is not None
    return table


_KNOWN = frozenset(
    {
        "bucket_count",
        "bucketed_by",
        "compression",
        "compression_level",
        "external_location",
        "field_delimiter",
        "format",
        "is_external",
        "location",
        "optimize_rewrite_data_file_threshold",
        "optimize_rewrite_delete_file_threshold",
        "optimize_rewrite_max_data_file_size_bytes",
        "optimize_rewrite_min_data_file_size_bytes",
        "parquet_compression",
        "partitioned_by",
        "partitioning",
        "table_type",
        "vacuum_max_snapshot_age_seconds",
        "vacuum_min_snapshots_to_keep",
        "write_compression",
    }
)


def create_table_as(session: Session, statement: st.CreateTableAs) -> Outcome:
    """A new table with the query's columns and, unless WITH NO DATA, its rows."""
    # A misspelt property would otherwise be a table in another format than the one meant.
    unknown = sorted(set(statement.properties) - _KNOWN)
    if unknown:
        raise QueryError(
            "INVALID_TABLE_PROPERTY", f"Catalog 'awsdatacatalog' table property '{unknown[0]}' does not exist"
        )
    name = session.named(statement.table)
    database = session.database_ref(name.database)
    session.require(database, "CREATE_TABLE")
    if session.relation(name) is not None:
        if statement.if_not_exists:
            return Outcome(ROWS, update_count=0, location=session.place.path(""))
        raise QueryError("TABLE_ALREADY_EXISTS", f"Table '{name.database}.{name.name}' already exists")
    query = session.authorised(statement.tree)
    # Names and types are checked before the query runs: it may run for long.
    columns = session.engine.describe(query)
    check_names(columns)
    is_iceberg = statement.properties.get("table_type", "").upper() == "ICEBERG"
    with session.engine.run(query, session.work) as result:
        batches = result.batches if statement.with_data else iter(())
        make = _create_iceberg_as if is_iceberg else _create_hive_as
        return make(session, statement.properties, name, Result(result.columns, batches))


def _location(session: Session, properties: dict[str, str], key: str) -> str:
    asked = properties.get(key)
    location = asked or f"{session.place.folder.rstrip('/')}/tables/{session.place.query_id}/"
    require_write(session.caller, location)
    if asked:
        require(session.caller, "s3:ListBucket", location)
    if keys_under(session.world, location, limit=1):
        message = f"Target directory for table already exists: {location}"
        raise QueryError("HIVE_PATH_ALREADY_EXISTS", message)
    return location


def _create_iceberg_as(session: Session, properties: dict[str, str], name: Name, result: Result) -> Outcome:
    # Iceberg tables are managed: https://docs.aws.amazon.com/athena/latest/ug/create-table-as.html
    if properties.get("is_external", "false").lower() != "false":
        raise QueryError("INVALID_TABLE_PROPERTY", "Iceberg tables need is_external = false")
    location = _location(session, properties, "location")
    columns = [NewColumn(column.name, trino_text(column.type)) for column in result.columns]
    table_properties = {
        key: value for key, value in properties.items() if key.startswith(("vacuum_", "optimize_", "write_"))
    }
    parts = [part for part in properties.get("partitioning", "").split("\n") if part]
    create_iceberg(session, name, columns, parts, location.rstrip("/"), table_properties)
    session.fresh()
    ref = session.relation(name)
    assert ref is not None
    counted, writer = Counted(result.batches), Writer(session.world, ref)
    try:
        files = writer.files(counted)
        writer.append(files)
    except BaseException:
        # The query failed or was stopped on the way: then there is no table.
        session.world.client("glue", ref.catalog_id).delete_table(DatabaseName=ref.database, Name=ref.name)
        raise
    return _finished(session, [file.file_path for file in files], counted.rows, result.columns, location)


def _create_hive_as(session: Session, properties: dict[str, str], name: Name, result: Result) -> Outcome:
    # Accepted; the files are not bucketed, which changes no answer.
    if "bucketed_by" in properties and not properties.get("bucket_count", "").isdigit():
        raise QueryError("INVALID_TABLE_PROPERTY", "bucketed_by needs bucket_count")
    location = _location(session, properties, "external_location")
    form = _format_in(properties)
    keys = [key.lower() for key in properties.get("partitioned_by", "").split("\n") if key]
    tail = [column.name for column in result.columns][len(result.columns) - len(keys) :]
    if keys != tail:
        message = "Partition keys must be the last columns in the table and in the same order as the table properties"
        raise QueryError("HIVE_COLUMN_ORDER_MISMATCH", f"{message}: [{', '.join(keys)}]")
    sink = Sink(session.world, location, result.columns, form, len(keys), session.place.encryption)
    sink.write(result.batches)
    settings = {"field.delim": form.delimiter} if form.name == "TEXTFILE" else {"serialization.format": "1"}
    width = len(result.columns) - len(keys)
    entry = {
        "Name": name.name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE", "has_encrypted_data": "false"},
        "PartitionKeys": glue_columns(result.columns[width:]),
        "StorageDescriptor": storage_of(form.name, location, glue_columns(result.columns[:width]), settings),
    }
    ref = register(session, name, entry)
    if keys:
        add_partitions(session, ref, sink)
    return _finished(session, sink.written, sink.rows, result.columns, location)


def _format_in(properties: dict[str, str]) -> Format:
    name = properties.get("format", "PARQUET").upper()
    chosen = next((properties[key] for key in ("write_compression", "parquet_compression") if key in properties), "")
    return Format(name, chosen or properties.get("compression", ""), properties.get("field_delimiter", "\x01"))


def _finished(
    session: Session, written: list[str], rows: int, columns: tuple[ResultColumn, ...], location: str
) -> Outcome:
    base = f"{session.place.folder.rstrip('/')}/tables/{session.place.query_id}"
    put(session.world, f"{base}-manifest.csv", manifest(written), session.place.encryption)
    put(session.world, f"{base}.metadata", metadata_bytes(columns), session.place.encryption)
    return Outcome(ROWS, update_count=rows, location=base, manifest=f"{base}-manifest.csv")


def unload(session: Session, statement: st.Unload) -> Outcome:
    """UNLOAD (query) TO 's3://…' WITH (format = …): files only, into an empty place."""
    properties = statement.properties
    unknown = sorted(
        set(properties) - {"format", "compression", "compression_level", "field_delimiter", "partitioned_by"}
    )
    if unknown or "format" not in properties:
        raise QueryError("INVALID_PROCEDURE_ARGUMENT", f"Unload property not known: {(unknown or ['format'])[0]}")
    location = statement.location
    require(session.caller, "s3:ListBucket", location)
    require(session.caller, "s3:PutObject", f"{location.rstrip('/')}/data")
    if keys_under(session.world, location, limit=1):
        message = (
            f"Target directory for table already exists: {location}. You may need to manually clean the data there"
        )
        raise QueryError("HIVE_PATH_ALREADY_EXISTS", message)
    query = session.authorised(statement.tree)
    check_names(session.engine.describe(query))
    keys = [key.lower() for key in properties.get("partitioned_by", "").split("\n") if key]
    with session.engine.run(query, session.work) as result:
        names = [column.name for column in result.columns]
        if keys != names[len(names) - len(keys) :]:
            raise QueryError("HIVE_COLUMN_ORDER_MISMATCH", "Partition keys must be the last columns in the query")
        form = _format_in({"compression": "", **properties})
        sink = Sink(session.world, location, result.columns, form, len(keys), session.place.encryption)
        sink.write(result.batches)
    base = session.place.path("")
    put(session.world, f"{base}-manifest.csv", manifest(sink.written), session.place.encryption)
    put(session.world, f"{base}.metadata", metadata_bytes(result.columns), session.place.encryption)
    return Outcome(ROWS, update_count=sink.rows, location=base, manifest=f"{base}-manifest.csv")

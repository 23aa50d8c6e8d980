"""Rows into tables that are not Iceberg: new files under the location, new partitions in Glue.

Reads the table's Glue entry; writes objects and partitions. Behind `make local-aws`.
Example: `INSERT INTO a_parquet_table SELECT …`
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from localaws.athena.catalog import TableRef
from localaws.athena.engine import Result, ResultColumn
from localaws.athena.errors import QueryError
from localaws.athena.files_out import Format, Sink
from localaws.athena.types import hive_text, parse_type

if TYPE_CHECKING:
    from localaws.athena.session import Session

_SERDES = {
    "PARQUET": (
        "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
        "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
        "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
    ),
    "JSON": (
        "org.apache.hadoop.mapred.TextInputFormat",
        "org.apache.hadoop.hive.ql.io.IgnoreKeyTextOutputFormat",
        "org.openx.data.jsonserde.JsonSerDe",
    ),
    "TEXTFILE": (
        "org.apache.hadoop.mapred.TextInputFormat",
        "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
        "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
    ),
}


def storage_of(name: str, location: str, columns: Sequence[dict[str, str]], settings: dict[str, str]) -> dict[str, Any]:
    """A Glue StorageDescriptor for files of this format."""
    if name not in _SERDES:
        raise QueryError("NOT_SUPPORTED", f"Format {name} is not supported (PARQUET, JSON and TEXTFILE are)")
    reads, writes, serde = _SERDES[name]
    return {
        "Columns": list(columns),
        "Location": location,
        "InputFormat": reads,
        "OutputFormat": writes,
        "Compressed": False,
        "SerdeInfo": {"SerializationLibrary": serde, "Parameters": settings},
    }


def glue_columns(columns: Iterable[ResultColumn]) -> list[dict[str, str]]:
    """Result columns as Glue keeps them."""
    return [{"Name": column.name, "Type": hive_text(column.type)} for column in columns]


def format_of(ref: TableRef) -> Format:
    """The format that an existing table's files have."""
    storage = ref.glue.get("StorageDescriptor") or {}
    serde = (storage.get("SerdeInfo") or {}).get("SerializationLibrary", "").lower()
    settings = (storage.get("SerdeInfo") or {}).get("Parameters") or {}
    if "parquet" in serde:
        return Format("PARQUET", ref.parameters.get("parquet.compression", ""))
    if "json" in serde:
        return Format("JSON", "NONE")
    return Format("TEXTFILE", "NONE", settings.get("field.delim", "\x01"))


def insert_into_hive(session: Session, ref: TableRef, result: Result) -> list[str]:
    """Add the rows as new files; the names of the objects."""
    columns = [ResultColumn(column.name, parse_type(column.type)) for column in ref.columns]
    keys = sum(1 for column in ref.columns if column.is_partition)
    sink = Sink(session.world, ref.location, columns, format_of(ref), keys, session.place.encryption)
    sink.write(result.batches)
    if keys:
        add_partitions(session, ref, sink)
    return sink.written


def add_partitions(session: Session, ref: TableRef, sink: Sink) -> None:
    """A Glue partition for each folder that was written and has none yet."""
    keys = [column.name for column in ref.columns if column.is_partition]
    for values in sorted(sink.folders):
        steps = "/".join(f"{name}={value}" for name, value in zip(keys, values, strict=True))
        storage = {**ref.glue["StorageDescriptor"], "Location": f"{ref.location.rstrip('/')}/{steps}/"}
        try:
            session.world.client("glue", ref.catalog_id).create_partition(
                DatabaseName=ref.database,
                TableName=ref.name,
                PartitionInput={"Values": list(values), "StorageDescriptor": storage},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "AlreadyExistsException":
                raise

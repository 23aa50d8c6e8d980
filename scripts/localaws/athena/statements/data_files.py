"""Query rows as files in S3 (Parquet, JSON lines, delimited text), by partition, and their entries in Glue."""

from __future__ import annotations

import base64
import gzip
import json
import os
import tempfile
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq
from botocore.exceptions import ClientError

from localaws.athena.catalog import TableRef
from localaws.athena.engine import Result, ResultColumn
from localaws.athena.errors import QueryError
from localaws.athena.iceberg import shaped
from localaws.athena.results import Encryption, column_texts, put
from localaws.athena.types import arrow_type, hive_text, parse_type

if TYPE_CHECKING:
    from localaws.athena.session import Session
    from localaws.world import World


# Hive's folder for NULL.
NO_PARTITION = "__HIVE_DEFAULT_PARTITION__"
_CODECS = {"PARQUET": {"SNAPPY": "snappy", "GZIP": "gzip", "ZSTD": "zstd", "NONE": "none", "LZ4": "lz4"}}
_CODECS["JSON"] = _CODECS["TEXTFILE"] = {"GZIP": "gzip", "NONE": "none"}
# GZIP unless something else is asked for: https://docs.aws.amazon.com/athena/latest/ug/compression-formats.html
_DEFAULTS = {"PARQUET": "GZIP", "JSON": "GZIP", "TEXTFILE": "GZIP"}


@dataclass(frozen=True)
class Format:
    """A file format as a statement asks for it."""

    name: str = "PARQUET"
    compression: str = ""
    # Hive's Ctrl-A.
    delimiter: str = "\x01"

    def __post_init__(self) -> None:
        if self.name not in _DEFAULTS:
            raise QueryError("NOT_SUPPORTED", f"Format {self.name} is not supported (PARQUET, JSON and TEXTFILE are)")
        if self.codec not in _CODECS[self.name].values():
            raise QueryError("INVALID_TABLE_PROPERTY", f"Compression {self.compression} is not supported")

    @property
    def codec(self) -> str:
        chosen = (self.compression or _DEFAULTS[self.name]).upper()
        return _CODECS[self.name].get(chosen, f"? {chosen}")


@dataclass
class Sink:
    """Writes batches as files; the last `partitions` columns become folders."""

    world: World
    location: str
    columns: Sequence[ResultColumn]
    format: Format = field(default_factory=Format)
    partitions: int = 0
    encryption: Encryption = field(default_factory=dict)
    written: list[str] = field(default_factory=list)
    folders: set[tuple[str, ...]] = field(default_factory=set)
    rows: int = 0
    _files: dict[tuple[str, ...], _File] = field(default_factory=dict)

    def write(self, batches: Iterable[pa.RecordBatch]) -> None:
        """All batches, then the files are closed and stored."""
        with tempfile.TemporaryDirectory() as folder:
            for batch in batches:
                self.rows += batch.num_rows
                for values, part in self._split(batch):
                    self._file(values, Path(folder)).add(part)
            for values, file in self._files.items():
                self._store(values, file)

    def _split(self, batch: pa.RecordBatch) -> Iterable[tuple[tuple[str, ...], pa.Table]]:
        width = len(self.columns) - self.partitions
        data = pa.table(batch.columns[:width], names=[column.name for column in self.columns[:width]])
        if not self.partitions:
            return [((), data)]
        keys = [
            [NO_PARTITION if text is None else text for text in column_texts(array, shown)]
            for array, shown in zip(batch.columns[width:], self.columns[width:], strict=True)
        ]
        places: dict[tuple[str, ...], list[int]] = {}
        for index, values in enumerate(zip(*keys, strict=True)):
            places.setdefault(values, []).append(index)
        return [(values, data.take(pa.array(rows))) for values, rows in places.items()]

    def _file(self, values: tuple[str, ...], folder: Path) -> _File:
        if values not in self._files:
            # https://docs.aws.amazon.com/athena/latest/ug/ctas-insert-into.html
            if len(self._files) >= 100 and self.partitions:
                message = "HIVE_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of 100 open writers for partitions/buckets"
                raise QueryError("HIVE_TOO_MANY_OPEN_PARTITIONS", message.partition(": ")[2])
            width = len(self.columns) - self.partitions
            kind = _ParquetFile if self.format.name == "PARQUET" else _TextFile
            self._files[values] = kind(folder / uuid.uuid4().hex, self.columns[:width], self.format)
        return self._files[values]

    def _store(self, values: tuple[str, ...], file: _File) -> None:
        file.close()
        width = len(self.columns) - self.partitions
        names = [column.name for column in self.columns[width:]]
        steps = [f"{name}={quote(value, safe=' :')}" for name, value in zip(names, values, strict=True)]
        # Parquet compresses inside of the file; a text file is compressed whole, and its name has to say so.
        ending = "" if self.format.name == "PARQUET" or self.format.codec == "none" else ".gz"
        name = (
            f"{datetime.now():%Y%m%d_%H%M%S}_{os.getpid() % 100000:05d}_{uuid.uuid4().hex[:5]}_{uuid.uuid4()}{ending}"
        )
        place = "/".join([self.location.rstrip("/"), *steps, name])
        with file.path.open("rb") as stream:
            put(self.world, place, stream, self.encryption)
        file.path.unlink()
        self.written.append(place)
        self.folders.add(values)


class _File(ABC):
    """One file that is being written."""

    def __init__(self, path: Path, columns: Sequence[ResultColumn], form: Format) -> None:
        self.path = path
        self.columns = columns
        self.format = form

    @abstractmethod
    def add(self, rows: pa.Table) -> None: ...

    @abstractmethod
    def close(self) -> None: ...


class _ParquetFile(_File):
    def __init__(self, path: Path, columns: Sequence[ResultColumn], form: Format) -> None:
        super().__init__(path, columns, form)
        self.schema = pa.schema([(column.name, arrow_type(column.type)) for column in columns])
        self._writer = pq.ParquetWriter(path, self.schema, compression=form.codec)

    def add(self, rows: pa.Table) -> None:
        arrays = [
            pa.chunked_array([shaped(chunk, field.type) for chunk in column.chunks], field.type)
            for column, field in zip(rows.columns, self.schema, strict=True)
        ]
        self._writer.write_table(pa.table(arrays, schema=self.schema))

    def close(self) -> None:
        self._writer.close()


class _TextFile(_File):
    def __init__(self, path: Path, columns: Sequence[ResultColumn], form: Format) -> None:
        super().__init__(path, columns, form)
        self._raw = path.open("wb")
        self._stream: IO[bytes] = gzip.GzipFile(fileobj=self._raw, mode="wb") if form.codec == "gzip" else self._raw  # type: ignore[assignment]

    def add(self, rows: pa.Table) -> None:
        lines = self._json(rows) if self.format.name == "JSON" else self._delimited(rows)
        self._stream.write("".join(f"{line}\n" for line in lines).encode())

    def close(self) -> None:
        self._stream.close()
        self._raw.close()

    def _json(self, rows: pa.Table) -> Iterable[str]:
        for row in rows.to_pylist(maps_as_pydicts="lossy"):
            yield json.dumps({name: plain(value) for name, value in row.items()}, ensure_ascii=False)

    def _delimited(self, rows: pa.Table) -> Iterable[str]:
        columns = [
            [_N if text is None else text for text in column_texts(_whole(array), shown)]
            for array, shown in zip(rows.columns, self.columns, strict=True)
        ]
        return (self.format.delimiter.join(values) for values in zip(*columns, strict=True))


# NULL in Hive's text files.
_N = "\\N"


def _whole(array: pa.ChunkedArray) -> pa.Array:
    return array.combine_chunks() if array.num_chunks != 1 else array.chunk(0)


def plain(value: Any) -> Any:
    """A value as JSON holds it: times as text, bytes as base64."""
    for kind, show in _PLAIN.items():
        if isinstance(value, kind):
            return show(value)
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


_PLAIN: dict[type, Callable[[Any], Any]] = {
    datetime: lambda value: value.strftime("%Y-%m-%d %H:%M:%S.%f")[:23],
    date: lambda value: value.isoformat(),
    time: lambda value: value.isoformat(),
    Decimal: lambda value: float(value),
    bytes: lambda value: base64.b64encode(value).decode(),
}


def manifest(written: Sequence[str]) -> bytes:
    """The object that lists what a CTAS, INSERT or UNLOAD has written."""
    return "".join(f"{place}\n" for place in written).encode()


def check_names(columns: Sequence[ResultColumn]) -> None:
    """Every output column needs a name of its own and a type."""
    for place, column in enumerate(columns, 1):
        if not column.named:
            raise QueryError("MISSING_COLUMN_NAME", f"line 1:1: Column name not specified at position {place}")
        if [other.name for other in columns].count(column.name) > 1:
            raise QueryError("DUPLICATE_COLUMN_NAME", f"Column name '{column.name}' specified more than once")
        if column.type.name == "unknown":
            raise QueryError("COLUMN_TYPE_UNKNOWN", f"Column type is unknown: {column.name}")


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
        # A partition's descriptor is the table's at the time, with a place of its own, as Hive writes it.
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

"""Tables that are not Iceberg: Parquet, CSV and JSON files under a location, by partition.

Reads object listings, Glue partitions and Parquet footers; writes nothing. Behind `make local-aws`.
Example: `hive_source(world, ref, frozenset({"id"})).sql`
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from localaws.athena.catalog import Column, TableRef
from localaws.athena.embedded.casts import explicit_cast
from localaws.athena.embedded.typed import VARCHAR, Typed, duck_type, quoted, text
from localaws.athena.errors import QueryError
from localaws.athena.icebergs import bucket_and_key
from localaws.athena.types import parse_type

if TYPE_CHECKING:
    from localaws.athena.embedded.sources import Source
    from localaws.world import World


@dataclass(frozen=True)
class _Part:
    """One partition's files (or the whole table's), and its values of the partition columns."""

    files: tuple[tuple[str, Path], ...]
    values: tuple[str, ...] = ()


def hive_source(world: World, ref: TableRef, columns: frozenset[str]) -> Source:
    """A SELECT over the files under the table's location."""
    from localaws.athena.embedded.sources import Source, empty

    parts = [part for part in _parts(world, ref) if part.files]
    if not parts:
        return Source(sql=empty(ref.columns))
    read = _reader(ref)
    keys = [column for column in ref.columns if column.is_partition]
    own = [column for column in ref.columns if not column.is_partition]
    selects = [_select(read, ref, part, own, keys) for part in parts]
    size = sum(path.stat().st_size for part in parts for _, path in part.files) if columns else 0
    return Source(sql=" UNION ALL ".join(selects), bytes_read=size)


def _select(read: Any, ref: TableRef, part: _Part, own: Sequence[Column], keys: Sequence[Column]) -> str:
    table, available = read(ref, part.files, own)
    listed = [_column(column, available) for column in own]
    for key, value in zip(keys, part.values, strict=False):
        cast = explicit_cast(Typed(text(value), VARCHAR), parse_type(key.type), safe=True)
        listed.append(f"{cast.sql} AS {quoted(key.name)}")
    return f"SELECT {', '.join(listed)} FROM {table}"


def _column(column: Column, available: dict[str, str]) -> str:
    kind = duck_type(parse_type(column.type))
    if column.name not in available:
        return f"CAST(NULL AS {kind}) AS {quoted(column.name)}"
    return f"{available[column.name]} AS {quoted(column.name)}"


def _parts(world: World, ref: TableRef) -> Iterator[_Part]:
    if not ref.glue.get("PartitionKeys"):
        yield _Part(_files(world, ref.location))
        return
    client = world.client("glue", ref.catalog_id)
    pages = client.get_paginator("get_partitions").paginate(DatabaseName=ref.database, TableName=ref.name)
    for page in pages:
        for item in page["Partitions"]:
            yield _Part(_files(world, item["StorageDescriptor"]["Location"]), tuple(item["Values"]))


def _files(world: World, location: str) -> tuple[tuple[str, Path], ...]:
    """The objects under a location, as Hive sees them: no names that begin with `_` or `.`, nothing empty."""
    bucket, prefix = bucket_and_key(location)
    prefix = prefix if not prefix or prefix.endswith("/") else f"{prefix}/"
    found = []
    for page in world.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            hidden = any(part.startswith(("_", ".")) for part in item["Key"][len(prefix) :].split("/"))
            if not hidden and item["Size"]:
                found.append((item["Key"], world.object_path(bucket, item["Key"])))
    return tuple(found)


def _reader(ref: TableRef) -> Any:
    storage = ref.glue.get("StorageDescriptor") or {}
    kind = (
        f"{storage.get('InputFormat', '')} {(storage.get('SerdeInfo') or {}).get('SerializationLibrary', '')}".lower()
    )
    for word, reader in (("parquet", _parquet), ("json", _json), ("csv", _csv), ("lazysimple", _csv), ("text", _csv)):
        if word in kind:
            return reader
    raise QueryError("NOT_SUPPORTED", f"The format of table {ref.database}.{ref.name} is not supported")


def _listed(files: Sequence[tuple[str, Path]]) -> str:
    return "[" + ", ".join(text(str(path)) for _, path in files) + "]"


def _parquet(_: TableRef, files: Sequence[tuple[str, Path]], columns: Sequence[Column]) -> tuple[str, dict[str, str]]:
    """Columns by name, in any case; a column that no file has is NULL."""
    names: dict[str, str] = {}
    for _key, path in files:
        for name in pq.read_schema(path).names:
            names.setdefault(name.lower(), name)
    wanted = {column.name: column for column in columns}
    available = {
        low: f"CAST({quoted(name)} AS {duck_type(parse_type(wanted[low].type))})"
        for low, name in names.items()
        if low in wanted
    }
    return f"read_parquet({_listed(files)}, union_by_name = true, hive_partitioning = false)", available


def _compression(files: Sequence[tuple[str, Path]]) -> str:
    return "gzip" if all(key.endswith(".gz") for key, _ in files) else "none"


def _csv(ref: TableRef, files: Sequence[tuple[str, Path]], columns: Sequence[Column]) -> tuple[str, dict[str, str]]:
    """Text files: fields by place, read as text and cast; what cannot be cast is NULL."""
    storage = ref.glue.get("StorageDescriptor") or {}
    serde = storage.get("SerdeInfo") or {}
    settings = serde.get("Parameters") or {}
    is_open = "opencsv" in serde.get("SerializationLibrary", "").lower()
    delimiter = settings.get("separatorChar" if is_open else "field.delim", settings.get("serialization.format", ","))
    delimiter = {"1": "\x01", "\\t": "\t", "\\001": "\x01"}.get(delimiter, delimiter)
    quote = settings.get("quoteChar", '"') if is_open else ""
    null = "" if is_open else settings.get("serialization.null.format", "\\N")
    skipped = (ref.parameters or {}).get("skip.header.line.count") or settings.get("skip.header.line.count") or 0
    names = ", ".join(f"{text(column.name)}: 'VARCHAR'" for column in columns)
    options = (
        f"header = false, auto_detect = false, delim = {text(delimiter)}, quote = {text(quote)}, "
        f"escape = {text(quote)}, nullstr = {text(null) if null else text(chr(0))}, skip = {int(skipped)}, "
        f"null_padding = true, columns = {{{names}}}, compression = '{_compression(files)}', strict_mode = false"
    )
    available = {
        column.name: explicit_cast(Typed(quoted(column.name), VARCHAR), parse_type(column.type), safe=True).sql
        for column in columns
    }
    return f"read_csv({_listed(files)}, {options})", available


def _json(_: TableRef, files: Sequence[tuple[str, Path]], columns: Sequence[Column]) -> tuple[str, dict[str, str]]:
    """One JSON object a line."""
    names = ", ".join(f"{text(column.name)}: {text(duck_type(parse_type(column.type)))}" for column in columns)
    options = f"format = 'newline_delimited', columns = {{{names}}}, compression = '{_compression(files)}'"
    return f"read_json({_listed(files)}, {options})", {column.name: quoted(column.name) for column in columns}

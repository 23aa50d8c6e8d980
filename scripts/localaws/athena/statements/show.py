"""SHOW and DESCRIBE: only what the caller may see, in the columns of width 20 that Hive prints."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pyiceberg.transforms import BucketTransform, IdentityTransform, TruncateTransform

from localaws.athena.authorise import visible_columns
from localaws.athena.catalog import Column, TableRef, decode
from localaws.athena.errors import QueryError
from localaws.athena.iceberg import load
from localaws.athena.metadata_tables import visible_databases, visible_tables
from localaws.athena.session import Outcome, Session, text_columns
from localaws.athena.statements import model as st
from localaws.athena.types import hive_from_trino

# Hive pads the columns of DESCRIBE and SHOW COLUMNS; clients of Athena strip them.
WIDTH = 20


def show(session: Session, statement: st.Show) -> Outcome:
    """Any SHOW statement."""
    return _SHOWS[statement.what](session, statement)


def _matching(names: list[str], pattern: str) -> list[str]:
    """Hive's patterns: `*` for anything, `|` for or."""
    if not pattern:
        return names
    parts = "|".join(re.escape(part).replace(r"\*", ".*").replace("%", ".*") for part in pattern.split("|"))
    return [name for name in names if re.fullmatch(parts, name, re.IGNORECASE)]


def _databases(session: Session, statement: st.Show) -> Outcome:
    names = [database.link_name for database in visible_databases(session)]
    return Outcome(text_columns(["database_name"]), lines=_matching(names, statement.pattern))


def _listed(session: Session, statement: st.Show, keep: Callable[[TableRef], bool]) -> list[str]:
    database = (statement.name or [session.database or "default"])[-1]
    ref = session.database_ref(database)
    session.require(ref, "DESCRIBE")
    names = [table.name for table, _ in visible_tables(session, ref) if keep(table)]
    return _matching(names, statement.pattern)


def _tables(session: Session, statement: st.Show) -> Outcome:
    return Outcome(text_columns(["tab_name"]), lines=_listed(session, statement, lambda _: True))


def _views(session: Session, statement: st.Show) -> Outcome:
    return Outcome(text_columns(["views"]), lines=_listed(session, statement, lambda table: table.kind == "view"))


def _visible(session: Session, parts: list[str]) -> tuple[TableRef, list[Column]]:
    table = session.table(session.named(parts))
    return table, list(visible_columns(session.caller, session.world, table))


def _columns(session: Session, statement: st.Show) -> Outcome:
    _, columns = _visible(session, statement.name)
    return Outcome(text_columns(["field"]), lines=[f"{column.name:<{WIDTH}}" for column in columns])


def _partitions(session: Session, statement: st.Show) -> Outcome:
    table, _ = _visible(session, statement.name)
    keys = [column.name for column in table.columns if column.is_partition]
    if not keys:
        raise QueryError("DDL_ERROR", f"FAILED: SemanticException Table {table.name} is not a partitioned table")
    # Values of partition columns are values of rows.
    session.require(table, "READ_ALL")
    client = session.world.client("glue", table.catalog_id)
    pages = client.get_paginator("get_partitions").paginate(DatabaseName=table.database, TableName=table.name)
    values = [item["Values"] for page in pages for item in page["Partitions"]]
    lines = sorted("/".join(f"{key}={value}" for key, value in zip(keys, item, strict=False)) for item in values)
    return Outcome(text_columns(["partition"]), lines=lines)


def _properties(session: Session, statement: st.Show) -> Outcome:
    table, _ = _visible(session, statement.name)
    session.require(table, "DESCRIBE_ALL")
    lines = [f"{name}\t{value}" for name, value in sorted(table.parameters.items())]
    return Outcome(text_columns(["prpt_name"]), lines=lines)


def describe(session: Session, statement: st.Describe) -> Outcome:
    """DESCRIBE: the columns, and below a heading the partition columns again."""
    table, columns = _visible(session, statement.table)
    lines = [_described(column) for column in columns]
    keys = [column for column in columns if column.is_partition]
    if keys:
        heading = "\t".join(f"{word:<{WIDTH}}" for word in ("# col_name", "data_type", "comment"))
        lines += ["\t \t ", "# Partition Information\t \t ", heading, "\t \t ", *map(_described, keys)]
    if statement.extended:
        session.require(table, "DESCRIBE_ALL")
        lines += ["", f"Location:\t{table.location}"]
    return Outcome(text_columns(["col_name", "data_type", "comment"]), lines=lines)


def _described(column: Column) -> str:
    parts = (column.name, hive_from_trino(column.type), column.comment)
    return "\t".join(f"{part:<{WIDTH}}" for part in parts)


def _create_table(session: Session, statement: st.Show) -> Outcome:
    table, columns = _visible(session, statement.name)
    if table.kind == "view":
        return _create_view(session, replace(statement, what="CREATE VIEW"))
    session.require(table, "DESCRIBE_ALL")
    text = _iceberg_text(session, table, columns) if table.kind == "iceberg" else _hive_text(table, columns)
    return Outcome(text_columns(["createtab_stmt"]), lines=text)


def _create_view(session: Session, statement: st.Show) -> Outcome:
    table, _ = _visible(session, statement.name)
    if table.kind != "view":
        raise QueryError("NOT_SUPPORTED", f"Relation '{table.database}.{table.name}' is a table, not a view")
    name = session.named(statement.name)
    lines = [f'CREATE VIEW "{name.database}"."{name.name}" AS ', *decode(table.view_text).sql.splitlines()]
    return Outcome(text_columns(["Create View"]), lines=lines)


def _column_lines(columns: list[Column]) -> list[str]:
    lines = []
    for place, column in enumerate(columns):
        comment = f" COMMENT '{_escaped(column.comment)}'" if column.comment else ""
        ending = ")" if place == len(columns) - 1 else ", "
        lines.append(f"  `{column.name}` {hive_from_trino(column.type)}{comment}{ending}")
    return lines


def _iceberg_text(session: Session, table: TableRef, columns: list[Column]) -> list[str]:
    iceberg_table = load(session.world, table)
    lines = [f"CREATE TABLE {table.database}.{table.name} (", *_column_lines(columns)]
    parts = [_partition(iceberg_table, field) for field in iceberg_table.spec().fields]
    if parts:
        lines.append(f"PARTITIONED BY ({', '.join(parts)})")
    properties = {"table_type": "iceberg", **iceberg_table.properties}
    lines += [f"LOCATION '{iceberg_table.location()}'", "TBLPROPERTIES ("]
    return [*lines, *_property_lines(properties)]


def _partition(table: Any, field: Any) -> str:
    name = f"`{table.schema().find_column_name(field.source_id)}`"
    transform = field.transform
    if isinstance(transform, IdentityTransform):
        return name
    if isinstance(transform, BucketTransform):
        return f"bucket({transform.num_buckets}, {name})"
    if isinstance(transform, TruncateTransform):
        return f"truncate({transform.width}, {name})"
    return f"{transform}({name})"


def _hive_text(table: TableRef, columns: list[Column]) -> list[str]:
    storage = table.glue.get("StorageDescriptor") or {}
    serde = storage.get("SerdeInfo") or {}
    own = [column for column in columns if not column.is_partition]
    keys = [column for column in columns if column.is_partition]
    lines = [f"CREATE EXTERNAL TABLE `{table.database}.{table.name}`(", *_column_lines(own)]
    if keys:
        lines += ["PARTITIONED BY ( ", *_column_lines(keys)]
    lines += ["ROW FORMAT SERDE ", f"  '{serde.get('SerializationLibrary', '')}' "]
    if serde.get("Parameters"):
        lines += ["WITH SERDEPROPERTIES ( ", *_property_lines(serde["Parameters"])]
    lines += ["STORED AS INPUTFORMAT ", f"  '{storage.get('InputFormat', '')}' ", "OUTPUTFORMAT "]
    lines += [f"  '{storage.get('OutputFormat', '')}'", "LOCATION", f"  '{table.location}'", "TBLPROPERTIES ("]
    parameters = {key: value for key, value in table.parameters.items() if key != "EXTERNAL"}
    return [*lines, *_property_lines(parameters or {"classification": "unknown"})]


def _property_lines(properties: dict[str, str]) -> list[str]:
    items = [f"  '{_escaped(name)}'='{_escaped(value)}'" for name, value in sorted(properties.items())]
    return [item + (")" if place == len(items) - 1 else ", ") for place, item in enumerate(items)]


def _escaped(text: str) -> str:
    return str(text).replace("'", "''")


_SHOWS: dict[str, Callable[[Session, st.Show], Outcome]] = {
    "DATABASES": _databases,
    "TABLES": _tables,
    "VIEWS": _views,
    "COLUMNS": _columns,
    "PARTITIONS": _partitions,
    "TBLPROPERTIES": _properties,
    "CREATE TABLE": _create_table,
    "CREATE VIEW": _create_view,
}

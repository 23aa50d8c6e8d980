"""Internal table names to what Trino reads: tables of its catalogs, snapshots of them, rows handed over.

Trino reads the catalog and the objects as the administrator of the account and as AWS's own service, identities that
no persona has: whoever asks Athena has been authorised before.
Example: `bound(query, world, evaluate)` has `awsdatacatalog.clinical.patient` where `__t0` was.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot
from sqlglot import exp

from localaws.athena.catalog import CATALOG, TableRef
from localaws.athena.engine import Query, ResultColumn
from localaws.athena.iceberg import load, snapshot_at, snapshot_named
from localaws.athena.parser import parse_expression, parse_query
from localaws.athena.results import column_texts
from localaws.athena.rewriter import identifier, unplaced
from localaws.athena.types import parse_type
from localaws.caller import ACCOUNT_ID

if TYPE_CHECKING:
    from localaws.world import World


_ICEBERG = {
    "iceberg.catalog.type": "glue",
    "iceberg.file-format": "PARQUET",
    "iceberg.compression-codec": "ZSTD",
    # Statistics in files of their own, at each commit: Athena writes none.
    "iceberg.extended-statistics.enabled": "false",
    # Nor does it keep parameters of its own in the catalog's entries.
    "iceberg.glue.cache-table-metadata": "false",
}
_HIVE = {"hive.metastore": "glue", "hive.security": "read-only", "hive.recursive-directories": "true"}
_CONNECTORS = {"iceberg": _ICEBERG, "hive": _HIVE}


def catalog_of(ref: TableRef) -> str:
    """The Trino catalog that has the table; the account's own Iceberg tables are where views look for them."""
    if ref.kind == "iceberg" and ref.catalog_id == ACCOUNT_ID:
        return CATALOG
    return f"{'iceberg' if ref.kind == 'iceberg' else 'hive'}_{ref.catalog_id}"


def catalogs_in(tree: exp.Expr) -> Iterator[str]:
    """The catalogs that a bound tree names."""
    return (node.catalog for node in tree.find_all(exp.Table) if node.catalog)


def creation(name: str, world: World) -> str:
    """The statement that makes the catalog; it holds keys and is never logged."""
    connector, _, account_id = (f"iceberg_{ACCOUNT_ID}" if name == CATALOG else name).partition("_")
    settings = {**_CONNECTORS[connector], **_glue_and_s3(world, account_id)}
    listed = ", ".join(f"\"{key}\" = '{value}'" for key, value in settings.items())
    return f"CREATE CATALOG IF NOT EXISTS {name} USING {connector} WITH ({listed})"


def _glue_and_s3(world: World, account_id: str) -> dict[str, str]:
    glue, objects = world.credentials(account_id), world.credentials(world.service_account_id)
    return {
        "hive.metastore.glue.region": world.region,
        "hive.metastore.glue.endpoint-url": world.endpoint,
        "hive.metastore.glue.aws-access-key": glue.access_key_id,
        "hive.metastore.glue.aws-secret-key": glue.secret_access_key,
        "fs.native-s3.enabled": "true",
        "s3.endpoint": world.endpoint,
        "s3.region": world.region,
        "s3.path-style-access": "true",
        "s3.aws-access-key": objects.access_key_id,
        "s3.aws-secret-key": objects.secret_access_key,
    }


_AS_JSON = frozenset({"boolean", "tinyint", "smallint", "integer", "bigint", "varchar", "map(varchar, varchar)"})


def bound(query: Query, world: World, evaluate: Callable[[exp.Expr], object]) -> exp.Expr:
    """A copy of the tree over tables that Trino knows; `evaluate` gives the value of a time travel expression."""
    tree = query.tree.copy()
    places = [node for node in tree.find_all(exp.Table) if node.name in query.tables and not node.db]
    for node in places:
        relation = _relation(query, node.name, world, evaluate)
        if node.args.get("alias"):
            relation.set("alias", node.args["alias"])
        node.replace(relation)
    return tree


def table_of(ref: TableRef) -> exp.Table:
    """The table in Trino's catalogs."""
    parts = {"this": ref.name, "db": ref.database, "catalog": catalog_of(ref)}
    return exp.Table(**{key: identifier(name) for key, name in parts.items()})


def _relation(query: Query, name: str, world: World, evaluate: Callable[[exp.Expr], object]) -> exp.Expr:
    ref = query.tables[name]
    if name in query.rows:
        return _constant_rows(query.rows[name], ref)
    if ref.kind == "hive" and "OpenCSVSerde" in str(ref.glue.get("StorageDescriptor")):
        return _typed(ref)
    if ref.kind != "iceberg" or ref.version is None:
        return table_of(ref)
    table = load(world, ref)
    snapshot = _snapshot(table, evaluate(ref.version.expression))
    return _travelled(ref, table, snapshot)


def _snapshot(table: Table, value: object) -> Snapshot | None:
    if isinstance(value, datetime):
        return snapshot_at(table, value)
    return snapshot_named(table, value)  # type: ignore[arg-type]


def _travelled(ref: TableRef, table: Table, snapshot: Snapshot | None) -> exp.Expr:
    """The table as it was; columns that it did not have then are NULL."""
    if snapshot is None:
        return table_of(ref)
    # Trino shows a past snapshot with the schema of then; Athena's user names today's columns.
    then = table.schemas().get(snapshot.schema_id or 0, table.schema())
    had = {field.name.lower() for field in then.fields}
    past = table_of(ref)
    number = exp.Literal.number(snapshot.snapshot_id)
    past.set("version", exp.Version(this="VERSION", kind="AS OF", expression=number))
    if all(name in had for name in ref.column_names):
        return past
    columns = [
        exp.column(identifier(item.name))
        if item.name in had
        else parse_expression(f'CAST(NULL AS {item.type}) AS "{item.name}"')
        for item in ref.columns
    ]
    return _as_relation(exp.Select(expressions=columns, from_=exp.From(this=past)))


def _typed(ref: TableRef) -> exp.Expr:
    """A CSV table with its columns' types: Trino has texts in all of them, whatever the catalog says."""
    columns = [
        parse_expression(f'TRY_CAST("{item.name}" AS {item.type}) AS "{item.name}"')
        if not item.is_partition and item.type != "varchar"
        else exp.column(identifier(item.name))
        for item in ref.columns
    ]
    return _as_relation(exp.Select(expressions=columns, from_=exp.From(this=table_of(ref))))


def _constant_rows(rows: pa.Table, ref: TableRef) -> exp.Expr:
    """Rows as one constant, however many: a JSON text, taken apart by Trino."""
    kinds = ["varchar" if item.type not in _AS_JSON else item.type for item in ref.columns]
    names = [f"c{place}" for place in range(len(kinds))]
    fields = ", ".join(f"{name} {kind}" for name, kind in zip(names, kinds, strict=True))
    columns = ", ".join(
        f'CAST({name} AS {item.type}) AS "{item.name}"' for name, item in zip(names, ref.columns, strict=True)
    )
    content = [_json(column.combine_chunks(), item) for column, item in zip(rows.columns, ref.columns, strict=True)]
    text = json.dumps(list(zip(*content, strict=True))).replace("'", "''")
    listed = f"UNNEST(CAST(json_parse('{text}') AS array(row({fields}))))"
    return _as_relation(parse_query(f"SELECT {columns} FROM {listed} AS g({', '.join(names)})"))


def _json(column: pa.Array, item: Any) -> list[Any]:
    if item.type == "map(varchar, varchar)":
        return [None if value is None else dict(value) for value in column.to_pylist()]
    if item.type in _AS_JSON:
        return list(column.to_pylist())
    return column_texts(column, ResultColumn(item.name, parse_type(item.type)))


def _as_relation(query: exp.Expr) -> exp.Subquery:
    unplaced(query)
    return exp.Subquery(this=query, alias=exp.TableAlias(this=identifier("__rows")))

"""Trino's catalogs over ours: for each account its Iceberg tables and its other tables, made when a query needs them.

Reads and writes nothing itself. Behind `make local-aws ENGINE=trino`.
Example: `creation("iceberg_888888888888", world)` is a CREATE CATALOG statement.

Trino reads the catalog and the objects as the administrator of the account and as AWS's own service, identities that no
persona has: whoever asks Athena has been authorised before.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlglot import exp

from localaws.athena.catalog import CATALOG, TableRef
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

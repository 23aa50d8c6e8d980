"""Iceberg tables of the lake, read, appended and laid out without a query engine.

Used where the product itself writes rows (the ledger, jobs); SQL fills everything else. Athena has no statement for the
partitions and sort order of a table that is there (nor has Terraform's resource), so they are set from here too.

Example: append(session, "operations.ingest_ledger", rows)
"""

from functools import lru_cache

import pyarrow as pa
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.table import Table
from pyiceberg.transforms import BucketTransform, IdentityTransform, Transform

from trilake.core.catalog import database_name
from trilake.core.contract import Layout
from trilake.core.session import Session

ROW_GROUP = "write.parquet.row-group-limit"


def open_catalog(session: Session) -> Catalog:
    """The Glue catalog as pyiceberg sees it, under the session's credentials."""
    keys = session.boto.get_credentials().get_frozen_credentials()
    return catalog_of(
        session.client("glue").meta.endpoint_url,
        session.client("s3").meta.endpoint_url,
        session.boto.region_name,
        (keys.access_key, keys.secret_key, keys.token),
    )


@lru_cache(maxsize=8)
def catalog_of(glue: str, s3: str, region: str, keys: tuple[str, str, str | None]) -> Catalog:
    """One for each caller and place: making its client takes longer than most calls. New keys make a new one."""
    access_key, secret_key, token = keys
    properties = {
        "type": "glue",
        "glue.endpoint": glue,
        "s3.endpoint": s3,
        "client.region": region,
        "client.access-key-id": access_key,
        "client.secret-access-key": secret_key,
        **({"client.session-token": token} if token else {}),
    }
    return load_catalog("glue", **properties)


def open_table(session: Session, name: str) -> Table:
    """The Iceberg table behind `room.table`."""
    room, table = name.split(".")
    return open_catalog(session).load_table((database_name(session, room) or room, table))


def append(session: Session, name: str, rows: pa.Table) -> None:
    """Add rows in one commit; columns are matched by name and cast to the table's types."""
    table = open_table(session, name)
    schema = table.schema().as_arrow()
    table.append(rows.select(schema.names).cast(schema))


def lay_out(table: Table, layout: Layout) -> bool:
    """Give the table these partitions and this sort order; whether anything had to change.

    Files that are there stay as they are; what is written later, by any engine, follows.
    """
    wanted = [(column, transform(buckets)) for column, buckets in layout.parts()]
    names = {field.field_id: field.name for field in table.schema().fields}
    found = [(names[field.source_id], field.transform) for field in table.spec().fields]
    sorted_by = [names[field.source_id] for field in table.sort_order().fields]
    properties = {ROW_GROUP: str(layout.row_group)} if layout.row_group else {}
    has_properties = all(table.properties.get(name) == value for name, value in properties.items())
    if found == wanted and sorted_by == list(layout.sort) and has_properties:
        return False
    with table.transaction() as transaction:
        transaction.set_properties(properties)
        if found != wanted:
            with transaction.update_spec() as spec:
                for field in table.spec().fields:
                    spec.remove_field(field.name)
                for column, how in wanted:
                    name = f"{column}_bucket_{how.num_buckets}" if isinstance(how, BucketTransform) else None
                    spec.add_field(column, how, name)
        if sorted_by != list(layout.sort):
            with transaction.update_sort_order() as order:
                for column in layout.sort:
                    order.asc(column, IdentityTransform())
    return True


def transform(buckets: int | None) -> Transform:
    return IdentityTransform() if buckets is None else BucketTransform(buckets)

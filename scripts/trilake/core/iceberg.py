"""Iceberg tables of the lake, read and appended without a query engine.

Used where the product itself writes rows (the ledger, jobs); SQL fills everything else.

Example: append(session, "operations.ingest_ledger", rows)
"""

import pyarrow as pa
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.table import Table

from trilake.core.catalog import database_name
from trilake.core.session import Session


def open_catalog(session: Session) -> Catalog:
    """The Glue catalog as pyiceberg sees it, under the session's credentials."""
    keys = session.boto.get_credentials().get_frozen_credentials()
    endpoint = session.client("glue").meta.endpoint_url
    properties = {
        "type": "glue",
        "glue.endpoint": endpoint,
        "s3.endpoint": session.client("s3").meta.endpoint_url,
        "client.region": session.boto.region_name,
        "client.access-key-id": keys.access_key,
        "client.secret-access-key": keys.secret_key,
        **({"client.session-token": keys.token} if keys.token else {}),
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

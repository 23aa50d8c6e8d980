"""Which state of its sources a governed table was built from: for each table read, a text that changes with its rows.

Reads the Glue catalogue. Behind `make views`.

Example: version_of(session, "genomic_store.variant")  ->  "s3://lake/.../00007-....metadata.json"
"""

import base64
import hashlib
import re
from typing import Any

import orjson
from sqlglot import exp

from trilake.core.catalog import database_name
from trilake.core.session import Session
from trilake.core.sql import parse

VIEW = re.compile(r"/\* Presto View: ([A-Za-z0-9+/=\s]+) \*/")


def version_of(session: Session, name: str) -> str:
    """Where the catalogue says the table's metadata lie: another place, another version. Empty where nothing tells.

    A view (`genomic_backend = "healthomics"`) has those of our registers that it reads, and its own text. The shared
    table beside them has none, and needs none: its rows stay as they were imported, under names that are never used
    again, and which of them count, the register says.
    """
    room, table = name.split(".")
    described = described_table(session, database_name(session, room), table)
    if described.get("TableType") != "VIRTUAL_VIEW":
        return metadata_of(described)
    text = view_text(described)
    registers = [
        metadata_of(described_table(session, node.db, node.name))
        for node in sorted(parse(text, source=name).find_all(exp.Table), key=lambda node: node.name)
        if node.db == described["DatabaseName"]
    ]
    if not registers or not all(registers):
        return ""
    return " ".join([hashlib.sha256(text.encode()).hexdigest()[:16], *dict.fromkeys(registers)])


def described_table(session: Session, database: str | None, table: str) -> dict[str, Any]:
    found: dict[str, Any] = session.client("glue").get_table(DatabaseName=database, Name=table)["Table"]
    return found


def metadata_of(described: dict[str, Any]) -> str:
    return str(described.get("Parameters", {}).get("metadata_location", ""))


def view_text(described: dict[str, Any]) -> str:
    """The SELECT of a view, as Athena keeps it in the catalogue."""
    found = VIEW.search(described.get("ViewOriginalText", ""))
    return str(orjson.loads(base64.b64decode(found.group(1)))["originalSql"]) if found else ""

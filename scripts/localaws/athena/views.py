"""Athena views as the Glue catalog keeps them: Presto View JSON in base64, invoker's rights.

Pure. Behind `make views` and every query that names a view.
Example: `decode(encode(View("SELECT 1 AS n", "clinical", (("n", "integer"),)))).sql`
Form: Trino's Hive view code; the entry's StorageDescriptor has the same columns in Hive types.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Any

from localaws.athena.catalog import CATALOG
from localaws.athena.errors import QueryError
from localaws.athena.types import hive_from_trino

TEXT = re.compile(r"/\* Presto View: ([A-Za-z0-9+/=\s]+) \*/\s*")
MARK = "/* Presto View */"


@dataclass(frozen=True)
class View:
    """A view: its query, the schema in which its bare names resolve (may be none), its columns with Trino types."""

    sql: str
    schema: str
    columns: tuple[tuple[str, str], ...]
    catalog: str = CATALOG


def encode(view: View) -> str:
    """The `ViewOriginalText` of the view."""
    content = {
        "originalSql": view.sql,
        "catalog": view.catalog,
        "schema": view.schema,
        "columns": [{"name": name, "type": kind} for name, kind in view.columns],
        "runAsInvoker": True,
        "properties": {},
    }
    return f"/* Presto View: {b64encode(json.dumps(content).encode()).decode()} */"


def decode(text: str) -> View:
    """The view in a `ViewOriginalText`; INVALID_VIEW for a text that holds none."""
    found = TEXT.fullmatch(text.strip())
    try:
        content: dict[str, Any] = json.loads(b64decode(found[1], validate=False)) if found else {}
        columns = tuple((item["name"], item["type"]) for item in content["columns"])
        return View(content["originalSql"], content.get("schema") or "", columns, content.get("catalog") or CATALOG)
    except (ValueError, KeyError, TypeError) as error:
        raise QueryError("INVALID_VIEW", "The view's definition cannot be read") from error


def glue_input(name: str, view: View, comment: str = "") -> dict[str, Any]:
    """The Glue TableInput that holds the view."""
    columns = [{"Name": column.lower(), "Type": hive_from_trino(kind)} for column, kind in view.columns]
    return {
        "Name": name.lower(),
        "TableType": "VIRTUAL_VIEW",
        "Parameters": {"presto_view": "true", "comment": comment or "Presto View"},
        "StorageDescriptor": {"Columns": columns, "Location": "", "SerdeInfo": {}},
        "PartitionKeys": [],
        "ViewOriginalText": encode(view),
        "ViewExpandedText": MARK,
    }

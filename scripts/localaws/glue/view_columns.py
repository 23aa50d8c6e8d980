"""Columns of a view whose maker left them out of the catalog's entry: Trino keeps them in the view's text only.

Pure. Behind `make local-aws`.
Example: `with_view_columns({"TableType": "VIRTUAL_VIEW", "ViewOriginalText": "/* Presto View: … */", …})`

Lake Formation, awswrangler and the AWS CLI look at the entry's columns; Athena's own views have them.
"""

from __future__ import annotations

from typing import Any

from localaws.athena.catalog import decode
from localaws.athena.errors import QueryError
from localaws.athena.types import TypeTextError, hive_from_trino


def with_view_columns(table_input: dict[str, Any]) -> dict[str, Any]:
    """The TableInput, its columns filled in where it is a Presto view without; anything else as it is."""
    storage = table_input.get("StorageDescriptor") or {}
    if table_input.get("TableType") != "VIRTUAL_VIEW" or storage.get("Columns"):
        return table_input
    try:
        pairs = decode(table_input.get("ViewOriginalText", "")).columns
        columns = [{"Name": name.lower(), "Type": hive_from_trino(kind)} for name, kind in pairs]
    except (QueryError, TypeTextError):
        return table_input
    return {**table_input, "StorageDescriptor": {"Location": "", "SerdeInfo": {}, **storage, "Columns": columns}}

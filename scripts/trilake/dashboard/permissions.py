"""What a persona may see, as Lake Formation has it: tables, columns and row rule of each data cells filter.

Reads Lake Formation as the deployer; so it is what is enforced, not what some file says.

Example: permissions_of(session, "radiologist")["imaging.study"].rows  ->  "consent_imaging = true"
"""

from dataclasses import dataclass
from typing import Any

from trilake.core.catalog import database_name
from trilake.core.contract import load_contract
from trilake.core.session import Session


@dataclass(frozen=True)
class Permission:
    """One governed table: the columns seen, the others, and the row rule (None: all rows)."""

    table: str
    columns: tuple[str, ...]
    hidden: tuple[str, ...]
    rows: str | None


def permissions_of(session: Session, persona: str) -> dict[str, Permission]:
    """Governed tables with a filter of the persona's; tables that are not here, it may not see."""
    contract = load_contract()
    rooms = {database_name(session, room): room for room in {table.room for table in contract.values()}}
    found = {}
    for entry in filters(session):
        room = rooms.get(entry["DatabaseName"])
        table = contract.get(f"{room}.{entry['TableName']}")
        if entry["Name"] != persona or table is None:
            continue
        seen = set(entry.get("ColumnNames", []))
        names = [column.name for column in table.columns]
        found[table.path] = Permission(
            table=table.path,
            columns=tuple(name for name in names if name in seen),
            hidden=tuple(name for name in names if name not in seen),
            rows=entry["RowFilter"].get("FilterExpression"),
        )
    return dict(sorted(found.items()))


def filters(session: Session) -> list[dict[str, Any]]:
    client = session.client("lakeformation")
    found: list[dict[str, Any]] = []
    token: dict[str, str] = {}
    while True:
        answer = client.list_data_cells_filter(**token)
        found += answer["DataCellsFilters"]
        if not answer.get("NextToken"):
            return found
        token = {"NextToken": answer["NextToken"]}

"""What a page shows, asked as its persona: the panels' rows, and what Lake Formation lets the persona see.

Rows come as they may be shown: small counts are hidden, and a closed table says "not permitted" rather than nothing.

Example: ask(Asking(caller, page, cards), page.panels[0]).is_permitted
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from trilake.core.athena import run_governed
from trilake.core.catalog import database_name
from trilake.core.contract import load_contract
from trilake.core.disclosure import Counted, Row, hide_small, join_small
from trilake.core.errors import AccessError
from trilake.core.session import Session
from trilake.core.sql import inline_views, load_relations, parse, tables_read
from trilake.dashboard.page import Page, Panel

COVERAGE = {
    "Clinical": """
        SELECT CASE WHEN charted.patient_id IS NOT NULL THEN 'measured' ELSE 'not loaded' END AS state, count(*) AS n
        FROM clinical.patient
        LEFT JOIN (SELECT DISTINCT patient_id FROM clinical.encounter) AS charted
            ON patient.patient_id = charted.patient_id
        GROUP BY 1
    """,
    "Genomic": """
        SELECT CASE WHEN sequenced.patient_id IS NOT NULL THEN 'measured' ELSE 'not measured' END AS state,
            count(*) AS n
        FROM clinical.patient
        LEFT JOIN (SELECT DISTINCT patient_id FROM genomic.dosage) AS sequenced
            ON patient.patient_id = sequenced.patient_id
        GROUP BY 1
    """,
    "Imaging": """
        SELECT
            CASE WHEN stored.patient_id IS NOT NULL THEN 'measured'
                WHEN charted.patient_id IS NOT NULL THEN 'not loaded'
                ELSE 'not measured' END AS state,
            count(*) AS n
        FROM clinical.patient
        LEFT JOIN (SELECT DISTINCT patient_id FROM imaging.study) AS stored
            ON patient.patient_id = stored.patient_id
        LEFT JOIN (SELECT DISTINCT patient_id FROM clinical.imaging_study) AS charted
            ON patient.patient_id = charted.patient_id
        GROUP BY 1
    """,
}
"""State of each patient, one question a kind of data: one that is closed to the persona leaves the others open.

The view `cohort.coverage` asks all three at once.
"""
STATES = ("measured", "not measured", "not loaded")
AT_ONCE = 4
"""Queries in flight: a page is a dozen short ones."""


@dataclass(frozen=True)
class Asking:
    """Who asks, for which page; `cards` are report cards of studies trained here."""

    caller: Session
    page: Page
    cards: Sequence[dict[str, Any]] = ()


@dataclass(frozen=True)
class Filled:
    """A panel with its answer. `denied` says why there is none."""

    panel: Panel
    columns: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    parts: dict[str, dict[str, int] | None] = field(default_factory=dict)
    denied: str = ""

    @property
    def is_permitted(self) -> bool:
        return not self.denied


def ask_all(asking: Asking) -> list[Filled]:
    """All panels, in the order of the page."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda panel: ask(asking, panel), asking.page.panels))


def ask(asking: Asking, panel: Panel) -> Filled:
    """One panel's answer."""
    if panel.kind == "cards":
        return Filled(panel, rows=[dict(card) for card in asking.cards])
    if panel.kind == "coverage":
        return Filled(panel, parts={name: coverage(asking, sql) for name, sql in COVERAGE.items()})
    assert panel.sql is not None
    try:
        columns, rows = rows_of(asking.caller, panel.sql)
    except AccessError as error:
        return Filled(panel, denied=error.message)
    return Filled(panel, columns, rows if asking.page.is_treating else releasable(rows, panel))


def releasable(rows: Sequence[Row], panel: Panel) -> list[Row]:
    """The rows as they may be shown: hidden groups of a plain partition as one, other small counts as None."""
    is_plain = panel.partition and all("series" not in row for row in rows)
    return join_small(rows, panel.counted, group="label") if is_plain else hide_small(rows, panel.counted)


def rows_of(caller: Session, text: str) -> tuple[list[str], list[Row]]:
    read = tables_read(inline_views(parse(text), load_relations()))
    answer = run_governed(caller, text, sorted(read))
    return answer.columns, answer.records()


def coverage(asking: Asking, sql: str) -> dict[str, int] | None:
    """Patients by state, small groups as one; None where the persona may not see that kind of data."""
    try:
        _, rows = rows_of(asking.caller, sql)
    except AccessError:
        return None
    ordered = sorted(rows, key=lambda row: STATES.index(row["state"]))
    if not asking.page.is_treating:
        ordered = join_small(ordered, Counted(["n"], is_partition=True), group="state")
    return {str(row["state"]): int(row["n"]) for row in ordered}


@dataclass(frozen=True)
class Permission:
    """One governed table: the columns seen, the others, and the row rule (None: all rows)."""

    table: str
    columns: tuple[str, ...]
    hidden: tuple[str, ...]
    rows: str | None


def permissions_of(session: Session, persona: str) -> dict[str, Permission]:
    """Governed tables with a filter of the persona's, as Lake Formation enforces them; others it may not see.

    `session` is the deployer's: a persona may not list filters.
    """
    contract = load_contract()
    rooms = {database_name(session, room): room for room in {table.room for table in contract.values()}}
    permissions = {}
    for entry in filters(session):
        room = rooms.get(entry["DatabaseName"])
        table = contract.get(f"{room}.{entry['TableName']}")
        if entry["Name"] != persona or table is None:
            continue
        seen = set(entry.get("ColumnNames", []))
        names = [column.name for column in table.columns]
        permissions[table.path] = Permission(
            table=table.path,
            columns=tuple(name for name in names if name in seen),
            hidden=tuple(name for name in names if name not in seen),
            rows=entry["RowFilter"].get("FilterExpression"),
        )
    return dict(sorted(permissions.items()))


def filters(session: Session) -> list[dict[str, Any]]:
    pages = session.client("lakeformation").get_paginator("list_data_cells_filter").paginate()
    return [entry for page in pages for entry in page["DataCellsFilters"]]

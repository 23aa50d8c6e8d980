"""A page's questions asked as its persona: rows as they may be shown, or that the persona may not see them.

Reads governed tables as the persona, report cards from the models folder. Make target: dashboard.

Example: filled = ask(Asking(caller, page, cards), page.panels[0]); filled.is_permitted
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from trilake.cohort.visible import run_as
from trilake.core.disclosure import Counted, Row, hide_small, join_small
from trilake.core.errors import AccessError
from trilake.core.session import Session
from trilake.core.sql import inline_views, load_relations, parse, tables_read
from trilake.dashboard.coverage import COVERAGE, STATES
from trilake.dashboard.page import Page, Panel

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
    answer = run_as(caller, text, sorted(read))
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

"""A persona's page as one HTML file: tiles, charts, tables, report cards, and the list of what may be seen.

The file opens anywhere and fetches nothing. Every text that comes from data is escaped.

Example: html(Document(page, filled, permissions, description, facts))
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from plotly.offline import get_plotlyjs

from trilake.core.contract import load_contract
from trilake.core.disclosure import below, minimum_cell
from trilake.dashboard.answers import Filled, Permission
from trilake.dashboard.charts import figure, hidden_labels
from trilake.dashboard.page import Page

ASSETS = Path(__file__).parent / "assets"
# The page's own Content-Security-Policy: whatever text gets into it, nothing can be fetched or sent. Plotly writes
# styles and draws its download image through data: and blob: addresses.
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
MARK = (
    '<svg viewBox="0 0 32 32" aria-hidden="true"><path d="M3 11q6.5-5 13 0t13 0"/><path d="M3 17q6.5-5 13 0t13 0"/>'
    '<path d="M3 23q6.5-5 13 0t13 0"/></svg>'
)
NOT_PERMITTED = "not permitted"
MOST_NAMED = 8


@dataclass(frozen=True)
class Document:
    """All that a page shows. `facts` are the lines of its foot; `siblings` the personas whose pages lie beside it."""

    page: Page
    filled: list[Filled]
    permissions: dict[str, Permission]
    description: str
    facts: list[str]
    notice: str = ""
    siblings: list[str] = field(default_factory=list)


def html(document: Document) -> str:
    """The whole file."""
    page = document.page
    tiles = "".join(tile(filled) for filled in document.filled if filled.panel.kind == "tile")
    panels = [filled for filled in document.filled if filled.panel.kind != "tile"]
    body = "".join(section(number, filled) for number, filled in enumerate(panels))
    foot = "".join(f"<p>{escape(fact)}</p>" for fact in document.facts)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<title>{escape(page.title)} · {escape(words(page.persona))} · Trilake</title>
<style>{(ASSETS / "page.css").read_text()}</style>
</head>
<body>
{top(document)}
<header>
<h1>{escape(page.title)}</h1>
<p class="about">{escape(document.description)}</p>
<p class="chips">{chips(document)}</p>
{permission_list(document.permissions)}
</header>
<main>
<div class="tiles">{tiles}</div>
<div class="grid">{body}</div>
</main>
<footer>{foot}</footer>
<script>{get_plotlyjs()}</script>
<script>{(ASSETS / "page.js").read_text()}</script>
</body>
</html>
"""


def top(document: Document) -> str:
    """The name of the product and the pages of the other personas."""
    links = "".join(
        f'<a href="{escape(name, quote=True)}.html"{current(name, document)}>{escape(words(name))}</a>'
        for name in document.siblings or [document.page.persona]
    )
    return f'<div class="top"><div><span class="brand">{MARK}Trilake</span><nav>{links}</nav></div></div>'


def current(name: str, document: Document) -> str:
    return ' aria-current="page"' if name == document.page.persona else ""


def chips(document: Document) -> str:
    """Under whose role, which rows, and whether these are people."""
    rules = sorted({entry.rows for entry in document.permissions.values() if entry.rows})
    lines = [f"Asked as {words(document.page.persona).lower()}", *(f"Rows: {rule}" for rule in rules)]
    plain = "".join(f"<span>{escape(line)}</span>" for line in lines)
    return plain + (f'<span class="notice">{escape(document.notice)}</span>' if document.notice else "")


def words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def tile(filled: Filled) -> str:
    """One number, or why there is none."""
    result = filled.rows[0]["value"] if filled.rows else None
    if not filled.is_permitted:
        value, kind = NOT_PERMITTED, " denied"
    elif result is not None:
        value, kind = number(result) + filled.panel.suffix, ""
    else:
        value, kind = below() if filled.panel.people else "none", ""
    return f'<div class="tile{kind}"><b>{escape(value)}</b><span>{escape(filled.panel.title)}</span></div>'


def number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def section(index: int, filled: Filled) -> str:
    panel = filled.panel
    note = f'<p class="note">{escape(panel.note)}</p>' if panel.note else ""
    head = f"<h2>{escape(panel.title)}</h2>{note}"
    return f'<section class="{panel.kind}" style="--span:{panel.span}">{head}{content(index, filled)}</section>'


def content(index: int, filled: Filled) -> str:
    if not filled.is_permitted:
        return f'<p class="closed"><b>Not permitted</b>{escape(filled.denied)}</p>'
    if filled.panel.kind == "table":
        return table(filled)
    if filled.panel.kind == "cards":
        return cards(index, filled)
    return chart(index, filled) + remarks(filled)


def chart(index: int, filled: Filled) -> str:
    if filled.panel.kind != "coverage" and not filled.rows:
        return '<p class="empty">Nothing recorded.</p>'
    # Within <script>, HTML ends the element at the first "</script", whatever JSON string it stands in.
    data = json.dumps(figure(filled), default=str).replace("<", "\\u003c")
    title = escape(filled.panel.title, quote=True)
    return (
        f'<div class="chart" id="chart-{index}" role="img" aria-label="{title}">'
        f'<script type="application/json">{data}</script></div>'
    )


def remarks(filled: Filled) -> str:
    """What the chart leaves out: groups that are too small, kinds of data that are closed."""
    closed = [f"{name} data: {NOT_PERMITTED}" for name, states in filled.parts.items() if states is None]
    hidden = hidden_labels(filled) if filled.panel.people else []
    if hidden:
        named = "; ".join(hidden) if len(hidden) <= MOST_NAMED else f"{len(hidden)} groups"
        closed.append(f"Not shown, fewer than {minimum_cell()} or telling so few: {named}")
    return f'<p class="remark">{escape(". ".join(closed))}.</p>' if closed else ""


def table(filled: Filled) -> str:
    heads = filled.panel.headings
    numeric = {name for name in filled.columns if is_numeric(row[name] for row in filled.rows)}
    head = "".join(
        f'<th tabindex="0"{right(name, numeric)}>{escape(heads.get(name, name.replace("_", " ")))}</th>'
        for name in filled.columns
    )
    rows = "".join(
        "<tr>"
        + "".join(f"<td{right(name, numeric)}>{escape(cell(row[name], name, filled))}</td>" for name in filled.columns)
        + "</tr>"
        for row in filled.rows
    )
    search = '<input type="search" placeholder="Filter rows" aria-label="Filter rows"><span class="count"></span>'
    return (
        f'<div class="table">{search}<div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div></div>"
    )


def is_numeric(values: Iterable[Any]) -> bool:
    known = [value for value in values if value is not None]
    return bool(known) and all(isinstance(value, int | float) and not isinstance(value, bool) for value in known)


def right(name: str, numeric: set[str]) -> str:
    return ' class="number"' if name in numeric else ""


def cell(value: Any, name: str, filled: Filled) -> str:
    """A table's cell: empty for what was not measured; counts that are there and not shown as `<10`."""
    if value is not None:
        return str(value)
    if name in filled.panel.people:
        return below()
    return "not shown" if name in filled.panel.derived else ""


def cards(index: int, filled: Filled) -> str:
    if not filled.rows:
        return '<p class="empty">No study has been trained here yet: trilake train alzheimers_disease</p>'
    notes = "".join(card(entry) for entry in filled.rows)
    return f'<div class="beside">{chart(index, filled)}<div>{notes}</div></div>'


def card(entry: dict[str, Any]) -> str:
    verdict = str(entry["verdict"])
    kind = "good" if verdict.startswith("better") else "plain"
    return (
        f'<div class="card"><h3>{escape(words(str(entry["study"])))} <em class="{kind}">{escape(verdict)}</em></h3>'
        f"<p>{escape(str(entry['sentence']))}</p><p class='note'>{escape(str(entry['notice']))} "
        f"{entry['n_patients']:,} patients, {entry['n_cases']:,} cases.</p></div>"
    )


def permission_list(permissions: dict[str, Permission]) -> str:
    """Tables, columns and rows that the persona sees, columns that it does not, and tables closed to it."""
    rows = "".join(
        f"<tr><td>{escape(entry.table)}</td><td>{escape(', '.join(entry.columns))}</td>"
        f"<td>{escape(', '.join(entry.hidden)) or 'none'}</td><td>{escape(entry.rows or 'all rows')}</td></tr>"
        for entry in permissions.values()
    )
    closed = sorted(set(load_contract()) - set(permissions))
    title = f"What this page may see: {len(permissions)} of {len(load_contract())} tables"
    below = f"<p>Not permitted at all: {escape(', '.join(closed))}.</p>" if closed else ""
    head = "<tr><th>Table</th><th>Columns</th><th>Not permitted</th><th>Rows</th></tr>"
    return (
        f'<details><summary>{title}</summary><div class="scroll"><table class="rights">{head}{rows}</table></div>'
        f"{below}</details>"
    )

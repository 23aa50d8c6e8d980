"""A persona's page as one HTML file: charts, tables and plotly in it, nothing fetched. Pure.

Every text that comes from data is escaped; chart data stands in JSON blocks that cannot end the script element.

Example: html(Document(page, filled, permissions, facts))
"""

import json
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from plotly.offline import get_plotlyjs

from trilake.dashboard.answers import Filled
from trilake.dashboard.charts import HIDDEN, figure, n_hidden
from trilake.dashboard.page import Page
from trilake.dashboard.permissions import Permission

ASSETS = Path(__file__).parent / "assets"
CHARTS = ("bar", "histogram", "dots", "box", "coverage")


@dataclass(frozen=True)
class Document:
    """All that a page shows. `facts` are the lines of its foot."""

    page: Page
    filled: list[Filled]
    permissions: dict[str, Permission]
    description: str
    facts: list[str]


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
<title>{escape(page.title)} · {escape(words(page.persona))}</title>
<style>{(ASSETS / "page.css").read_text()}</style>
</head>
<body>
<header>
<p class="persona">{escape(words(page.persona))}</p>
<h1>{escape(page.title)}</h1>
<p class="about">{escape(document.description)}</p>
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


def words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def permission_list(permissions: dict[str, Permission]) -> str:
    rows = "".join(
        f"<tr><td>{escape(entry.table)}</td><td>{len(entry.columns)} of {len(entry.columns) + len(entry.hidden)}</td>"
        f"<td>{escape(entry.rows or 'all rows')}</td></tr>"
        for entry in permissions.values()
    )
    head = "<tr><th>Table</th><th>Columns</th><th>Rows</th></tr>"
    title = f"What this page may see ({len(permissions)} tables)"
    return f"<details><summary>{title}</summary><table>{head}{rows}</table></details>"


def tile(filled: Filled) -> str:
    if not filled.is_permitted:
        value, kind = "not permitted", " denied"
    else:
        found = filled.rows[0]["value"] if filled.rows else None
        value, kind = number(found) + filled.panel.suffix if found is not None else "fewer than ten", ""
    return f'<div class="tile{kind}"><b>{escape(value)}</b><span>{escape(filled.panel.title)}</span></div>'


def number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def section(index: int, filled: Filled) -> str:
    panel = filled.panel
    note = f'<p class="note">{escape(panel.note)}</p>' if panel.note else ""
    inner = content(index, filled)
    title = f"<h2>{escape(panel.title)}</h2>"
    return f'<section style="--span:{panel.span}">{title}{note}{inner}</section>'


def content(index: int, filled: Filled) -> str:
    if not filled.is_permitted:
        return f'<p class="denied">Not permitted: {escape(filled.denied)}</p>'
    if filled.panel.kind == "cards":
        return "".join(card(entry) for entry in filled.rows) or '<p class="empty">No study has been trained yet.</p>'
    if filled.panel.kind == "table":
        return table(filled)
    return chart(index, filled)


def chart(index: int, filled: Filled) -> str:
    closed = [name for name, states in filled.parts.items() if states is None]
    remarks = [f"{name}: not permitted" for name in closed]
    hidden = n_hidden(filled) if filled.panel.people else 0
    if hidden:
        remarks.append(f"{hidden} groups {HIDDEN}")
    if filled.panel.kind != "coverage" and not filled.rows:
        return '<p class="empty">Nothing recorded.</p>'
    below = f'<p class="remark">{escape("; ".join(remarks))}</p>' if remarks else ""
    data = json.dumps(figure(filled), default=str).replace("<", "\\u003c")
    return f'<div class="chart" id="chart-{index}"><script type="application/json">{data}</script></div>{below}'


def table(filled: Filled) -> str:
    head = "".join(f'<th tabindex="0">{escape(name.replace("_", " "))}</th>' for name in filled.columns)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(cell(row[name], name, filled))}</td>" for name in filled.columns) + "</tr>"
        for row in filled.rows
    )
    search = '<input type="search" placeholder="Filter rows" aria-label="Filter rows"><span class="count"></span>'
    return (
        f'<div class="table">{search}<div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div></div>"
    )


def cell(value: Any, name: str, filled: Filled) -> str:
    """A table's cell: empty for what was not measured, in words for what is there and not shown."""
    if value is None:
        return HIDDEN if name in (*filled.panel.people, *filled.panel.derived) else ""
    return str(value)


def card(entry: dict[str, Any]) -> str:
    name = escape(words(str(entry.get("study", ""))))
    return f'<div class="card"><h3>{name}</h3><p>{escape(str(entry.get("sentence", "")))}</p></div>'

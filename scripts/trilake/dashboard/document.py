"""A persona's page as one HTML file: charts, tables and plotly in it, nothing fetched. Pure.

The page's own policy (Content-Security-Policy) forbids it to fetch anything, whatever stands in it.

Example: html(Document(page, filled, permissions, description, facts))
"""

from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from plotly.offline import get_plotlyjs

from trilake.dashboard.answers import Filled
from trilake.dashboard.page import Page
from trilake.dashboard.parts import permission_list, section, tile, words
from trilake.dashboard.permissions import Permission

ASSETS = Path(__file__).parent / "assets"
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
MARK = (
    '<svg viewBox="0 0 32 32" aria-hidden="true"><path d="M3 11q6.5-5 13 0t13 0"/><path d="M3 17q6.5-5 13 0t13 0"/>'
    '<path d="M3 23q6.5-5 13 0t13 0"/></svg>'
)


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
    told = [f"Asked as {words(document.page.persona).lower()}", *(f"Rows: {rule}" for rule in rules)]
    plain = "".join(f"<span>{escape(one)}</span>" for one in told)
    return plain + (f'<span class="notice">{escape(document.notice)}</span>' if document.notice else "")

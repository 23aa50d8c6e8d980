"""`trilake dashboard`: a page per persona, every number on it asked as that persona, one HTML file each.

Example: trilake dashboard --as clinician --out pages/
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import orjson

from trilake.clinical.synthetic import notice
from trilake.cohort.lock import take_lock
from trilake.core.disclosure import minimum_cell
from trilake.core.errors import InputError
from trilake.core.session import Session
from trilake.core.sql import inline_views, load_relations, parse, tables_read
from trilake.core.text_table import text_table
from trilake.core.verb import Run, on_engine, verb
from trilake.dashboard.answers import COVERAGE, Asking, ask_all, permissions_of
from trilake.dashboard.document import Document, html
from trilake.dashboard.page import Page, load_pages


@click.command()
@click.option("--as", "persona", help="This persona's page alone; without it, every page in sql/dashboard/pages.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder. [default: <env>/pages, below --state]")
@verb
@on_engine
def dashboard(run: Run, persona: str | None, out: Path | None) -> None:
    """Write a persona's page as one HTML file that opens anywhere and fetches nothing.

    Example: trilake dashboard --as clinician --out pages/
    """
    pages = load_pages()
    if persona is not None and persona not in pages:
        raise InputError(f"No page for '{persona}'. There are: {', '.join(pages)}")
    folder = (out or run.folder / "pages").absolute()
    with run.session() as session:
        order = Order(pages, cards_in(run.folder / "models"), folder)
        files = build_pages(session, order, [persona] if persona else list(pages), say=run.say)
    rows = [[path.name, pages[path.stem].title, path.stat().st_size] for path in files]
    text = f"{text_table(['page', 'title', 'bytes'], rows)}\n\nWritten to {folder}; open one in a browser"
    run.emit({"files": [str(path) for path in files]}, text=text)


@dataclass(frozen=True)
class Order:
    """All pages there are, report cards to show, and where files go."""

    pages: dict[str, Page]
    cards: Sequence[dict[str, Any]]
    folder: Path

    def siblings(self, names: Sequence[str]) -> list[str]:
        """Pages that lie in the folder once those named are written."""
        return [name for name in self.pages if name in names or (self.folder / f"{name}.html").exists()]


def build_pages(session: Session, order: Order, names: Sequence[str], *, say: Callable[[str], None]) -> list[Path]:
    """The files, in the order of `names`. AccessError when a persona's role may not be assumed."""
    claim(order.folder)
    about, siblings = notice(session), order.siblings(names)
    files = []
    for name in names:
        say(f"Asking {len(order.pages[name].panels)} questions as {name}")
        path = order.folder / f"{name}.html"
        path.write_text(html(document_of(session, order, name, about=about, siblings=siblings)))
        files.append(path)
    return files


def claim(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file, expected a folder", next_step="choose another --out DIR")
    folder.mkdir(parents=True, exist_ok=True)


def document_of(session: Session, order: Order, name: str, *, about: str, siblings: list[str]) -> Document:
    page = order.pages[name]
    lock = take_lock(session, page.model_dump(mode="json"), tables_of(page))
    return Document(
        page=page,
        filled=ask_all(Asking(session.as_persona(name), page, order.cards)),
        permissions=permissions_of(session, name),
        description=session.settings.governance.personas[name].description,
        facts=facts(page, lock.in_words, about),
        notice=about,
        siblings=siblings,
    )


def tables_of(page: Page) -> list[str]:
    """The governed tables behind a page, views looked through."""
    texts = [panel.sql for panel in page.panels if panel.sql]
    if any(panel.kind == "coverage" for panel in page.panels):
        texts += COVERAGE.values()
    relations = load_relations()
    return sorted({name for text in texts for name in tables_read(inline_views(parse(text), relations))})


def facts(page: Page, lock: str, about: str) -> list[str]:
    """The lines of a page's foot."""
    lines = [
        f"Every number was asked of Athena as {page.persona} on {datetime.now(UTC):%Y-%m-%d at %H:%M} UTC.",
        f"Lock {lock}.",
    ]
    if not page.is_treating:
        lines.append(f"Counts of fewer than {minimum_cell()} people, and what would tell them, are not shown.")
    return [*lines, about]


def cards_in(folder: Path) -> list[dict[str, Any]]:
    """The report cards below a models folder."""
    return [orjson.loads(path.read_bytes()) for path in sorted(folder.glob("*/card.json"))]

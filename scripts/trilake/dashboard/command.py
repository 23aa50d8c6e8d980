"""`trilake dashboard`: a page per persona, every number on it asked as that persona.

Reads sql/dashboard/pages/, governed tables as the persona, report cards; writes a file per page. `make dashboard`.

Example: trilake dashboard --as clinician --out pages/
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from trilake.clinical.synthetic import notice
from trilake.cohort.attrition import MINIMUM_CELL
from trilake.core.errors import SettingsError
from trilake.core.session import Session
from trilake.core.verb import Run, verb
from trilake.dashboard.answers import Asking, ask_all
from trilake.dashboard.document import Document, html
from trilake.dashboard.page import Page, load_pages
from trilake.dashboard.permissions import permissions_of

USUAL = ("clinician", "bioinformatician", "radiologist")


@click.command()
@click.option("--as", "persona", help="This persona's page alone; without it, those of " + ", ".join(USUAL) + ".")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder. [default: pages, below --state]")
@verb
def dashboard(run: Run, persona: str | None, out: Path | None) -> None:
    """Write a persona's page as one HTML file that opens anywhere and fetches nothing.

    Example: trilake dashboard --as clinician --out pages/
    """
    pages = load_pages()
    if persona is not None and persona not in pages:
        raise SettingsError(f"No page for '{persona}'. There are: {', '.join(sorted(pages))}")
    folder = (out or run.folder / "pages").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    with run.session() as session:
        for name in [persona] if persona else USUAL:
            run.say(f"Asking as {name}")
            files.append(write_page(session, pages[name], cards_in(run.folder / "models"), folder))
    run.emit({"files": files}, text="\n".join(files))


def write_page(session: Session, page: Page, cards: list[dict[str, Any]], folder: Path) -> str:
    """The page's file. AccessError when the persona's role may not be assumed."""
    caller = session.as_persona(page.persona)
    document = Document(
        page=page,
        filled=ask_all(Asking(caller, page, cards)),
        permissions=permissions_of(session, page.persona),
        description=session.settings.governance.personas[page.persona].description,
        facts=facts(session, page),
    )
    path = folder / f"{page.persona}.html"
    path.write_text(html(document))
    return str(path)


def facts(session: Session, page: Page) -> list[str]:
    lines = [f"Asked as {page.persona} on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC.", notice(session)]
    if not page.is_treating:
        lines.append(f"Counts of fewer than {MINIMUM_CELL} people, and what would tell them, are not shown.")
    return [line for line in lines if line]


def cards_in(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*/card.json"))]

"""`trilake dashboard`: a page per persona, every number on it asked as that persona.

Reads sql/dashboard/pages/, governed tables as the persona, report cards; writes a file per page. `make dashboard`.

Example: trilake dashboard --as clinician --out pages/
"""

from pathlib import Path

import click

from trilake.core.errors import InputError
from trilake.core.text_table import text_table
from trilake.core.verb import Run, on_engine, verb
from trilake.dashboard.build import Order, build_pages, cards_in
from trilake.dashboard.page import load_pages


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

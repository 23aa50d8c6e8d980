"""What a page file may say: a persona, and panels that are each one question and a way to show the answer.

The file says nothing of HTML or of plotly, so that QuickSight can be made from it too. Columns of a panel's SQL have
fixed names by kind: tile value; bar label, series, n; histogram x, n; dots label, value; box label, low, q1, median,
q3, high, n; a table shows what it gets.

Example: load_pages()["clinician"].panels[0].title
"""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from trilake.cohort.definition import Name, Text
from trilake.core.disclosure import Counted
from trilake.core.paths import SQL
from trilake.core.yaml_file import Strict, load_model

PAGES = SQL / "dashboard" / "pages"
FIRST = ("clinician", "bioinformatician", "radiologist", "data_scientist")
"""Pages in the order they are offered in; others follow by name."""
NO_SQL = ("coverage", "cards")
"""Kinds that ask the same on every page: the three modalities, and the report cards on file."""


class Threshold(Strict):
    """A line across a histogram."""

    at: float
    label: Text


class Panel(Strict):
    """One question. `people` are columns that count people, `derived` those from which such a count follows.

    `headings` are a table's columns in words. `partition` says that the groups add up to a number shown elsewhere.
    """

    kind: Literal["tile", "bar", "histogram", "dots", "box", "table", "coverage", "cards"]
    title: Text
    note: str = ""
    span: Annotated[int, Field(ge=2, le=12)] = 2
    sql: Text | None = None
    headings: dict[Name, Text] = {}
    people: list[Name] = []
    derived: list[Name] = []
    partition: bool = False
    orientation: Literal["v", "h"] = "v"
    mode: Literal["group", "stack"] = "group"
    unit: str = "patients"
    suffix: str = ""
    bin: float | None = None
    threshold: Threshold | None = None

    @property
    def counted(self) -> Counted:
        return Counted(self.people, self.derived, is_partition=self.partition)

    @model_validator(mode="after")
    def asks_something(self) -> Self:
        if (self.sql is None) != (self.kind in NO_SQL):
            raise ValueError(f"sql is for every kind but {' and '.join(NO_SQL)}")
        return self


class Page(Strict):
    """A persona's page. On a page that is not of a treating persona, small counts are not shown."""

    persona: Name
    title: Text
    is_treating: bool
    panels: Annotated[list[Panel], Field(min_length=1)]


def load_pages(folder: Path = PAGES) -> dict[str, Page]:
    """The pages by persona. InputError lists all faults of a file with their lines."""
    pages = {path.stem: load_model(path, Page) for path in folder.glob("*.yaml")}
    order = [*(name for name in FIRST if name in pages), *sorted(set(pages) - set(FIRST))]
    return {pages[name].persona: pages[name] for name in order}

"""Pages as files: no text becomes markup, nothing is fetched, what is closed or small is said."""

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from trilake.core.contract import load_contract
from trilake.dashboard.answers import Filled, Permission, releasable
from trilake.dashboard.charts import figure
from trilake.dashboard.dashboard import tables_of
from trilake.dashboard.document import Document, html
from trilake.dashboard.page import Page, Panel, load_pages

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
BAR = Panel(kind="bar", title="Problems", sql="SELECT 1", people=["n"])
TABLE = Panel(kind="table", title="List", sql="SELECT 1", people=["n"], derived=["share"])
COVERAGE = Panel(kind="coverage", title="What there is")
CARDS = Panel(kind="cards", title="Models")
PAGES = load_pages()
CARD = {
    "study": EVIL,
    "verdict": "better than guessing",
    "sentence": EVIL,
    "notice": EVIL,
    "n_patients": 74,
    "n_cases": 19,
    "results": {EVIL: {"auc": {"value": 0.7, "low": 0.6, "high": 0.8}, "verdict": EVIL, "sentence": EVIL}},
}


class Tags(HTMLParser):
    """What a browser would make of the page, scripts' texts apart."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def a_document(*filled: Filled, title: str = "Studies") -> str:
    page = Page(persona="radiologist", title=title, is_treating=False, panels=[one.panel for one in filled])
    permission = Permission("imaging.study", ("a",), ("b",), "consent_imaging = true")
    return html(Document(page, list(filled), {"imaging.study": permission}, title, [title], title, ["radiologist"]))


def body(text: str) -> str:
    """The page without plotly's own code."""
    return text.split("<main>")[1].split("<footer>")[0]


def tags_of(text: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Tags()
    parser.feed(text)
    return parser.found


def test_no_text_from_data_becomes_markup() -> None:
    rows = [{"label": EVIL, "series": EVIL, "n": 12, "share": EVIL}]
    columns = ["label", "series", "n", "share"]
    harmless = [{name: "x" if value == EVIL else value for name, value in row.items()} for row in rows]

    def page(title: str, given: list[dict[str, Any]], card: dict[str, Any]) -> str:
        return a_document(
            Filled(BAR, columns, given),
            Filled(TABLE, columns, given),
            Filled(BAR, denied=title),
            Filled(COVERAGE, parts={title: {title: 3}}),
            Filled(CARDS, rows=[card]),
            title=title,
        )

    text = page(EVIL, rows, CARD)
    assert EVIL not in text
    assert "alert(1)" in text
    calm = page("x", harmless, json.loads(json.dumps(CARD).replace(json.dumps(EVIL)[1:-1], "x")))
    assert [tag for tag, _ in tags_of(text)] == [tag for tag, _ in tags_of(calm)]


def test_labels_of_charts_are_text_to_plotly_too() -> None:
    (trace,) = figure(Filled(BAR, ["label", "n"], [{"label": "<b>a</b>", "n": 12}]))["data"]
    assert trace["x"] == ["&lt;b&gt;a&lt;/b&gt;"]


def test_a_page_fetches_nothing_and_forbids_itself_to() -> None:
    text = a_document(Filled(BAR, ["label", "n"], [{"label": "a", "n": 12}]))
    (policy,) = [attributes["content"] for tag, attributes in tags_of(text) if "http-equiv" in attributes]
    assert policy is not None and policy.startswith("default-src 'none'")
    assert not re.search(r"connect-src|https?:|\*", policy)
    for tag, attributes in tags_of(text.split("<script>")[0]):
        assert tag not in ("link", "iframe", "img", "object"), tag
        assert "src" not in attributes


def test_what_is_denied_is_said_and_never_shown_as_zero() -> None:
    tile = Panel(kind="tile", title="Samples", sql="SELECT 1")
    text = body(a_document(Filled(BAR, denied="radiologist may not see genomic.dosage"), Filled(tile, denied="x")))
    assert "<b>Not permitted</b>radiologist may not see genomic.dosage" in text
    assert "<b>not permitted</b><span>Samples</span>" in text
    assert ">0<" not in text


def test_a_closed_kind_of_data_is_hatched_and_has_no_number() -> None:
    filled = Filled(COVERAGE, parts={"Clinical": {"measured": 40}, "Genomic": None})
    by_name = {trace["name"]: trace for trace in figure(filled)["data"]}
    assert by_name["not permitted"]["y"] == ["Genomic"]
    assert by_name["not permitted"]["hovertext"] == ["Genomic: not permitted"]
    assert "Genomic data: not permitted." in body(a_document(filled))


def test_a_small_count_is_said_in_a_table_and_left_out_of_a_chart() -> None:
    rows = releasable([{"label": "rare", "n": 3, "share": 0.1}, {"label": "b", "n": 30, "share": 0.9}], TABLE)
    assert figure(Filled(BAR, ["label", "n"], rows))["data"][0]["x"] == ["b"]
    columns = ["label", "n", "share"]
    text = body(a_document(Filled(BAR, columns, rows), Filled(TABLE, columns, rows)))
    assert "Not shown, fewer than 10 or telling so few: rare." in text
    assert '<td>rare</td><td class="number">&lt;10</td><td class="number">not shown</td>' in text


def test_a_small_number_alone_is_said() -> None:
    tile = Panel(kind="tile", title="Patients", sql="SELECT 1", people=["value"])
    text = body(a_document(Filled(tile, ["value"], releasable([{"value": 4}], tile))))
    assert "<b>&lt;10</b>" in text


def test_a_missing_value_is_an_empty_cell_not_a_small_count() -> None:
    text = a_document(Filled(TABLE, ["label", "n"], [{"label": None, "n": 30}]))
    assert '<tr><td></td><td class="number">30</td></tr>' in text


def test_what_may_not_be_seen_at_all_is_listed() -> None:
    text = a_document(Filled(BAR, ["label", "n"], []))
    assert "What this page may see: 1 of" in text
    closed = text.partition("Not permitted at all: ")[2].partition(".</p>")[0].split(", ")
    assert closed == sorted(set(load_contract()) - {"imaging.study"})


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_the_repository_asks_governed_tables_only(name: str) -> None:
    assert PAGES[name].persona == name
    assert set(tables_of(PAGES[name])) <= set(load_contract())


@pytest.mark.parametrize("name", PAGES)
def test_only_a_treating_persona_sees_small_counts(name: str) -> None:
    page = PAGES[name]
    assert page.is_treating == (name == "clinician")
    charts = [panel for panel in page.panels if panel.kind in ("bar", "histogram", "dots", "box")]
    counting = [panel for panel in charts if panel.unit == "patients" or panel.kind != "bar"]
    assert all(panel.people for panel in counting if panel.kind != "histogram" or not page.is_treating)

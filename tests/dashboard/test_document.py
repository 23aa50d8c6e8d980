from trilake.dashboard.answers import Filled
from trilake.dashboard.charts import figure
from trilake.dashboard.document import Document, html
from trilake.dashboard.page import Page, Panel, load_pages
from trilake.dashboard.permissions import Permission
from trilake.dashboard.suppress import hide_small

EVIL = "</script><script>alert(1)</script>"
BAR = Panel(kind="bar", title="Problems", sql="SELECT 1", people=["n"])
TABLE = Panel(kind="table", title="List", sql="SELECT 1", people=["n"])


def a_document(*filled: Filled) -> str:
    page = Page(persona="radiologist", title=EVIL, is_treating=False, panels=[one.panel for one in filled])
    permission = Permission("imaging.study", ("a",), ("b",), "consent_imaging = true")
    return html(Document(page, list(filled), {"imaging.study": permission}, EVIL, [EVIL]))


def test_no_text_from_data_becomes_markup():
    rows = [{"label": EVIL, "n": 12}]
    text = a_document(Filled(BAR, ["label", "n"], rows), Filled(TABLE, ["label", "n"], rows))
    assert EVIL not in text
    assert "alert(1)" in text


def test_a_page_fetches_nothing():
    text = a_document(Filled(BAR, ["label", "n"], [{"label": "a", "n": 12}]))
    assert "<link" not in text and 'src="' not in text.split("<script>")[0]


def test_what_is_denied_is_said_and_never_shown_as_zero():
    text = a_document(Filled(BAR, denied="radiologist may not see genomic.dosage"))
    assert "Not permitted: radiologist may not see genomic.dosage" in text


def test_a_small_count_is_said_in_a_table_and_left_out_of_a_chart():
    rows = hide_small([{"label": "a", "n": 3}, {"label": "b", "n": 30}], BAR)
    assert figure(Filled(BAR, ["label", "n"], rows))["data"][0]["x"] == ["b"]
    text = a_document(Filled(BAR, ["label", "n"], rows), Filled(TABLE, ["label", "n"], rows))
    assert "1 groups fewer than ten: not shown" in text
    assert "<td>fewer than ten: not shown</td>" in text


def test_a_missing_value_is_an_empty_cell_not_a_small_count():
    text = a_document(Filled(TABLE, ["label", "n"], [{"label": None, "n": 30}]))
    assert "<tr><td></td><td>30</td></tr>" in text


def test_every_page_of_the_repository_loads():
    assert {"clinician", "bioinformatician", "radiologist"} <= set(load_pages())

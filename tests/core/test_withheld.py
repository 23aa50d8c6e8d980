"""Views read without what a caller may not see: rows, columns, and the flag that says so; nothing is opened wider."""

import pytest

from trilake.core.contract import Withheld, load_contract, load_views
from trilake.core.sql import inline_views, load_relations, parse, tables_read, without_withheld

PARTS = (Withheld(table="imaging.study", flag="sees_studies"), Withheld(table="clinical.specimen"))
SQL = """SELECT TRUE AS sees_studies, study.patient_id, study.study_date, s.specimen_id
FROM imaging.study LEFT JOIN clinical.specimen AS s ON study.patient_id = s.patient_id"""


def read_by(columns: dict[str, list[str] | None]) -> str:
    return without_withheld(PARTS, parse(SQL), columns.get).sql(dialect="athena")


def all_of(name: str) -> list[str]:
    return [column.name for column in load_contract()[name].columns]


def test_who_sees_everything_reads_the_view_as_it_is() -> None:
    seen = {name: all_of(name) for name in ("imaging.study", "clinical.specimen")}
    assert read_by(seen) == parse(SQL).sql(dialect="athena")


def test_a_table_that_is_closed_reads_as_no_rows_and_its_flag_says_so() -> None:
    told = read_by({"clinical.specimen": all_of("clinical.specimen")})
    assert "FALSE AS sees_studies" in told and "imaging.study" not in told
    assert 'CAST(NULL AS DATE) AS "study_date" WHERE FALSE) AS study' in told


def test_a_column_that_is_closed_reads_as_null() -> None:
    told = read_by({"imaging.study": ["patient_id"], "clinical.specimen": all_of("clinical.specimen")})
    assert '(SELECT "patient_id", CAST(NULL AS DATE) AS "study_date" FROM imaging."study") AS study' in told
    assert "TRUE AS sees_studies" in told


def test_a_view_that_does_without_nothing_is_left_alone() -> None:
    asked: list[str] = []
    assert without_withheld((), parse(SQL), asked.append).sql() == parse(SQL).sql()
    assert asked == []


@pytest.mark.parametrize("name", load_views())
def test_a_view_is_read_without_all_that_may_be_withheld(name: str) -> None:
    parts = {part.table for part in load_views()[name].may_be_withheld}
    view = inline_views(parse(f"SELECT 1 FROM {name}"), load_relations(), lambda table: None)
    assert parts and not parts & tables_read(view)

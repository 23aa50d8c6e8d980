"""Views read without what a caller may not see: rows, columns, and the flag that says so; nothing is opened wider."""

import pytest

from trilake.core.contract import load_contract
from trilake.core.sql import inline_views, load_relations, parse, tables_read
from trilake.core.withheld import parts_of, without_withheld

HEADER = ["A view.", "May be withheld: imaging.study (sees_studies), clinical.specimen."]
SQL = """SELECT TRUE AS sees_studies, study.patient_id, study.study_date, s.specimen_id
FROM imaging.study LEFT JOIN clinical.specimen AS s ON study.patient_id = s.patient_id"""


def read_by(columns: dict[str, list[str] | None]) -> str:
    return without_withheld(HEADER, parse(SQL), columns.get).sql(dialect="athena")


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


def test_a_view_without_the_header_is_left_alone() -> None:
    asked: list[str] = []
    assert without_withheld(["A view."], parse(SQL), asked.append).sql() == parse(SQL).sql()
    assert asked == []


@pytest.mark.parametrize("name", [name for name, one in load_relations().items() if parts_of(one.header)])
def test_headers_name_what_the_view_reads_and_flags_that_it_has(name: str) -> None:
    relation = load_relations()[name]
    parts = parts_of(relation.header)
    assert relation.kind == "view" and set(parts) <= relation.reads
    assert all(f"TRUE AS {flag}" in relation.text for flag in parts.values() if flag)
    read = inline_views(parse(f"SELECT 1 FROM {name}"), load_relations(), lambda table: None)
    assert not set(parts) & tables_read(read)

"""Every SQL file holds its cases, and every SQL file has some."""

from pathlib import Path

import pytest

from tests.sql.cases import Case, case_files, comparable, load_case, run_case
from trilake.core.session import Session
from trilake.core.sql import load_relations

FILES = case_files()


@pytest.mark.parametrize("path", FILES, ids=lambda path: load_case(path).name)
def test_case(lake: Session, path: Path) -> None:
    case = load_case(path)
    answer = run_case(lake, case, FILES.index(path))
    found = case.asked(answer.records())
    assert comparable(found, columns_of(case)) == comparable(case.expect, columns_of(case)), case.about


def columns_of(case: Case) -> list[str]:
    """The columns that a case names, the same in each of its rows."""
    columns = list(case.expect[0]) if case.expect else []
    assert all(list(row) == columns for row in case.expect), f"{case.name}: rows of `expect` name different columns"
    return columns


def test_every_sql_file_has_a_case() -> None:
    assert set(load_relations()) <= {load_case(path).relation for path in FILES}

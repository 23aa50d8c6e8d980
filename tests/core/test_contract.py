from pathlib import Path

import pytest
import yaml

from trilake.core.contract import load_contract, sensitivity_classes
from trilake.core.errors import InputError

ROW_KEYS = "- {name: site_id, type: string, class: CL, source: s, missing: m}\n"


def write(folder: Path, columns: list[dict[str, str]], views: dict[str, object] | None = None, **entry: object) -> Path:
    """A contract of two tables: `thing`, and `sound`, in which all is well."""
    (folder / "core").mkdir()
    (folder / "core/row_keys.yaml").write_text(ROW_KEYS)
    (folder / "clinical").mkdir()
    sound = {"grain": "g", "key": ["a"], "patient_level": False, "filled_by": "sql", "columns": [a_column()]}
    tables = {"sound": sound, "thing": sound | {"columns": columns} | entry}
    content = {"room": "clinical", "tables": tables, "views": views or {}}
    (folder / "clinical/contract.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    return folder


def a_column(**changes: str) -> dict[str, str]:
    return {"name": "a", "type": "string", "class": "CL", "source": "s", "missing": "never"} | changes


def faults(folder: Path) -> str:
    with pytest.raises(InputError) as refusal:
        load_contract(folder)
    return str(refusal.value)


def test_every_column_of_the_repository_has_a_class_and_a_meaning_of_null():
    for table in load_contract().values():
        for column in table.columns:
            assert column.sensitivity in sensitivity_classes(), f"{table.path}.{column.name}"
            assert column.missing, f"{table.path}.{column.name}"


def test_patient_level_tables_carry_the_row_keys_last():
    names = [column.name for column in load_contract()["clinical.condition"].columns]
    assert names[-4:] == ["site_id", "consent_research", "consent_genomic", "consent_imaging"]


def test_a_column_without_a_class_is_refused_by_name(tmp_path):
    column = a_column()
    del column["class"]
    words = faults(write(tmp_path, [column]))
    assert "clinical/contract.yaml" in words and "tables.thing.columns.0.class: not there" in words


def test_all_faults_of_form_are_reported_at_once_with_their_lines(tmp_path):
    source = {"table": "healthlake.condition", "colum": "a"}
    folder = write(
        tmp_path,
        [a_column(**{"class": "XX"})],
        views={"list": {"may_be_witheld": []}},
        filled_by="hand",
        kept_current_by=[source],
        allowed_traps=[{"trap": "ties"}],
    )
    words = faults(folder)
    for fault in (
        "class 'XX' is none of",
        "filled_by: found 'hand', expected: 'sql' or 'job'",
        "kept_current_by.0.column: not there",
        "kept_current_by.0.colum: no such field",
        "views.list.may_be_witheld: no such field",
        "allowed_traps.0.reason: not there",
    ):
        assert fault in words
    lines = (folder / "clinical/contract.yaml").read_text().splitlines()
    assert f"line {lines.index('    filled_by: hand') + 1}: tables.thing.filled_by" in words


def test_all_faults_of_meaning_are_reported_at_once(tmp_path):
    folder = write(
        tmp_path,
        [a_column(), a_column()],
        views={"list": {"may_be_withheld": [{"table": "clinical.nothing"}]}},
        key=["b"],
        patient_level=True,
        kept_current_by=[{"table": "healthlake.condition", "column": "c"}],
        follows={"table": "clinical.sound", "key": "z", "column": "d"},
    )
    words = faults(folder)
    for fault in (
        "key column b",
        "a: named twice",
        "no column patient_id",
        "kept current by c, which is not a column",
        "kept current by d, which is not a column",
        "follows clinical.sound.z, which is no governed column",
        "clinical.list: clinical.nothing may be withheld, but is no governed table",
    ):
        assert fault in words

from pathlib import Path

import pytest
import yaml

from trilake.core.contract import load_contract, sensitivity_classes
from trilake.core.errors import InputError

ROW_KEYS = "- {name: site_id, type: string, class: CL, source: s, missing: m}\n"


def write(folder: Path, columns: list[dict[str, str]], **table: object) -> Path:
    (folder / "core").mkdir()
    (folder / "core/row_keys.yaml").write_text(ROW_KEYS)
    (folder / "clinical").mkdir()
    entry = {"grain": "g", "key": ["a"], "patient_level": False, "filled_by": "sql", "columns": columns} | table
    (folder / "clinical/contract.yaml").write_text(yaml.safe_dump({"room": "clinical", "tables": {"thing": entry}}))
    return folder


def a_column(**changes: str) -> dict[str, str]:
    return {"name": "a", "type": "string", "class": "CL", "source": "s", "missing": "never"} | changes


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
    with pytest.raises(InputError, match=r"clinical\.thing\.a: class ''"):
        load_contract(write(tmp_path, [column]))


def test_all_faults_are_reported_at_once(tmp_path):
    folder = write(tmp_path, [a_column(), a_column()], key=["b"], filled_by="hand", patient_level=True)
    with pytest.raises(InputError) as caught:
        load_contract(folder)
    for words in ("key column b", "a: named twice", "filled_by 'hand'", "no column patient_id"):
        assert words in str(caught.value)

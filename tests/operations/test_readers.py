"""Who the clinical views say they are for can see every column that they use."""

import pytest
from sqlglot import exp
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import traverse_scope

from trilake.core.contract import load_contract
from trilake.core.sql import DIALECT, load_relations, parse
from trilake.governance.policy import load_access

READERS = [
    ("clinical.patient_summary", ["clinician", "data_scientist", "bioinformatician"]),
    ("clinical.problem_list", ["clinician", "data_scientist", "bioinformatician"]),
    ("clinical.latest_lab", ["clinician"]),
    ("clinical.encounter_timeline", ["clinician"]),
    ("clinical.medication_timeline", ["clinician"]),
]


def columns_used(name: str) -> set[tuple[str, str]]:
    """(governed table, column) pairs that a view reads."""
    schema: dict[str, dict[str, dict[str, str]]] = {}
    for table in load_contract().values():
        schema.setdefault(table.room, {})[table.name] = {column.name: "varchar" for column in table.columns}
    tree = qualify(parse(load_relations()[name].text), schema=schema, dialect=DIALECT)
    found = set()
    for scope in traverse_scope(tree):
        for column in scope.columns:
            source = scope.sources.get(column.table)
            if isinstance(source, exp.Table):
                found.add((f"{source.db}.{source.name}", column.name))
    return found


@pytest.mark.parametrize(("view", "readers"), READERS)
def test_its_readers_see_every_column_that_it_uses(view: str, readers: list[str]) -> None:
    used, access = columns_used(view), load_access()
    assert used
    for persona in readers:
        seen = {(table, column) for table, entry in access[persona].items() for column in entry.columns}
        assert used <= seen, persona


def test_every_clinical_view_names_its_readers_here() -> None:
    views = {name for name, one in load_relations().items() if one.kind == "view" and one.path.parts[-3] == "clinical"}
    assert views == {name for name, _ in READERS}

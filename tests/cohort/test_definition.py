"""Cohort files: what they may say, and how a fault is told."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trilake.cohort.compiler import attrition_sql, bind, literal, members_sql, rows_sql, tables_of
from trilake.cohort.definition import COHORTS, EXTRACTED, Definition, Predicate, load_definition
from trilake.core.contract import load_contract
from trilake.core.errors import InputError
from trilake.core.sql import parse
from trilake.core.yaml_file import find_file

FILES = sorted(COHORTS.glob("*.yaml"))
HEAD = "name: a\ndescription: b\ncriteria:\n"


def faults(tmp_path: Path, text: str) -> str:
    path = tmp_path / "cohort.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as error:
        load_definition(path)
    assert str(path) in error.value.message
    return error.value.message


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_example_holds_is_named_by_its_file_and_reads_governed_tables(path: Path) -> None:
    definition = load_definition(path)
    assert definition.name == path.stem
    assert set(tables_of(definition)) <= set(load_contract())


def test_there_is_an_example_over_all_three_kinds_of_data() -> None:
    rooms = [{table.split(".")[0] for table in tables_of(load_definition(path))} for path in FILES]
    assert {"clinical", "genomic", "imaging"} in rooms


def test_extracts_name_governed_patient_tables() -> None:
    assert all(load_contract()[name].patient_level for name in EXTRACTED)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEAD + "  - name: x\n    include: {sex: femal}\n", ["line 5", "include.sex", "'femal'", "'male', 'female'"]),
        (HEAD + "  - name: x\n    include: {}\n", ["line 5", "exactly one of condition, medication"]),
        (HEAD + "  - name: x\n    include: {sex: male, sequenced: true}\n", ["line 5", "exactly one of"]),
        (HEAD + "  - {name: x}\n", ["line 4", "either include or exclude"]),
        (HEAD + "  - name: X Y\n    include: {sex: male}\n", ["line 4", "criteria.0.name", "pattern"]),
        (
            HEAD + "  - name: x\n    include:\n      condition:\n        codes: [26929004]\n",
            ["line 7", "codes.0", "text in quotes: '26929004'"],
        ),
        (
            HEAD + "  - name: x\n    include:\n      condition:\n        system: SNOMEDCT\n        codes: ['1']\n",
            ["line 7", "'SNOMEDCT'", "SNOMED, LOINC, RXNORM, ICD10CM"],
        ),
        (
            HEAD + "  - name: x\n    include:\n      observation: {code: '8480-6', at_least: 140}\n",
            ["line 6", "a comparison needs its unit"],
        ),
        (HEAD + "  - name: x\n    include:\n      observation: {code: '8480-6'}\n", ["line 6", "or value_codes"]),
        (HEAD + "  - name: x\n    include:\n      variant: {rs_id: rs1, genes: [A]}\n", ["expected variant_id, or"]),
        (
            HEAD + "  - name: x\n    include:\n      study: {modality: MR, since: 2020-01-01, before: 2019-01-01}\n",
            ["line 6", "2020-01-01 is not before 2019-01-01"],
        ),
        (
            HEAD + "  - name: x\n    include: {sex: male}\n    when_not_assessable: keep\n",
            ["when_not_assessable: keep is for exclude"],
        ),
        (
            HEAD + "  - {name: x, include: {sex: male}}\n  - {name: x, include: {sex: female}}\n",
            ["two criteria are named x"],
        ),
        (HEAD + "  - {name: x, include: {sex: male}}\nextract: [clinical.document]\n", ["line 5", "extract.0"]),
        ("name: a\nname: [\n", ["line 3", "not YAML"]),
        ("- 1\n", ["found list", "name, description, criteria"]),
        ("name: a\ncriteria: []\nfoo: 1\n", ["description: not there", "criteria", "foo: no such field"]),
    ],
)
def test_a_fault_is_told_with_its_line_field_and_what_was_expected(tmp_path: Path, text: str, words: list[str]) -> None:
    message = faults(tmp_path, text)
    for word in words:
        assert word in message, message


def test_a_missing_file_names_its_neighbours() -> None:
    with pytest.raises(InputError, match="apoe_e4_carriers"):
        load_definition(COHORTS / "nonsense.yaml")


def test_a_bare_name_finds_an_example_and_a_path_stays_a_path(tmp_path: Path) -> None:
    assert find_file("apoe_e4_carriers", COHORTS) == COHORTS / "apoe_e4_carriers.yaml"
    assert find_file(str(tmp_path / "x.yaml"), COHORTS) == tmp_path / "x.yaml"


@settings(deadline=None)
@given(st.text(st.characters(blacklist_characters="\x00", blacklist_categories=["Cs"]), min_size=1))
def test_no_text_of_a_definition_becomes_sql(text: str) -> None:
    predicate = Predicate.model_validate({"condition": {"codes": [text]}})
    definition = Definition.model_validate(
        {"name": "a", "description": "b", "criteria": [{"name": "x", "include": predicate}]}
    )
    tree = parse(members_sql(definition))
    literals = [node.this for node in tree.find_all(type(parse(f"SELECT {literal('x')}").selects[0]))]
    assert text in literals
    assert tables_of(definition) == ["clinical.coding", "clinical.condition", "clinical.encounter", "clinical.patient"]


def test_values_without_a_place_and_places_without_a_value_are_defects() -> None:
    with pytest.raises(KeyError):
        bind("SELECT :a AS a")
    with pytest.raises(ValueError, match="no place for b"):
        bind("SELECT :a AS a", a=1, b=2)
    with pytest.raises(ValueError, match="goes into IN"):
        bind("SELECT :a AS a", a=["x"])


def test_each_form_of_the_query_is_one_statement_over_the_same_table() -> None:
    definition = load_definition(COHORTS / "high_systolic_9p21_with_mr.yaml")
    for text in (attrition_sql(definition), rows_sql(definition, "genomic.dosage", ["patient_id"])):
        assert "assessed AS" in text
        parse(text)

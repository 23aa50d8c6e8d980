from pathlib import Path

import pytest
from sqlglot import exp

from localaws.athena.parser import parse_query
from localaws.athena.trino.text import written
from trilake.core.contract import load_row_keys
from trilake.core.errors import InputError, QueryError
from trilake.core.paths import SQL
from trilake.core.sql import (
    Relation,
    inline_views,
    load_relations,
    parse,
    rename_databases,
    run_order,
    show_in_databases,
    tables_read,
)


def a_view(name: str, text: str, kind: str = "view") -> Relation:
    return Relation(name, kind, Path(f"{name}.sql"), text)


def athena(tree) -> str:
    return tree.sql(dialect="athena")


def test_dependencies_are_the_names_in_from_and_join_not_the_ctes():
    tree = parse("WITH a AS (SELECT 1 AS x FROM clinical.patient) SELECT x FROM a JOIN genomic.sample ON true")
    assert tables_read(tree) == {"clinical.patient", "genomic.sample"}


def test_a_view_goes_inline_under_its_own_name_and_views_in_views_too():
    relations = {
        "clinical.v": a_view("clinical.v", "-- what\nSELECT patient_id FROM clinical.w"),
        "clinical.w": a_view("clinical.w", "SELECT patient_id FROM clinical.patient"),
    }
    tree = inline_views(parse("SELECT v.patient_id FROM clinical.v"), relations)
    assert athena(tree) == (
        "SELECT v.patient_id FROM (SELECT patient_id FROM (SELECT patient_id FROM clinical.patient) AS w) AS v"
    )


def test_an_alias_and_a_join_survive_inlining():
    relations = {"clinical.v": a_view("clinical.v", "SELECT a FROM clinical.t")}
    tree = inline_views(parse("SELECT x.a FROM clinical.v AS x JOIN clinical.t AS t ON t.a = x.a"), relations)
    assert athena(tree) == ("SELECT x.a FROM (SELECT a FROM clinical.t) AS x JOIN clinical.t AS t ON t.a = x.a")


@pytest.mark.parametrize(("resource_type", "element"), [("condition", "subject"), ("consent", "patient")])
def test_a_resource_about_a_patient_is_found_by_the_element_that_its_type_has(resource_type: str, element: str):
    tree = parse(f"SELECT patient_id FROM patient_fhir.{resource_type}")
    assert tables_read(tree) == {f"healthlake.{resource_type}", "clinical.patient_identifier"}
    used = {part.name for part in tree.find_all(exp.Identifier)} & {"subject", "patient"}
    assert used == {element}


def test_a_patient_level_table_gets_row_keys_unless_it_gives_them_itself():
    text = "SELECT a AS condition_id, b AS patient_id FROM clinical.other"
    tree = a_view("clinical.condition", text, "table").tree
    keys = [key.name for key in load_row_keys()]
    assert tree.named_selects == ["condition_id", "patient_id", *keys]
    assert tables_read(tree) == {"clinical.other", "clinical.patient"}
    own = f"SELECT a AS patient_id, {', '.join(keys)} FROM clinical.other"
    assert athena(a_view("clinical.condition", own, "table").tree) == own
    assert (
        athena(a_view("clinical.site", "SELECT a FROM clinical.other", "table").tree) == "SELECT a FROM clinical.other"
    )


def test_databases_are_renamed_in_tables_and_in_qualified_columns_only():
    tree = parse("SELECT clinical.patient.gender, other.x FROM clinical.patient, elsewhere.other")
    renamed = rename_databases(tree, {"clinical": "lake_clinical"}.get)
    assert athena(renamed) == (
        'SELECT "lake_clinical".patient.gender, other.x FROM "lake_clinical".patient, elsewhere.other'
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SHOW TABLES IN clinical", "SHOW TABLES IN `lake_clinical`"),
        ("show columns from Clinical.patient", "show columns from `lake_clinical`.patient"),
        ('SHOW COLUMNS IN "clinical".patient', "SHOW COLUMNS IN `lake_clinical`.patient"),
        ("SHOW COLUMNS IN patient IN clinical", "SHOW COLUMNS IN patient IN `lake_clinical`"),
        ("SHOW TBLPROPERTIES clinical.patient", "SHOW TBLPROPERTIES `lake_clinical`.patient"),
        ("SHOW TABLES IN elsewhere 'clinical*'", "SHOW TABLES IN elsewhere 'clinical*'"),
    ],
)
def test_show_takes_room_names_too(text: str, expected: str):
    assert show_in_databases(text, {"clinical": "lake_clinical"}.get) == expected


def test_a_syntax_error_names_line_and_column():
    with pytest.raises(QueryError, match="line 2, column"):
        parse("SELECT 1\nFROM WHERE")


def test_two_statements_are_refused():
    with pytest.raises(QueryError, match="2 statements"):
        parse("SELECT 1; SELECT 2")


def test_a_circle_of_views_is_named():
    relations = {
        "clinical.a": a_view("clinical.a", "SELECT x FROM clinical.b"),
        "clinical.b": a_view("clinical.b", "SELECT x FROM clinical.a"),
    }
    with pytest.raises(InputError, match=r"clinical\.a"):
        run_order(relations)


def test_every_file_comes_after_what_it_reads():
    relations = load_relations()
    order = run_order(relations)
    for name, relation in relations.items():
        assert all(order.index(read) < order.index(name) for read in relation.reads if read in relations)


@pytest.mark.parametrize("path", sorted(SQL.rglob("*.sql")), ids=lambda path: str(path.relative_to(SQL)))
def test_every_file_can_be_handed_to_a_real_trino(path):
    tree = parse_query(path.read_text())
    assert parse_query(written(tree).sql) == tree

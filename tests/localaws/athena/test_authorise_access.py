"""Athena under Lake Formation: cells, views and links.

Run: `python -m pytest tests/localaws/athena/test_authorise_access.py`
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from localaws import LocalAws
from localaws.athena.catalog import View, glue_input

from .hostile import ACCOUNT, Stage
from .room import Room


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with LocalAws(tmp_path_factory.mktemp("local")) as aws:
        yield Stage(aws.world)


@pytest.fixture
def room(stage: Stage) -> Room:
    return Room(stage)


class TestCells:
    def test_the_union_of_two_filters_cell_by_cell(self, room: Room) -> None:
        room.filtered("north", "site = 'north'", ["id", "name"])
        room.filtered("consent", "consent = true", ["id", "code"])
        rows = room.rows("SELECT * FROM t ORDER BY id")
        assert rows == [("a", "Ada", "x"), ("b", "Bo", None), ("c", None, "z")]

    def test_a_hidden_cell_is_no_value_anywhere(self, room: Room) -> None:
        room.filtered("north", "site = 'north'", ["id", "name"])
        room.filtered("consent", "consent = true", ["id", "code"])
        assert room.rows("SELECT id FROM t WHERE name = 'Cy'") == []
        assert room.rows("SELECT count(name), count(*) FROM t") == [("2", "3")]
        assert room.rows("SELECT max(name) FROM t WHERE id = 'c'") == [(None,)]
        divided = "1 / (CASE WHEN name = 'Cy' THEN 0 ELSE 1 END)"
        assert room.rows(f"SELECT count(*) FROM t WHERE {divided} = 1") == [("3",)]

    def test_an_all_rows_filter_overrides(self, room: Room) -> None:
        room.filtered("north", "site = 'north'", ["id", "name"])
        room.filtered("all", None, ["id"])
        rows = room.rows("SELECT * FROM t ORDER BY id")
        assert rows == [("a", "Ada"), ("b", "Bo"), ("c", None), ("d", None)]

    def test_a_rule_that_is_unknown_hides_the_row(self, room: Room) -> None:
        room.filtered("code", "code <> 'x'", ["id"])
        assert room.rows("SELECT id FROM t ORDER BY id") == [("b",), ("c",)]

    def test_a_row_rule_on_a_column_outside_the_list(self, room: Room) -> None:
        room.filtered("south", "site = 'south'", ["name"])
        assert room.rows("SELECT * FROM t ORDER BY 1") == [("Cy",), ("Di",)]

    @pytest.mark.parametrize(
        ("rule", "ids"),
        [
            ("site LIKE 'no%'", "ab"),
            ("site NOT LIKE 'no%'", "cd"),
            ("site IN ('north', 'west')", "ab"),
            ("NOT (site = 'north' AND consent = true)", "bcd"),
            ("code IS NULL OR consent = true", "acd"),
            ("code BETWEEN 'x' AND 'y'", "ab"),
            ("site <> 'NORTH'", "abcd"),
        ],
    )
    def test_every_form_of_rule(self, room: Room, rule: str, ids: str) -> None:
        room.filtered("some", rule, ["id"])
        assert room.rows("SELECT id FROM t ORDER BY id") == [(name,) for name in ids]

    def test_revoking_takes_effect_at_once(self, room: Room) -> None:
        room.filtered("all", None, ["id"])
        assert len(room.rows("SELECT id FROM t")) == 4
        key = {"TableCatalogId": ACCOUNT, "DatabaseName": room.database, "TableName": "t", "Name": "all"}
        room.lf.delete_data_cells_filter(**key)
        assert room.ask("SELECT id FROM t").error == "TABLE_NOT_FOUND"


class TestViews:
    def test_a_view_needs_its_tables_whole(self, room: Room) -> None:
        room.view("v", "SELECT id, name FROM t", ("id", "varchar"), ("name", "varchar"))
        room.grant("SELECT", table="v")
        missing = room.ask("SELECT * FROM v")
        room.filtered("all", None, ["id", "name"])
        partly = room.ask("SELECT * FROM v")
        assert missing.error == partly.error == "PERMISSION_DENIED" and missing.reason == partly.reason
        room.grant("SELECT")
        assert len(room.rows("SELECT id FROM v WHERE name = 'Ada'")) == 1

    def test_the_tables_alone_do_not_open_a_view(self, room: Room) -> None:
        room.view("v", "SELECT id FROM t", ("id", "varchar"))
        room.grant("SELECT")
        assert room.ask("SELECT * FROM v").error == "TABLE_NOT_FOUND"

    def test_names_in_a_view_resolve_in_its_own_schema(self, room: Room, stage: Stage) -> None:
        room.view("v", "WITH q AS (SELECT id FROM t) SELECT id AS other FROM q", ("other", "varchar"))
        room.grant("SELECT", table="v")
        room.grant("SELECT")
        answer = stage.ask(f"WITH t AS (SELECT 1 AS id) SELECT count(v.other) FROM {room.database}.v AS v, t")
        assert answer.rows[1:] == (("4",),)

    def test_a_view_cannot_travel_in_time(self, room: Room) -> None:
        room.view("v", "SELECT id FROM t", ("id", "varchar"))
        room.grant("SELECT", table="v")
        room.grant("SELECT")
        assert room.ask("SELECT * FROM v FOR TIMESTAMP AS OF current_timestamp").state == "FAILED"

    def test_views_that_name_each_other_end(self, room: Room) -> None:
        room.view("one", "SELECT id FROM two", ("id", "varchar"))
        room.view("two", "SELECT id FROM one", ("id", "varchar"))
        room.grant("SELECT", table="one")
        room.grant("SELECT", table="two")
        assert room.ask("SELECT * FROM one").state == "FAILED"

    def test_a_broken_view_says_no_more(self, room: Room) -> None:
        entry = glue_input("v", View("SELECT FROM WHERE", room.database, (("id", "varchar"),)))
        room.stage.world.client("glue").create_table(DatabaseName=room.database, TableInput=entry)
        room.grant("SELECT", table="v")
        assert room.ask("SELECT * FROM v").error == "PERMISSION_DENIED"


class TestLinks:
    def test_permission_on_the_link_is_not_permission_on_the_target(self, room: Room, stage: Stage) -> None:
        link = room.database + "_link"
        target = {"CatalogId": ACCOUNT, "DatabaseName": room.database}
        stage.world.client("glue").create_database(DatabaseInput={"Name": link, "TargetDatabase": target})
        sql = f"SELECT count(*) FROM {link}.t"
        assert stage.ask(sql).error == "TABLE_NOT_FOUND"
        stage.grant(stage.persona, {"Database": {"Name": link}}, "DESCRIBE")
        assert stage.ask(sql).error == "TABLE_NOT_FOUND"
        room.filtered("north", "site = 'north'", ["id"])
        assert stage.ask(sql).rows[1:] == (("2",),)

    def test_permission_on_the_target_is_not_permission_on_the_link(self, room: Room, stage: Stage) -> None:
        link = room.database + "_link"
        target = {"CatalogId": ACCOUNT, "DatabaseName": room.database}
        stage.world.client("glue").create_database(DatabaseInput={"Name": link, "TargetDatabase": target})
        room.filtered("north", "site = 'north'", ["id"])
        assert stage.ask(f"SELECT count(*) FROM {link}.t").error == "TABLE_NOT_FOUND"

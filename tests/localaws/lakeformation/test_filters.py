"""The service over the wire: data cells filters and LF-Tags.

Run: `python -m pytest tests/localaws/lakeformation/test_filters.py`
"""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import ACCOUNT, Place, code_of


class TestFilters:
    def test_create_get_update_list_delete(self, place: Place) -> None:
        names = place.filter_member("north")["DataCellsFilter"]
        data = place.filter_data("north", "site_id = 'north'", ColumnNames=["patient_id", "Site_ID"])
        place.lf.create_data_cells_filter(TableData=data)
        first = place.lf.get_data_cells_filter(**names)["DataCellsFilter"]
        assert first["ColumnNames"] == ["patient_id", "site_id"]
        assert first["RowFilter"] == {"FilterExpression": "site_id = 'north'"}
        place.lf.update_data_cells_filter(TableData=place.filter_data("north", None))
        second = place.lf.get_data_cells_filter(**names)["DataCellsFilter"]
        assert second["ColumnWildcard"] == {} and second["RowFilter"] == {"AllRowsWildcard": {}}
        assert second["VersionId"] != first["VersionId"]
        listed = place.lf.list_data_cells_filter(Table=place.table_member["Table"])["DataCellsFilters"]
        assert listed == [second]
        place.lf.delete_data_cells_filter(**names)
        assert code_of(lambda: place.lf.get_data_cells_filter(**names)) == "EntityNotFoundException"

    def test_one_name_one_filter(self, place: Place) -> None:
        data = place.filter_data("north", "site_id = 'north'")
        place.lf.create_data_cells_filter(TableData=data)
        assert code_of(lambda: place.lf.create_data_cells_filter(TableData=data)) == "AlreadyExistsException"

    def test_an_update_of_an_old_version_is_refused(self, place: Place) -> None:
        place.lf.create_data_cells_filter(TableData=place.filter_data("north", "site_id = 'north'"))
        data = {**place.filter_data("north", None), "VersionId": "an-old-one"}
        call = place.lf.update_data_cells_filter
        assert code_of(lambda: call(TableData=data)) == "ConcurrentModificationException"

    def test_a_filter_changes_who_sees_what_at_once(self, place: Place) -> None:
        place.filtered("north", "site_id = 'north'", ["patient_id"])
        data = place.filter_data("north", "site_id = 'south'", ColumnNames=["patient_id", "family_name"])
        place.lf.update_data_cells_filter(TableData=data)
        assert place.access().row_filter == "site_id = 'south'"
        place.lf.delete_data_cells_filter(**place.filter_member("north")["DataCellsFilter"])
        assert not place.access().can_select and place.listed() == []

    def test_excluded_columns(self, place: Place) -> None:
        wildcard = {"ExcludedColumnNames": ["family_name"]}
        place.lf.create_data_cells_filter(TableData=place.filter_data("most", None, ColumnWildcard=wildcard))
        place.grant(place.filter_member("most"), "SELECT")
        assert "family_name" not in place.access().visible
        names = place.filter_member("most")["DataCellsFilter"]
        assert place.lf.get_data_cells_filter(**names)["DataCellsFilter"]["ColumnWildcard"] == wildcard

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"TableName": "missing"}, "EntityNotFoundException"),
            ({"DatabaseName": "missing"}, "EntityNotFoundException"),
            ({"ColumnNames": ["patient_id"]}, "InvalidInputException"),
            ({"ColumnWildcard": None}, "InvalidInputException"),
            ({"ColumnWildcard": None, "ColumnNames": ["nope"]}, "InvalidInputException"),
            ({"ColumnWildcard": {"ExcludedColumnNames": ["nope"]}}, "InvalidInputException"),
            ({"RowFilter": {}}, "InvalidInputException"),
            ({"RowFilter": {"FilterExpression": "site_id = 'a'", "AllRowsWildcard": {}}}, "InvalidInputException"),
            ({"RowFilter": {"FilterExpression": "upper(site_id) = 'A'"}}, "InvalidInputException"),
            ({"RowFilter": {"FilterExpression": "cardinality(codes) > 0"}}, "InvalidInputException"),
            ({"RowFilter": None}, "InvalidInputException"),
        ],
    )
    def test_what_is_no_filter(self, place: Place, change: dict[str, Any], code: str) -> None:
        data = {**place.filter_data("north", "site_id = 'north'"), **change}
        data = {key: value for key, value in data.items() if value is not None}
        assert code_of(lambda: place.lf.create_data_cells_filter(TableData=data)) == code

    def test_partition_keys_cannot_be_filtered_out(self, place: Place) -> None:
        glue = place.world.client("glue")
        storage = {"Columns": [{"Name": "a", "Type": "string"}], "Location": "s3://lake/parted"}
        keys = [{"Name": "day", "Type": "string"}]
        table = {"Name": "parted", "StorageDescriptor": storage, "PartitionKeys": keys}
        glue.create_table(DatabaseName=place.database, TableInput=table)
        data = {**place.filter_data("x", None, ColumnNames=["a"]), "TableName": "parted"}
        assert code_of(lambda: place.lf.create_data_cells_filter(TableData=data)) == "InvalidInputException"

    def test_not_on_views_and_links(self, place: Place) -> None:
        target = {"CatalogId": ACCOUNT, "DatabaseName": place.database, "Name": "patient"}
        place.world.client("glue").create_table(
            DatabaseName=place.database, TableInput={"Name": "link", "TargetTable": target}
        )
        data = {**place.filter_data("x", None), "TableName": "link"}
        assert code_of(lambda: place.lf.create_data_cells_filter(TableData=data)) == "InvalidInputException"


class TestTags:
    def test_values_of_a_tag(self, place: Place) -> None:
        key = f"Level{place.database}"
        place.lf.create_lf_tag(TagKey=key, TagValues=["Open", "Closed"])
        assert place.lf.get_lf_tag(TagKey=key)["TagValues"] == ["open", "closed"]
        place.lf.update_lf_tag(TagKey=key, TagValuesToAdd=["secret"], TagValuesToDelete=["open"])
        assert place.lf.get_lf_tag(TagKey=key)["TagValues"] == ["closed", "secret"]
        assert code_of(lambda: place.lf.create_lf_tag(TagKey=key, TagValues=["x"])) == "InvalidInputException"
        place.lf.delete_lf_tag(TagKey=key)
        assert code_of(lambda: place.lf.get_lf_tag(TagKey=key)) == "EntityNotFoundException"

    def test_lower_levels_override_and_a_policy_opens_what_matches(self, place: Place) -> None:
        key = f"level{place.database}"
        place.lf.create_lf_tag(TagKey=key, TagValues=["open", "closed"])
        tag = lambda value: [{"TagKey": key, "TagValues": [value]}]  # noqa: E731
        place.lf.add_lf_tags_to_resource(Resource={"Database": {"Name": place.database}}, LFTags=tag("closed"))
        place.lf.add_lf_tags_to_resource(Resource=place.columns("patient_id", "birth_year"), LFTags=tag("open"))
        policy = {"LFTagPolicy": {"ResourceType": "TABLE", "Expression": tag("open")}}
        place.grant(policy, "SELECT")
        assert place.access().columns == ("patient_id", "birth_year")
        found = place.lf.get_resource_lf_tags(Resource=place.table_member)
        assert found["LFTagsOnTable"][0]["TagValues"] == ["closed"]
        by_column = {item["Name"]: item["LFTags"][0]["TagValues"] for item in found["LFTagsOnColumns"]}
        assert by_column["patient_id"] == ["open"] and by_column["family_name"] == ["closed"]
        place.lf.add_lf_tags_to_resource(Resource=place.table_member, LFTags=tag("open"))
        assert place.access().is_full
        place.lf.remove_lf_tags_from_resource(Resource=place.table_member, LFTags=tag("open"))
        assert place.access().columns == ("patient_id", "birth_year")

    def test_an_unknown_value_is_a_failure(self, place: Place) -> None:
        key = f"level{place.database}"
        place.lf.create_lf_tag(TagKey=key, TagValues=["open"])
        answer = place.lf.add_lf_tags_to_resource(
            Resource=place.table_member, LFTags=[{"TagKey": key, "TagValues": ["shut"]}]
        )
        assert answer["Failures"][0]["Error"]["ErrorCode"] == "InvalidInputException"

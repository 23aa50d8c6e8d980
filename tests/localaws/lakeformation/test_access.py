"""Who sees what: deny by default, grants, filters, creators, administrators, default permissions.

Run: `python -m pytest tests/localaws/lakeformation/test_access.py`
"""

from __future__ import annotations

import pytest

from localaws.lakeformation.access import database_access, sees_database, table_access
from localaws.lakeformation.rules import ALL, NO_ACCESS

from .conftest import ACCOUNT, COLUMNS, DEPLOYER, SERVICE_ACCOUNT, Place, make_role, make_table, set_up

EVERY = tuple(COLUMNS)


def test_without_a_grant_nothing_is_visible(place: Place) -> None:
    found = place.access()
    assert (found.columns, found.permissions, found.described) == ((), frozenset(), ())
    assert not sees_database(place.world, place.role, ACCOUNT, place.database)


def test_a_table_that_does_not_exist_gives_no_access(place: Place) -> None:
    assert table_access(place.world, DEPLOYER, ACCOUNT, place.database, "missing") is NO_ACCESS


def test_the_creator_has_all_of_what_it_created(place: Place) -> None:
    found = place.access(DEPLOYER)
    assert found.columns is ALL and found.is_full and "INSERT" in found.permissions
    assert "CREATE_TABLE" in database_access(place.world, DEPLOYER, ACCOUNT, place.database)


def test_an_administrator_knows_the_schema_but_reads_no_data(place: Place) -> None:
    other = make_role(place.world, f"admin-of-{place.database}")
    set_up(place.world, [DEPLOYER, other])
    found = place.access(other)
    assert found.described == EVERY and not found.can_select


def test_database_permissions_open_no_table(place: Place) -> None:
    place.grant({"Database": {"Name": place.database}}, "ALL")
    assert not place.access().can_select
    assert "CREATE_TABLE" in database_access(place.world, place.role, ACCOUNT, place.database)


def test_a_table_grant_opens_everything(place: Place) -> None:
    place.grant(place.table_member, "SELECT")
    found = place.access()
    assert found.columns is ALL and found.row_filter is None and found.is_full
    assert found.permissions == {"SELECT"}


def test_all_on_a_table_is_every_permission(place: Place) -> None:
    place.grant(place.table_member, "ALL")
    assert place.access().permissions == {"ALTER", "DELETE", "DESCRIBE", "DROP", "INSERT", "SELECT"}


def test_the_table_wildcard_reaches_tables_made_later(place: Place) -> None:
    place.grant({"Table": {"DatabaseName": place.database, "TableWildcard": {}}}, "SELECT")
    make_table(place.world, place.database, "later")
    assert table_access(place.world, place.role, ACCOUNT, place.database, "later").is_full
    assert place.access().is_full


def test_describe_alone_shows_the_schema_only(place: Place) -> None:
    place.grant(place.table_member, "DESCRIBE")
    assert place.access().described == EVERY and not place.access().can_select


def test_column_lists_add_up(place: Place) -> None:
    place.grant(place.columns("patient_id"), "SELECT")
    place.grant(place.columns("BIRTH_YEAR"), "SELECT")
    assert place.access().columns == ("patient_id", "birth_year")
    assert place.access().described == ("patient_id", "birth_year")


def test_all_columns_but_some(place: Place) -> None:
    place.grant(place.all_but("family_name"), "SELECT")
    assert place.access().columns == tuple(name for name in EVERY if name != "family_name")
    assert not place.access().is_full


def test_a_filter_opens_its_columns_on_its_rows(place: Place) -> None:
    place.filtered("north", "site_id = 'north'", ["patient_id", "site_id"])
    found = place.access()
    assert found.columns == ("patient_id", "site_id") and found.row_filter == "site_id = 'north'"
    assert found.cell_filter("patient_id") is None and not found.is_full


def test_a_filter_that_was_not_granted_opens_nothing(place: Place) -> None:
    place.lf.create_data_cells_filter(TableData=place.filter_data("unused", "site_id = 'north'"))
    assert not place.access().can_select


def test_several_filters_are_a_union_cell_by_cell(place: Place) -> None:
    place.filtered("north", "site_id = 'north'", ["patient_id", "family_name"])
    place.filtered("consent", "consent_research = true", ["patient_id", "birth_year"])
    found = place.access()
    assert found.columns == ("patient_id", "family_name", "birth_year")
    assert found.row_filter == "(site_id = 'north') OR (consent_research = true)"
    assert found.cell_filter("patient_id") is None
    assert found.cell_filter("family_name") == "site_id = 'north'"
    assert found.cell_filter("birth_year") == "consent_research = true"


def test_an_all_rows_filter_overrides_the_others(place: Place) -> None:
    place.filtered("north", "site_id = 'north'", ["patient_id"])
    place.filtered("all", None, ["patient_id", "birth_year"])
    found = place.access()
    assert found.row_filter is None and found.cell_filter("birth_year") is None
    assert found.columns == ("patient_id", "birth_year")


def test_a_column_grant_beside_a_filter_opens_its_columns_on_all_rows(place: Place) -> None:
    place.filtered("north", "site_id = 'north'", ["patient_id", "family_name"])
    place.grant(place.columns("patient_id"), "SELECT")
    found = place.access()
    assert found.row_filter is None and found.cell_filter("family_name") == "site_id = 'north'"


def test_a_table_grant_beside_a_filter_defeats_it(place: Place) -> None:
    place.filtered("north", "site_id = 'north'", ["patient_id"])
    place.grant(place.table_member, "SELECT")
    assert place.access().is_full


def test_a_filter_whose_column_is_gone_opens_nothing(place: Place) -> None:
    place.filtered("north", "site_id = 'north'")
    columns = [{"Name": "patient_id", "Type": "string"}]
    place.world.client("glue").update_table(
        DatabaseName=place.database, TableInput={"Name": "patient", "StorageDescriptor": {"Columns": columns}}
    )
    assert not place.access().can_select


def test_an_include_list_hides_a_column_added_later(place: Place) -> None:
    place.filtered("some", None, ["patient_id"])
    columns = [{"Name": name, "Type": kind} for name, kind in {**COLUMNS, "hiv_status": "string"}.items()]
    place.world.client("glue").update_table(
        DatabaseName=place.database, TableInput={"Name": "patient", "StorageDescriptor": {"Columns": columns}}
    )
    assert place.access().columns == ("patient_id",)


@pytest.mark.parametrize("how", ["drop table", "drop database"])
def test_a_table_made_again_has_none_of_the_old_grants(place: Place, how: str) -> None:
    place.filtered("north", "site_id = 'north'")
    place.grant(place.table_member, "SELECT")
    place.grant({"Table": {"DatabaseName": place.database, "TableWildcard": {}}}, "DESCRIBE")
    glue = place.world.client("glue")
    if how == "drop table":
        glue.delete_table(DatabaseName=place.database, Name="patient")
    else:
        glue.delete_database(Name=place.database)
        glue.create_database(DatabaseInput={"Name": place.database})
    make_table(place.world, place.database)
    assert not place.access().can_select
    assert bool(place.access().described) == (how == "drop table")
    assert place.lf.list_data_cells_filter(Table=place.table_member["Table"])["DataCellsFilters"] == []


def test_iam_allowed_principals_open_a_table_to_everybody(place: Place) -> None:
    place.grant(place.columns("patient_id"), "SELECT")
    place.grant(place.table_member, "ALL", to="IAM_ALLOWED_PRINCIPALS")
    assert place.access().is_full
    place.revoke(place.table_member, "ALL", to="IAM_ALLOWED_PRINCIPALS")
    assert place.access().columns == ("patient_id",)


def test_the_group_of_all_principals_of_the_account(place: Place) -> None:
    place.grant(place.columns("patient_id"), "SELECT", to=f"{ACCOUNT}:IAMPrincipals")
    assert place.access().columns == ("patient_id",)


class TestDefaults:
    """Default permissions bind what is created while they hold."""

    EVERYONE = [{"Principal": {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}, "Permissions": ["ALL"]}]

    def test_emptying_them_leaves_old_grants(self, place: Place) -> None:
        defaults = {"CreateDatabaseDefaultPermissions": self.EVERYONE, "CreateTableDefaultPermissions": self.EVERYONE}
        set_up(place.world, [DEPLOYER], **defaults)
        name = place.database + "_open"
        place.world.client("glue").create_database(DatabaseInput={"Name": name})
        make_table(place.world, name, "old")
        set_up(place.world, [DEPLOYER])
        assert table_access(place.world, place.role, ACCOUNT, name, "old").is_full
        assert "CREATE_TABLE" in database_access(place.world, place.role, ACCOUNT, name)

    def test_a_database_keeps_the_table_defaults_it_was_made_with(self, place: Place) -> None:
        database_input = {"Name": place.database + "_own", "CreateTableDefaultPermissions": self.EVERYONE}
        place.world.client("glue").create_database(DatabaseInput=database_input)
        make_table(place.world, database_input["Name"], "later")
        assert table_access(place.world, place.role, ACCOUNT, database_input["Name"], "later").is_full

    def test_a_default_select_is_listed_as_any_other(self, place: Place) -> None:
        default = {"Principal": {"DataLakePrincipalIdentifier": place.role}, "Permissions": ["SELECT"]}
        name = place.database + "_shared"
        database = {"Name": name, "CreateTableDefaultPermissions": [default]}
        place.world.client("glue").create_database(DatabaseInput=database)
        make_table(place.world, name, "later")
        [found] = place.listed(Resource={"Table": {"DatabaseName": name, "Name": "later"}})
        assert found["Resource"]["TableWithColumns"]["ColumnWildcard"] == {}
        assert table_access(place.world, place.role, ACCOUNT, name, "later").is_full


class TestOtherAccount:
    """Tables that a service account owns and shares."""

    @pytest.fixture
    def shared(self, place: Place) -> Place:
        world = place.world
        glue = world.client("glue", SERVICE_ACCOUNT)
        glue.create_database(DatabaseInput={"Name": place.database})
        columns = [{"Name": name, "Type": kind} for name, kind in COLUMNS.items()]
        storage = {"Columns": columns, "Location": "s3://lake/x"}
        glue.create_table(DatabaseName=place.database, TableInput={"Name": "patient", "StorageDescriptor": storage})
        return place

    def share(self, place: Place, *permissions: str) -> None:
        table = {"Table": {"DatabaseName": place.database, "TableWildcard": {}}}
        place.world.client("lakeformation", SERVICE_ACCOUNT).grant_permissions(
            Principal={"DataLakePrincipalIdentifier": ACCOUNT},
            Resource=table,
            Permissions=list(permissions),
            PermissionsWithGrantOption=list(permissions),
        )

    def member(self, place: Place) -> dict[str, object]:
        return {"Table": {"CatalogId": SERVICE_ACCOUNT, "DatabaseName": place.database, "Name": "patient"}}

    def seen(self, place: Place, arn: str) -> object:
        return table_access(place.world, arn, SERVICE_ACCOUNT, place.database, "patient")

    def test_nothing_before_it_is_shared(self, shared: Place) -> None:
        assert not self.seen(shared, DEPLOYER).described

    def test_administrators_have_what_is_shared_with_the_account(self, shared: Place) -> None:
        self.share(shared, "SELECT", "DESCRIBE")
        assert self.seen(shared, DEPLOYER).is_full
        assert not self.seen(shared, shared.role).described

    def test_others_have_it_as_far_as_it_is_granted_to_them_too(self, shared: Place) -> None:
        self.share(shared, "SELECT", "DESCRIBE")
        shared.grant(self.member(shared), "SELECT", "DESCRIBE")
        found = self.seen(shared, shared.role)
        assert found.is_full and found.permissions == {"SELECT", "DESCRIBE"}
        assert not shared.access().can_select

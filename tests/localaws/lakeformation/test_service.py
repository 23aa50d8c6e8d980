"""The service over the wire: settings, locations, grants as Terraform reads them back, filters, tags, errors.

Run: `python -m pytest tests/localaws/lakeformation/test_service.py`
"""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import ACCOUNT, DEPLOYER, SERVICE_ACCOUNT, Place, code_of, make_role, session, set_up


class TestSettings:
    def test_put_replaces_the_whole_object(self, place: Place) -> None:
        set_up(place.world, [DEPLOYER], Parameters={"CROSS_ACCOUNT_VERSION": "4"}, TrustedResourceOwners=[ACCOUNT])
        set_up(place.world, [DEPLOYER])
        found = place.lf.get_data_lake_settings()["DataLakeSettings"]
        assert found["Parameters"]["CROSS_ACCOUNT_VERSION"] == "1"
        assert found["TrustedResourceOwners"] == [] and found["CreateTableDefaultPermissions"] == []

    def test_at_most_thirty_administrators(self, place: Place) -> None:
        many = [f"arn:aws:iam::{ACCOUNT}:user/u{number}" for number in range(31)]
        assert code_of(lambda: set_up(place.world, many)) == "InvalidInputException"

    def test_another_accounts_settings_are_closed(self, place: Place) -> None:
        call = place.lf.get_data_lake_settings
        assert code_of(lambda: call(CatalogId=SERVICE_ACCOUNT)) == "AccessDeniedException"


class TestLocations:
    def test_register_describe_list_deregister(self, place: Place) -> None:
        arn = f"arn:aws:s3:::{place.database.replace('_', '-')}"
        place.lf.register_resource(ResourceArn=arn, RoleArn=place.role, HybridAccessEnabled=False)
        found = place.lf.describe_resource(ResourceArn=arn)["ResourceInfo"]
        assert (found["ResourceArn"], found["RoleArn"]) == (arn, place.role)
        assert (
            code_of(lambda: place.lf.register_resource(ResourceArn=arn, RoleArn=place.role)) == "AlreadyExistsException"
        )
        condition = {"Field": "RESOURCE_ARN", "ComparisonOperator": "EQ", "StringValueList": [arn]}
        assert len(place.lf.list_resources(FilterConditionList=[condition])["ResourceInfoList"]) == 1
        place.lf.deregister_resource(ResourceArn=arn)
        assert code_of(lambda: place.lf.describe_resource(ResourceArn=arn)) == "EntityNotFoundException"

    def test_update_changes_the_role(self, place: Place) -> None:
        arn = f"arn:aws:s3:::{place.database.replace('_', '-')}-u"
        place.lf.register_resource(ResourceArn=arn, UseServiceLinkedRole=True)
        place.lf.update_resource(ResourceArn=arn, RoleArn=place.role)
        assert place.lf.describe_resource(ResourceArn=arn)["ResourceInfo"]["RoleArn"] == place.role


def entries(found: list[dict[str, Any]]) -> set[tuple[str, str, tuple[str, ...]]]:
    """(member of Resource, its table or database name, permissions) of each listed grant."""
    result = set()
    for item in found:
        [(member, resource)] = item["Resource"].items()
        name = resource.get("Name", resource.get("ResourceArn", resource.get("Id", "")))
        result.add((member, name, tuple(item["Permissions"])))
    return result


class TestGrants:
    def test_select_on_a_table_is_listed_under_its_columns(self, place: Place) -> None:
        place.grant(place.table_member, "SELECT", "DESCRIBE", grantable=["DESCRIBE"])
        found = place.listed(Resource=place.table_member)
        assert entries(found) == {("TableWithColumns", "patient", ("SELECT",)), ("Table", "patient", ("DESCRIBE",))}
        columns = next(item for item in found if "TableWithColumns" in item["Resource"])
        assert columns["Resource"]["TableWithColumns"]["ColumnWildcard"] == {}
        table = next(item for item in found if "Table" in item["Resource"])
        assert table["PermissionsWithGrantOption"] == ["DESCRIBE"] and table["LastUpdatedBy"] == DEPLOYER

    def test_the_wildcard_is_listed_as_all_tables(self, place: Place) -> None:
        wildcard = {"Table": {"DatabaseName": place.database, "TableWildcard": {}}}
        place.grant(wildcard, "SELECT", "DESCRIBE")
        found = place.listed(Resource=wildcard)
        assert entries(found) == {
            ("TableWithColumns", "ALL_TABLES", ("SELECT",)),
            ("Table", "ALL_TABLES", ("DESCRIBE",)),
        }
        assert place.listed(Resource=place.table_member) == []

    def test_all_is_listed_as_all(self, place: Place) -> None:
        place.grant(place.table_member, "ALL")
        assert entries(place.listed(Resource=place.table_member)) == {("Table", "patient", ("ALL",))}

    def test_a_column_list_comes_back_as_it_was_given(self, place: Place) -> None:
        place.grant(place.columns("birth_year", "patient_id"), "SELECT")
        place.grant(place.columns("site_id"), "SELECT")
        found = [
            item["Resource"]["TableWithColumns"]["ColumnNames"] for item in place.listed(Resource=place.table_member)
        ]
        assert sorted(found) == [["birth_year", "patient_id"], ["site_id"]]

    def test_excluded_columns_come_back(self, place: Place) -> None:
        place.grant(place.all_but("family_name"), "SELECT")
        [found] = place.listed(Resource=place.table_member)
        assert found["Resource"]["TableWithColumns"]["ColumnWildcard"] == {"ExcludedColumnNames": ["family_name"]}

    @pytest.mark.parametrize("kind", ["database", "location", "catalog", "filter", "tag", "policy"])
    def test_every_kind_of_resource_comes_back(self, place: Place, kind: str) -> None:
        tag = f"domain{place.database}"
        place.lf.create_lf_tag(TagKey=tag, TagValues=["a", "b"])
        place.lf.create_data_cells_filter(TableData=place.filter_data("north", "site_id = 'north'"))
        resource, permission = {
            "database": ({"Database": {"Name": place.database}}, "DESCRIBE"),
            "location": ({"DataLocation": {"ResourceArn": "arn:aws:s3:::lake"}}, "DATA_LOCATION_ACCESS"),
            "catalog": ({"Catalog": {}}, "CREATE_DATABASE"),
            "filter": (place.filter_member("north"), "SELECT"),
            "tag": ({"LFTag": {"TagKey": tag, "TagValues": ["a"]}}, "DESCRIBE"),
            "policy": (
                {"LFTagPolicy": {"ResourceType": "TABLE", "Expression": [{"TagKey": tag, "TagValues": ["a"]}]}},
                "SELECT",
            ),
        }[kind]
        place.grant(resource, permission)
        [found] = place.listed(Resource=resource)
        assert found["Permissions"] == [permission] and set(found["Resource"]) == set(resource)
        place.revoke(resource, permission)
        assert place.listed(Resource=resource) == []

    def test_granting_twice_changes_nothing(self, place: Place) -> None:
        place.grant(place.columns("patient_id"), "SELECT")
        before = place.listed()
        place.grant(place.columns("patient_id"), "SELECT")
        assert place.listed() == before

    def test_permissions_on_one_resource_merge(self, place: Place) -> None:
        place.grant(place.table_member, "INSERT")
        place.grant(place.table_member, "DELETE", grantable=["DELETE"])
        [found] = place.listed(Resource=place.table_member)
        assert (found["Permissions"], found["PermissionsWithGrantOption"]) == (["DELETE", "INSERT"], ["DELETE"])

    def test_revoking_leaves_the_rest(self, place: Place) -> None:
        place.grant(place.table_member, "SELECT", "INSERT", "DESCRIBE")
        place.revoke(place.table_member, "SELECT", "INSERT")
        assert entries(place.listed()) == {("Table", "patient", ("DESCRIBE",))}

    def test_revoking_columns_narrows_the_list(self, place: Place) -> None:
        place.grant(place.columns("patient_id", "family_name", "site_id"), "SELECT")
        place.revoke(place.columns("family_name"), "SELECT")
        assert place.access().columns == ("patient_id", "site_id")

    def test_revoking_columns_of_all_excludes_them(self, place: Place) -> None:
        place.grant(place.table_member, "SELECT")
        place.revoke(place.columns("family_name"), "SELECT")
        assert "family_name" not in place.access().visible and "patient_id" in place.access().visible

    def test_revoking_the_table_takes_every_column(self, place: Place) -> None:
        place.grant(place.columns("patient_id", "family_name"), "SELECT")
        place.revoke(place.table_member, "SELECT")
        assert place.listed() == []

    def test_revoking_a_part_of_all_leaves_the_others(self, place: Place) -> None:
        place.grant(place.table_member, "ALL")
        place.revoke(place.table_member, "INSERT")
        assert place.access().permissions == {"ALTER", "DELETE", "DESCRIBE", "DROP", "SELECT"}
        place.revoke(place.table_member, "SELECT")
        assert not place.access().can_select

    def test_revoking_select_from_all(self, place: Place) -> None:
        place.grant(place.table_member, "ALL")
        place.revoke(place.table_member, "SELECT")
        assert not place.access().can_select and "INSERT" in place.access().permissions

    def test_what_is_not_held_cannot_be_revoked(self, place: Place) -> None:
        with pytest.raises(ClientError, match="No permissions revoked. Grantee does not have"):
            place.revoke(place.table_member, "SELECT")

    def test_a_batch_reports_what_failed(self, place: Place) -> None:
        principal = {"DataLakePrincipalIdentifier": place.role}
        good = {"Id": "1", "Principal": principal, "Resource": place.table_member, "Permissions": ["SELECT"]}
        missing = {"Table": {"DatabaseName": place.database, "Name": "missing"}}
        bad = {"Id": "2", "Principal": principal, "Resource": missing, "Permissions": ["SELECT"]}
        failures = place.lf.batch_grant_permissions(Entries=[good, bad])["Failures"]
        assert [(item["RequestEntry"]["Id"], item["Error"]["ErrorCode"]) for item in failures] == [
            ("2", "EntityNotFoundException")
        ]
        assert place.access().is_full
        assert "Failures" not in place.lf.batch_revoke_permissions(Entries=[good])
        assert not place.access().can_select

    def test_pages(self, place: Place) -> None:
        for column in ("patient_id", "family_name", "site_id"):
            place.grant(place.columns(column), "SELECT")
        principal = {"DataLakePrincipalIdentifier": place.role}
        seen: list[Any] = []
        question: dict[str, Any] = {"Principal": principal, "MaxResults": 2}
        while True:
            answer = place.lf.list_permissions(**question)
            seen += answer["PrincipalResourcePermissions"]
            if "NextToken" not in answer:
                break
            question["NextToken"] = answer["NextToken"]
        assert seen == place.listed() and len(seen) == 3

    @pytest.mark.parametrize(
        ("resource", "permissions", "code"),
        [
            ({"Table": {"DatabaseName": "{db}", "Name": "missing"}}, ["SELECT"], "EntityNotFoundException"),
            ({"Database": {"Name": "missing"}}, ["DESCRIBE"], "EntityNotFoundException"),
            ({"Table": {"DatabaseName": "{db}", "Name": "patient"}}, ["CREATE_TABLE"], "InvalidInputException"),
            ({"Database": {"Name": "{db}"}}, ["SELECT"], "InvalidInputException"),
            ({"Table": {"DatabaseName": "{db}"}}, ["SELECT"], "InvalidInputException"),
            (
                {"TableWithColumns": {"DatabaseName": "{db}", "Name": "patient", "ColumnNames": ["nope"]}},
                ["SELECT"],
                "InvalidInputException",
            ),
            (
                {"TableWithColumns": {"DatabaseName": "{db}", "Name": "patient", "ColumnNames": ["site_id"]}},
                ["INSERT"],
                "InvalidInputException",
            ),
            (
                {"DataCellsFilter": {"DatabaseName": "{db}", "TableName": "patient", "Name": "no"}},
                ["SELECT"],
                "EntityNotFoundException",
            ),
            ({"LFTag": {"TagKey": "nope", "TagValues": ["x"]}}, ["DESCRIBE"], "EntityNotFoundException"),
            ({"Database": {"Name": "{db}"}, "Catalog": {}}, ["DESCRIBE"], "InvalidInputException"),
        ],
    )
    def test_what_cannot_be_granted(self, place: Place, resource: Any, permissions: list[str], code: str) -> None:
        text = {
            member: {key: place.database if value == "{db}" else value for key, value in item.items()}
            for member, item in resource.items()
        }
        assert code_of(lambda: place.grant(text, *permissions)) == code

    @pytest.mark.parametrize("principal", ["nobody", f"arn:aws:iam::{ACCOUNT}:role/missing", "arn:aws:iam::1:user/x"])
    def test_who_is_no_principal(self, place: Place, principal: str) -> None:
        with pytest.raises(ClientError, match="Invalid principal"):
            place.grant(place.table_member, "SELECT", to=principal)


class TestWhoMayGrant:
    @pytest.fixture
    def steward(self, place: Place) -> Any:
        """A role whose IAM policy allows every call to Lake Formation."""
        arn = make_role(place.world, f"steward-{place.database}")
        document = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
        name = arn.rsplit("/", 1)[1]
        place.world.client("iam").put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=document)
        return arn, session(place.world, arn)

    def grant_select(self, place: Place, client: Any) -> None:
        principal = {"DataLakePrincipalIdentifier": place.role}
        client.grant_permissions(Principal=principal, Resource=place.table_member, Permissions=["SELECT"])

    def test_not_who_holds_nothing(self, place: Place, steward: Any) -> None:
        assert code_of(lambda: self.grant_select(place, steward[1])) == "AccessDeniedException"

    def test_not_who_holds_it_without_the_option(self, place: Place, steward: Any) -> None:
        place.grant(place.table_member, "SELECT", to=steward[0])
        assert code_of(lambda: self.grant_select(place, steward[1])) == "AccessDeniedException"

    def test_who_holds_it_with_the_option(self, place: Place, steward: Any) -> None:
        place.grant(place.table_member, "SELECT", to=steward[0], grantable=["SELECT"])
        self.grant_select(place, steward[1])
        assert place.access().is_full

    def test_who_administers_nothing_lists_only_its_own(self, place: Place, steward: Any) -> None:
        place.grant(place.columns("patient_id"), "SELECT")
        place.grant(place.columns("birth_year"), "SELECT", to=steward[0])
        found = steward[1].list_permissions(Resource=place.table_member)["PrincipalResourcePermissions"]
        assert [item["Principal"]["DataLakePrincipalIdentifier"] for item in found] == [steward[0]]

    def test_a_filter_is_closed_to_who_may_not_grant_the_table(self, place: Place, steward: Any) -> None:
        place.filtered("north", "site_id = 'north'")
        place.grant(place.filter_member("north"), "SELECT", to=steward[0])
        client, names = steward[1], place.filter_member("north")["DataCellsFilter"]
        assert code_of(lambda: client.get_data_cells_filter(**names)) == "AccessDeniedException"
        assert client.list_data_cells_filter()["DataCellsFilters"] == []
        data = place.filter_data("all", None)
        assert code_of(lambda: client.create_data_cells_filter(TableData=data)) == "AccessDeniedException"


def test_what_we_do_not_have_is_said(place: Place) -> None:
    with pytest.raises(ClientError):
        place.lf.start_transaction()

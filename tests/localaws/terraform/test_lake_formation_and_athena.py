"""Settings, locations, filters, grants and workgroups: made, seen again, changed, removed."""

import pytest

ACCOUNT = "123456789012"
PERSONA = f"arn:aws:iam::{ACCOUNT}:role/radiologist"
STUDY = {"database_name": "imaging", "name": "study"}
FILTER = {"table_catalog_id": ACCOUNT, "database_name": "imaging", "table_name": "study", "name": "radiologist"}
COLUMNS = [{"name": name, "type": "string"} for name in ("patient_id", "modality", "site_id")]


@pytest.fixture(scope="module", autouse=True)
def table(bench, client):
    bench.create("aws_s3_bucket", bucket="lake-files")
    bench.create("aws_glue_catalog_database", name="imaging", location_uri="s3://lake-files/imaging")
    storage = [{"location": "s3://lake-files/imaging/study", "columns": COLUMNS}]
    bench.create("aws_glue_catalog_table", database_name="imaging", name="study", storage_descriptor=storage)
    client("iam").create_role(RoleName="radiologist", AssumeRolePolicyDocument="{}")


def rows(**rule: object) -> dict[str, object]:
    return {**FILTER, "column_names": ["patient_id", "modality"], "row_filter": [rule]}


def test_settings_are_a_whole(bench, client):
    admin = f"arn:aws:iam::{ACCOUNT}:user/deployer"
    state = bench.create(
        "aws_lakeformation_data_lake_settings", admins=[admin], parameters={"CROSS_ACCOUNT_VERSION": "4"}
    )
    found = client("lakeformation").get_data_lake_settings()["DataLakeSettings"]
    assert found["CreateTableDefaultPermissions"] == []
    assert [item["DataLakePrincipalIdentifier"] for item in found["DataLakeAdmins"]] == [admin]
    bench.assert_settled(
        "aws_lakeformation_data_lake_settings", state, admins=[admin], parameters={"CROSS_ACCOUNT_VERSION": "4"}
    )


def test_a_location(bench, client):
    client("iam").create_role(RoleName="lake", AssumeRolePolicyDocument="{}")
    arguments = {"arn": "arn:aws:s3:::lake-files", "role_arn": f"arn:aws:iam::{ACCOUNT}:role/lake"}
    state = bench.create("aws_lakeformation_resource", **arguments)
    bench.delete("aws_lakeformation_resource", state)


def test_rows_of_a_filter_change_in_place_and_its_names_replace_it(bench, client):
    kind = "aws_lakeformation_data_cells_filter"
    state = bench.create(kind, table_data=[rows(filter_expression="site_id = 'north'")])
    state = bench.update(kind, state, table_data=[rows(filter_expression="site_id = 'south'")])
    found = client("lakeformation").list_data_cells_filter()["DataCellsFilters"]
    assert [item["RowFilter"]["FilterExpression"] for item in found] == ["site_id = 'south'"]
    moved = {**rows(filter_expression="site_id = 'south'"), "name": "other"}
    assert bench.plan(kind, state, table_data=[moved]).replace_paths == [("table_data", 0, "name")]
    bench.delete(kind, state)


def test_a_filter_of_all_rows_and_all_columns_but_one(bench):
    kind = "aws_lakeformation_data_cells_filter"
    table = {**rows(all_rows_wildcard=[{}]), "column_names": None}
    table["column_wildcard"] = [{"excluded_column_names": ["site_id"]}]
    state = bench.create(kind, table_data=[table])
    bench.delete(kind, state)


@pytest.mark.parametrize(
    ("permissions", "target"),
    [
        (["SELECT"], {"data_cells_filter": [FILTER]}),
        (["DESCRIBE"], {"database": [{"name": "imaging"}]}),
        (["CREATE_TABLE", "DESCRIBE"], {"database": [{"name": "imaging", "catalog_id": ACCOUNT}]}),
        (["SELECT"], {"table": [STUDY]}),
        (["SELECT"], {"table": [{"database_name": "imaging", "wildcard": True}]}),
        (["SELECT"], {"table_with_columns": [{**STUDY, "column_names": ["modality"]}]}),
        (["SELECT"], {"table_with_columns": [{**STUDY, "wildcard": True, "excluded_column_names": ["site_id"]}]}),
        (["SELECT", "DESCRIBE"], {"table": [STUDY]}),
        (["DATA_LOCATION_ACCESS"], {"data_location": [{"arn": "arn:aws:s3:::lake-files/imaging"}]}),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, (list, dict)) else None,
)  # fmt: skip
def test_a_grant_is_given_seen_again_and_taken_back(bench, client, permissions, target):
    client("lakeformation").register_resource(ResourceArn="arn:aws:s3:::lake-files", UseServiceLinkedRole=True)
    held = bench.create("aws_lakeformation_data_cells_filter", table_data=[rows(filter_expression="site_id = 'north'")])
    kind, arguments = "aws_lakeformation_permissions", {"principal": PERSONA, "permissions": permissions, **target}
    state = bench.create(kind, **arguments)
    assert bench.plan(kind, state, **{**arguments, "permissions": ["ALTER"]}).replace_paths == [("permissions",)]
    bench.delete(kind, state)
    bench.delete("aws_lakeformation_data_cells_filter", held)
    client("lakeformation").deregister_resource(ResourceArn="arn:aws:s3:::lake-files")


def test_a_grant_that_was_taken_back_elsewhere_is_gone(bench, client):
    target = {"database": [{"name": "imaging"}]}
    kind = "aws_lakeformation_permissions"
    state = bench.create(kind, principal=PERSONA, permissions=["DESCRIBE"], **target)
    client("lakeformation").revoke_permissions(
        Principal={"DataLakePrincipalIdentifier": PERSONA},
        Resource={"Database": {"Name": "imaging"}},
        Permissions=["DESCRIBE"],
    )
    assert bench.read(kind, state) is None


@pytest.mark.parametrize(
    "arguments",
    [
        {"principal": "radiologist", "permissions": ["SELECT"], "database": [{"name": "imaging"}]},
        {"principal": PERSONA, "permissions": ["SELECT"]},
        {"principal": PERSONA, "permissions": ["SELECT"], "catalog_resource": True, "database": [{"name": "imaging"}]},
    ],
    ids=["principal", "no target", "two targets"],
)
def test_a_grant_that_cannot_be_is_refused_in_validation(bench, arguments):
    kind = "aws_lakeformation_permissions"
    assert bench.resource(kind).check(bench.config(kind, arguments))


def test_a_workgroup(bench, client):
    results = {"output_location": "s3://result-files/queries/"}
    block = {"bytes_scanned_cutoff_per_query": 10_000_000, "result_configuration": [results]}
    arguments = {"name": "pipeline", "configuration": [block], "force_destroy": True, "tags": {"a": "b"}}
    state = bench.create("aws_athena_workgroup", **arguments)
    assert state["configuration"][0]["enforce_workgroup_configuration"] is True
    changed = {**arguments, "configuration": [{**block, "bytes_scanned_cutoff_per_query": 20_000_000}]}
    state = bench.update("aws_athena_workgroup", state, **changed)
    found = client("athena").get_work_group(WorkGroup="pipeline")["WorkGroup"]["Configuration"]
    assert found["BytesScannedCutoffPerQuery"] == 20_000_000
    bench.delete("aws_athena_workgroup", state)

"""Iceberg tables made by catalog calls are tables to every client; links, versions and creators are kept.

Reads and writes temporary folders. Make target: `test`. Example: `pytest tests/localaws/test_glue_catalog.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow as pa
import pytest
from botocore.exceptions import ClientError
from pyiceberg.exceptions import CommitFailedException

from localaws import LocalAws

Client = Callable[..., Any]
COLUMNS = [
    {"Name": "patient_id", "Type": "string", "Comment": "who"},
    {"Name": "n", "Type": "int"},
    {"Name": "weight", "Type": "decimal(10,2)"},
    {"Name": "seen_at", "Type": "timestamp"},
    {"Name": "name", "Type": "array<struct<family:string,given:array<string>>>"},
    {"Name": "tags", "Type": "map<string,bigint>"},
]
ICEBERG = {"IcebergInput": {"MetadataOperation": "CREATE", "Version": "2"}}


def a_table(glue: Any, name: str = "patient", columns: Any = COLUMNS, database: str = "clinical", **more: Any) -> None:
    location = f"s3://lake-bucket/{database}/{name}"
    table_input = {"Name": name, "StorageDescriptor": {"Columns": columns, "Location": location}, **more}
    glue.create_table(DatabaseName=database, TableInput=table_input, OpenTableFormatInput=ICEBERG)


@pytest.fixture
def glue(client: Client) -> Any:
    client("s3").create_bucket(Bucket="lake-bucket")
    found = client("glue")
    found.create_database(DatabaseInput={"Name": "clinical"})
    return found


def objects(client: Client) -> list[str]:
    return [item["Key"] for item in client("s3").list_objects_v2(Bucket="lake-bucket").get("Contents", [])]


def test_a_created_table_is_an_empty_iceberg_table(aws: LocalAws, glue: Any) -> None:
    a_table(glue)
    table = aws.world.iceberg_catalog().load_table(("clinical", "patient"))
    assert table.scan().to_arrow().num_rows == 0
    assert table.format_version == 2
    assert [str(field.field_type) for field in table.schema().fields] == [
        "string",
        "int",
        "decimal(10, 2)",
        "timestamp",
        "list<struct<8: family: optional string, 9: given: optional list<string>>>",
        "map<string, long>",
    ]
    assert table.schema().find_field("patient_id").doc == "who"
    found = glue.get_table(DatabaseName="clinical", Name="patient")["Table"]
    assert (found["TableType"], found["Parameters"]["table_type"]) == ("EXTERNAL_TABLE", "ICEBERG")
    assert found["CreatedBy"].endswith("user/deployer")
    assert [(c["Name"], c["Type"]) for c in found["StorageDescriptor"]["Columns"]] == [
        (c["Name"], c["Type"]) for c in COLUMNS
    ]


def test_rows_are_appended_and_read_back(aws: LocalAws, glue: Any) -> None:
    a_table(glue, columns=COLUMNS[:2])
    table = aws.world.iceberg_catalog().load_table(("clinical", "patient"))
    schema = pa.schema([("patient_id", pa.string()), ("n", pa.int32())])
    table.append(pa.table({"patient_id": ["a", "b"], "n": [1, 2]}, schema=schema))
    again = aws.world.iceberg_catalog().load_table(("clinical", "patient"))
    assert again.scan(row_filter="n = 2").to_arrow().to_pydict() == {"patient_id": ["b"], "n": [2]}


def test_added_columns_grow_the_schema_and_keep_the_rows(aws: LocalAws, glue: Any) -> None:
    a_table(glue, columns=COLUMNS[:2])
    catalog = aws.world.iceberg_catalog()
    schema = pa.schema([("patient_id", pa.string()), ("n", pa.int32())])
    catalog.load_table(("clinical", "patient")).append(pa.table({"patient_id": ["a"], "n": [1]}, schema=schema))
    found = glue.get_table(DatabaseName="clinical", Name="patient")["Table"]
    found["StorageDescriptor"]["Columns"] += [{"Name": "site_id", "Type": "string"}]
    known = ("Name", "StorageDescriptor", "Parameters", "TableType")
    glue.update_table(DatabaseName="clinical", TableInput={name: found[name] for name in known})
    rows = catalog.load_table(("clinical", "patient")).scan().to_arrow().to_pylist()
    assert rows == [{"patient_id": "a", "n": 1, "site_id": None}]
    parameters = glue.get_table(DatabaseName="clinical", Name="patient")["Table"]["Parameters"]
    assert parameters["previous_metadata_location"] == found["Parameters"]["metadata_location"]


def test_a_type_that_cannot_change_is_refused(glue: Any) -> None:
    a_table(glue, columns=COLUMNS[:2])
    found = glue.get_table(DatabaseName="clinical", Name="patient")["Table"]
    found["StorageDescriptor"]["Columns"][0]["Type"] = "int"
    known = ("Name", "StorageDescriptor", "Parameters", "TableType")
    with pytest.raises(glue.exceptions.InvalidInputException):
        glue.update_table(DatabaseName="clinical", TableInput={name: found[name] for name in known})


def test_commits_at_the_same_time_lose_no_rows(aws: LocalAws, glue: Any) -> None:
    """Clients that lose a race are told so, and start again."""
    a_table(glue, columns=COLUMNS[:2])
    schema = pa.schema([("patient_id", pa.string()), ("n", pa.int32())])

    def append(n: int) -> None:
        while True:
            try:
                table = aws.world.iceberg_catalog().load_table(("clinical", "patient"))
                return table.append(pa.table({"patient_id": ["a"], "n": [n]}, schema=schema))
            except CommitFailedException:
                continue

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(append, range(6)))
    rows = aws.world.iceberg_catalog().load_table(("clinical", "patient")).scan().to_arrow()
    assert sorted(rows["n"].to_pylist()) == list(range(6))


def test_a_stale_version_is_a_concurrent_modification(glue: Any) -> None:
    a_table(glue)
    with pytest.raises(glue.exceptions.ConcurrentModificationException):
        glue.update_table(DatabaseName="clinical", TableInput={"Name": "patient"}, VersionId="7")


@pytest.mark.parametrize("kind", ["array<int", "uniontype<int,string>", "struct<a int>", ""])
def test_a_type_that_iceberg_has_not_is_refused_by_name(glue: Any, client: Client, kind: str) -> None:
    with pytest.raises(ClientError) as caught:
        a_table(glue, columns=[{"Name": "c", "Type": kind}])
    assert caught.value.response["Error"]["Code"] in {"InvalidInputException", "EntityNotFoundException"}
    assert objects(client) == []


def test_a_table_that_is_there_already_leaves_no_metadata_behind(glue: Any, client: Client) -> None:
    a_table(glue)
    before = objects(client)
    with pytest.raises(glue.exceptions.AlreadyExistsException):
        a_table(glue)
    assert objects(client) == before


def test_dropping_an_untouched_table_leaves_nothing(aws: LocalAws, glue: Any, client: Client) -> None:
    a_table(glue)
    glue.delete_table(DatabaseName="clinical", Name="patient")
    assert objects(client) == []
    assert ("123456789012", "clinical", "patient") not in aws.world.creators


def test_a_renamed_table_keeps_its_metadata(aws: LocalAws, glue: Any) -> None:
    a_table(glue)
    catalog = aws.world.iceberg_catalog()
    catalog.rename_table(("clinical", "patient"), ("clinical", "person"))
    assert catalog.load_table(("clinical", "person")).scan().to_arrow().num_rows == 0


def test_partition_keys_become_an_identity_partition(aws: LocalAws, glue: Any) -> None:
    a_table(glue, columns=COLUMNS[:2], PartitionKeys=[{"Name": "site_id", "Type": "string"}])
    table = aws.world.iceberg_catalog().load_table(("clinical", "patient"))
    assert [str(field.transform) for field in table.spec().fields] == ["identity"]


def test_an_iceberg_schema_may_be_given_instead_of_columns(aws: LocalAws, glue: Any) -> None:
    fields = [
        {"Id": 1, "Name": "a", "Type": "long", "Required": True},
        {"Id": 2, "Name": "d", "Type": "date", "Required": False},
    ]
    own = {
        "Location": "s3://lake-bucket/clinical/given",
        "Schema": {"Fields": fields},
        "PartitionSpec": {"Fields": [{"SourceId": 2, "Transform": "month", "Name": "d_month"}]},
    }
    table_input = {"Name": "given"}
    format_input = {"IcebergInput": {**ICEBERG["IcebergInput"], "CreateIcebergTableInput": own}}
    glue.create_table(DatabaseName="clinical", TableInput=table_input, OpenTableFormatInput=format_input)
    table = aws.world.iceberg_catalog().load_table(("clinical", "given"))
    assert table.schema().find_field("a").required
    assert [str(field.transform) for field in table.spec().fields] == ["month"]


def test_a_resource_link_shows_the_tables_of_the_other_account(aws: LocalAws, glue: Any) -> None:
    account = aws.world.service_account_id
    theirs = aws.world.client("glue", account)
    theirs.create_database(DatabaseInput={"Name": "store"})
    theirs.create_table(DatabaseName="store", TableInput={"Name": "observation"})
    with pytest.raises(glue.exceptions.AccessDeniedException):
        glue.get_tables(CatalogId=account, DatabaseName="store")
    target = {"CatalogId": account, "DatabaseName": "store"}
    glue.create_database(DatabaseInput={"Name": "link", "TargetDatabase": target})
    assert glue.get_database(Name="link")["Database"]["TargetDatabase"] == target
    tables = glue.get_tables(DatabaseName="link")["TableList"]
    assert [(table["CatalogId"], table["Name"]) for table in tables] == [(account, "observation")]
    assert glue.get_table(CatalogId=account, DatabaseName="store", Name="observation")["Table"]["Name"] == "observation"
    with pytest.raises(glue.exceptions.AccessDeniedException):
        glue.delete_database(CatalogId=account, Name="store")


def test_a_role_sees_and_changes_tables_as_far_as_lake_formation_lets_it(aws: LocalAws, client: Client) -> None:
    settings = {"DataLakeAdmins": [{"DataLakePrincipalIdentifier": "arn:aws:iam::123456789012:user/deployer"}]}
    empty: dict[str, Any] = {"CreateDatabaseDefaultPermissions": [], "CreateTableDefaultPermissions": []}
    client("lakeformation").put_data_lake_settings(DataLakeSettings={**settings, **empty})
    client("s3").create_bucket(Bucket="lake-bucket")
    glue = client("glue")
    glue.create_database(DatabaseInput={"Name": "clinical"})
    a_table(glue)
    a_table(glue, name="hidden")
    trust = {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole"}
    iam = client("iam")
    role = iam.create_role(RoleName="p", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))["Role"]["Arn"]
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "glue:*", "Resource": "*"}]}
    iam.put_role_policy(RoleName="p", PolicyName="glue", PolicyDocument=json.dumps(allow))
    seen = {"TableWithColumns": {"DatabaseName": "clinical", "Name": "patient", "ColumnNames": ["n"]}}
    principal = {"DataLakePrincipalIdentifier": role}
    client("lakeformation").grant_permissions(Principal=principal, Resource=seen, Permissions=["SELECT"])
    theirs = client("glue", role_arn=role)
    found = theirs.get_tables(DatabaseName="clinical")["TableList"]
    assert [(t["Name"], [c["Name"] for c in t["StorageDescriptor"]["Columns"]]) for t in found] == [("patient", ["n"])]
    for call in (
        lambda: theirs.get_table(DatabaseName="clinical", Name="hidden"),
        lambda: theirs.get_table_versions(DatabaseName="clinical", TableName="patient"),
        lambda: theirs.create_table(DatabaseName="clinical", TableInput={"Name": "new"}),
        lambda: theirs.update_table(DatabaseName="clinical", TableInput={"Name": "patient"}),
        lambda: theirs.delete_table(DatabaseName="clinical", Name="patient"),
    ):
        with pytest.raises(theirs.exceptions.AccessDeniedException):
            call()


def test_tables_are_searched_and_listed_in_pages(glue: Any) -> None:
    for name in ("patient", "encounter", "patient_address"):
        a_table(glue, name, Parameters={"classification": "iceberg"})
    found = glue.search_tables(SearchText="patient_a")["TableList"]
    assert [table["Name"] for table in found] == ["patient_address"]
    asked = {"Filters": [{"Key": "DatabaseName", "Value": "clinical"}], "SearchText": "who"}
    ordered = glue.search_tables(SortCriteria=[{"FieldName": "Name", "Sort": "DESC"}], **asked)["TableList"]
    assert [table["Name"] for table in ordered] == ["patient_address", "patient", "encounter"]
    assert glue.search_tables(Filters=[{"Key": "classification", "Value": "csv"}])["TableList"] == []
    pages = list(glue.get_paginator("get_tables").paginate(DatabaseName="clinical", PaginationConfig={"PageSize": 2}))
    assert [len(page["TableList"]) for page in pages] == [2, 1]
    with pytest.raises(glue.exceptions.InvalidInputException):
        glue.get_tables(DatabaseName="clinical", NextToken="bm8=")


def test_a_table_is_shown_with_what_glue_says_of_every_table(glue: Any, client: Client) -> None:
    a_table(glue)
    shown = glue.get_table(DatabaseName="clinical", Name="patient")["Table"]
    assert shown["Retention"] == 0 and shown["IsRegisteredWithLakeFormation"] is False
    assert shown["StorageDescriptor"]["Compressed"] is False
    client("lakeformation").register_resource(
        ResourceArn="arn:aws:s3:::lake-bucket/clinical", UseServiceLinkedRole=True
    )
    assert glue.get_table(DatabaseName="clinical", Name="patient")["Table"]["IsRegisteredWithLakeFormation"] is True

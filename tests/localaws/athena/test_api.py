"""Athena's API: workgroups, executions, results in pages, saved queries, metadata, refusals.

Example: `python -m pytest tests/localaws/athena/test_api.py -k workgroup`
"""

from __future__ import annotations

import time
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import RESULTS, Lake


def start(lake: Lake, sql: str, **more: Any) -> str:
    request = {"QueryString": sql, "ResultConfiguration": {"OutputLocation": RESULTS}, **more}
    return str(lake.athena.start_query_execution(**request)["QueryExecutionId"])


def test_result_objects(lake: Lake) -> None:
    sql = (
        "SELECT 1 AS a, 'x \"y\"' AS b, NULL AS c, '' AS d, ARRAY[1.5] AS e "
        "UNION ALL SELECT 2, 'multi\nline', NULL, 'z', NULL ORDER BY 1"
    )
    answer = lake.done(sql)
    assert answer.location == f"{RESULTS}{answer.execution['QueryExecutionId']}.csv"
    key = answer.location.removeprefix("s3://results-bucket/")
    body = lake.s3.get_object(Bucket="results-bucket", Key=key)["Body"].read().decode()
    assert body == '"a","b","c","d","e"\n"1","x ""y""",,"","[1.5]"\n"2","multi\nline",,"z",\n'
    assert answer.lines == [
        ["a", "b", "c", "d", "e"],
        ["1", 'x "y"', None, "", "[1.5]"],
        ["2", "multi\nline", None, "z", None],
    ]
    metadata = lake.s3.get_object(Bucket="results-bucket", Key=f"{key}.metadata")["Body"].read()
    assert b"varchar" in metadata and b"integer" in metadata
    text = lake.done("SHOW DATABASES")
    assert text.location.endswith(".txt")
    key = text.location.removeprefix("s3://results-bucket/")
    assert lake.s3.get_object(Bucket="results-bucket", Key=key)["Body"].read() == b"lake\n"


def test_column_info(lake: Lake) -> None:
    sql = (
        "SELECT 1 a, 'xy' b, CAST('x' AS varchar) c, 1.50 d, REAL '1' e, TIMESTAMP '2020-01-01 00:00:00 UTC' f, MAP() g"
    )
    columns = {
        column["Name"]: (column["Type"], column["Precision"], column["Scale"]) for column in lake.done(sql).columns
    }
    assert columns == {
        "a": ("integer", 10, 0),
        "b": ("varchar", 2, 0),
        "c": ("varchar", 2147483647, 0),
        "d": ("decimal", 3, 2),
        "e": ("float", 24, 0),
        "f": ("timestamp with time zone", 3, 0),
        "g": ("map", 0, 0),
    }


def test_results_in_pages(lake: Lake) -> None:
    query_id = start(lake, "SELECT n, 'a\"b' AS t FROM UNNEST(sequence(1, 25)) AS u(n) ORDER BY n")
    pages = lake.athena.get_paginator("get_query_results").paginate(
        QueryExecutionId=query_id, PaginationConfig={"PageSize": 10}
    )
    sizes, values = [], []
    for page in pages:
        sizes.append(len(page["ResultSet"]["Rows"]))
        values += [row["Data"][0]["VarCharValue"] for row in page["ResultSet"]["Rows"]]
    assert sizes == [10, 10, 6]
    assert values == ["n", *map(str, range(1, 26))]
    with pytest.raises(ClientError, match="nextToken"):
        lake.athena.get_query_results(QueryExecutionId=query_id, NextToken="nonsense")


def test_failed_query_tells_why(lake: Lake) -> None:
    status = lake.ask("SELECT nothing FROM (VALUES 1) t(a)").execution["Status"]
    assert status["State"] == "FAILED"
    assert status["AthenaError"]["ErrorCategory"] == 2
    assert status["AthenaError"]["ErrorMessage"] == status["StateChangeReason"]
    assert status["StateChangeReason"].startswith("COLUMN_NOT_FOUND: line 1:8: Column 'nothing' cannot be resolved")


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELEC 1", "Queries of this type are not supported"),
        ("SELECT 1; SELECT 2", "Only one sql statement is allowed"),
        ("SELECT FROM WHERE", "mismatched input"),
        ("SELECT (1", "mismatched input"),
        ("GRANT SELECT ON t TO r", "Queries of this type are not supported"),
        ("SELECT '" + "x" * 262_144 + "'", "less than or equal to 262144"),
        ("SELECT '" + "ä" * 131_073 + "'", "maximum query length"),
    ],
)
def test_what_is_not_even_started(lake: Lake, sql: str, words: str) -> None:
    with pytest.raises(lake.athena.exceptions.InvalidRequestException, match=words):
        start(lake, sql)


def test_no_place_for_results(lake: Lake) -> None:
    with pytest.raises(ClientError, match="No output location provided"):
        lake.athena.start_query_execution(QueryString="SELECT 1")
    with pytest.raises(ClientError, match="Invalid S3 folder location"):
        start(lake, "SELECT 1", ResultConfiguration={"OutputLocation": "http://x/"})


def test_executions_are_listed_and_tokens_remembered(lake: Lake) -> None:
    token = uuid.uuid4().hex
    first, second = (start(lake, "SELECT 1", ClientRequestToken=token) for _ in range(2))
    assert first == second
    assert first in lake.athena.list_query_executions(MaxResults=5)["QueryExecutionIds"]
    batch = lake.athena.batch_get_query_execution(QueryExecutionIds=[first, str(uuid.uuid4())])
    assert [item["QueryExecutionId"] for item in batch["QueryExecutions"]] == [first]
    assert len(batch["UnprocessedQueryExecutionIds"]) == 1
    numbers = lake.athena.get_query_runtime_statistics(QueryExecutionId=first)["QueryRuntimeStatistics"]
    assert numbers["Rows"]["OutputRows"] == 1
    with pytest.raises(lake.athena.exceptions.InvalidRequestException, match="was not found"):
        lake.athena.get_query_execution(QueryExecutionId=str(uuid.uuid4()))


def test_a_long_query_can_be_stopped(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("localaws.athena.service.PATIENCE", 0.2)
    numbers = "UNNEST(sequence(1, 6000)) AS {0}(n)"
    froms = " CROSS JOIN ".join(numbers.format(name) for name in "abcd")
    query_id = start(lake, f"SELECT count(DISTINCT a.n * b.n + c.n * d.n) FROM {froms}")
    state = lake.athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]["Status"]["State"]
    assert state == "RUNNING"
    with pytest.raises(ClientError, match="has not yet finished"):
        lake.athena.get_query_results(QueryExecutionId=query_id)
    lake.athena.stop_query_execution(QueryExecutionId=query_id)
    for _ in range(100):
        status = lake.athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]["Status"]
        if status["State"] != "RUNNING":
            break
        time.sleep(0.1)
    assert (status["State"], status["StateChangeReason"]) == ("CANCELLED", "Query cancelled by user")


def test_workgroup_rules(lake: Lake) -> None:
    lake.athena.create_work_group(
        Name="strict",
        Configuration={
            "ResultConfiguration": {
                "OutputLocation": "s3://results-bucket/strict/",
                "EncryptionConfiguration": {"EncryptionOption": "SSE_S3"},
            },
            "EnforceWorkGroupConfiguration": True,
            "BytesScannedCutoffPerQuery": 10_000_000,
        },
        Tags=[{"Key": "room", "Value": "core"}],
    )
    answer = lake.done("SELECT 1", WorkGroup="strict")
    assert answer.location.startswith("s3://results-bucket/strict/")
    head = lake.s3.head_object(Bucket="results-bucket", Key=answer.location.removeprefix("s3://results-bucket/"))
    assert head["ServerSideEncryption"] == "AES256"
    with pytest.raises(ClientError, match="external_location"):
        lake.ask("CREATE TABLE c WITH (external_location = 's3://lake-bucket/c/') AS SELECT 1 AS a", WorkGroup="strict")
    placed = lake.done("CREATE TABLE inside AS SELECT 1 AS a", WorkGroup="strict")
    table = lake.glue.get_table(DatabaseName="lake", Name="inside")["Table"]
    query_id = placed.execution["QueryExecutionId"]
    assert table["StorageDescriptor"]["Location"] == f"s3://results-bucket/strict/tables/{query_id}/"
    lake.athena.update_work_group(WorkGroup="strict", State="DISABLED")
    with pytest.raises(ClientError, match="disabled"):
        lake.ask("SELECT 1", WorkGroup="strict")


def test_bytes_cutoff_cancels(lake: Lake) -> None:
    lake.done(
        "CREATE TABLE big WITH (table_type = 'ICEBERG', location = 's3://lake-bucket/big/', is_external = false) AS "
        "SELECT n, to_hex(sha256(to_utf8(CAST(n AS varchar)))) AS t FROM UNNEST(sequence(1, 400000)) AS u(n)"
    )
    lake.athena.create_work_group(
        Name="thrifty",
        Configuration={
            "ResultConfiguration": {"OutputLocation": RESULTS},
            "BytesScannedCutoffPerQuery": 10_000_000,
        },
    )
    answer = lake.ask("SELECT max(t) FROM big", WorkGroup="thrifty")
    assert (answer.state, answer.reason) == ("CANCELLED", "Query cancelled! : Bytes scanned limit was exceeded")
    assert lake.ask("SELECT count(*) FROM big", WorkGroup="thrifty").state == "SUCCEEDED"


def test_workgroups_are_kept(lake: Lake) -> None:
    lake.athena.create_work_group(Name="w1", Description="d")
    with pytest.raises(ClientError, match="already created"):
        lake.athena.create_work_group(Name="w1")
    group = lake.athena.get_work_group(WorkGroup="w1")["WorkGroup"]
    assert group["Configuration"]["EnforceWorkGroupConfiguration"] is True
    assert group["Configuration"]["EngineVersion"]["EffectiveEngineVersion"] == "Athena engine version 3"
    updates = {"EnforceWorkGroupConfiguration": False, "ResultConfigurationUpdates": {"OutputLocation": RESULTS}}
    lake.athena.update_work_group(WorkGroup="w1", Description="e", ConfigurationUpdates=updates)
    group = lake.athena.get_work_group(WorkGroup="w1")["WorkGroup"]
    assert (group["Description"], group["Configuration"]["ResultConfiguration"]) == ("e", {"OutputLocation": RESULTS})
    lake.athena.update_work_group(
        WorkGroup="w1", ConfigurationUpdates={"ResultConfigurationUpdates": {"RemoveOutputLocation": True}}
    )
    assert "w1" in [item["Name"] for item in lake.athena.list_work_groups()["WorkGroups"]]
    arn = "arn:aws:athena:us-east-1:123456789012:workgroup/w1"
    lake.athena.tag_resource(ResourceARN=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    lake.athena.untag_resource(ResourceARN=arn, TagKeys=["a"])
    assert lake.athena.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    lake.athena.delete_work_group(WorkGroup="w1")
    with pytest.raises(ClientError, match="not found"):
        lake.athena.get_work_group(WorkGroup="w1")
    with pytest.raises(ClientError, match="cannot be deleted"):
        lake.athena.delete_work_group(WorkGroup="primary")


def test_saved_queries(lake: Lake) -> None:
    athena = lake.athena
    query_id = athena.create_named_query(Name="n", Database="lake", QueryString="SELECT 1")["NamedQueryId"]
    assert athena.get_named_query(NamedQueryId=query_id)["NamedQuery"]["QueryString"] == "SELECT 1"
    assert query_id in athena.list_named_queries()["NamedQueryIds"]
    assert len(athena.batch_get_named_query(NamedQueryIds=[query_id])["NamedQueries"]) == 1
    athena.delete_named_query(NamedQueryId=query_id)
    athena.create_prepared_statement(StatementName="plus", WorkGroup="primary", QueryStatement="SELECT ? + 1")
    assert lake.rows("EXECUTE plus USING 2") == [["3"]]
    athena.update_prepared_statement(StatementName="plus", WorkGroup="primary", QueryStatement="SELECT ? + 2")
    assert (
        athena.get_prepared_statement(StatementName="plus", WorkGroup="primary")["PreparedStatement"]["QueryStatement"]
        == "SELECT ? + 2"
    )
    assert [
        item["StatementName"] for item in athena.list_prepared_statements(WorkGroup="primary")["PreparedStatements"]
    ] == ["plus"]
    athena.delete_prepared_statement(StatementName="plus", WorkGroup="primary")
    with pytest.raises(athena.exceptions.ResourceNotFoundException):
        athena.get_prepared_statement(StatementName="plus", WorkGroup="primary")


def test_metadata(lake: Lake) -> None:
    lake.done(
        "CREATE TABLE meta (id bigint, s struct<a:int>) LOCATION 's3://lake-bucket/meta/' "
        "TBLPROPERTIES ('table_type'='ICEBERG')"
    )
    names = {"CatalogName": "AwsDataCatalog", "DatabaseName": "lake"}
    table = lake.athena.get_table_metadata(**names, TableName="meta")["TableMetadata"]
    assert [(column["Name"], column["Type"]) for column in table["Columns"]] == [
        ("id", "bigint"),
        ("s", "struct<a:int>"),
    ]
    assert "meta" in [item["Name"] for item in lake.athena.list_table_metadata(**names)["TableMetadataList"]]
    assert [item["Name"] for item in lake.athena.list_databases(CatalogName="AwsDataCatalog")["DatabaseList"]] == [
        "lake"
    ]
    assert lake.athena.get_database(**names)["Database"]["Name"] == "lake"
    assert lake.athena.list_data_catalogs()["DataCatalogsSummary"][0]["CatalogName"] == "AwsDataCatalog"
    assert lake.athena.get_data_catalog(Name="AwsDataCatalog")["DataCatalog"]["Type"] == "GLUE"
    with pytest.raises(lake.athena.exceptions.MetadataException):
        lake.athena.get_table_metadata(**names, TableName="nothing")

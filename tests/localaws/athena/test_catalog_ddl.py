"""Views, databases, CTAS, UNLOAD, tables of plain files, SHOW and DESCRIBE, information_schema, prepared statements.

Example: `python -m pytest tests/localaws/athena/test_catalog_ddl.py -k unload`
"""

from __future__ import annotations

import gzip
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from .conftest import Lake


@pytest.fixture(scope="module")
def source(lake: Lake) -> str:
    lake.done(
        "CREATE TABLE src (id bigint, name string, arr array<int>, at timestamp, price decimal(10,2), ok boolean) "
        "LOCATION 's3://lake-bucket/src/' TBLPROPERTIES ('table_type' = 'ICEBERG')"
    )
    lake.done(
        "INSERT INTO src VALUES (1, 'it''s, \"a\"', ARRAY[1, NULL], TIMESTAMP '2020-01-02 03:04:05.678', "
        "DECIMAL '1.50', true), (2, NULL, NULL, NULL, NULL, NULL)"
    )
    return "src"


def keys(lake: Lake, prefix: str, bucket: str = "lake-bucket") -> list[str]:
    return [item["Key"] for item in lake.s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])]


def body(lake: Lake, key: str, bucket: str = "lake-bucket") -> bytes:
    content: bytes = lake.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return content


def test_views_are_kept_and_replaced(lake: Lake, source: str) -> None:
    lake.done("CREATE VIEW names AS SELECT id, upper(name) AS n FROM src")
    assert lake.rows("SELECT id FROM names WHERE n IS NULL") == [["2"]]
    assert lake.failure("CREATE VIEW names AS SELECT 1 AS a").startswith("TABLE_ALREADY_EXISTS")
    lake.done("CREATE OR REPLACE VIEW names AS SELECT count(*) AS n FROM src")
    assert lake.rows("SELECT * FROM lake.names") == [["2"]]
    assert lake.done("SHOW CREATE VIEW names").lines == [
        ['CREATE VIEW "lake"."names" AS '],
        ["SELECT count(*) AS n FROM src"],
    ]
    entry = lake.glue.get_table(DatabaseName="lake", Name="names")["Table"]
    assert entry["TableType"] == "VIRTUAL_VIEW"
    assert entry["StorageDescriptor"]["Columns"] == [{"Name": "n", "Type": "bigint"}]
    assert lake.failure("DROP TABLE names").startswith("TABLE_NOT_FOUND")
    lake.done("DROP VIEW names")
    assert lake.failure("SELECT * FROM names").startswith("TABLE_NOT_FOUND")


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("CREATE VIEW v AS SELECT count(*) FROM src", "MISSING_COLUMN_NAME"),
        ("CREATE VIEW v AS SELECT id, id FROM src", "DUPLICATE_COLUMN_NAME"),
        ("CREATE VIEW v AS SELECT NULL AS a", "COLUMN_TYPE_UNKNOWN"),
        ("CREATE VIEW v AS SELECT nothing FROM src", "COLUMN_NOT_FOUND"),
        ("CREATE OR REPLACE VIEW src AS SELECT 1 AS a", "TABLE_ALREADY_EXISTS"),
        ("CREATE TABLE c AS SELECT 1", "MISSING_COLUMN_NAME"),
        ("CREATE TABLE src AS SELECT 1 AS a", "TABLE_ALREADY_EXISTS"),
        ("CREATE TABLE c WITH (format = 'AVRO') AS SELECT 1 AS a", "NOT_SUPPORTED"),
        ("CREATE TABLE c WITH (formt = 'PARQUET') AS SELECT 1 AS a", "INVALID_TABLE_PROPERTY"),
        ("UNLOAD (SELECT 1 AS a) TO 's3://lake-bucket/u/' WITH (compression = 'GZIP')", "INVALID_PROCEDURE_ARGUMENT"),
        ("CREATE DATABASE lake", "DDL_ERROR"),
        ("DROP DATABASE nothing", "SCHEMA_NOT_FOUND"),
        ("SHOW TABLES IN nothing", "SCHEMA_NOT_FOUND"),
        ("DESCRIBE nothing", "TABLE_NOT_FOUND"),
    ],
)
def test_what_cannot_be(lake: Lake, source: str, sql: str, reason: str) -> None:
    assert lake.failure(sql).startswith(reason)


@pytest.mark.parametrize("form", ["PARQUET", "JSON", "TEXTFILE"])
def test_ctas_and_back(lake: Lake, source: str, form: str) -> None:
    name = f"copy_{form.lower()}"
    answer = lake.done(f"CREATE TABLE {name} WITH (format = '{form}') AS SELECT id, name, at, price, ok FROM src")
    assert answer.results["UpdateCount"] == 2
    assert answer.location.startswith("s3://results-bucket/answers/tables/")
    listed = body(
        lake,
        answer.execution["Statistics"]["DataManifestLocation"].removeprefix("s3://results-bucket/"),
        "results-bucket",
    )
    assert all(line.startswith(answer.location) for line in listed.decode().split())
    rows = lake.rows(f"SELECT id, name, CAST(at AS timestamp(3)), price, ok FROM {name} ORDER BY id")
    assert rows == [["1", 'it\'s, "a"', "2020-01-02 03:04:05.678", "1.50", "true"], ["2", None, None, None, None]]


def test_ctas_iceberg_partitioned(lake: Lake, source: str) -> None:
    lake.done(
        "CREATE TABLE packed WITH (table_type = 'ICEBERG', location = 's3://lake-bucket/packed/', is_external = false, "
        "partitioning = ARRAY['bucket(2, id)'], write_compression = 'ZSTD') AS SELECT id, name FROM src"
    )
    assert lake.rows("SELECT count(*) FROM packed") == [["2"]]
    assert len(lake.aws.world.iceberg_catalog().load_table(("lake", "packed")).spec().fields) == 1


def test_ctas_with_partitions_and_without_data(lake: Lake, source: str) -> None:
    lake.done(
        "CREATE TABLE split_up WITH (external_location = 's3://lake-bucket/split_up/', "
        "partitioned_by = ARRAY['k']) AS SELECT id, CAST(id AS varchar) AS k FROM src"
    )
    assert {key.split("/")[1] for key in keys(lake, "split_up/")} == {"k=1", "k=2"}
    assert lake.rows("SELECT id, k FROM split_up WHERE k = '2'") == [["2", "2"]]
    assert lake.done("SHOW PARTITIONS split_up").lines == [["k=1"], ["k=2"]]
    lake.done("INSERT INTO split_up VALUES (9, 'nine')")
    assert lake.rows("SELECT id FROM split_up WHERE k = 'nine'") == [["9"]]
    lake.done("CREATE TABLE hollow AS SELECT id FROM src WITH NO DATA")
    assert lake.rows("SELECT count(*) FROM hollow") == [["0"]]


def test_ctas_into_a_place_that_is_taken(lake: Lake, source: str) -> None:
    lake.s3.put_object(Bucket="lake-bucket", Key="taken/x", Body=b"x")
    sql = "CREATE TABLE late WITH (external_location = 's3://lake-bucket/taken/') AS SELECT 1 AS a"
    assert lake.failure(sql).startswith("HIVE_PATH_ALREADY_EXISTS")
    assert lake.failure("SELECT * FROM late").startswith("TABLE_NOT_FOUND")


def test_unload_parquet(lake: Lake, source: str) -> None:
    answer = lake.done(
        "UNLOAD (SELECT * FROM src ORDER BY id) TO 's3://lake-bucket/un1/' "
        "WITH (format = 'PARQUET', compression = 'SNAPPY')"
    )
    (key,) = keys(lake, "un1/")
    table = pq.read_table(io.BytesIO(body(lake, key)))
    assert table.column("arr").to_pylist() == [[1, None], None]
    assert table.schema.field("price").type == pa.decimal128(10, 2)
    manifest = answer.execution["Statistics"]["DataManifestLocation"].removeprefix("s3://results-bucket/")
    assert body(lake, manifest, "results-bucket").decode() == f"s3://lake-bucket/{key}\n"
    second = lake.failure("UNLOAD (SELECT 1 AS a) TO 's3://lake-bucket/un1/' WITH (format = 'PARQUET')")
    assert second.startswith("HIVE_PATH_ALREADY_EXISTS")


def test_unload_text(lake: Lake, source: str) -> None:
    lake.done("UNLOAD (SELECT id, name, at FROM src ORDER BY id) TO 's3://lake-bucket/un2/' WITH (format = 'JSON')")
    (key,) = keys(lake, "un2/")
    assert key.endswith(".gz")
    lines = gzip.decompress(body(lake, key)).decode().splitlines()
    assert json.loads(lines[0]) == {"id": 1, "name": 'it\'s, "a"', "at": "2020-01-02 03:04:05.678"}
    lake.done(
        "UNLOAD (SELECT id, ok FROM src ORDER BY id) TO 's3://lake-bucket/un3/' "
        "WITH (format = 'TEXTFILE', field_delimiter = ',', compression = 'none')"
    )
    (key,) = keys(lake, "un3/")
    assert body(lake, key) == b"1,true\n2,\\N\n"


def test_csv_tables(lake: Lake) -> None:
    lake.s3.put_object(Bucket="lake-bucket", Key="csv/a.csv", Body=b'id,name,n\n1,"x, y",5\n2,,oops\n')
    lake.s3.put_object(Bucket="lake-bucket", Key="csv/_hidden", Body=b"nonsense")
    lake.done(
        "CREATE EXTERNAL TABLE csv (id int, name string, n bigint) "
        "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde' WITH SERDEPROPERTIES ('separatorChar' = ',') "
        "LOCATION 's3://lake-bucket/csv/' TBLPROPERTIES ('skip.header.line.count' = '1')"
    )
    assert lake.rows("SELECT * FROM csv ORDER BY id") == [["1", "x, y", "5"], ["2", "", None]]


def test_parquet_tables_by_partition_and_name(lake: Lake) -> None:
    for year, table in (("2020", pa.table({"ID": [1], "b": ["x"]})), ("2021", pa.table({"b": ["y"], "id": [2]}))):
        file = io.BytesIO()
        pq.write_table(table, file)
        lake.s3.put_object(Bucket="lake-bucket", Key=f"years/year={year}/f", Body=file.getvalue())
    lake.done(
        "CREATE EXTERNAL TABLE years (id bigint, b string, c double) PARTITIONED BY (year int) "
        "STORED AS PARQUET LOCATION 's3://lake-bucket/years/'"
    )
    assert lake.rows("SELECT count(*) FROM years") == [["0"]]
    assert len(lake.done("MSCK REPAIR TABLE years").lines) == 2
    assert lake.rows("SELECT id, b, c, year + 1 FROM years ORDER BY id") == [
        ["1", "x", None, "2021"],
        ["2", "y", None, "2022"],
    ]
    lake.done("ALTER TABLE years ADD IF NOT EXISTS PARTITION (year = '2020')")
    assert lake.failure("ALTER TABLE years ADD PARTITION (year = '2020')").startswith("DDL_ERROR")
    assert lake.failure("DELETE FROM years").startswith("NOT_SUPPORTED")
    described = [line[0] for line in lake.done("DESCRIBE years").lines]
    assert described[0] == f"{'id':<20}\t{'bigint':<20}\t{'':<20}"
    assert "# Partition Information\t \t " in described


def test_databases(lake: Lake) -> None:
    lake.done("CREATE DATABASE other COMMENT 'c'")
    lake.done("CREATE SCHEMA IF NOT EXISTS other")
    assert ["other"] in lake.done("SHOW DATABASES").lines
    lake.done(
        "CREATE TABLE other.t (a int) LOCATION 's3://lake-bucket/other/' TBLPROPERTIES ('table_type' = 'ICEBERG')"
    )
    assert lake.done("SHOW TABLES IN other").lines == [["t"]]
    assert lake.failure("DROP DATABASE other").startswith("DDL_ERROR")
    lake.done("DROP DATABASE other CASCADE")
    assert lake.done("SHOW DATABASES LIKE 'oth*'").lines == []


def test_information_schema(lake: Lake, source: str) -> None:
    assert lake.rows("SELECT table_type FROM information_schema.tables WHERE table_name = 'src'") == [["BASE TABLE"]]
    assert lake.rows(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'src' "
        "ORDER BY ordinal_position"
    ) == [
        ["id", "bigint"],
        ["name", "varchar"],
        ["arr", "array(integer)"],
        ["at", "timestamp(6)"],
        ["price", "decimal(10,2)"],
        ["ok", "boolean"],
    ]
    assert lake.rows("SELECT count(*) FROM information_schema.schemata") == [["2"]]


def test_show_what_there_is(lake: Lake, source: str) -> None:
    assert ["src"] in lake.done("SHOW TABLES 'sr*'").lines
    assert [line[0].strip() for line in lake.done("SHOW COLUMNS IN src").lines if line[0]][:2] == ["id", "name"]
    text = "\n".join(line[0] or "" for line in lake.done("SHOW CREATE TABLE src").lines)
    assert "CREATE TABLE lake.src (" in text
    assert "LOCATION 's3://lake-bucket/src'" in text
    plan = lake.done("EXPLAIN SELECT id FROM src").lines
    assert plan[0] == ["Output[id]"]
    assert "s3://" not in str(plan) and "/objects" not in str(plan)


def test_prepared_statements_by_sql(lake: Lake, source: str) -> None:
    lake.done("PREPARE by_id FROM SELECT name FROM src WHERE id = ? AND ok = ?")
    assert lake.rows("EXECUTE by_id USING 1, true") == [['it\'s, "a"']]
    assert lake.rows("EXECUTE by_id", ["1", "true"]) == [['it\'s, "a"']]
    lake.done("DEALLOCATE PREPARE by_id")
    # StartQueryExecution's model knows no ResourceNotFoundException.
    with pytest.raises(lake.athena.exceptions.InvalidRequestException, match="by_id was not found"):
        lake.ask("EXECUTE by_id USING 1")


def test_parameters_in_their_order(lake: Lake, source: str) -> None:
    sql = "SELECT ?, id FROM src WHERE id > ? AND coalesce(name, ?) <> ? ORDER BY id LIMIT ?"
    assert lake.rows(sql, ["'first'", "-1", "'none'", "'x''y'", "5"]) == [["first", "1"], ["first", "2"]]
    assert lake.ask("SELECT ?", ["1", "2"]).reason.startswith("INVALID_PARAMETER_USAGE")
    lake.done("UNLOAD (SELECT id FROM src WHERE id = ?) TO 's3://lake-bucket/un9/' WITH (format = 'JSON')", ["1"])
    lake.done("INSERT INTO src (id) SELECT ?", ["77"])
    assert lake.count("DELETE FROM src WHERE id = 77") == 1


@pytest.mark.parametrize("value", ["id", "(SELECT 1)", "1; DROP TABLE src", "x -> x", "?"])
def test_parameters_are_constants(lake: Lake, source: str, value: str) -> None:
    with pytest.raises(lake.athena.exceptions.InvalidRequestException):
        lake.ask("SELECT ? FROM src", [value])

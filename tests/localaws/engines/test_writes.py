"""What statements change on Trino, read back by both engines; what is Athena's own stays localaws'. `make verify`."""

from __future__ import annotations

import pytest

from .conftest import Both

ICEBERG = "TBLPROPERTIES ('table_type' = 'ICEBERG')"


@pytest.fixture(scope="module")
def table(filled: Both) -> str:
    filled.on = "trino"
    filled.done(
        f"CREATE TABLE ledger (id bigint, kind string, amount double) LOCATION 's3://lake-bucket/ledger/' {ICEBERG}"
    )
    filled.done("INSERT INTO ledger VALUES (1, 'a', 1.5e0), (2, 'b', 2.5e0), (3, 'c', NULL)")
    return "ledger"


def test_changes_are_committed_by_trino_and_seen_by_duckdb(lake: Both, table: str) -> None:
    before = lake.glue.get_table(DatabaseName="lake", Name=table)["Table"]
    assert lake.count("INSERT INTO ledger (id, kind) SELECT id + 10, upper(kind) FROM ledger") == 3
    assert lake.count("UPDATE ledger SET amount = id * 2e0 WHERE kind IN (SELECT kind FROM ledger WHERE id > 11)") == 2
    assert lake.count("DELETE FROM lake.ledger WHERE lake.ledger.id = 3") == 1
    merge = """MERGE INTO ledger AS t USING (SELECT id, kind FROM ledger WHERE id < 3) AS s ON t.id = s.id
    WHEN MATCHED AND s.id = 1 THEN DELETE
    WHEN MATCHED THEN UPDATE SET kind = s.kind || '!', amount = NULL
    WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id)"""
    assert lake.count(merge) == 2
    assert (
        lake.count("MERGE INTO ledger USING (VALUES 99) AS s(i) ON id = i WHEN NOT MATCHED THEN INSERT (id) VALUES (i)")
        == 1
    )
    duckdb, trino = lake.on_both("SELECT * FROM ledger ORDER BY id")
    expected = [["2", "b!", None], ["11", "A", None], ["12", "B", "24.0"], ["13", "C", "26.0"], ["99", None, None]]
    assert trino.lines[1:] == duckdb.lines[1:] == expected
    after = lake.glue.get_table(DatabaseName="lake", Name=table)["Table"]
    parameters = set(before["Parameters"]) - {"metadata_location", "previous_metadata_location"}
    assert {name: before["Parameters"][name] for name in parameters} == {
        name: after["Parameters"].get(name) for name in parameters
    }
    assert after["StorageDescriptor"]["Columns"] == before["StorageDescriptor"]["Columns"]


def test_a_wrong_change_changes_nothing(lake: Both, table: str) -> None:
    snapshots = lake.rows('SELECT count(*) FROM "ledger$snapshots"')
    assert lake.failure("INSERT INTO ledger VALUES ('x', 1, 2)").startswith(
        "TYPE_MISMATCH: Insert query has mismatched"
    )
    assert lake.failure("UPDATE ledger SET nothing = 1").startswith("COLUMN_NOT_FOUND: line 1:19: ")
    assert lake.failure("DELETE FROM ledger WHERE id / 0 = 1").startswith("DIVISION_BY_ZERO")
    assert lake.rows('SELECT count(*) FROM "ledger$snapshots"') == snapshots


def test_duckdb_changes_what_trino_wrote_and_back(lake: Both) -> None:
    lake.done(f"CREATE TABLE relay (id int, who string) LOCATION 's3://lake-bucket/relay/' {ICEBERG}")
    for number, lake.on in enumerate(["trino", "duckdb", "trino", "duckdb"]):
        assert lake.count(f"INSERT INTO relay VALUES ({number}, '{lake.on}')") == 1
        assert lake.count(f"UPDATE relay SET who = who || '+' WHERE id <= {number}") == number + 1
    duckdb, trino = lake.on_both("SELECT * FROM relay ORDER BY id")
    assert trino.lines[1:] == [["0", "trino++++"], ["1", "duckdb+++"], ["2", "trino++"], ["3", "duckdb+"]]
    assert trino.lines == duckdb.lines


def test_time_travel(lake: Both) -> None:
    lake.done(f"CREATE TABLE past (id int) LOCATION 's3://lake-bucket/past/' {ICEBERG}")
    lake.done("INSERT INTO past VALUES 1")
    (first,) = lake.rows('SELECT snapshot_id FROM "past$snapshots"')[0]
    lake.done("INSERT INTO past VALUES 2")
    lake.done("ALTER TABLE past ADD COLUMNS (more string)")
    for clause in (f"VERSION AS OF {first}", f"TIMESTAMP AS OF {moment(lake)}"):
        duckdb, trino = lake.on_both(f"SELECT id, more FROM past FOR {clause}")
        assert trino.lines[1:] == duckdb.lines[1:] == [["1", None]]


def moment(lake: Both) -> str:
    """When the first snapshot was made, as SQL."""
    ((text,),) = lake.rows('SELECT CAST(min(committed_at) AS varchar) FROM "past$snapshots"')
    return f"TIMESTAMP '{text}'"


def test_ctas_and_unload(lake: Both) -> None:
    for form in ("PARQUET", "JSON", "TEXTFILE"):
        lake.done(f"CREATE TABLE copy_{form} WITH (format = '{form}') AS SELECT id, name, price FROM word")
        duckdb, trino = lake.on_both(f"SELECT * FROM copy_{form} ORDER BY id")
        assert trino.lines == duckdb.lines and len(trino.lines) == 4
    lake.done(
        "CREATE TABLE made WITH (table_type = 'ICEBERG', is_external = false, location = 's3://lake-bucket/made/', "
        "partitioning = ARRAY['day(at)']) AS SELECT * FROM word"
    )
    assert lake.rows("SELECT count(*), count(at) FROM made") == [["3", "2"]]
    assert lake.count("UNLOAD (SELECT id, name FROM word) TO 's3://lake-bucket/out/' WITH (format = 'PARQUET')") == 3
    assert lake.s3.list_objects_v2(Bucket="lake-bucket", Prefix="out/")["KeyCount"] > 0


def test_athenas_own_statements(lake: Both) -> None:
    assert ["word"] in lake.done("SHOW TABLES").lines
    assert lake.done("SHOW COLUMNS IN word").lines[0][0].strip() == "id"
    assert "TBLPROPERTIES" in "".join(str(line[0]) for line in lake.done("SHOW CREATE TABLE word").lines)
    assert lake.done("DESCRIBE word").lines
    assert lake.done("EXPLAIN SELECT id FROM word").lines[0] == ["Output[id]"]
    lake.done("OPTIMIZE relay REWRITE DATA USING BIN_PACK")
    lake.done("VACUUM relay")
    duckdb, trino = lake.on_both("SELECT count(*) FROM relay")
    assert trino.lines == duckdb.lines == [["_col0"], ["4"]]


def test_a_workgroup_says_where_results_go(lake: Both) -> None:
    place = {
        "ResultConfiguration": {"OutputLocation": "s3://results-bucket/enforced/"},
        "EnforceWorkGroupConfiguration": True,
    }
    lake.athena.create_work_group(Name="enforced", Configuration=place)
    answer = lake.ask("SELECT 1", WorkGroup="enforced", ResultConfiguration={"OutputLocation": "s3://lake-bucket/x/"})
    assert answer.location.startswith("s3://results-bucket/enforced/")
    assert "external_location" in lake_refusal(lake)


def lake_refusal(lake: Both) -> str:
    with pytest.raises(lake.athena.exceptions.InvalidRequestException) as refused:
        lake.ask(
            "CREATE TABLE x WITH (external_location = 's3://lake-bucket/e/') AS SELECT 1 AS a", WorkGroup="enforced"
        )
    return str(refused.value)

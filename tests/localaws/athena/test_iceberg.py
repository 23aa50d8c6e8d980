"""Iceberg tables by SQL: made, filled, changed, grown, read as they were, packed and dropped.

Example: `python -m pytest tests/localaws/athena/test_iceberg.py`
"""

from __future__ import annotations

from itertools import count

import pyarrow as pa
import pytest

from localaws.athena.catalog import CatalogView
from localaws.athena.iceberg import load

from .conftest import Lake

NUMBERS = count()


@pytest.fixture
def table(lake: Lake) -> str:
    """A table of four rows, partitioned, in two commits."""
    name = f"patient_{next(NUMBERS)}"
    lake.done(
        f"CREATE TABLE {name} "
        "(id bigint, name string, site string, tags array<string>, r struct<a:int,b:string>, d date) "
        f"PARTITIONED BY (site) LOCATION 's3://lake-bucket/{name}/' TBLPROPERTIES ('table_type' = 'ICEBERG')"
    )
    assert (
        lake.count(
            f"INSERT INTO {name} VALUES (1, 'a', 'n', ARRAY['x'], CAST(ROW(1, 'p') AS ROW(a integer, b varchar)), "
            "DATE '2020-01-01'), (2, 'b', 's', NULL, NULL, NULL), (3, NULL, 'n', NULL, NULL, NULL)"
        )
        == 3
    )
    assert lake.count(f"INSERT INTO {name} (id, site) VALUES (4, 's')") == 1
    return name


def files(lake: Lake, name: str) -> set[str]:
    ref = CatalogView(lake.aws.world).relation(None, "lake", name)
    assert ref is not None
    return {task.file.file_path for task in load(lake.aws.world, ref).scan().plan_files()}


def snapshots(lake: Lake, name: str) -> int:
    return int(lake.rows(f'SELECT count(*) FROM "{name}$snapshots"')[0][0] or 0)


def test_reads_what_was_written(lake: Lake, table: str) -> None:
    assert lake.rows(f"SELECT * FROM {table} ORDER BY id") == [
        ["1", "a", "n", "[x]", "{a=1, b=p}", "2020-01-01"],
        ["2", "b", "s", None, None, None],
        ["3", None, "n", None, None, None],
        ["4", None, "s", None, None, None],
    ]


def test_another_writer_reads_the_same(lake: Lake, table: str) -> None:
    rows = lake.aws.world.iceberg_catalog().load_table(("lake", table)).scan().to_arrow()
    assert sorted(rows.column("id").to_pylist()) == [1, 2, 3, 4]


def test_reads_tables_of_another_writer(lake: Lake) -> None:
    """Upper-case names become lower case, also inside rows; times with a zone stay such."""
    schema = pa.schema(
        [("ID", pa.int64()), ("Nested", pa.struct([("Code", pa.string())])), ("At", pa.timestamp("us", "UTC"))]
    )
    foreign = lake.aws.world.iceberg_catalog().create_table("lake.foreign", schema, "s3://lake-bucket/foreign")
    foreign.append(pa.table({"ID": [1], "Nested": [{"Code": "c"}], "At": [0]}, schema=schema))
    assert lake.rows('SELECT id, nested.code, nested, "AT" FROM "foreign"') == [
        ["1", "c", "{code=c}", "1970-01-01 00:00:00.000000 UTC"]
    ]


def test_insert_by_name_fills_the_rest_with_null(lake: Lake, table: str) -> None:
    lake.done(f"INSERT INTO {table} (name, id) SELECT name, id + 100 FROM {table} WHERE id = 1")
    assert lake.rows(f"SELECT id, name, site FROM {table} WHERE id > 100") == [["101", "a", None]]


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("INSERT INTO {t} VALUES (1)", "TYPE_MISMATCH: Insert query has mismatched column types"),
        ("INSERT INTO {t} (id, name) VALUES ('x', 'y')", "TYPE_MISMATCH"),
        ("INSERT INTO {t} (id, nothing) VALUES (1, 2)", "COLUMN_NOT_FOUND"),
        ("INSERT INTO nowhere VALUES (1)", "TABLE_NOT_FOUND"),
        ("UPDATE {t} SET nothing = 1", "COLUMN_NOT_FOUND"),
        ("UPDATE {t} SET id = 'x'", "TYPE_MISMATCH"),
        ("DELETE FROM {t} WHERE id", "TYPE_MISMATCH"),
    ],
)
def test_wrong_changes_change_nothing(lake: Lake, table: str, sql: str, reason: str) -> None:
    before = snapshots(lake, table)
    assert lake.failure(sql.format(t=table)).startswith(reason)
    assert snapshots(lake, table) == before


def test_merge_updates_deletes_and_inserts(lake: Lake, table: str) -> None:
    changed = lake.count(
        f"MERGE INTO {table} AS t USING (VALUES (1, 'A', false), (2, 'B', true), (9, 'new', false), (10, 'no', true)) "
        "AS s(id, name, gone) ON t.id = s.id "
        "WHEN MATCHED AND s.gone THEN DELETE "
        "WHEN MATCHED THEN UPDATE SET name = s.name, site = upper(t.site) "
        "WHEN NOT MATCHED AND NOT s.gone THEN INSERT (id, name) VALUES (s.id, s.name)"
    )
    assert changed == 3
    assert lake.rows(f"SELECT id, name, site, tags FROM {table} ORDER BY id") == [
        ["1", "A", "N", "[x]"],
        ["3", None, "n", None],
        ["4", None, "s", None],
        ["9", "new", None, None],
    ]


def test_merge_names_its_target_in_full(lake: Lake, table: str) -> None:
    sql = (
        f"MERGE INTO lake.{table} USING (SELECT id, name FROM {table}) s ON lake.{table}.id = s.id AND s.id = 1 "
        f"WHEN MATCHED THEN UPDATE SET name = concat({table}.name, '!')"
    )
    assert lake.count(sql) == 1
    assert lake.rows(f"SELECT name FROM {table} WHERE id = 1") == [["a!"]]


def test_merge_refuses_two_sources_for_one_row(lake: Lake, table: str) -> None:
    before = snapshots(lake, table)
    reason = lake.failure(
        f"MERGE INTO {table} t USING (VALUES 1, 1) s(id) ON t.id = s.id WHEN MATCHED THEN UPDATE SET name = 'x'"
    )
    assert reason.startswith("MERGE_TARGET_ROW_MULTIPLE_MATCHES")
    assert snapshots(lake, table) == before


def test_two_sources_are_fine_where_no_clause_applies(lake: Lake, table: str) -> None:
    sql = (
        f"MERGE INTO {table} t USING (VALUES (1, true), (1, false)) s(id, use) ON t.id = s.id "
        "WHEN MATCHED AND s.use THEN UPDATE SET name = 'once'"
    )
    assert lake.count(sql) == 1
    assert lake.rows(f"SELECT name FROM {table} WHERE id = 1") == [["once"]]


def test_only_touched_files_are_written_again(lake: Lake, table: str) -> None:
    before = files(lake, table)
    lake.done(f"UPDATE {table} SET name = 'z' WHERE id = 4")
    after = files(lake, table)
    assert len(before & after) == len(before) - 1


def test_a_change_of_nothing_is_no_commit(lake: Lake, table: str) -> None:
    before = snapshots(lake, table)
    assert lake.count(f"DELETE FROM {table} WHERE id = 77") == 0
    assert lake.count(f"UPDATE {table} SET name = 'q' WHERE false") == 0
    assert lake.count(f"INSERT INTO {table} SELECT * FROM {table} WHERE false") == 0
    assert snapshots(lake, table) == before


def test_update_and_delete(lake: Lake, table: str) -> None:
    assert lake.count(f"UPDATE {table} SET name = coalesce(name, '-') || '!', d = NULL WHERE site = 'n'") == 2
    assert lake.count(f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE site = 's')") == 2
    assert lake.rows(f"SELECT id, name, d FROM {table} ORDER BY id") == [["1", "a!", None], ["3", "-!", None]]
    assert lake.count(f"DELETE FROM {table}") == 2
    assert lake.rows(f"SELECT count(*) FROM {table}") == [["0"]]


def test_somebody_else_was_quicker(lake: Lake, table: str) -> None:
    """A writer that read an older state than the current one commits nothing."""
    from localaws.athena.errors import QueryError
    from localaws.athena.iceberg import Writer, planned

    ref = CatalogView(lake.aws.world).relation(None, "lake", table)
    assert ref is not None
    lake.done(f"DELETE FROM {table} WHERE id = 1")
    writer = Writer(lake.aws.world, ref)
    tasks = planned(writer.read, writer.read.current_snapshot())
    with pytest.raises(QueryError, match="ICEBERG_COMMIT_ERROR"):
        writer.change({tasks[0].file.file_path: pa.array([0]).to_numpy()}, tasks, [])
    assert lake.rows(f"SELECT count(*) FROM {table}") == [["3"]]


def test_time_travel(lake: Lake, table: str) -> None:
    first, second = (row[0] for row in lake.rows(f'SELECT snapshot_id FROM "{table}$snapshots" ORDER BY committed_at'))
    lake.done(f"DELETE FROM {table}")
    assert lake.rows(f"SELECT count(*) FROM {table} FOR VERSION AS OF {first}") == [["3"]]
    assert lake.rows(f"SELECT count(*) FROM {table} FOR VERSION AS OF {second} AS old WHERE old.id > 0") == [["4"]]
    assert lake.rows(f"SELECT count(*) FROM {table} FOR TIMESTAMP AS OF current_timestamp") == [["0"]]
    reason = lake.failure(f"SELECT 1 FROM {table} FOR TIMESTAMP AS OF TIMESTAMP '2001-01-01 00:00:00 UTC'")
    assert reason.startswith("INVALID_ARGUMENTS: No version history table")
    assert lake.failure(f"SELECT 1 FROM {table} FOR VERSION AS OF 5").startswith("INVALID_ARGUMENTS")


def test_metadata_tables(lake: Lake, table: str) -> None:
    assert lake.rows(
        f"SELECT operation, summary['added-records'] FROM \"{table}$snapshots\" ORDER BY committed_at"
    ) == [
        ["append", "3"],
        ["append", "1"],
    ]
    assert lake.rows(f'SELECT is_current_ancestor FROM "{table}$history"') == [["true"], ["true"]]
    assert lake.rows(f'SELECT sum(record_count), min(content) FROM "{table}$files"') == [["4", "0"]]
    assert lake.failure(f'SELECT * FROM "{table}$nothing"').startswith("TABLE_NOT_FOUND")


def test_schema_evolution(lake: Lake, table: str) -> None:
    lake.done(f"ALTER TABLE {table} ADD COLUMNS (extra string, more map<string,int>)")
    lake.done(f"ALTER TABLE {table} CHANGE COLUMN name full_name string")
    lake.done(f"ALTER TABLE {table} DROP COLUMN d")
    lake.done(f"INSERT INTO {table} (id, extra, more) VALUES (7, 'e', MAP(ARRAY['k'], ARRAY[1]))")
    assert lake.rows(f"SELECT id, full_name, extra, more FROM {table} WHERE id IN (1, 7) ORDER BY id") == [
        ["1", "a", None, None],
        ["7", None, "e", "{k=1}"],
    ]
    assert lake.failure(f"SELECT d FROM {table}").startswith("COLUMN_NOT_FOUND")
    assert lake.failure(f"ALTER TABLE {table} ADD COLUMNS (extra string)").startswith("COLUMN_ALREADY_EXISTS")


def test_files_are_pruned_and_bytes_counted(lake: Lake, table: str) -> None:
    whole = lake.done(f"SELECT * FROM {table}").scanned
    one_column = lake.done(f"SELECT name FROM {table}").scanned
    one_site = lake.done(f"SELECT name FROM {table} WHERE site = 'n'").scanned
    nothing = lake.done(f"SELECT count(*) FROM {table}").scanned
    assert whole > one_column > 0
    assert one_site > 0
    assert lake.done(f"SELECT name FROM {table} WHERE site = 'elsewhere'").scanned == 0
    assert nothing == 0


def test_optimize_packs_and_vacuum_keeps_the_current_state(lake: Lake, table: str) -> None:
    for number in range(3):
        lake.done(f"INSERT INTO {table} (id, site) VALUES ({20 + number}, 'n')")
    before = files(lake, table)
    lake.done(f"OPTIMIZE {table} REWRITE DATA USING BIN_PACK")
    assert len(files(lake, table)) == 2 < len(before)
    lake.done(f"ALTER TABLE {table} SET TBLPROPERTIES ('vacuum_max_snapshot_age_seconds' = '0')")
    lake.done(f"VACUUM {table}")
    assert snapshots(lake, table) == 1
    assert lake.rows(f"SELECT count(*), sum(id) FROM {table}") == [["7", "73"]]


def test_drop_takes_the_data_along(lake: Lake, table: str) -> None:
    assert lake.s3.list_objects_v2(Bucket="lake-bucket", Prefix=f"{table}/")["KeyCount"] > 0
    lake.done(f"DROP TABLE {table}")
    assert lake.s3.list_objects_v2(Bucket="lake-bucket", Prefix=f"{table}/")["KeyCount"] == 0
    assert lake.failure(f"SELECT 1 FROM {table}").startswith("TABLE_NOT_FOUND")
    assert lake.failure(f"DROP TABLE {table}").startswith("TABLE_NOT_FOUND")
    lake.done(f"DROP TABLE IF EXISTS {table}")


@pytest.mark.parametrize(
    ("clause", "field"),
    [
        ("day(ts)", "ts_day"),
        ("month(ts)", "ts_month"),
        ("bucket(4, id)", "id_bucket"),
        ("truncate(2, code)", "code_trunc"),
    ],
)
def test_partition_transforms(lake: Lake, clause: str, field: str) -> None:
    name = f"part_{next(NUMBERS)}"
    lake.done(
        f"CREATE TABLE {name} (id string, code string, ts timestamp) PARTITIONED BY ({clause}) "
        f"LOCATION 's3://lake-bucket/{name}/' TBLPROPERTIES ('table_type' = 'ICEBERG', 'format' = 'parquet')"
    )
    lake.done(f"INSERT INTO {name} VALUES ('a', 'xyz', TIMESTAMP '2020-01-02 03:04:05')")
    spec = lake.aws.world.iceberg_catalog().load_table(("lake", name)).spec()
    assert [part.name for part in spec.fields] == [field]
    assert lake.rows(f"SELECT * FROM {name}") == [["a", "xyz", "2020-01-02 03:04:05.000000"]]
    column = clause.partition("(")[2].rstrip(")").rpartition(" ")[2]
    inner = f"`{column}`"
    assert any(inner in (line[0] or "") for line in lake.done(f"SHOW CREATE TABLE {name}").lines)


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("CREATE TABLE x (a int) TBLPROPERTIES ('table_type' = 'ICEBERG')", "INVALID_TABLE_PROPERTY"),
        ("CREATE TABLE x (a int) LOCATION 's3://lake-bucket/x/'", "INVALID_TABLE_PROPERTY"),
        (
            "CREATE TABLE x (a int) PARTITIONED BY (day(b)) LOCATION 's3://lake-bucket/x/' "
            "TBLPROPERTIES ('table_type' = 'ICEBERG')",
            "INVALID_TABLE_PROPERTY",
        ),
        (
            "CREATE TABLE nodb.x (a int) LOCATION 's3://b/x/' TBLPROPERTIES ('table_type' = 'ICEBERG')",
            "SCHEMA_NOT_FOUND",
        ),
    ],
)
def test_tables_that_cannot_be(lake: Lake, sql: str, reason: str) -> None:
    assert lake.failure(sql).startswith(reason)


def test_a_query_that_fails_on_the_way_leaves_no_table(lake: Lake) -> None:
    numbers = "UNNEST(sequence(1, 400)) AS a(n) CROSS JOIN UNNEST(sequence(0, 999)) AS b(n)"
    query = f"SELECT a.n AS n, 1 / (a.n * 1000 + b.n - 400999) AS q FROM {numbers}"
    place = "table_type = 'ICEBERG', is_external = false, location = 's3://lake-bucket/half/'"
    assert lake.failure(f"CREATE TABLE half WITH ({place}) AS {query}").startswith("DIVISION_BY_ZERO")
    assert lake.failure("SELECT * FROM half").startswith("TABLE_NOT_FOUND")

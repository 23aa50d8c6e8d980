"""awswrangler's Athena functions, unchanged, against LocalAws.

Example: `python -m pytest tests/localaws/athena/test_awswrangler.py`
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import boto3
import pandas as pd
import pytest

from .conftest import Lake

wr = pytest.importorskip("awswrangler")
# awswrangler 3.17 calls pandas 3.1 in ways that pandas will give up.
pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")
OUT = "s3://results-bucket/wr/"
TEMPORARY = "s3://lake-bucket/tmp/"


@pytest.fixture(scope="module")
def common(lake: Lake) -> Iterator[dict[str, Any]]:
    """Arguments of every call; one session, so that botocore reads its models once."""
    yield {"database": "lake", "s3_output": OUT, "boto3_session": boto3.Session()}


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": [1, 2, 3],
            "name": ["a", "b", None],
            "f": [1.5, 2.0, None],
            "ts": [pd.Timestamp("2020-01-01"), pd.Timestamp("2020-01-02 03:04:05.678"), None],
            "d": [date(2020, 1, 1)] * 3,
            "ok": [True, False, None],
            "money": [Decimal("1.10")] * 3,
            "tags": [["x"], [], None],
        }
    )


@pytest.fixture(scope="module")
def table(common: dict[str, Any], frame: pd.DataFrame) -> str:
    place = "s3://lake-bucket/wr_patient/"
    wr.athena.to_iceberg(
        df=frame, table="wr_patient", temp_path=TEMPORARY, table_location=place, keep_files=False, **common
    )
    return "wr_patient"


def ids(common: dict[str, Any], table: str) -> list[Any]:
    frame = wr.athena.read_sql_query(f"SELECT id, name FROM {table} ORDER BY id", ctas_approach=False, **common)
    return [tuple(None if pd.isna(value) else value for value in row) for row in frame.itertuples(index=False)]


@pytest.mark.parametrize("approach", ["plain", "ctas", "unload"])
def test_three_ways_to_read(common: dict[str, Any], table: str, approach: str) -> None:
    more = {"ctas_approach": approach == "ctas", "unload_approach": approach == "unload"}
    output = {"s3_output": "s3://lake-bucket/wr_unload/"} if approach == "unload" else {}
    frame = wr.athena.read_sql_query(f"SELECT * FROM {table} ORDER BY id", **more, **{**common, **output})
    assert frame["id"].tolist() == [1, 2, 3]
    assert frame["name"].tolist()[:2] == ["a", "b"] and pd.isna(frame["name"][2])
    assert frame["ts"][1] == pd.Timestamp("2020-01-02 03:04:05.678")
    assert frame["d"].tolist() == [date(2020, 1, 1)] * 3
    assert frame["money"].tolist() == [Decimal("1.10")] * 3
    assert frame["ok"].tolist()[:2] == [True, False]
    assert str(list(frame["tags"][0]) if approach != "plain" else frame["tags"][0]) == (
        "['x']" if approach != "plain" else "[x]"
    )


def test_empty_answers_keep_their_columns(common: dict[str, Any], table: str) -> None:
    for ctas in (True, False):
        frame = wr.athena.read_sql_query(f"SELECT id, name FROM {table} WHERE id < 0", ctas_approach=ctas, **common)
        assert (list(frame.columns), len(frame)) == (["id", "name"], 0)


def test_chunks(common: dict[str, Any], table: str) -> None:
    parts = wr.athena.read_sql_query(f"SELECT * FROM {table}", ctas_approach=False, chunksize=2, **common)
    assert [len(part) for part in parts] == [2, 1]


def test_parameters(common: dict[str, Any], table: str) -> None:
    sql = f"SELECT id FROM {table} WHERE id >= :low AND name = :name"
    frame = wr.athena.read_sql_query(sql, ctas_approach=False, params={"low": 2, "name": "b"}, **common)
    assert frame["id"].tolist() == [2]
    sql = f"SELECT id FROM {table} WHERE id > ? ORDER BY id"
    frame = wr.athena.read_sql_query(sql, ctas_approach=False, params=["1"], paramstyle="qmark", **common)
    assert frame["id"].tolist() == [2, 3]


def test_append_merge_delete_overwrite(common: dict[str, Any], frame: pd.DataFrame) -> None:
    name, place = "wr_changes", "s3://lake-bucket/wr_changes/"
    how = {"table": name, "temp_path": TEMPORARY, "keep_files": False, **common}
    wr.athena.to_iceberg(df=frame, table_location=place, **how)
    wr.athena.to_iceberg(df=frame.assign(id=[4, 5, 6]), **how)
    wr.athena.to_iceberg(df=frame.head(2).assign(id=[1, 99], name=["A", "Z"]), merge_cols=["id"], **how)
    assert ids(common, name) == [(1, "A"), (2, "b"), (3, None), (4, "a"), (5, "b"), (6, None), (99, "Z")]
    wr.athena.delete_from_iceberg_table(df=pd.DataFrame({"id": [1, 99]}), merge_cols=["id"], **how)
    assert [row[0] for row in ids(common, name)] == [2, 3, 4, 5, 6]
    wr.athena.to_iceberg(df=frame.head(1), mode="overwrite", **how)
    assert ids(common, name) == [(1, "a")]
    wr.athena.to_iceberg(df=frame.head(1).assign(id=[2], extra=[5]), schema_evolution=True, **how)
    assert ids(common, name) == [(1, "a"), (2, "a")]


def test_partitions_are_overwritten(common: dict[str, Any], frame: pd.DataFrame) -> None:
    name, place = "wr_parts", "s3://lake-bucket/wr_parts/"
    how = {"table": name, "temp_path": TEMPORARY, "keep_files": False, "partition_cols": ["id"], **common}
    wr.athena.to_iceberg(df=frame[["id", "name"]], table_location=place, **how)
    wr.athena.to_iceberg(df=frame[["id", "name"]].head(1).assign(name="new"), mode="overwrite_partitions", **how)
    assert ids(common, name) == [(1, "new"), (2, "b"), (3, None)]


def test_describing(common: dict[str, Any], table: str) -> None:
    described = wr.athena.describe_table(table, **common)
    assert described["Column Name"].tolist() == ["id", "name", "f", "ts", "d", "ok", "money", "tags"]
    assert described["Type"].tolist()[:4] == ["bigint", "string", "double", "timestamp"]
    assert wr.athena.show_create_table(table, **common).startswith("CREATE TABLE lake.wr_patient (")


def test_catalog_tables_of_files(common: dict[str, Any], frame: pd.DataFrame) -> None:
    session = common["boto3_session"]
    wr.s3.to_parquet(
        frame, "s3://lake-bucket/wr_files/", dataset=True, database="lake", table="wr_files", partition_cols=["d"],
        boto3_session=session,
    )  # fmt: skip
    read_back = wr.athena.read_sql_query("SELECT id, tags, d FROM wr_files ORDER BY id", ctas_approach=False, **common)
    assert read_back["d"].tolist() == [date(2020, 1, 1)] * 3
    created = wr.athena.generate_create_query("wr_files", database="lake", boto3_session=session)
    assert created.startswith("CREATE EXTERNAL TABLE `wr_files`(")


def test_ctas_unload_and_plain_statements(common: dict[str, Any], table: str) -> None:
    created = wr.athena.create_ctas_table(
        f"SELECT id, name FROM {table}",
        ctas_table="wr_ctas",
        wait=True,
        **{**common, "s3_output": "s3://lake-bucket/wr_ctas/"},
    )
    assert created["ctas_table"] == "wr_ctas"
    assert len(wr.athena.read_sql_table("wr_ctas", ctas_approach=False, **common)) == 3
    rest = {key: value for key, value in common.items() if key != "s3_output"}
    wr.athena.unload(f"SELECT id FROM {table}", path="s3://lake-bucket/wr_out/", file_format="PARQUET", **rest)
    # awswrangler asks for the manifest beside the data, as it does on AWS.
    other = [".csv", ".metadata"]
    read = wr.s3.read_parquet(
        "s3://lake-bucket/wr_out/", path_ignore_suffix=other, boto3_session=common["boto3_session"]
    )
    assert len(read) == 3
    query_id = wr.athena.start_query_execution("CREATE OR REPLACE VIEW wr_view AS SELECT 1 AS a", **common)
    assert wr.athena.wait_query(query_id, boto3_session=common["boto3_session"])["Status"]["State"] == "SUCCEEDED"
    assert "CREATE OR REPLACE VIEW" in wr.athena.generate_create_query(
        "wr_view", database="lake", boto3_session=common["boto3_session"]
    )


def test_failures_are_named(common: dict[str, Any], table: str) -> None:
    with pytest.raises(wr.exceptions.QueryFailed, match="COLUMN_NOT_FOUND"):
        wr.athena.read_sql_query(f"SELECT nothing FROM {table}", ctas_approach=False, **common)

"""One view, whoever made it and whoever reads it: Athena on both engines, Trino itself, awswrangler. `make verify`."""

from __future__ import annotations

import json
from base64 import b64decode

import awswrangler
import boto3
import pytest

from localaws.athena.engine import Work

from .conftest import Both
from .test_queries import client_of

pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")
MADE = "SELECT id, name AS word, cardinality(tags) AS n_tags FROM word"
READ = "SELECT * FROM {0} ORDER BY id"


def asked_of_trino(lake: Both, sql: str) -> list[list[object]]:
    """Rows of the server itself, past Athena."""
    lake.done("SELECT count(*) FROM word")
    return [row for page in client_of(lake).pages(sql, Work()) for row in page.rows]


@pytest.mark.parametrize("engine", ["duckdb", "trino"])
def test_a_view_of_athena_is_one_of_trino(lake: Both, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, lake.on = f"seen_by_{engine}", engine
    lake.done(f"CREATE VIEW {name} AS {MADE}")
    entry = lake.glue.get_table(DatabaseName="lake", Name=name)["Table"]
    assert (entry["TableType"], entry["Parameters"]["presto_view"]) == ("VIRTUAL_VIEW", "true")
    text = entry["ViewOriginalText"]
    content = json.loads(b64decode(text.removeprefix("/* Presto View: ").removesuffix(" */")))
    assert content["runAsInvoker"] is True and content["originalSql"] == MADE
    assert [(item["name"], item["type"]) for item in content["columns"]] == [
        ("id", "bigint"),
        ("word", "varchar"),
        ("n_tags", "bigint"),
    ]
    expected = [["1", "one", "2"], ["2", 'two, "quoted"', "0"], ["3", None, None]]
    duckdb, trino = lake.on_both(READ.format(name))
    assert duckdb.lines[1:] == trino.lines[1:] == expected
    assert asked_of_trino(lake, READ.format(f"awsdatacatalog.lake.{name}")) == [
        [1, "one", 2],
        [2, 'two, "quoted"', 0],
        [3, None, None],
    ]
    keys = lake.aws.credentials
    monkeypatch.setenv("AWS_ENDPOINT_URL", lake.aws.endpoint)
    session = boto3.Session(keys.access_key_id, keys.secret_access_key, region_name="us-east-1")
    frame = awswrangler.athena.read_sql_query(
        READ.format(name), "lake", ctas_approach=False, s3_output="s3://results-bucket/wr/", boto3_session=session
    )
    assert frame["word"].tolist()[:2] == ["one", 'two, "quoted"']
    assert awswrangler.catalog.get_table_types("lake", name, boto3_session=session) == {
        "id": "bigint",
        "word": "string",
        "n_tags": "bigint",
    }


def test_a_view_of_trino_is_one_of_athena(lake: Both) -> None:
    asked_of_trino(lake, "CREATE VIEW awsdatacatalog.lake.by_trino AS SELECT id, price FROM awsdatacatalog.lake.word")
    duckdb, trino = lake.on_both(READ.format("by_trino"))
    assert duckdb.lines[1:] == trino.lines[1:] == [["1", "1.50"], ["2", None], ["3", "-0.05"]]

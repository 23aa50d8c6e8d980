"""DuckDB and pyiceberg reading tables from outside, through the Glue endpoint and S3 alone.

Talks to the AWS that the environment points at. Example: `faults = read(variables, clients, bucket, folder)`.

DuckDB reads what pyiceberg plans: Parquet files that came over HTTP, so that none of its own extensions is needed.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.expressions import GreaterThan

from verify.clients.scenes import state, until

DATABASE = "outside"
N_ROWS = 1_000
MADE = (
    "CREATE TABLE outside.facts (id bigint, kind string, tags array<string>) PARTITIONED BY (kind) "
    "LOCATION 's3://{bucket}/outside/facts/' TBLPROPERTIES ('table_type' = 'ICEBERG')",
    "INSERT INTO outside.facts SELECT n, if(n % 2 = 0, 'even', 'odd'), ARRAY[CAST(n AS varchar)] "
    "FROM UNNEST(sequence(1, 1000)) AS t (n)",
    "DELETE FROM outside.facts WHERE id > 990",
    "CREATE OR REPLACE VIEW outside.evens AS SELECT id FROM outside.facts WHERE kind = 'even'",
)


def read(variables: dict[str, str], clients: Callable[[str], Any], bucket: str, folder: Path) -> list[str]:
    """What does not agree between Athena, pyiceberg and DuckDB over one table."""
    clients("glue").create_database(DatabaseInput={"Name": DATABASE})
    for statement in MADE:
        ask(clients("athena"), statement.format(bucket=bucket), bucket)
    [[told, total]] = ask(clients("athena"), "SELECT count(*), sum(id) FROM outside.facts", bucket)
    table = catalog(variables).load_table("outside.facts")
    arrow = table.scan().to_arrow()
    here = [str(arrow.num_rows), str(sum(arrow["id"].to_pylist()))]
    faults = [] if here == [told, total] else [f"pyiceberg reads {here}, Athena {[told, total]}"]
    few = table.scan(row_filter=GreaterThan("id", 985), selected_fields=("id",)).to_arrow()
    if sorted(few["id"].to_pylist()) != [986, 987, 988, 989, 990]:
        faults.append(f"pyiceberg's filter gives {few.num_rows} rows, not 5")
    faults += duckdb_reads(clients("s3"), table, arrow, folder)
    return faults + pyiceberg_writes(variables, clients, bucket)


def catalog(variables: dict[str, str]) -> GlueCatalog:
    """pyiceberg's Glue catalog with its own S3 client, as its documentation configures both."""
    return GlueCatalog(
        "outside",
        **{
            "glue.endpoint": variables["AWS_ENDPOINT_URL"],
            "glue.region": "us-east-1",
            "s3.endpoint": variables["AWS_ENDPOINT_URL"],
            "s3.region": "us-east-1",
            "client.access-key-id": variables["AWS_ACCESS_KEY_ID"],
            "client.secret-access-key": variables["AWS_SECRET_ACCESS_KEY"],
        },
    )


def duckdb_reads(s3: Any, table: Any, arrow: pa.Table, folder: Path) -> list[str]:
    """DuckDB over the Arrow table, and over the data files as they come out of S3."""
    with duckdb.connect() as engine:
        engine.register("facts", arrow)
        [(kinds,)] = engine.execute("SELECT count(DISTINCT kind) FROM facts WHERE len(tags) = 1").fetchall()
        faults = [] if kinds == 2 else [f"DuckDB over pyiceberg's Arrow table finds {kinds} kinds, not 2"]
        paths = []
        for number, task in enumerate(table.scan().plan_files()):
            bucket, _, key = task.file.file_path.removeprefix("s3://").partition("/")
            s3.download_file(bucket, key, str(folder / f"{number}.parquet"))
            paths.append(str(folder / f"{number}.parquet"))
        [(n, most)] = engine.execute("SELECT count(*), max(id) FROM read_parquet(?)", [paths]).fetchall()
    n_stored = sum(task.file.record_count for task in table.scan().plan_files())
    if n != n_stored or most < 990:
        faults.append(f"DuckDB reads {n} rows of the data files, the manifests say {n_stored}")
    return faults


def pyiceberg_writes(variables: dict[str, str], clients: Callable[[str], Any], bucket: str) -> list[str]:
    """Rows that pyiceberg appends from outside are there for Athena, and for Athena's view."""
    table = catalog(variables).load_table("outside.facts")
    row = {"id": [2_000], "kind": ["even"], "tags": [["new"]]}
    table.append(pa.Table.from_pydict(row, schema=table.schema().as_arrow()))
    rows = ask(clients("athena"), "SELECT count(*), max(id) FROM outside.evens", bucket)
    return [] if rows == [["496", "2000"]] else [f"Athena's view gives {rows} after pyiceberg's append"]


def ask(client: Any, statement: str, bucket: str) -> list[list[str]]:
    """The rows of a query, without its header; none for other statements."""
    place = {"OutputLocation": f"s3://{bucket}/results/"}
    query = client.start_query_execution(QueryString=statement, ResultConfiguration=place)["QueryExecutionId"]
    until(lambda: state(client, query), "SUCCEEDED", "FAILED")
    status = client.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
    if status["State"] != "SUCCEEDED":
        raise RuntimeError(f"{statement[:60]}: {status.get('StateChangeReason')}")
    rows = client.get_query_results(QueryExecutionId=query)["ResultSet"]["Rows"]
    return [[item.get("VarCharValue", "") for item in row["Data"]] for row in rows[1:]]

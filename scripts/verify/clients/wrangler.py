"""awswrangler's documented calls, unchanged: catalog, Athena in each of its ways, Iceberg, Parquet on S3.

Talks to the AWS that the environment points at. Example: `faults = calls(bucket)`; an empty list when all give what
awswrangler's documentation says.

awswrangler 3.17 calls pandas 3 in ways that pandas will give up: its warnings are its own affair.
"""

import warnings
from collections.abc import Callable
from typing import Any

import awswrangler as wr
import pandas as pd

DATABASE = "wrangled"


class Calls:
    """Each method is one group of calls; what one writes the next may read."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket
        self._out = f"s3://{bucket}/wrangler/results/"
        self._asked: dict[str, Any] = {"database": DATABASE, "s3_output": self._out}
        self._frame = pd.DataFrame({"id": [1, 2, 3], "kind": ["a", "b", "b"], "value": [0.5, 1.5, None]})

    def place(self, name: str) -> str:
        return f"s3://{self._bucket}/wrangler/{name}/"

    def catalog(self) -> None:
        wr.catalog.create_database(DATABASE)
        assert DATABASE in wr.catalog.databases()["Database"].tolist()
        settings: Any = {
            "description": "three rows",
            "parameters": {"made_by": "clients"},
            "columns_comments": {"value": "a number"},
        }
        dataset: dict[str, Any] = {"dataset": True, "database": DATABASE, "table": "plain", "partition_cols": ["kind"]}
        wr.s3.to_parquet(self._frame, self.place("plain"), glue_table_settings=settings, **dataset)
        assert wr.catalog.does_table_exist(DATABASE, "plain")
        assert wr.catalog.get_table_types(DATABASE, "plain") == {"id": "bigint", "value": "double", "kind": "string"}
        assert wr.catalog.get_table_location(DATABASE, "plain") == self.place("plain")
        assert wr.catalog.get_table_description(DATABASE, "plain") == "three rows"
        assert wr.catalog.get_table_parameters(DATABASE, "plain")["made_by"] == "clients"
        assert wr.catalog.get_columns_comments(DATABASE, "plain")["value"] == "a number"
        assert sorted(wr.catalog.get_parquet_partitions(DATABASE, "plain").values()) == [["a"], ["b"]]
        assert wr.catalog.tables(database=DATABASE)["Table"].tolist() == ["plain"]
        assert wr.catalog.table(DATABASE, "plain")["Column Name"].tolist() == ["id", "value", "kind"]
        wr.catalog.upsert_table_parameters({"seen": "yes"}, DATABASE, "plain")
        assert wr.catalog.get_table_parameters(DATABASE, "plain")["seen"] == "yes"
        assert [item["Name"] for item in wr.catalog.search_tables(text="plain")] == ["plain"]

    def parquet(self) -> None:
        read = wr.s3.read_parquet(self.place("plain"), dataset=True)
        assert sorted(read["id"]) == [1, 2, 3] and set(read["kind"]) == {"a", "b"}
        table = wr.s3.read_parquet_table(database=DATABASE, table="plain", partition_filter=lambda x: x["kind"] == "b")
        assert sorted(table["id"]) == [2, 3]
        assert wr.s3.read_parquet_metadata(self.place("plain"), dataset=True)[0] == {"id": "bigint", "value": "double"}
        wr.s3.to_csv(self._frame, f"{self.place('csv')}a.csv", index=False)
        wr.s3.to_json(self._frame, f"{self.place('json')}a.json", orient="records", lines=True)
        assert wr.s3.read_csv(self.place("csv")).equals(self._frame)
        assert wr.s3.read_json(self.place("json"), lines=True)["id"].tolist() == [1, 2, 3]
        assert len(wr.s3.list_objects(self.place("plain"))) == 2 and wr.s3.does_object_exist(
            f"{self.place('csv')}a.csv"
        )
        wr.s3.delete_objects(self.place("csv"))
        assert wr.s3.list_objects(self.place("csv")) == []

    def queries(self) -> None:
        sql = "SELECT id, kind, value FROM plain ORDER BY id"
        for way in (
            {"ctas_approach": False},
            {"ctas_approach": True},
            {"ctas_approach": False, "unload_approach": True},
        ):
            extra = {"s3_output": self.place("unloaded")} if "unload_approach" in way else {}
            frame = wr.athena.read_sql_query(sql, **{**self._asked, **way, **extra})
            assert sorted(frame["id"]) == [1, 2, 3] and frame["value"].isna().sum() == 1, way
        chunks = list(wr.athena.read_sql_query(sql, ctas_approach=False, chunksize=2, **self._asked))
        assert [len(chunk) for chunk in chunks] == [2, 1]
        named = wr.athena.read_sql_query(
            "SELECT id FROM plain WHERE kind = :kind", params={"kind": "b"}, ctas_approach=False, **self._asked
        )
        assert sorted(named["id"]) == [2, 3]
        marked = wr.athena.read_sql_query(
            "SELECT id FROM plain WHERE id = ?", params=["3"], paramstyle="qmark", ctas_approach=False, **self._asked
        )
        assert marked["id"].tolist() == [3]
        assert len(wr.athena.read_sql_table("plain", **self._asked)) == 3
        again = wr.athena.read_sql_query(
            sql, ctas_approach=False, athena_cache_settings={"max_cache_seconds": 900}, **self._asked
        )
        assert again["id"].tolist() == [1, 2, 3]

    def statements(self) -> None:
        query = wr.athena.start_query_execution("SELECT 1 AS one", **self._asked)
        assert wr.athena.wait_query(query)["Status"]["State"] == "SUCCEEDED"
        assert wr.athena.get_query_results(query)["one"].tolist() == [1]
        assert wr.athena.get_query_columns_types(query) == {"one": "integer"}
        assert query in wr.athena.list_query_executions()
        assert wr.athena.get_query_execution(query)["Query"] == "SELECT 1 AS one"
        assert len(wr.athena.get_query_executions([query])) == 1
        made = wr.athena.create_ctas_table("SELECT * FROM plain", ctas_table="made", wait=True, **self._asked)
        assert made["ctas_table"] == "made" and wr.catalog.does_table_exist(DATABASE, "made")
        assert wr.athena.describe_table("plain", **self._asked)["Column Name"].tolist()[:2] == ["id", "value"]
        assert wr.athena.show_create_table("plain", **self._asked).startswith("CREATE EXTERNAL TABLE")
        assert wr.athena.generate_create_query("plain", database=DATABASE).startswith("CREATE EXTERNAL TABLE")
        unloaded = wr.athena.unload("SELECT id FROM plain", path=self.place("ids"), database=DATABASE)
        assert unloaded.raw_payload["Status"]["State"] == "SUCCEEDED"
        written = wr.s3.read_csv(unloaded.raw_payload["Statistics"]["DataManifestLocation"], header=None)[0].tolist()
        assert sorted(wr.s3.read_parquet(written)["id"]) == [1, 2, 3]
        assert wr.athena.repair_table("plain", **self._asked) == "SUCCEEDED"
        wr.athena.create_prepared_statement("SELECT ? AS given", "with_value", workgroup="primary")
        assert "with_value" in [item["StatementName"] for item in wr.athena.list_prepared_statements()]
        wr.athena.delete_prepared_statement("with_value")
        assert wr.athena.get_work_group("primary")["WorkGroup"]["State"] == "ENABLED"

    def iceberg(self) -> None:
        asked: dict[str, Any] = {"database": DATABASE, "table": "ice", "s3_output": self._out, "keep_files": False}
        place: dict[str, Any] = {"temp_path": self.place("tmp"), "table_location": self.place("ice")}
        wr.athena.to_iceberg(self._frame, **place, **asked)
        more = pd.DataFrame({"id": [3, 4], "kind": ["c", "d"], "value": [9.0, 9.5]})
        wr.athena.to_iceberg(more, merge_cols=["id"], **place, **asked)
        read = "SELECT id, kind FROM ice ORDER BY id"
        frame = wr.athena.read_sql_query(read, ctas_approach=False, **self._asked)
        assert list(zip(frame["id"], frame["kind"], strict=True)) == [(1, "a"), (2, "b"), (3, "c"), (4, "d")]
        gone = pd.DataFrame({"id": [1, 2]})
        wr.athena.delete_from_iceberg_table(gone, merge_cols=["id"], temp_path=self.place("tmp"), **asked)
        assert wr.athena.read_sql_query(read, ctas_approach=False, **self._asked)["id"].tolist() == [3, 4]

    def removal(self) -> None:
        assert wr.catalog.delete_table_if_exists(DATABASE, "made")
        assert wr.catalog.delete_partitions("plain", DATABASE, [["a"]]) is None
        assert list(wr.catalog.get_partitions(DATABASE, "plain").values()) == [["b"]]
        wr.catalog.delete_database(DATABASE)
        assert DATABASE not in wr.catalog.databases()["Database"].tolist()


def calls(bucket: str) -> tuple[int, list[str]]:
    """How many groups of calls ran, and what did not hold."""
    made = Calls(bucket)
    groups: list[Callable[[], None]] = [
        made.catalog, made.parquet, made.queries, made.statements, made.iceberg, made.removal,
    ]  # fmt: skip
    faults = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for group in groups:
            try:
                group()
            except Exception as error:
                faults.append(f"awswrangler, {group.__name__}: {told(error)}")
    return len(groups), faults


def told(error: Exception) -> str:
    """What went wrong and in which line of this module."""
    trace, line = error.__traceback__, 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == __file__:
            line = trace.tb_lineno
        trace = trace.tb_next
    return f"line {line}: {type(error).__name__} {error}"

"""A raw store's table, filled by a job with the rows of its work items: under Spark, or in this process without it.

Both call the same function, item -> Arrow record batches, and end in one commit that first removes what the items
replace.

Example: fill(job, VARIANTS, items, reader, [Replaced("source_file", "a.vcf", "sampleid", ("S1",))])
"""

import random
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import CommitFailedException, NoSuchTableError, TableAlreadyExistsError
from pyiceberg.table import Table
from pyiceberg.transforms import BucketTransform, IdentityTransform, TruncateTransform

from trilake.core.catalog import database_name
from trilake.core.errors import ServiceError
from trilake.core.glue_job import Item, Job, ReadItem, has_spark
from trilake.core.lakehouse.data_files import DataFileWriter
from trilake.core.lakehouse.iceberg import open_catalog
from trilake.core.lakehouse.replace import Replaced, commit, replace_rows

SPARK_CATALOG = "glue_catalog"
METRICS = "write.metadata.metrics"
MOST_TRIES = 5
Spread = Callable[[list[Item]], list[Item]]


@dataclass(frozen=True)
class Target:
    """A store's table: its schema, and how its files are cut and sorted.

    `bucket_by` is the column whose hash spreads the files over `buckets` partitions; `group_by` the one whose first
    `group_length` characters cut them again; `sort_by` the columns that order the rows of each.
    """

    name: str
    schema: pa.Schema
    bucket_by: str
    buckets: int = 16
    group_by: str = ""
    group_length: int = 2
    sort_by: tuple[str, ...] = ()
    full_metrics: tuple[str, ...] = ()


def fill(
    job: Job, target: Target, items: list[Item], read: ReadItem, replaced: list[Replaced], spread: Spread = list
) -> None:
    """Rows of all items into the table; what they replace goes in the same commit.

    `spread` cuts items into parts that several machines can read at once; one machine reads them whole.
    """
    if has_spark():
        fill_on_spark(job, target, spread(items), read, replaced)
    else:
        fill_in_process(job, target, items, read, replaced)


def fill_in_process(job: Job, target: Target, items: list[Item], read: ReadItem, replaced: list[Replaced]) -> None:
    """The rows go to data files first; the commit, which may have to be tried again, moves none of them."""
    writer = DataFileWriter(ensure_table(job, target))
    for item in items:
        for batch in read(item):
            writer.write(batch)
    replace_rows(lambda: ensure_table(job, target), writer.close(), replaced)


def ensure_table(job: Job, target: Target) -> Table:
    """The store's table, made at the first load: Iceberg v2, partitioned by a hash of `bucket_by`.

    One that an earlier version made gets the columns that came since; its rows have none of their values.
    """
    catalog = open_catalog(job.session)
    room, name = target.name.split(".")
    identifier = (database_name(job.session, room) or room, name)
    try:
        return with_columns(catalog.load_table(identifier), target.schema)
    except NoSuchTableError:
        return create(catalog, identifier, target, f"s3://{job.session.settings.core.lake_bucket}/{room}/{name}")


def started_table(job: Job, target: Target) -> Table:
    """The store's table with a snapshot to start from: an empty one in a new table.

    Two first loads would both append to a table that has none, and neither see the other; with one, the second is told.
    """
    table = ensure_table(job, target)
    if table.current_snapshot() is None:
        with suppress(CommitFailedException):  # Another load started it in between.
            commit(table, [], [])
        table = ensure_table(job, target)
    return table


def with_columns(table: Table, schema: pa.Schema) -> Table:
    if set(schema.names) - set(table.schema().column_names):
        with table.update_schema() as update:
            update.union_by_name(schema)
    return table


def create(catalog: Catalog, identifier: tuple[str, str], target: Target, location: str) -> Table:
    properties = {"format-version": "2"}
    if target.full_metrics:
        properties |= {f"{METRICS}.default": "counts"}
        properties |= {f"{METRICS}.column.{name}": "full" for name in target.full_metrics}
    try:
        table = catalog.create_table(identifier, target.schema, location=location, properties=properties)
    except TableAlreadyExistsError:
        return catalog.load_table(identifier)
    with table.transaction() as transaction:
        if target.buckets > 1 or target.group_by:
            with transaction.update_spec() as update:
                if target.buckets > 1:
                    update.add_field(target.bucket_by, BucketTransform(target.buckets), f"{target.bucket_by}_bucket")
                if target.group_by:
                    update.add_field(
                        target.group_by, TruncateTransform(target.group_length), f"{target.group_by}_group"
                    )
        if target.sort_by:
            with transaction.update_sort_order() as order:
                for name in target.sort_by:
                    order.asc(name, IdentityTransform())
    return catalog.load_table(identifier)


def fill_on_spark(job: Job, target: Target, items: list[Item], read: ReadItem, replaced: list[Replaced]) -> None:
    """One Spark task an item. What is replaced and what comes meet on a branch, which readers see when it is whole.

    A branch that another commit has overtaken is made anew from what that one left.
    """
    from pyspark.sql import SparkSession
    from pyspark.sql.pandas.types import from_arrow_schema

    spark = SparkSession.builder.getOrCreate()
    started_table(job, target)
    room, name = target.name.split(".")
    table = f"{database_name(job.session, room)}.{name}"
    work = spark.createDataFrame(items).repartition(len(items))
    rows = work.mapInArrow(items_to_rows(read), from_arrow_schema(target.schema))
    for _ in range(MOST_TRIES):
        branch = f"load_{secrets.token_hex(4)}"
        try:
            if write_branch(spark, table, branch, rows, replaced):
                return
        finally:
            path = f"{SPARK_CATALOG}.{table}"
            change_branches(spark, path, f"ALTER TABLE {path} DROP BRANCH IF EXISTS {branch}")
    raise ServiceError(f"{table}: other loads committed {MOST_TRIES} times in between", next_step="make ingest (again)")


def write_branch(spark: Any, table: str, branch: str, rows: Any, replaced: list[Replaced]) -> bool:
    """Whether the branch became the table; not when another commit came in between."""
    from py4j.protocol import Py4JJavaError
    from pyspark.errors import PySparkException

    path = f"{SPARK_CATALOG}.{table}"
    change_branches(spark, path, f"ALTER TABLE {path} CREATE BRANCH {branch}")
    if keys := sorted({key for one in replaced for key in one.keys}):
        columns = replaced[0].columns
        spark.createDataFrame(keys, [f"of_{column}" for column in columns]).createOrReplaceTempView("replaced")
        same = " AND ".join(f"{column} = replaced.of_{column}" for column in columns)
        spark.sql(f"DELETE FROM {path}.branch_{branch} WHERE EXISTS (SELECT 1 FROM replaced WHERE {same})")
    rows.writeTo(f"{path}.branch_{branch}").append()
    try:
        change_branches(spark, path, f"CALL {SPARK_CATALOG}.system.fast_forward('{table}', 'main', '{branch}')")
    except (Py4JJavaError, PySparkException) as error:
        if "fast-forward" in str(error):
            return False
        raise
    return True


def change_branches(spark: Any, path: str, statement: str) -> None:
    """Run a statement on a table's branches; again, on the table as it is by then, when another commit came first.

    Iceberg's own retries are of no use here: of branches it says "Table metadata refresh is required", and ends.
    """
    from py4j.protocol import Py4JJavaError
    from pyspark.errors import PySparkException

    for attempt in range(1, MOST_TRIES + 1):
        try:
            spark.sql(statement)
            return
        except (Py4JJavaError, PySparkException) as error:
            if attempt == MOST_TRIES or "CommitFailedException" not in str(error):
                raise
        time.sleep(random.uniform(0, 0.2 * attempt))
        spark.sql(f"REFRESH TABLE {path}")


def items_to_rows(read: ReadItem) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """`read` in the form that mapInArrow calls: batches of items in, batches of rows out."""

    def apply(source: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in source:
            for item in batch.to_pylist():
                yield from read(item)

    return apply

"""How a job turns work items into rows of an Iceberg table: under Spark, or in this process where there is none.

Both call the same function, item -> Arrow record batches, and end in one commit that first removes what the items
replace. Reads nothing itself; writes one table of a raw store.

Example: fill(job, VARIANTS, items, reader, [Replaced("source_file", "a.vcf", "sampleid", ("S1",))])
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pyarrow as pa
from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.expressions import And, BooleanExpression, EqualTo, In, Or
from pyiceberg.table import Table
from pyiceberg.transforms import BucketTransform

from trilake.core.catalog import database_name
from trilake.core.iceberg import open_catalog
from trilake.core.job import Item, Job, ReadItem, has_spark

COMMIT_ROWS = 2_000_000
SPARK_CATALOG = "glue_catalog"
BRANCH = "incoming"


@dataclass(frozen=True)
class Target:
    """A store's table: its schema, and the column whose hash spreads its files over `buckets` partitions."""

    name: str
    schema: pa.Schema
    bucket_by: str
    buckets: int = 16


@dataclass(frozen=True)
class Replaced:
    """Rows that a load takes the place of: `column` = value, `within` any of the values, and what `also` says.

    All of one load name the same columns.
    """

    column: str
    value: str
    within: str
    values: tuple[str, ...]
    also: tuple[tuple[str, str], ...] = ()


def fill(job: Job, target: Target, items: list[Item], read: ReadItem, replaced: list[Replaced]) -> None:
    """Rows of all items into the table; what they replace goes in the same commit."""
    if has_spark():
        fill_on_spark(job, target, items, read, replaced)
    else:
        fill_in_process(job, target, items, read, replaced)


def fill_in_process(job: Job, target: Target, items: list[Item], read: ReadItem, replaced: list[Replaced]) -> None:
    table = ensure_table(job, target)
    with table.transaction() as transaction:
        condition = condition_of(replaced)
        if condition is not None and holds_any(table, condition):
            transaction.delete(condition)
        for rows in portions(batches(items, read), target.schema):
            transaction.append(rows)


def batches(items: list[Item], read: ReadItem) -> Iterator[pa.RecordBatch]:
    for item in items:
        yield from read(item)


def portions(source: Iterator[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    """Tables of bounded size: memory does not grow with the load."""
    held: list[pa.RecordBatch] = []
    for batch in source:
        held.append(batch)
        if sum(item.num_rows for item in held) >= COMMIT_ROWS:
            yield pa.Table.from_batches(held, schema)
            held = []
    if held:
        yield pa.Table.from_batches(held, schema)


def holds_any(table: Table, condition: BooleanExpression) -> bool:
    return table.current_snapshot() is not None and any(True for _ in table.scan(condition, limit=1).plan_files())


def condition_of(replaced: list[Replaced]) -> BooleanExpression | None:
    parts: list[BooleanExpression] = [
        And(
            EqualTo(item.column, item.value),
            In(item.within, item.values),
            *(EqualTo(column, value) for column, value in item.also),
        )
        for item in replaced
        if item.values
    ]
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else Or(*parts)


def ensure_table(job: Job, target: Target) -> Table:
    """The store's table, made at the first load: Iceberg v2, partitioned by a hash of `bucket_by`."""
    catalog = open_catalog(job.session)
    room, name = target.name.split(".")
    identifier = (database_name(job.session, room) or room, name)
    try:
        return catalog.load_table(identifier)
    except NoSuchTableError:
        return create(catalog, identifier, target, f"s3://{job.session.settings.core.lake_bucket}/{room}/{name}")


def create(catalog: Catalog, identifier: tuple[str, str], target: Target, location: str) -> Table:
    table = catalog.create_table(identifier, target.schema, location=location, properties={"format-version": "2"})
    if target.buckets > 1:
        with table.update_spec() as update:
            update.add_field(target.bucket_by, BucketTransform(target.buckets), f"{target.bucket_by}_bucket")
    return table


def fill_on_spark(job: Job, target: Target, items: list[Item], read: ReadItem, replaced: list[Replaced]) -> None:
    """One Spark task an item. What is replaced and what comes meet on a branch, which readers see when it is whole."""
    from pyspark.sql import SparkSession
    from pyspark.sql.pandas.types import from_arrow_schema

    spark = SparkSession.builder.getOrCreate()
    is_new = ensure_table(job, target).current_snapshot() is None
    room, name = target.name.split(".")
    table = f"{database_name(job.session, room)}.{name}"
    path = f"{SPARK_CATALOG}.{table}"
    work = spark.createDataFrame(items).repartition(len(items))
    rows = work.mapInArrow(items_to_rows(read), from_arrow_schema(target.schema))
    if is_new:
        rows.writeTo(path).append()
        return
    spark.sql(f"ALTER TABLE {path} CREATE OR REPLACE BRANCH {BRANCH}")
    keys = [(item.value, value, *(fixed for _, fixed in item.also)) for item in replaced for value in item.values]
    if keys:
        columns = [replaced[0].column, replaced[0].within, *(column for column, _ in replaced[0].also)]
        spark.createDataFrame(keys, [f"of_{column}" for column in columns]).createOrReplaceTempView("replaced")
        same = " AND ".join(f"{column} = replaced.of_{column}" for column in columns)
        spark.sql(f"DELETE FROM {path}.branch_{BRANCH} WHERE EXISTS (SELECT 1 FROM replaced WHERE {same})")
    rows.writeTo(f"{path}.branch_{BRANCH}").append()
    spark.sql(f"CALL {SPARK_CATALOG}.system.fast_forward('{table}', 'main', '{BRANCH}')")
    spark.sql(f"ALTER TABLE {path} DROP BRANCH {BRANCH}")


def items_to_rows(read: ReadItem) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """`read` in the form that mapInArrow calls: batches of items in, batches of rows out."""

    def apply(source: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in source:
            for item in batch.to_pylist():
                yield from read(item)

    return apply

"""Governed tables brought up to date and views created, each after what it reads.

A source table that does not exist yet (HealthLake makes one with the first resource of its type, the jobs with their
first file) leaves the governed table as it is, and says so; where the contract says that it may be missing, the SELECT
reads no rows from there.

Example: refresh(session, say=print)
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import click
import pyarrow as pa
import sqlglot
from botocore.exceptions import ClientError
from sqlglot import exp

from trilake.clinical.empty_tables import empty_relation
from trilake.core.athena import run_athena
from trilake.core.catalog import HEALTHLAKE, SOURCES, database_name
from trilake.core.contract import GovernedTable, Layout, load_contract
from trilake.core.errors import InputError, ServiceError
from trilake.core.lakehouse.iceberg import lay_out, open_table
from trilake.core.session import Session
from trilake.core.sql import DIALECT, Relation, load_relations, rename_databases, run_order
from trilake.core.verb import Run, on_engine, verb
from trilake.genomic.store_schema import SAMPLE_FILE, VARIANT
from trilake.imaging.tables import SERIES
from trilake.operations.changes import SourceWatermarks
from trilake.operations.check_sql import faults_of_sql
from trilake.operations.filling import Refill, fill, quoted

STORES = {
    "genomic_store.variant": VARIANT,
    "genomic_store.sample_file": SAMPLE_FILE,
    "imaging_store.series": SERIES,
}
"""Raw tables of our own jobs that a governed table can do without."""
SQL_TYPES = {pa.string(): "varchar", pa.int32(): "integer", pa.int64(): "bigint", pa.bool_(): "boolean"}
VIEW_FIELDS = ("Name", "StorageDescriptor", "TableType", "Parameters", "ViewOriginalText", "ViewExpandedText")


@dataclass
class Built:
    """What one refresh did: names in order, rows of each that was built, why others were not, and how tables were."""

    order: list[str]
    rows: dict[str, int] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    how: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {
            "built": list(self.rows),
            "order": self.order,
            "rows": self.rows,
            "how": self.how,
            "skipped": self.skipped,
        }


def refresh(session: Session, *, say: Callable[[str], None], full: bool = False) -> Built:
    """Build everything, in an order derived from what reads what; with `full`, whole even where little changed."""
    relations, watermarks_now = load_relations(), SourceWatermarks(session)
    built = Built(run_order(relations))
    for name in built.order:
        relation = relations[name]
        target = glue_name(session, name)
        if target is None:
            built.skipped[name] = "its room has no database; it is read inline"
        elif relation.kind == "view":
            create_view(session, relation, target)
            built.rows[name] = count_view(session, target)
        else:
            build_table(watermarks_now, relation, built, say=say, full=full)
        say(line_of(name, relation, built))
    return built


def build_table(
    watermarks_now: SourceWatermarks, relation: Relation, built: Built, *, say: Callable[[str], None], full: bool
) -> None:
    """Fill one governed table, unless a source that it needs does not exist yet."""
    session = watermarks_now.session
    table = load_contract()[relation.name]
    missing = missing_sources(session, relation)
    if needed := missing - table.may_be_missing.keys():
        built.skipped[relation.name] = (
            f"{', '.join(sorted(needed))} does not exist yet: nothing of that kind was loaded"
        )
        return
    for column in add_columns(session, table):
        say(f"  {relation.name}: the contract has a new column, {column}")
    if table.layout != Layout() and lay_out(open_table(session, table.path), table.layout):
        say(f"  {relation.name}: partitions and sort order are the contract's from here")
    tree = without_missing(relation.tree, missing)
    filled = fill(Refill(session, watermarks_now, relation, table, tree, missing), full=full)
    built.rows[relation.name], built.how[relation.name] = filled.rows, filled.how
    for lookup in sorted(missing):
        say(f"  {relation.name}: {lookup} does not exist yet, so nothing is looked up there")


def add_columns(session: Session, table: GovernedTable) -> list[str]:
    """Give the table the columns that the contract has and it has not, as Terraform leaves it to us; their names."""
    database = database_name(session, table.room)
    description = session.client("glue").get_table(DatabaseName=database, Name=table.name)["Table"]
    existing = {column["Name"] for column in description["StorageDescriptor"]["Columns"]}
    new = [column for column in table.columns if column.name not in existing]
    if new:
        columns = ", ".join(f"`{column.name}` {column.type}" for column in new)
        run_athena(session, f"ALTER TABLE `{database}`.`{table.name}` ADD COLUMNS ({columns})")
    return [column.name for column in new]


def line_of(name: str, relation: Relation, built: Built) -> str:
    if name in built.skipped:
        return f"  {relation.kind} {name}: left as it is, {built.skipped[name]}"
    how = f", {built.how[name]}" if name in built.how else ""
    return f"  {relation.kind} {name}: {built.rows[name]:,} rows{how}"


def glue_name(session: Session, name: str) -> str | None:
    """`room.table` as Athena has it; None when the room has no database."""
    room, table = name.split(".")
    database = database_name(session, room)
    return None if database is None else f"{quoted(database)}.{quoted(table)}"


def create_view(session: Session, relation: Relation, target: str) -> None:
    """Create or replace an Athena view; its header becomes its description in the catalog."""
    select = rename_databases(relation.tree, lambda room: database_name(session, room)).sql(
        dialect=DIALECT, comments=False
    )
    run_athena(session, f"CREATE OR REPLACE VIEW {target} AS {select}")
    room, name = relation.name.split(".")
    glue, database = session.client("glue"), database_name(session, room)
    description = glue.get_table(DatabaseName=database, Name=name)["Table"]
    # get_table answers with fields that update_table refuses (CreateTime, VersionId, ...).
    table_input = {key: description[key] for key in VIEW_FIELDS if key in description}
    glue.update_table(
        DatabaseName=database, TableInput={**table_input, "Description": " ".join(relation.header)[:2048]}
    )


def count_view(session: Session, target: str) -> int:
    return int(run_athena(session, f"SELECT count(*) AS n FROM {target}").rows[0][0])


def missing_sources(session: Session, relation: Relation) -> set[str]:
    """The services' own tables that the relation reads and that do not exist."""
    return {name for name in relation.reads if name.split(".")[0] in SOURCES and not exists(session, name)}


def exists(session: Session, name: str) -> bool:
    room, table = name.split(".")
    try:
        session.client("glue").get_table(DatabaseName=database_name(session, room), Name=table)
    except ServiceError:
        return False
    except ClientError as error:
        if error.response["Error"]["Code"] == "EntityNotFoundException":
            return False
        raise
    return True


def without_missing(tree: exp.Expr, missing: set[str]) -> exp.Expr:
    """The tree with missing tables that it can do without read as no rows."""

    def replace(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Table) or f"{node.db}.{node.name}" not in missing:
            return node
        select = node.find_ancestor(exp.Select)
        # of a SELECT of all columns it does not say which; the statement around it names those that count
        reader = tree if select is None or select.is_star else select
        names = {part.name.lower() for column in reader.find_all(exp.Column) for part in column.parts}
        empty = (
            empty_relation(node.name, names) if node.db == HEALTHLAKE else empty_store(f"{node.db}.{node.name}", names)
        )
        inner = sqlglot.parse_one(empty, read=DIALECT)
        return exp.Subquery(
            this=inner, alias=node.args.get("alias") or exp.TableAlias(this=exp.to_identifier(node.name))
        )

    return tree.transform(replace)


def empty_store(name: str, names: set[str]) -> str:
    """A SELECT without rows, with those of the names that are columns of the raw table."""
    columns = [
        f'cast(NULL AS {SQL_TYPES[field.type]}) AS "{field.name}"' for field in STORES[name] if field.name in names
    ]
    return f"SELECT {', '.join(columns)} WHERE FALSE"


@click.command()
@click.option("--check", is_flag=True, help="Only hold the SQL files to the rules and the contract, without AWS.")
@click.option("--full", is_flag=True, help="Rebuild every governed table, even where little or nothing changed.")
@verb
@on_engine
def views(run: Run, check: bool, full: bool) -> None:
    """Bring governed tables and views up to date, each after what it reads.

    Example: trilake views --json
    """
    if check:
        check_files(run)
        return
    with run.session() as session:
        built = refresh(session, say=run.say, full=full)
    run.emit(built.as_json(), text=in_words(built))


def check_files(run: Run) -> None:
    """InputError lists every fault of every SQL file."""
    faults = faults_of_sql()
    if faults:
        raise InputError("SQL files do not hold:\n  " + "\n  ".join(faults), next_step="mend them, then make check")
    order = run_order(load_relations())
    run.emit({"built": [], "order": order, "rows": {}}, text=f"{len(order)} SQL files hold; order: {', '.join(order)}")


def in_words(built: Built) -> str:
    n_rows = sum(built.rows.values())
    words = f"{len(built.rows)} tables and views are up to date, {n_rows:,} rows"
    return words + (f"; {len(built.skipped)} left as they are" if built.skipped else "")

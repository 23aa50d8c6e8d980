"""What counts of what HealthOmics holds: registers of samples and releases, and the views that read by them.

The registers are genomic_store.hosted_sample and hosted_release (Iceberg); the views genomic_store.variant, sample_file
and annotation give HealthOmics' tables the columns of our own.

Example: register_samples(session, [(item, Imported("job"))], links, "20261124T090000-1a2b3c")
"""

from collections.abc import Callable, Iterator

import pyarrow as pa
from sqlglot import exp

from trilake.core.athena import run_athena
from trilake.core.catalog import database_name
from trilake.core.errors import ServiceError
from trilake.core.glue_job import Item, Job
from trilake.core.lakehouse.iceberg import open_table
from trilake.core.lakehouse.store_table import Target, fill_in_process
from trilake.core.paths import SQL
from trilake.core.session import Session
from trilake.core.sql import DIALECT, parse
from trilake.genomic.healthomics.jobs import Imported
from trilake.genomic.healthomics.share import Links
from trilake.genomic.healthomics.stage import stored_names
from trilake.genomic.load import replaced_by
from trilake.genomic.store_schema import SAMPLE_FILE

FOLDER = SQL / "genomic" / "healthomics"
HOSTED = "healthomics"
SAMPLE = pa.schema([("stored_sampleid", pa.string()), ("import_job_id", pa.string()), *SAMPLE_FILE])
RELEASE = pa.schema(
    [
        ("version", pa.string()),
        ("import_job_id", pa.string()),
        ("release", pa.string()),
        ("reference_genome", pa.string()),
        ("source_file", pa.string()),
        ("sha256", pa.string()),
        ("load_id", pa.string()),
    ]
)
SAMPLES = Target("genomic_store.hosted_sample", SAMPLE, bucket_by="sampleid", buckets=1)
RELEASES = Target("genomic_store.hosted_release", RELEASE, bucket_by="version", buckets=1)
InStore = list[tuple[Item, Imported | None]]


def register_samples(session: Session, in_store: InStore, links: Links, load_id: str) -> None:
    """Let these files' samples count, in one commit, instead of what files of the same names brought for them.

    A file without a record to import has no job, and its samples no rows.
    """
    results = {item["sha256"]: result for item, result in in_store}

    def rows(item: Item) -> Iterator[pa.RecordBatch]:
        result, samples = results[item["sha256"]], item["samples"].split("\t")
        values = {
            **item,
            "import_job_id": result.job_id if result else "",
            "source_file": item["name"],
            "load_id": load_id,
        }
        own = {"sampleid": samples, "stored_sampleid": stored_names(item["sha256"], len(samples))}
        columns: dict[str, list[str | None]] = {
            name: [*own[name]] if name in own else [values[name] or None] * len(samples) for name in SAMPLE.names
        }
        yield pa.RecordBatch.from_pydict(columns, schema=SAMPLE)

    replace(session, SAMPLES, in_store, rows)
    assert session.settings.genomic.healthomics is not None
    store = str(session.settings.genomic.healthomics.variant_store)
    create_view(session, "variant", select("variant", session, links.variant, store))
    create_view(session, "sample_file", select("sample_file", session, links.variant, store))


def register_annotations(session: Session, in_store: InStore, links: Links, load_id: str) -> list[str]:
    """Let these files' releases count; the versions that no longer do, for the store to drop."""
    results = {item["sha256"]: result for item, result in in_store}
    # A release is a version of the annotation store, of which HealthOmics allows ten: what no longer counts must go.
    before = versions(session)

    def rows(item: Item) -> Iterator[pa.RecordBatch]:
        result = results[item["sha256"]]
        if result is None:
            return
        values = {
            **item,
            "version": result.version,
            "import_job_id": result.job_id,
            "source_file": item["name"],
            "load_id": load_id,
        }
        yield pa.RecordBatch.from_pydict({name: [values[name]] for name in RELEASE.names}, schema=RELEASE)

    replace(session, RELEASES, in_store, rows)
    now = versions(session)
    if now:
        create_view(session, "annotation", union(session, links, sorted(now)))
    return sorted(before - now)


def replace(
    session: Session, target: Target, in_store: InStore, rows: Callable[[Item], Iterator[pa.RecordBatch]]
) -> None:
    items = [item for item, _ in in_store]
    fill_in_process(Job({}, session), target, items, rows, [replaced_by(item) for item in items])


def versions(session: Session) -> set[str]:
    """The versions that the register names; none while it is not there."""
    database = str(database_name(session, "genomic_store"))
    tables = session.client("glue").get_tables(DatabaseName=database, Expression="hosted_release")["TableList"]
    if not tables:
        return set()
    releases = open_table(session, RELEASES.name).scan(selected_fields=("version",)).to_arrow()
    return set(releases["version"].to_pylist())


def union(session: Session, links: Links, named: list[str]) -> str:
    """One SELECT over the tables of all versions."""
    tables = [item["Name"] for item in tables_of(session, links.annotation)]
    parts = []
    for version in named:
        table = next((name for name in tables if name.endswith(version)), None)
        if table is None:
            raise ServiceError(f"HealthOmics shows no table of version {version}", next_step="make ingest (again)")
        parts.append(select("annotation", session, links.annotation, table).replace("'VERSION'", f"'{version}'"))
    return "\nUNION ALL\n".join(parts)


def tables_of(session: Session, link: str) -> Iterator[dict[str, str]]:
    for page in session.client("glue").get_paginator("get_tables").paginate(DatabaseName=link):
        yield from page["TableList"]


def select(name: str, session: Session, link: str, table: str) -> str:
    """The SELECT of sql/genomic/healthomics/<name>.sql over one table behind a link."""
    path = FOLDER / f"{name}.sql"
    tree = parse(path.read_text(), source=str(path))
    for node in tree.find_all(exp.Table):
        if node.db == HOSTED:
            node.set("db", exp.to_identifier(link, quoted=True))
            node.set("this", exp.to_identifier(table, quoted=True))
        else:
            node.set("db", exp.to_identifier(database_name(session, node.db) or node.db, quoted=True))
    return tree.sql(dialect=DIALECT, comments=False)


def create_view(session: Session, name: str, text: str) -> None:
    """Create or replace a view in the store's database. ServiceError where our own backend has left a table."""
    database = str(database_name(session, "genomic_store"))
    tables = session.client("glue").get_tables(DatabaseName=database, Expression=name)["TableList"]
    if any(item["Name"] == name and item.get("TableType") != "VIRTUAL_VIEW" for item in tables):
        raise ServiceError(
            f'{database}.{name} is a table of genomic_backend = "iceberg"',
            next_step=f"drop it (aws glue delete-table --database-name {database} --name {name}), then make ingest",
        )
    run_athena(session, f'CREATE OR REPLACE VIEW "{database}"."{name}" AS {text}')

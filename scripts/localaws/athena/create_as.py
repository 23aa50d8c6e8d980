"""CREATE TABLE AS SELECT and UNLOAD: a query's rows in a place of their own.

Reads tables; writes objects, a manifest and (CTAS) a catalog entry. Behind `make local-aws`.
Example: `CREATE TABLE t WITH (table_type = 'ICEBERG', location = 's3://b/t/', is_external = false) AS SELECT …`
"""

from __future__ import annotations

from localaws.athena import statements as st
from localaws.athena.columninfo import metadata_bytes
from localaws.athena.create_table import NewColumn, create_iceberg, register
from localaws.athena.dml import ROWS
from localaws.athena.engine import Counted, Result, ResultColumn
from localaws.athena.errors import QueryError
from localaws.athena.files_out import Format, Sink, check_names, manifest
from localaws.athena.hive_write import add_partitions, glue_columns, storage_of
from localaws.athena.iceberg_write import Writer
from localaws.athena.results import put
from localaws.athena.session import Name, Outcome, Session
from localaws.athena.storage import keys_under, require, require_write
from localaws.athena.types import trino_text

_KNOWN = frozenset(
    {
        "bucket_count",
        "bucketed_by",
        "compression",
        "compression_level",
        "external_location",
        "field_delimiter",
        "format",
        "is_external",
        "location",
        "optimize_rewrite_data_file_threshold",
        "optimize_rewrite_delete_file_threshold",
        "optimize_rewrite_max_data_file_size_bytes",
        "optimize_rewrite_min_data_file_size_bytes",
        "parquet_compression",
        "partitioned_by",
        "partitioning",
        "table_type",
        "vacuum_max_snapshot_age_seconds",
        "vacuum_min_snapshots_to_keep",
        "write_compression",
    }
)


def create_table_as(session: Session, statement: st.CreateTableAs) -> Outcome:
    """A new table with the query's columns and, unless WITH NO DATA, its rows."""
    unknown = sorted(set(statement.properties) - _KNOWN)
    if unknown:
        raise QueryError(
            "INVALID_TABLE_PROPERTY", f"Catalog 'awsdatacatalog' table property '{unknown[0]}' does not exist"
        )
    name = session.named(statement.table)
    database = session.database_ref(name.database)
    session.require(database, "CREATE_TABLE")
    if session.relation(name) is not None:
        if statement.if_not_exists:
            return Outcome(ROWS, update_count=0, location=session.place.path(""))
        raise QueryError("TABLE_ALREADY_EXISTS", f"Table '{name.database}.{name.name}' already exists")
    query = session.authorised(statement.tree)
    columns = session.engine.describe(query)
    check_names(columns)
    is_iceberg = statement.properties.get("table_type", "").upper() == "ICEBERG"
    with session.engine.run(query, session.work) as result:
        batches = result.batches if statement.with_data else iter(())
        make = _iceberg if is_iceberg else _hive
        return make(session, statement.properties, name, Result(result.columns, batches))


def _location(session: Session, properties: dict[str, str], key: str) -> str:
    given = properties.get(key)
    location = given or f"{session.place.folder.rstrip('/')}/tables/{session.place.query_id}/"
    require_write(session.caller, location)
    if given:
        require(session.caller, "s3:ListBucket", location)
    if keys_under(session.world, location, limit=1):
        message = f"Target directory for table already exists: {location}"
        raise QueryError("HIVE_PATH_ALREADY_EXISTS", message)
    return location


def _iceberg(session: Session, properties: dict[str, str], name: Name, result: Result) -> Outcome:
    if properties.get("is_external", "false").lower() != "false":
        raise QueryError("INVALID_TABLE_PROPERTY", "Iceberg tables need is_external = false")
    location = _location(session, properties, "location")
    columns = [NewColumn(column.name, trino_text(column.type)) for column in result.columns]
    kept = {key: value for key, value in properties.items() if key.startswith(("vacuum_", "optimize_", "write_"))}
    parts = [part for part in properties.get("partitioning", "").split("\n") if part]
    create_iceberg(session, name, columns, parts, location.rstrip("/"), kept)
    session.fresh()
    ref = session.relation(name)
    assert ref is not None
    counted, writer = Counted(result.batches), Writer(session.world, ref)
    try:
        files = writer.files(counted)
        writer.append(files)
    except BaseException:
        # The query failed or was stopped on the way: then there is no table.
        session.world.client("glue", ref.catalog_id).delete_table(DatabaseName=ref.database, Name=ref.name)
        raise
    return _finished(session, [file.file_path for file in files], counted.rows, result.columns, location)


def _hive(session: Session, properties: dict[str, str], name: Name, result: Result) -> Outcome:
    if "bucketed_by" in properties and not properties.get("bucket_count", "").isdigit():
        raise QueryError("INVALID_TABLE_PROPERTY", "bucketed_by needs bucket_count")
    location = _location(session, properties, "external_location")
    form = _format(properties)
    keys = [key.lower() for key in properties.get("partitioned_by", "").split("\n") if key]
    tail = [column.name for column in result.columns][len(result.columns) - len(keys) :]
    if keys != tail:
        message = "Partition keys must be the last columns in the table and in the same order as the table properties"
        raise QueryError("HIVE_COLUMN_ORDER_MISMATCH", f"{message}: [{', '.join(keys)}]")
    sink = Sink(session.world, location, result.columns, form, len(keys), session.place.encryption)
    sink.write(result.batches)
    settings = {"field.delim": form.delimiter} if form.name == "TEXTFILE" else {"serialization.format": "1"}
    width = len(result.columns) - len(keys)
    entry = {
        "Name": name.name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE", "has_encrypted_data": "false"},
        "PartitionKeys": glue_columns(result.columns[width:]),
        "StorageDescriptor": storage_of(form.name, location, glue_columns(result.columns[:width]), settings),
    }
    ref = register(session, name, entry)
    if keys:
        add_partitions(session, ref, sink)
    return _finished(session, sink.written, sink.rows, result.columns, location)


def _format(properties: dict[str, str]) -> Format:
    name = properties.get("format", "PARQUET").upper()
    chosen = next((properties[key] for key in ("write_compression", "parquet_compression") if key in properties), "")
    return Format(name, chosen or properties.get("compression", ""), properties.get("field_delimiter", "\x01"))


def _finished(
    session: Session, written: list[str], rows: int, columns: tuple[ResultColumn, ...], location: str
) -> Outcome:
    base = f"{session.place.folder.rstrip('/')}/tables/{session.place.query_id}"
    put(session.world, f"{base}-manifest.csv", manifest(written), session.place.encryption)
    put(session.world, f"{base}.metadata", metadata_bytes(columns), session.place.encryption)
    return Outcome(ROWS, update_count=rows, location=base, manifest=f"{base}-manifest.csv")


def unload(session: Session, statement: st.Unload) -> Outcome:
    """UNLOAD (query) TO 's3://…' WITH (format = …): files only, into an empty place."""
    properties = statement.properties
    unknown = sorted(
        set(properties) - {"format", "compression", "compression_level", "field_delimiter", "partitioned_by"}
    )
    if unknown or "format" not in properties:
        raise QueryError("INVALID_PROCEDURE_ARGUMENT", f"Unload property not known: {(unknown or ['format'])[0]}")
    location = statement.location
    require(session.caller, "s3:ListBucket", location)
    require(session.caller, "s3:PutObject", f"{location.rstrip('/')}/data")
    if keys_under(session.world, location, limit=1):
        message = (
            f"Target directory for table already exists: {location}. You may need to manually clean the data there"
        )
        raise QueryError("HIVE_PATH_ALREADY_EXISTS", message)
    query = session.authorised(statement.tree)
    check_names(session.engine.describe(query))
    keys = [key.lower() for key in properties.get("partitioned_by", "").split("\n") if key]
    with session.engine.run(query, session.work) as result:
        names = [column.name for column in result.columns]
        if keys != names[len(names) - len(keys) :]:
            raise QueryError("HIVE_COLUMN_ORDER_MISMATCH", "Partition keys must be the last columns in the query")
        form = _format({"compression": "", **properties})
        sink = Sink(session.world, location, result.columns, form, len(keys), session.place.encryption)
        sink.write(result.batches)
    base = session.place.path("")
    put(session.world, f"{base}-manifest.csv", manifest(sink.written), session.place.encryption)
    put(session.world, f"{base}.metadata", metadata_bytes(result.columns), session.place.encryption)
    return Outcome(ROWS, update_count=sink.rows, location=base, manifest=f"{base}-manifest.csv")

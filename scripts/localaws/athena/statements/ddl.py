"""CREATE VIEW and DATABASE, DROP, ALTER TABLE, partitions and MSCK REPAIR TABLE."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError
from pyiceberg.exceptions import CommitFailedException, ValidationError

from localaws.athena.catalog import DatabaseRef, TableRef, View, glue_input
from localaws.athena.errors import QueryError
from localaws.athena.metadata_tables import visible_databases
from localaws.athena.rights import check_partition, check_properties, keys_under, remove_under, require_write
from localaws.athena.session import Outcome, Session
from localaws.athena.statements import model as st
from localaws.athena.statements.create_tables import iceberg_type, register
from localaws.athena.statements.data_files import check_names
from localaws.athena.types import parse_type, trino_from_hive, trino_text


def create_view(session: Session, statement: st.CreateView) -> Outcome:
    """The view in Athena's own form; its query must be valid for the caller now."""
    name = session.named(statement.view)
    database = session.database_ref(name.database)
    session.require(database, "CREATE_TABLE")
    query = session.authorised(statement.tree)
    columns = session.engine.describe(query)
    check_names(columns)
    # Bare names in the view mean what they meant to its author.
    schema = session.database or name.database
    view = View(statement.sql, schema, tuple((column.name, trino_text(column.type)) for column in columns))
    entry = glue_input(name.name, view)
    existing = session.relation(name)
    if existing is None:
        register(session, name, entry)
        return Outcome(lines=[])
    if existing.kind != "view":
        raise QueryError("TABLE_ALREADY_EXISTS", f"'{name.database}.{name.name}' is a table, not a view")
    if not statement.replace:
        raise QueryError("TABLE_ALREADY_EXISTS", f"View already exists: '{name.database}.{name.name}'")
    session.require(existing, "ALTER")
    session.world.client("glue", existing.catalog_id).update_table(DatabaseName=existing.database, TableInput=entry)
    return Outcome(lines=[])


def drop(session: Session, statement: st.Drop) -> Outcome:
    """DROP TABLE, VIEW or DATABASE; an Iceberg table goes with its data, another table leaves its files."""
    if statement.what == "DATABASE":
        return _drop_database(session, statement)
    name = session.named(statement.name)
    table = session.visible(name)
    if table is None or (table.kind == "view") != (statement.what == "VIEW"):
        if statement.if_exists and table is None:
            return Outcome(lines=[])
        kind = "View" if statement.what == "VIEW" else "Table"
        raise QueryError("TABLE_NOT_FOUND", f"{kind} 'awsdatacatalog.{name.database}.{name.name}' does not exist")
    session.require(table, "DROP")
    if table.kind == "iceberg":
        require_write(session.caller, table.location)
    session.world.client("glue", table.catalog_id).delete_table(DatabaseName=table.database, Name=table.name)
    # Iceberg tables are managed, their data goes with them:
    # https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-managing-tables.html
    if table.kind == "iceberg" and table.location:
        remove_under(session.world, table.location)
    return Outcome(lines=[])


def _drop_database(session: Session, statement: st.Drop) -> Outcome:
    name = statement.name[-1]
    database = session.catalog.database(name)
    if database is None or database.link_name not in {item.link_name for item in visible_databases(session)}:
        if statement.if_exists:
            return Outcome(lines=[])
        raise QueryError("SCHEMA_NOT_FOUND", f"Schema '{name}' does not exist")
    session.require(database, "DROP")
    if session.catalog.relations(database) and not statement.cascade:
        message = f"FAILED: Execution Error. InvalidOperationException(message:Database {name} is not empty.)"
        raise QueryError("DDL_ERROR", message)
    session.world.client("glue").delete_database(Name=database.link_name)
    return Outcome(lines=[])


def create_database(session: Session, statement: st.CreateDatabase) -> Outcome:
    """CREATE DATABASE; the caller is its creator."""
    session.require(DatabaseRef(session.world.account_id, statement.name, statement.name), "CREATE_DATABASE")
    entry = {"Name": statement.name, "LocationUri": statement.location, "Description": statement.comment}
    try:
        session.world.client("glue").create_database(DatabaseInput={k: v for k, v in entry.items() if v})
    except ClientError as error:
        if error.response["Error"]["Code"] != "AlreadyExistsException":
            raise
        if statement.if_not_exists:
            return Outcome(lines=[])
        raise QueryError("DDL_ERROR", f"FAILED: Execution Error. Database {statement.name} already exists") from None
    session.world.creators[(session.world.account_id, statement.name, None)] = session.caller.arn
    return Outcome(lines=[])


def alter(session: Session, statement: st.Statement) -> Outcome:
    """ALTER TABLE ADD COLUMNS, CHANGE COLUMN, DROP COLUMN, SET TBLPROPERTIES."""
    ref = session.table(session.named(statement.table))  # type: ignore[attr-defined]
    session.require(ref, "ALTER")
    if ref.kind == "view":
        raise QueryError("NOT_SUPPORTED", "ALTER TABLE does not take views")
    if isinstance(statement, st.SetProperties):
        check_properties(statement.properties)
    if ref.kind == "iceberg":
        require_write(session.caller, ref.location)
        _alter_iceberg(session, ref, statement)
    else:
        _alter_hive(session, ref, statement)
    return Outcome(lines=[])


def _alter_iceberg(session: Session, ref: TableRef, statement: st.Statement) -> None:
    table = session.world.iceberg_catalog(ref.catalog_id).load_table((ref.database, ref.name))
    try:
        if isinstance(statement, st.SetProperties):
            with table.transaction() as transaction:
                transaction.set_properties(dict(statement.properties))
            return
        with table.update_schema() as update:
            _change_schema(update, ref, statement)
    except CommitFailedException:
        raise QueryError("ICEBERG_COMMIT_ERROR", "Failed to commit to the table") from None
    except (ValidationError, ValueError, TypeError) as error:
        raise QueryError("DDL_ERROR", f"The change of the schema is not possible: {error}") from None


def _change_schema(update: Any, ref: TableRef, statement: st.Statement) -> None:
    ids = iter(range(1, 100_000))
    if isinstance(statement, st.AddColumns):
        for column in statement.columns:
            if column.name in ref.column_names:
                raise QueryError("COLUMN_ALREADY_EXISTS", f"Column '{column.name}' already exists")
            kind = iceberg_type(parse_type(trino_from_hive(column.type)), ids)
            update.add_column(column.name, kind, doc=column.comment or None)
    elif isinstance(statement, st.ChangeColumn):
        kind = iceberg_type(parse_type(trino_from_hive(statement.column.type)), ids)
        update.update_column(statement.name, kind, doc=statement.column.comment or None)
        if statement.column.name != statement.name:
            update.rename_column(statement.name, statement.column.name)
    elif isinstance(statement, st.DropColumn):
        update.delete_column(statement.name)


def _alter_hive(session: Session, ref: TableRef, statement: st.Statement) -> None:
    allowed = ("Name", "Description", "Owner", "TableType", "Parameters", "PartitionKeys", "StorageDescriptor")
    entry = {key: ref.glue[key] for key in allowed if key in ref.glue}
    storage = dict(entry["StorageDescriptor"])
    if isinstance(statement, st.AddColumns):
        storage["Columns"] = [
            *storage["Columns"],
            *({"Name": column.name, "Type": column.type} for column in statement.columns),
        ]
    elif isinstance(statement, st.SetProperties):
        entry["Parameters"] = {**ref.parameters, **statement.properties}
    else:
        raise QueryError("NOT_SUPPORTED", "Only ADD COLUMNS and SET TBLPROPERTIES for tables that are not Iceberg")
    entry["StorageDescriptor"] = storage
    session.world.client("glue", ref.catalog_id).update_table(DatabaseName=ref.database, TableInput=entry)


def add_partitions(session: Session, statement: st.AddPartitions) -> Outcome:
    """ALTER TABLE … ADD PARTITION."""
    ref = session.table(session.named(statement.table))
    session.require(ref, "ALTER")
    keys = [column.name for column in ref.columns if column.is_partition]
    for values, location in statement.partitions:
        lower = {name.lower(): value for name, value in values.items()}
        if sorted(lower) != sorted(keys):
            raise QueryError("INVALID_PARTITION_VALUE", "The partition's keys are not the table's")
        steps = "/".join(f"{key}={lower[key]}" for key in keys)
        place = location or f"{ref.location.rstrip('/')}/{steps}/"
        # ALTER on a table is no right to read what a partition could be pointed at.
        check_partition(session.caller, ref, place)
        _add_partition(session, ref, [lower[key] for key in keys], place, statement.if_not_exists)
    return Outcome(lines=[])


def _add_partition(session: Session, ref: TableRef, values: list[str], place: str, unless: bool) -> bool:
    storage = {**ref.glue["StorageDescriptor"], "Location": place}
    try:
        session.world.client("glue", ref.catalog_id).create_partition(
            DatabaseName=ref.database,
            TableName=ref.name,
            PartitionInput={"Values": values, "StorageDescriptor": storage},
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "AlreadyExistsException":
            raise
        if not unless:
            raise QueryError("DDL_ERROR", "FAILED: Execution Error. Partition already exists") from None
        return False
    return True


def repair(session: Session, statement: st.Repair) -> Outcome:
    """MSCK REPAIR TABLE: a partition for each `key=value` folder that has none."""
    ref = session.table(session.named(statement.table))
    session.require(ref, "ALTER")
    keys = [column.name for column in ref.columns if column.is_partition]
    partitions: dict[tuple[str, ...], str] = {}
    bucket, _, prefix = ref.location.removeprefix("s3://").partition("/")
    root = prefix.rstrip("/") + "/"
    for key in keys_under(session.world, ref.location):
        steps = key[len(root) :].split("/")[: len(keys)]
        pairs = [step.partition("=") for step in steps]
        if [pair[0].lower() for pair in pairs] == keys and keys:
            partitions[tuple(pair[2] for pair in pairs)] = f"s3://{bucket}/{root}{'/'.join(steps)}/"
    # Folders that are gone keep their partitions: https://docs.aws.amazon.com/athena/latest/ug/msck-repair-table.html
    added = [
        ":".join(values)
        for values, place in partitions.items()
        if _add_partition(session, ref, list(values), place, True)
    ]
    return Outcome(lines=[f"Partitions not in metastore:\t{ref.name}:{value}" for value in added])

"""SELECT, INSERT, MERGE, UPDATE, DELETE, and the upkeep of Iceberg tables: OPTIMIZE and VACUUM."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table import FileScanTask, Table
from sqlglot import exp

from localaws.athena.catalog import Column, TableRef
from localaws.athena.engine import Counted, Query, Result, ResultColumn
from localaws.athena.errors import QueryError
from localaws.athena.iceberg import Writer, bucket_and_key, planned, surviving_rows
from localaws.athena.results import write_rows
from localaws.athena.rights import require_write
from localaws.athena.session import Name, Outcome, Session, text_columns
from localaws.athena.statements import model as st
from localaws.athena.statements.changes import (
    PATH,
    POSITION,
    TARGET,
    carrier,
    change_query,
    insertion,
    restored,
    target_name,
    without_target,
)
from localaws.athena.statements.data_files import insert_into_hive
from localaws.athena.types import Type, coerces, parse_type, trino_text

if TYPE_CHECKING:
    from localaws.athena.catalog import TableRef
    from localaws.world import World


# What a commit to Iceberg changes in a Glue entry.
POINTERS = ("metadata_location", "previous_metadata_location")
MEMBERS = ("Name", "Description", "Owner", "Retention", "StorageDescriptor", "PartitionKeys", "TableType")
TRIES = 5


# Trino's commit writes the whole entry anew and knows nothing of Athena's marks on columns (`iceberg.field.id`,
# `iceberg.field.current`) or of others' settings; clients such as awswrangler go by them.
def keep_entry(world: World, ref: TableRef) -> None:
    """Put back what was there before, but for the pointers to the metadata; again if somebody commits meanwhile."""
    glue = world.client("glue", ref.catalog_id)
    for _ in range(TRIES):
        now = glue.get_table(DatabaseName=ref.database, Name=ref.name)["Table"]
        wanted = _entry(ref.glue, now["Parameters"])
        if wanted == _entry(now, now["Parameters"]):
            return
        try:
            glue.update_table(
                DatabaseName=ref.database, TableInput=wanted, VersionId=now["VersionId"], SkipArchive=True
            )
        except glue.exceptions.ConcurrentModificationException:
            continue
        return
    raise QueryError("ICEBERG_COMMIT_ERROR", "Failed to commit: the table was changed in the meantime")


def _entry(table: dict[str, Any], committed: dict[str, str]) -> dict[str, Any]:
    parameters = {name: text for name, text in (table.get("Parameters") or {}).items() if name not in POINTERS}
    parameters |= {name: committed[name] for name in POINTERS if name in committed}
    return {**{name: table[name] for name in MEMBERS if table.get(name) is not None}, "Parameters": parameters}


ROWS = (ResultColumn("rows", Type("bigint")),)


def select(session: Session, statement: st.Select) -> Outcome:
    """A query's rows as CSV at the session's place."""
    location = session.place.path(".csv")
    with session.engine.run(session.authorised(statement.tree), session.work) as result:
        count = write_rows(session.world, location, result, session.place.encryption)
        return Outcome(result.columns, rows=count, location=location)


def explain(session: Session, statement: st.Explain) -> Outcome:
    """How the query would run; with ANALYZE it does run."""
    query = session.authorised(statement.tree)
    lines = session.engine.explain(query).splitlines()
    if statement.analyze:
        with session.engine.run(query, session.work) as result:
            lines.append(f"Rows: {sum(batch.num_rows for batch in result.batches)}")
    return Outcome(text_columns(["Query Plan"]), lines=lines)


def insert(session: Session, statement: st.Insert) -> Outcome:
    """INSERT INTO: by place, or by the columns that are named; the others are NULL."""
    ref = session.table(session.named(statement.table))
    if ref.kind == "view":
        raise QueryError("NOT_SUPPORTED", "Inserting into views is not supported")
    session.require(ref, "INSERT")
    require_write(session.caller, ref.location)
    tree = filled(statement.tree, statement.columns, ref)
    query = session.authorised(tree)
    # Trino commits by itself; DuckDB gives None, and its rows are written here.
    rows = _inserted_by_engine(session, query, ref)
    if rows is not None:
        return Outcome(ROWS, update_count=rows, location=session.place.path(""))
    with session.engine.run(query, session.work) as result:
        check_types("Insert query", result.columns, ref)
        counted = Counted(result.batches)
        if ref.kind == "iceberg":
            writer = Writer(session.world, ref)
            writer.append(writer.files(counted))
        else:
            insert_into_hive(session, ref, Result(result.columns, iter(counted)))
    return Outcome(ROWS, update_count=counted.rows, location=session.place.path(""))


def _inserted_by_engine(session: Session, query: Query, ref: TableRef) -> int | None:
    if ref.kind != "iceberg":
        return None
    statement = Query(insertion(query.tree.copy()), {**query.tables, TARGET: ref}, query.rows)
    return _committed_by_engine(session, statement, ref)


def filled(tree: exp.Query, columns: list[str], ref: TableRef) -> exp.Query:
    """The query with a column for each of the table's, in its order."""
    if not columns:
        return tree
    unknown = [name for name in columns if name not in ref.column_names]
    if unknown or len(set(columns)) != len(columns):
        shown = unknown[0] if unknown else columns[0]
        raise QueryError("COLUMN_NOT_FOUND", f"Insert column name does not exist in target table: {shown}")
    places = {name: f"c{index}" for index, name in enumerate(columns)}
    listed = [
        exp.column(places[name], "__rows", quoted=True) if name in places else exp.Null() for name in ref.column_names
    ]
    names = [exp.to_identifier(place, quoted=True) for place in places.values()]
    alias = exp.TableAlias(this=exp.to_identifier("__rows", quoted=True), columns=names)
    return exp.Select(expressions=listed, from_=exp.From(this=exp.Subquery(this=tree, alias=alias)))


def check_types(what: str, columns: Iterable[ResultColumn], ref: TableRef) -> None:
    """TYPE_MISMATCH unless each column can become the table's column in its place."""
    query_types = [column.type for column in columns]
    table_types = [parse_type(column.type) for column in ref.columns]
    if len(query_types) != len(table_types) or not all(
        coerces(source, target) for source, target in zip(query_types, table_types, strict=True)
    ):
        tables, queries = (", ".join(trino_text(item) for item in items) for items in (table_types, query_types))
        raise QueryError("TYPE_MISMATCH", f"{what} has mismatched column types: Table: [{tables}], Query: [{queries}]")


def change(session: Session, statement: st.Change) -> Outcome:
    """MERGE, UPDATE, DELETE: rows found by one query, files rewritten, one commit."""
    ref = _changeable(session, session.named(target_name(statement.tree)), statement.word)
    rows = _changed_by_engine(session, statement.tree, ref)
    if rows is not None:
        return Outcome(ROWS, update_count=rows, location=session.place.path(""))
    query = _target_query(session, change_query(statement.tree, ref), ref)
    writer = Writer(session.world, ref)
    row_changes = _RowChanges(len(ref.columns))
    with session.engine.run(query, session.work) as result:
        # Before the new values come file, position and number of the clause.
        check_types(f"{statement.word} statement", result.columns[3:], ref)
        added = writer.files(row_changes.new_rows(result.batches, deletes=_deleting(statement.tree)))
    snapshot = writer.read.current_snapshot()
    tasks = planned(writer.read, snapshot)
    # DuckDB says where it read: a path of this machine; Iceberg knows the file by its address.
    paths = {_local(session, task.file.file_path): task.file.file_path for task in tasks}
    removed = {paths.get(path, path): positions for path, positions in row_changes.old_positions().items()}
    writer.change(removed, tasks, added)
    return Outcome(ROWS, update_count=row_changes.rows, location=session.place.path(""))


def _changed_by_engine(session: Session, tree: exp.Expr, ref: TableRef) -> int | None:
    authorised = session.authorised(carrier(tree))
    statement = Query(restored(tree, authorised.tree), {**authorised.tables, TARGET: ref}, authorised.rows)
    return _committed_by_engine(session, statement, ref)


def _committed_by_engine(session: Session, statement: Query, ref: TableRef) -> int | None:
    rows = session.engine.change(statement, session.work)
    if rows is not None:
        keep_entry(session.world, ref)
    return rows


def _local(session: Session, location: str) -> str:
    return str(session.world.object_path(*bucket_and_key(location)))


def _changeable(session: Session, name: Name, word: str) -> TableRef:
    ref = session.table(name)
    if ref.kind != "iceberg":
        raise QueryError("NOT_SUPPORTED", "Modifying Hive table rows is only supported for transactional tables")
    # Lake Formation has no row rules for a target, so a change needs the right to read all of it.
    needed = {"DELETE": ["DELETE"], "UPDATE": ["UPDATE"], "MERGE": ["INSERT", "DELETE"]}[word]
    session.require(ref, "READ_ALL", *needed)
    require_write(session.caller, ref.location)
    return ref


def _target_query(session: Session, tree: exp.Select, ref: TableRef) -> Query:
    """The authorised SELECT with the reserved name bound to the target and its row positions."""
    authorised = session.authorised(tree)
    extra = (Column(PATH, "varchar"), Column(POSITION, "bigint"))
    target = replace(ref, columns=(*ref.columns, *extra))
    return Query(without_target(authorised.tree), {**authorised.tables, TARGET: target}, authorised.rows)


def _deleting(tree: exp.Expr) -> frozenset[int]:
    """Numbers of the clauses that only take rows away."""
    if isinstance(tree, exp.Merge):
        whens = tree.args["whens"].expressions
        return frozenset(index + 1 for index, when in enumerate(whens) if isinstance(when.args["then"], exp.Var))
    return frozenset([1]) if isinstance(tree, exp.Delete) else frozenset()


class _RowChanges:
    """What a change does to rows: positions of the old ones by file, and the new ones."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.rows = 0
        self._positions: dict[str, list[np.ndarray]] = {}

    def new_rows(self, batches: Iterable[pa.RecordBatch], *, deletes: frozenset[int]) -> Iterator[pa.Table]:
        """Note the old rows, hand on the new ones."""
        for batch in batches:
            table = pa.Table.from_batches([batch])
            table = table.filter(pc.is_valid(table.column(2)))
            self.rows += len(table)
            self._note(table)
            mask = pc.invert(pc.is_in(table.column(2), value_set=pa.array(sorted(deletes), table.column(2).type)))
            yield table.filter(mask).select(range(3, 3 + self.width))

    def _note(self, table: pa.Table) -> None:
        matched = table.filter(pc.is_valid(table.column(0))).select([0, 1])
        for path in pc.unique(matched.column(0)).to_pylist():
            rows = matched.filter(pc.equal(matched.column(0), path)).column(1)
            self._positions.setdefault(path, []).append(rows.to_numpy())

    def old_positions(self) -> dict[str, np.ndarray]:
        """Positions by file; an error if a row was to change twice."""
        positions_by_file = {}
        for path, parts in self._positions.items():
            positions = np.concatenate(parts)
            # As Trino's MERGE; an UPDATE or DELETE finds each row once.
            if len(np.unique(positions)) != len(positions):
                message = "One MERGE target table row matched more than one source row"
                raise QueryError("MERGE_TARGET_ROW_MULTIPLE_MATCHES", message)
            positions_by_file[path] = positions
        return positions_by_file


SMALL = 64 << 20
# Athena's defaults: https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-creating-tables.html
OLDEST_SECONDS, FEWEST_SNAPSHOTS = 432_000, 1


def maintain(session: Session, statement: st.Maintain) -> Outcome:
    """OPTIMIZE or VACUUM."""
    ref = session.table(session.named(statement.table))
    if ref.kind != "iceberg":
        raise QueryError("NOT_SUPPORTED", f"{statement.word} is for Iceberg tables")
    session.require(ref, "READ_ALL", "INSERT", "DELETE")
    require_write(session.caller, ref.location)
    if statement.word == "VACUUM":
        _vacuum(session, ref)
    elif statement.where is not None:
        raise QueryError("NOT_SUPPORTED", "OPTIMIZE with WHERE is not supported: leave it out to pack the whole table")
    else:
        _pack(session, ref)
    return Outcome(lines=[])


def _pack(session: Session, ref: TableRef) -> None:
    """Small files and files with deletes of one partition become one; what is packed already stays."""
    writer = Writer(session.world, ref)
    tasks = planned(writer.read, writer.read.current_snapshot())
    groups: dict[str, list[FileScanTask]] = {}
    for task in tasks:
        if task.delete_files or task.file.file_size_in_bytes < SMALL:
            groups.setdefault(repr(task.file.partition), []).append(task)
    chosen = [group for group in groups.values() if len(group) > 1 or group[0].delete_files]
    packed = [task for group in chosen for task in group]
    if not packed:
        return
    rows = (surviving_rows(writer.read, task, writer.read.schema()) for group in chosen for task in group)
    added = writer.files(rows)
    counts = {task.file.file_path: _everything(writer.read, task) for task in packed}
    writer.change(counts, packed, added)


def _everything(table: Table, task: FileScanTask) -> np.ndarray:
    count = len(surviving_rows(table, task, table.schema())) if task.delete_files else int(task.file.record_count)
    return np.arange(count)


def _vacuum(session: Session, ref: TableRef) -> None:
    """Snapshots older than the table allows are expired; their files stay until the table is dropped."""
    table = session.world.iceberg_catalog(ref.catalog_id).load_table((ref.database, ref.name))
    age = int(table.properties.get("vacuum_max_snapshot_age_seconds", OLDEST_SECONDS))
    at_least = int(table.properties.get("vacuum_min_snapshots_to_keep", FEWEST_SNAPSHOTS))
    before = datetime.now(UTC) - timedelta(seconds=age)
    old = sorted(table.snapshots(), key=lambda item: item.timestamp_ms)[: -at_least or None]
    current = table.current_snapshot()
    ids = [
        item.snapshot_id
        for item in old
        if item.timestamp_ms < before.timestamp() * 1000
        and (current is None or item.snapshot_id != current.snapshot_id)
    ]
    if not ids:
        return
    try:
        table.maintenance.expire_snapshots().by_ids(ids).commit()
    except CommitFailedException:
        raise QueryError("ICEBERG_COMMIT_ERROR", "Failed to commit to the table") from None

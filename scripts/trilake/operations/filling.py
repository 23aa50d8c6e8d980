"""One governed table brought up to date: not at all, by what changed, or whole; always with the rows of a rebuild.

The MERGE updates rows that differ, inserts new ones and deletes those whose key the SELECT no longer has; equal rows
are left alone, so that a second run writes nothing. Comparisons are IS DISTINCT FROM: a NULL equals a NULL.

Example: fill(Refill(session, SourceWatermarks(session), relation, table, tree, missing)).how  ->  "unchanged"
"""

from dataclasses import dataclass

from pyiceberg.table import Table
from sqlglot import exp

from trilake.core.athena import run_athena
from trilake.core.catalog import database_name
from trilake.core.contract import GovernedTable
from trilake.core.errors import QueryError
from trilake.core.lakehouse.iceberg import open_table
from trilake.core.session import Session
from trilake.core.sql import DIALECT, Relation, parse, rename_databases
from trilake.operations.changes import (
    PATIENTS,
    ROW_KEYS,
    Changes,
    LastBuild,
    SourceWatermarks,
    changes_of_followed,
    changes_of_sources,
    filtered,
    fingerprint,
    followed_watermark,
    patients_with_new_row_keys,
    read_last_build,
    version_of,
    write_last_build,
)


@dataclass(frozen=True)
class Refill:
    """One table to fill: its SELECT as a tree with what is missing left out, and its place."""

    session: Session
    watermarks_now: SourceWatermarks
    relation: Relation
    table: GovernedTable
    tree: exp.Expr
    missing: set[str]

    @property
    def target(self) -> str:
        return f"{quoted(database_name(self.session, self.table.room) or '')}.{quoted(self.table.name)}"

    def glue(self, tree: exp.Expr) -> str:
        """SQL with Glue's names for the databases."""
        renamed = rename_databases(tree, lambda room: database_name(self.session, room))
        return renamed.sql(dialect=DIALECT, comments=False)

    def glue_text(self, text: str) -> str:
        return self.glue(parse(text, source=str(self.relation.path)))


@dataclass(frozen=True)
class Filled:
    """The table's rows, and how it was brought up to date: unchanged, merged or rebuilt."""

    rows: int
    how: str


def fill(refill: Refill, *, full: bool = False) -> Filled:
    """Bring the table up to date; `full` rebuilds it. QueryError when several rows share a key."""
    iceberg_table = open_table(refill.session, refill.relation.name)
    versions = versions_of(refill)
    last_build = None if full else read_last_build(iceberg_table)
    if last_build is None or last_build.sql != fingerprint(refill.relation, refill.table, refill.missing):
        return rebuild(refill, iceberg_table, versions)
    changed = {name for name, version in versions.items() if not version or version != last_build.versions.get(name)}
    if not changed:
        return Filled(last_build.rows, "unchanged")
    changes = changes_of_followed(refill.session, refill.relation, refill.table, last_build, changed)
    changes = changes or changes_of_sources(refill.watermarks_now, refill.table, last_build, changed)
    if changes is None or (changes.patients and not has_snapshot(refill.session, changes.patients)):
        return rebuild(refill, iceberg_table, versions)
    return merge(refill, iceberg_table, versions, changes, last_build.rows)


def versions_of(refill: Refill) -> dict[str, str]:
    """The version of each table read."""
    return {name: version_of(refill.session, name) for name in sorted(refill.relation.reads - refill.missing)}


def patients_snapshot(refill: Refill) -> str:
    """The snapshot of clinical.patient whose row keys a build takes over."""
    if PATIENTS not in refill.relation.reads:
        return ""
    snapshot = open_table(refill.session, PATIENTS).current_snapshot()
    return str(snapshot.snapshot_id) if snapshot else ""


def has_snapshot(session: Session, snapshot: str) -> bool:
    return open_table(session, PATIENTS).snapshot_by_id(int(snapshot)) is not None


def rebuild(refill: Refill, iceberg_table: Table, versions: dict[str, str]) -> Filled:
    """Merge the whole SELECT; rows that are equal are not written."""
    patients = patients_snapshot(refill)
    sources = [source for source in refill.table.kept_current_by if source.table not in refill.missing]
    watermarks = {source.table: refill.watermarks_now.read(source, None)[0] for source in sources}
    run_athena(refill.session, merge_statement(refill.table, refill.target, refill.glue(refill.tree)))
    return record_keyed(
        refill,
        iceberg_table,
        LastBuild(sql="", snapshot="", rows=0, versions=versions, patients_snapshot=patients, watermarks=watermarks),
    )


def merge(refill: Refill, iceberg_table: Table, versions: dict[str, str], changes: Changes, n_before: int) -> Filled:
    """Merge what changed: first the resources, then the row keys of patients that moved."""
    patients = patients_snapshot(refill)
    keys = None if changes.keys is None else refill.glue_text(f"SELECT key FROM ({changes.keys}) AS concerned")
    if keys is not None:
        select = refill.glue(filtered(refill.tree, changes.filters))
        statement = merge_statement(refill.table, refill.target, select, keys=keys)
        if not n_held(refill, keys):
            statement = insert_statement(refill.table, refill.target, select)
        run_athena(refill.session, statement)
    is_moved = bool(changes.patients) and move_rows(refill, changes.patients or "")
    last_build = LastBuild(
        sql="", snapshot="", rows=0, versions=versions, patients_snapshot=patients, watermarks=changes.watermarks
    )
    if keys is None and not is_moved:
        return record(refill, iceberg_table, last_build, n_rows=n_before, how="unchanged")
    return record_keyed(refill, iceberg_table, last_build, keys=keys, how="merged")


def n_held(refill: Refill, keys: str) -> int:
    """Rows that the table has of these keys; only the key's column is read."""
    first = quoted(refill.table.key[0])
    return int(run_athena(refill.session, f"SELECT count(*) FROM {refill.target} WHERE {first} IN ({keys})").rows[0][0])


def move_rows(refill: Refill, patients: str) -> bool:
    """Give rows of patients whose site or consent changed since that snapshot their new row keys; whether any was."""
    moved = refill.glue_text(patients_with_new_row_keys(refill.session, patients))
    differs = " OR ".join(f"target.{key} IS DISTINCT FROM source.{key}" for key in ROW_KEYS)
    joined = f"{refill.target} AS target INNER JOIN ({moved}) AS source ON target.patient_id = source.patient_id"
    if not run_athena(refill.session, f"SELECT count(*) FROM {joined} WHERE {differs}").rows[0][0]:
        return False
    run_athena(refill.session, row_keys_statement(refill.target, moved, ROW_KEYS))
    return True


def record_keyed(
    refill: Refill, iceberg_table: Table, last_build: LastBuild, *, keys: str | None = None, how: str = "rebuilt"
) -> Filled:
    """Count, and refuse shared keys, before what the table was built from is left with it."""
    n_rows, n_shared = run_athena(refill.session, count_statement(refill.table, refill.target, keys=keys)).rows[0]
    if n_shared:
        columns = ", ".join(refill.table.key)
        raise QueryError(f"{refill.relation.path} gives several rows for {n_shared:,} keys ({columns})")
    return record(refill, iceberg_table, last_build, n_rows=int(n_rows), how=how)


def record(refill: Refill, iceberg_table: Table, last_build: LastBuild, *, n_rows: int, how: str) -> Filled:
    """Leave with the table what it was built from."""
    iceberg_table.refresh()
    snapshot = iceberg_table.current_snapshot()
    last_build.sql = fingerprint(refill.relation, refill.table, refill.missing)
    last_build.snapshot = str(snapshot.snapshot_id) if snapshot else ""
    last_build.rows = n_rows
    last_build.watermarks |= followed_watermark(refill.session, refill.table)
    write_last_build(iceberg_table, last_build)
    return Filled(last_build.rows, how)


def merge_statement(table: GovernedTable, target: str, select: str, *, keys: str | None = None) -> str:
    """Athena SQL; `target` and the names in `select` and `keys` are Glue names. The SELECT is read once.

    With `keys`, only rows whose first key is among them take part, and the SELECT must give those rows alone.
    """
    names = [column.name for column in table.columns]
    others = [name for name in names if name not in table.key]
    first = quoted(table.key[0])
    same_key = " AND ".join(f"old.{quoted(key)} = fresh.{quoted(key)}" for key in table.key)
    columns = ", ".join(
        f"coalesce(fresh.{quoted(name)}, old.{quoted(name)}) AS {quoted(name)}"
        if name in table.key
        else f"fresh.{quoted(name)}"
        for name in names
    )
    old = f"SELECT {', '.join(map(quoted, table.key))} FROM {target}{where_among(table, keys)}"
    return "\n".join(
        [
            f"MERGE INTO {target} AS target",
            f"USING (SELECT {columns}, fresh.{first} IS NULL AS is_gone",
            f"FROM ({select}) AS fresh",
            f"FULL OUTER JOIN ({old}) AS old ON {same_key}) AS source",
            "ON " + " AND ".join(f"target.{quoted(key)} = source.{quoted(key)}" for key in table.key),
            "WHEN MATCHED AND source.is_gone THEN DELETE",
            *when_changed(others),
            f"WHEN NOT MATCHED THEN INSERT ({', '.join(map(quoted, names))})",
            f"VALUES ({', '.join(f'source.{quoted(name)}' for name in names)})",
        ]
    )


def when_changed(others: list[str]) -> list[str]:
    """The update of rows that differ; none for a table that is all key."""
    if not others:
        return []
    differs = " OR ".join(f"target.{quoted(name)} IS DISTINCT FROM source.{quoted(name)}" for name in others)
    values = ", ".join(f"{quoted(name)} = source.{quoted(name)}" for name in others)
    return [f"WHEN MATCHED AND ({differs}) THEN UPDATE SET {values}"]


def insert_statement(table: GovernedTable, target: str, select: str) -> str:
    """The same where the table holds none of the rows yet: it is not read."""
    return f"INSERT INTO {target} ({', '.join(quoted(column.name) for column in table.columns)})\n{select}"


def row_keys_statement(target: str, moved: str, row_keys: tuple[str, ...]) -> str:
    """Rows of patients whose row keys moved take the new ones. `moved` gives patient_id and the row keys."""
    differs = " OR ".join(f"target.{quoted(key)} IS DISTINCT FROM source.{quoted(key)}" for key in row_keys)
    values = ", ".join(f"{quoted(key)} = source.{quoted(key)}" for key in row_keys)
    return "\n".join(
        [
            f"MERGE INTO {target} AS target USING ({moved}) AS source ON target.patient_id = source.patient_id",
            f"WHEN MATCHED AND ({differs}) THEN UPDATE SET {values}",
        ]
    )


def where_among(table: GovernedTable, keys: str | None) -> str:
    return "" if keys is None else f" WHERE {quoted(table.key[0])} IN ({keys})"


def count_statement(table: GovernedTable, target: str, *, keys: str | None = None) -> str:
    """Rows, and keys that several rows share (a defect of the SELECT); with `keys`, shared among those."""
    key_columns = ", ".join(map(quoted, table.key))
    return (
        f"SELECT (SELECT count(*) FROM {target}) AS n_rows, count_if(n > 1) AS n_shared_keys "
        f"FROM (SELECT count(*) AS n FROM {target}{where_among(table, keys)} GROUP BY {key_columns}) AS keyed"
    )


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

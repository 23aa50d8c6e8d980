"""One governed table brought up to date: not at all, by what changed, or whole; always with the rows of a rebuild.

Reads the table, what it was built from, and its sources; writes it by MERGE or INSERT. Behind `make views`.

Example: fill(session, Lookout(session), relation, table, missing).how  ->  "unchanged"
"""

from dataclasses import dataclass

from pyiceberg.table import Table
from sqlglot import exp

from trilake.core.athena import run_athena
from trilake.core.catalog import database_name
from trilake.core.contract import GovernedTable
from trilake.core.errors import QueryError
from trilake.core.iceberg import open_table
from trilake.core.session import Session
from trilake.core.sql import DIALECT, Relation, parse, rename_databases
from trilake.operations.by_rows import changes_by_rows, seen_now
from trilake.operations.incremental import (
    PEOPLE,
    ROW_KEYS,
    Changes,
    Lookout,
    State,
    changes_of,
    filtered,
    fingerprint,
    moved_patients,
    read_state,
    write_state,
)
from trilake.operations.merge import count_statement, insert_statement, merge_statement, quoted, row_keys_statement
from trilake.operations.versions import version_of


@dataclass(frozen=True)
class Work:
    """One table to fill: its SELECT as a tree with what is missing left out, and its place."""

    session: Session
    lookout: Lookout
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


def fill(work: Work, *, full: bool = False) -> Filled:
    """Bring the table up to date; `full` rebuilds it. QueryError when several rows share a key."""
    held = open_table(work.session, work.relation.name)
    versions = versions_of(work)
    state = None if full else read_state(held)
    if state is None or state.sql != fingerprint(work.relation, work.table, work.missing):
        return rebuild(work, held, versions)
    changed = {name for name, version in versions.items() if not version or version != state.versions.get(name)}
    if not changed:
        return Filled(state.rows, "unchanged")
    changes = changes_by_rows(work.session, work.relation, work.table, state, changed)
    changes = changes or changes_of(work.lookout, work.table, state, changed)
    if changes is None or (changes.people and not has_snapshot(work.session, changes.people)):
        return rebuild(work, held, versions)
    return merge(work, held, versions, changes, state.rows)


def versions_of(work: Work) -> dict[str, str]:
    """The version of each table read."""
    return {name: version_of(work.session, name) for name in sorted(work.relation.reads - work.missing)}


def people_snapshot(work: Work) -> str:
    """The snapshot of clinical.patient whose row keys a build takes over."""
    if PEOPLE not in work.relation.reads:
        return ""
    snapshot = open_table(work.session, PEOPLE).current_snapshot()
    return str(snapshot.snapshot_id) if snapshot else ""


def has_snapshot(session: Session, snapshot: str) -> bool:
    return open_table(session, PEOPLE).snapshot_by_id(int(snapshot)) is not None


def rebuild(work: Work, held: Table, versions: dict[str, str]) -> Filled:
    """Merge the whole SELECT; rows that are equal are not written."""
    people = people_snapshot(work)
    sources = [source for source in work.table.kept_current_by if source.table not in work.missing]
    seen = {source.table: work.lookout.look(source, None)[0] for source in sources}
    run_athena(work.session, merge_statement(work.table, work.target, work.glue(work.tree)))
    return settle(work, held, State(sql="", snapshot="", rows=0, versions=versions, people=people, seen=seen))


def merge(work: Work, held: Table, versions: dict[str, str], changes: Changes, n_before: int) -> Filled:
    """Merge what changed: first the resources, then the row keys of patients that moved."""
    people = people_snapshot(work)
    keys = None if changes.keys is None else work.glue_text(f"SELECT key FROM ({changes.keys}) AS concerned")
    if keys is not None:
        select = work.glue(filtered(work.tree, changes.filters))
        statement = merge_statement(work.table, work.target, select, keys=keys)
        if not n_held(work, keys):
            statement = insert_statement(work.table, work.target, select)
        run_athena(work.session, statement)
    is_moved = bool(changes.people) and move_rows(work, changes.people or "")
    state = State(sql="", snapshot="", rows=0, versions=versions, people=people, seen=changes.seen)
    if keys is None and not is_moved:
        return record(work, held, state, n_rows=n_before, how="unchanged")
    return settle(work, held, state, keys=keys, how="merged")


def n_held(work: Work, keys: str) -> int:
    """Rows that the table has of these keys; only the key's column is read."""
    first = quoted(work.table.key[0])
    return int(run_athena(work.session, f"SELECT count(*) FROM {work.target} WHERE {first} IN ({keys})").rows[0][0])


def move_rows(work: Work, people: str) -> bool:
    """Give rows of patients whose site or consent changed since that snapshot their new row keys; whether any was."""
    moved = work.glue_text(moved_patients(work.session, people))
    differs = " OR ".join(f"target.{key} IS DISTINCT FROM source.{key}" for key in ROW_KEYS)
    joined = f"{work.target} AS target INNER JOIN ({moved}) AS source ON target.patient_id = source.patient_id"
    if not run_athena(work.session, f"SELECT count(*) FROM {joined} WHERE {differs}").rows[0][0]:
        return False
    run_athena(work.session, row_keys_statement(work.target, moved, ROW_KEYS))
    return True


def settle(work: Work, held: Table, state: State, *, keys: str | None = None, how: str = "rebuilt") -> Filled:
    """Count and refuse shared keys before the state is left with the table."""
    n_rows, n_shared = run_athena(work.session, count_statement(work.table, work.target, keys=keys)).rows[0]
    if n_shared:
        columns = ", ".join(work.table.key)
        raise QueryError(f"{work.relation.path} gives several rows for {n_shared:,} keys ({columns})")
    return record(work, held, state, n_rows=int(n_rows), how=how)


def record(work: Work, held: Table, state: State, *, n_rows: int, how: str) -> Filled:
    """Leave the state with the table."""
    held.refresh()
    snapshot = held.current_snapshot()
    state.sql = fingerprint(work.relation, work.table, work.missing)
    state.snapshot = str(snapshot.snapshot_id) if snapshot else ""
    state.rows = n_rows
    state.seen |= seen_now(work.session, work.table)
    write_state(held, state)
    return Filled(state.rows, how)

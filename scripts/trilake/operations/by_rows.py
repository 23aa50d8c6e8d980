"""Which rows of a governed table another governed table concerns anew: the difference between two of its snapshots.

The contract says so: `follows: {table: genomic.sample, key: sample_id, column: sampleid}` means that the rows of one
sampleid change only when the row of that sample_id does. So a load of one sample into a store of thousands is merged by
reading that sample's rows alone. Exact as long as the named table tells of every change of the others that are read: a
load gives a sample a new load id, whatever it brings or takes away.

Example: changed_keys(session, table.follows, snapshot)  ->  ["HG00096"]
"""

from trilake.core.athena import run
from trilake.core.contract import Follows, GovernedTable, load_contract
from trilake.core.iceberg import open_table
from trilake.core.session import Session
from trilake.core.sql import Relation
from trilake.operations.incremental import Changes, Seen, State

MOST_KEYS = 2_000
"""More than these are not named one by one: then the table is rebuilt."""


def changes_by_rows(
    session: Session, relation: Relation, table: GovernedTable, state: State, changed: set[str]
) -> Changes | None:
    """What to merge into a table that follows another; None for any other table, and where it must be rebuilt."""
    follows = table.follows
    if follows is None or follows.table not in state.seen:
        return None
    if changed - relation_sources(relation) - {follows.table}:
        return None
    keys = changed_keys(session, follows, state.seen[follows.table].newest)
    if keys is None:
        return None
    if not keys:
        return Changes(None, {}, None, dict(state.seen))
    listed, values = ", ".join(map(literal, keys)), ", ".join(f"({literal(key)})" for key in keys)
    filters = {name: f"{follows.raw_column or follows.column} IN ({listed})" for name in relation_sources(relation)}
    return Changes(f"SELECT key FROM (VALUES {values}) AS listed (key)", filters, None, dict(state.seen))


def seen_now(session: Session, table: GovernedTable) -> dict[str, Seen]:
    """What a build of a table that follows another has to remember; nothing for any other table."""
    if table.follows is None:
        return {}
    return {table.follows.table: Seen(newest=snapshot_of(session, table.follows.table))}


def relation_sources(relation: Relation) -> set[str]:
    """The raw tables that it reads: those whose changes the followed table tells of."""
    return {name for name in relation.reads if name.split(".")[0].endswith("_store")}


def snapshot_of(session: Session, name: str) -> str:
    """The id of the table's snapshot as it is; empty when nothing was written yet."""
    snapshot = open_table(session, name).current_snapshot()
    return str(snapshot.snapshot_id) if snapshot else ""


def changed_keys(session: Session, follows: Follows, before: str) -> list[str] | None:
    """Keys whose rows are not what they were at that snapshot; None where it cannot be asked, or they are too many."""
    held = open_table(session, follows.table)
    snapshot = held.snapshot_by_id(int(before)) if before else None
    if snapshot is None or snapshot.schema_id not in (None, held.schema().schema_id):
        return None
    columns = ", ".join(f'"{column.name}"' for column in load_contract()[follows.table].columns)
    only = " AND ".join(f'"{column}" = {literal(value)}' for column, value in follows.only.items()) or "TRUE"
    now = f"SELECT {columns} FROM {follows.table} WHERE {only}"
    then = f"SELECT {columns} FROM {follows.table} FOR VERSION AS OF {before} WHERE {only}"
    answer = run(
        session,
        f"""
        SELECT DISTINCT "{follows.key}" AS changed FROM (
            (({now}) EXCEPT ({then})) UNION ALL (({then}) EXCEPT ({now}))
        ) AS moved
        LIMIT {MOST_KEYS + 1}
        """,
    )
    keys = sorted(str(row[0]) for row in answer.rows if row[0] is not None)
    return None if len(answer.rows) > MOST_KEYS else keys


def literal(key: str) -> str:
    return "'" + key.replace("'", "''") + "'"

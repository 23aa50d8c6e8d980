"""What changed below a governed table since it was last built, so that a merge reads and writes that alone.

The contract says what keeps a table current (`kept_current_by: [{table: healthlake.condition, column: condition_id}]`).
Each build leaves, as a property of the Iceberg table itself, what it was built from: per source its rows and newest
`meta.lastUpdated`, the version of every table read, the SQL, and the snapshot that it made. The next build reads of a
source only what is newer. It does so only where that is exact: when the rows that are newer and the rows of then add up
to the rows of now, when the snapshots needed are still there, and when nobody else has written the table. Otherwise it
rebuilds, with the same result.

Reads and writes the property `trilake.built_from`. `make views`.

Example: changes_of(lookout, table, state, changed)  ->  Changes(...) or None for "rebuild"
"""

import hashlib
from dataclasses import dataclass, field
from typing import Any

import orjson
from pyiceberg.table import Table
from sqlglot import exp

from trilake.core.athena import run
from trilake.core.contract import GovernedTable, Source, load_row_keys
from trilake.core.session import Session
from trilake.core.sql import DIALECT, Relation

PROPERTY = "trilake.built_from"
PEOPLE = "clinical.patient"
IDENTIFIERS = "clinical.patient_identifier"
ROW_KEYS = tuple(column.name for column in load_row_keys())
PATIENT_REFERENCE = "'(?:(?:^|/)Patient/|^urn:uuid:)([^/?#|]+)(?:/_history/.*)?$'"


@dataclass
class Seen:
    """A source as a build saw it."""

    rows: int = 0
    newest: str = ""
    newest_at: str = ""


@dataclass
class State:
    """What a table was built from; `versions` are of every table read."""

    sql: str
    snapshot: str
    rows: int
    versions: dict[str, str]
    people: str = ""
    seen: dict[str, Seen] = field(default_factory=dict)


@dataclass
class Changes:
    """What a build has to do: sources with new rows, as SQL; whether row keys of patients changed since `people`.

    `keys` is SQL of the first keys concerned, None where no source has new rows; `filters` holds, per driving source,
    the condition on its rows.
    """

    keys: str | None
    filters: dict[str, str]
    people: str | None
    seen: dict[str, Seen]


def drivers(table: GovernedTable) -> list[Source]:
    """The sources whose resources are the rows, as against those that are looked up."""
    return [source for source in table.kept_current_by if source.column == table.key[0] and not source.patient]


def quoted_source(source: Source) -> str:
    room, table = source.table.split(".")
    return f'{room}."{table}"'


def fingerprint(relation: Relation, table: GovernedTable, missing: set[str]) -> str:
    """Changes with the SQL, the contract's columns, and which optional sources are there."""
    columns = ",".join(f"{column.name} {column.type}" for column in table.columns)
    select = relation.tree.sql(dialect=DIALECT, comments=False)
    text = "\n".join([select, columns, ",".join(table.key), ",".join(sorted(missing))])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_state(table: Table) -> State | None:
    """What the table says it was built from, if nobody has written to it since."""
    text = table.properties.get(PROPERTY)
    snapshot = table.current_snapshot()
    if text is None:
        return None
    content: dict[str, Any] = orjson.loads(text)
    if content["snapshot"] != (str(snapshot.snapshot_id) if snapshot else ""):
        return None
    seen = {name: Seen(**one) for name, one in content.pop("seen").items()}
    return State(**content, seen=seen)


def write_state(table: Table, state: State) -> None:
    """Leave the state with the table; an interrupted build leaves an old one, whose snapshot no longer fits."""
    with table.transaction() as transaction:
        transaction.set_properties({PROPERTY: orjson.dumps(state).decode()})


@dataclass
class Lookout:
    """Sources as they are now, each asked once a run: several tables are made of one source."""

    session: Session
    answers: dict[tuple[str, str, int], tuple[Seen, int | None]] = field(default_factory=dict)

    def look(self, source: Source, before: Seen | None) -> tuple[Seen, int | None]:
        """The source now, and how many of its rows are new; None where that cannot be told exactly."""
        since = before or Seen()
        key = (source.table, since.newest, since.rows)
        if key not in self.answers:
            self.answers[key] = self._ask(source, since)
        return self.answers[key]

    def _ask(self, source: Source, since: Seen) -> tuple[Seen, int | None]:
        later = f"from_iso8601_timestamp(meta.lastupdated) > from_iso8601_timestamp({quote(since.newest_at)})"
        answer = run(
            self.session,
            f"""
            SELECT (SELECT count(*) FROM {quoted_source(source)}) AS n_rows, count(*) AS n_new,
                {f"count_if({later})" if since.newest_at else "count(*)"} AS n_later, max(meta.lastupdated) AS newest,
                max_by(
                    meta.lastupdated, ROW(from_iso8601_timestamp(meta.lastupdated), meta.lastupdated)
                ) AS newest_at
            FROM {quoted_source(source)} WHERE {window(source, since)}
            """,
        )
        n_rows, n_new, n_later, newest, newest_at = answer.rows[0]
        seen = Seen(n_rows, newest or since.newest, newest_at or since.newest_at)
        is_exact = n_later == n_new and since.rows + n_new == n_rows
        return seen, n_new if is_exact else None


def quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def window(source: Source, before: Seen | None) -> str:
    """The condition on a source's new rows."""
    return f"meta.lastupdated > {quote(before.newest if before else '')}"


def concerned(source: Source, before: Seen | None) -> str:
    """SQL of the values of `column` that a source's new rows concern."""
    new = f"SELECT id FROM {quoted_source(source)} WHERE {window(source, before)}"
    if source.patient:
        return f"""SELECT regexp_extract({source.patient}, {PATIENT_REFERENCE}, 1) AS key
            FROM {quoted_source(source)} WHERE id IN ({new})"""
    return f"SELECT {quote(source.prefix)} || id AS key FROM {quoted_source(source)} WHERE {window(source, before)}"


def changes_of(lookout: Lookout, table: GovernedTable, state: State, changed: set[str]) -> Changes | None:
    """What to merge, given the names of the tables read whose version changed. None: rebuild."""
    sources = table.kept_current_by
    names = {source.table for source in sources}
    if not sources or changed - names - {PEOPLE, IDENTIFIERS} or (PEOPLE in changed and not state.people):
        return None
    seen, touched = dict(state.seen), []
    for source in sources:
        if source.table in changed:
            now, n_new = lookout.look(source, state.seen.get(source.table))
            if n_new is None:
                return None
            seen[source.table] = now
            if n_new:
                touched.append(source)
    if IDENTIFIERS in changed and depends_on_identifiers(lookout.session, table):
        return None
    keys, filters = narrowed(lookout.session, touched, table, state)
    return Changes(keys, filters, state.people if PEOPLE in changed else None, seen)


def depends_on_identifiers(session: Session, table: GovernedTable) -> bool:
    """Whether any row names its patient by identifier: those may lead elsewhere now."""
    if "patient_link" not in [column.name for column in table.columns]:
        return True
    words = "patient_link IN ('identifier', 'unmatched')"
    return bool(run(session, f'SELECT count(*) FROM {table.room}."{table.name}" WHERE {words}').rows[0][0])


def narrowed(
    session: Session, touched: list[Source], table: GovernedTable, state: State
) -> tuple[str | None, dict[str, str]]:
    """SQL of the first keys concerned, and the condition on each driving source."""
    driving = drivers(table)
    own = [concerned(source, state.seen.get(source.table)) for source in touched if source in driving]
    looked_up = [looked_up_keys(source, table, state) for source in touched if source not in driving]
    filters = {source.table: window(source, state.seen.get(source.table)) for source in driving}
    elsewhere = " UNION ".join(looked_up)
    if elsewhere and reaches_further(session, elsewhere, own):
        everything = " UNION ".join([*own, *looked_up])
        return everything, {name: f"id IN ({everything})" for name in filters}
    return " UNION ".join(own) or None, filters


def looked_up_keys(source: Source, table: GovernedTable, state: State) -> str:
    """First keys of the rows that a looked-up source's new rows concern."""
    values = concerned(source, state.seen.get(source.table))
    if source.column == table.key[0]:
        return values
    return f'SELECT "{table.key[0]}" AS key FROM {table.room}."{table.name}" WHERE "{source.column}" IN ({values})'


def reaches_further(session: Session, elsewhere: str, own: list[str]) -> bool:
    """Whether look-ups concern rows that no new resource replaces anyway."""
    besides = f" AND key NOT IN ({' UNION '.join(own)})" if own else ""
    return bool(
        run(session, f"SELECT count(*) FROM ({elsewhere}) AS concerned WHERE key IS NOT NULL{besides}").rows[0][0]
    )


def filtered(tree: exp.Expr, filters: dict[str, str]) -> exp.Expr:
    """The table's SELECT reading of its driving sources only the rows that fit."""
    narrow = tree.copy()
    for node in list(narrow.find_all(exp.Table)):
        condition = filters.get(f"{node.db}.{node.name}")
        select = node.find_ancestor(exp.Select)
        if condition is not None and isinstance(select, exp.Select):
            select.where(condition, copy=False, dialect="athena")
    return narrow


def moved_patients(session: Session, people: str) -> str:
    """SQL of (patient_id, row keys) of the patients whose row keys are not what they were at that snapshot."""
    same = " AND ".join(f"held.{key} IS NOT DISTINCT FROM now.{key}" for key in ROW_KEYS)
    return f"""
        SELECT coalesce(now.patient_id, held.patient_id) AS patient_id, now.site_id,
            {", ".join(f"coalesce(now.{key}, FALSE) AS {key}" for key in ROW_KEYS[1:])}
        FROM {PEOPLE} AS now
        FULL OUTER JOIN (SELECT patient_id, {", ".join(ROW_KEYS)} FROM {PEOPLE} FOR VERSION AS OF {people}) AS held
            ON now.patient_id = held.patient_id
        WHERE now.patient_id IS NULL OR held.patient_id IS NULL OR NOT ({same})
    """

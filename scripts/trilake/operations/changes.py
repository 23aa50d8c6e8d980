"""What changed below a governed table since it was last built, so that a merge reads and writes that alone.

The contract says what keeps a table current (`kept_current_by: [{table: healthlake.condition, column: condition_id}]`).
Each build leaves, as a property of the Iceberg table itself, what it was built from: per source its rows and newest
`meta.lastUpdated`, the version of every table read, the SQL, and the snapshot that it made. The next build reads of a
source only what is newer. It does so only where that is exact: when the rows that are newer and the rows of then add up
to the rows of now, when the snapshots needed are still there, and when nobody else has written the table. Otherwise it
rebuilds, with the same result.

Example: changes_of_sources(watermarks_now, table, last_build, changed)  ->  Changes(...) or None for "rebuild"
"""

import base64
import hashlib
import re
from dataclasses import dataclass, field
from typing import Any

import orjson
from pyiceberg.table import Table
from sqlglot import exp

from trilake.core.athena import run
from trilake.core.catalog import database_name
from trilake.core.contract import Follows, GovernedTable, Source, load_contract, load_row_keys
from trilake.core.lakehouse.iceberg import open_table
from trilake.core.session import Session
from trilake.core.sql import DIALECT, Relation, parse

PROPERTY = "trilake.last_build"
PATIENTS = "clinical.patient"
IDENTIFIERS = "clinical.patient_identifier"
MOST_KEYS = 2_000
"""More than these are not named one by one: then the table is rebuilt."""
# Athena keeps a view's SELECT in the catalogue as base64 of JSON, in a comment that Presto once put there.
PRESTO_VIEW = re.compile(r"/\* Presto View: ([A-Za-z0-9+/=\s]+) \*/")
ROW_KEYS = tuple(column.name for column in load_row_keys())
PATIENT_REFERENCE = "'(?:(?:^|/)Patient/|^urn:uuid:)([^/?#|]+)(?:/_history/.*)?$'"


@dataclass
class Watermark:
    """How far a build read a source: its rows, and its greatest `meta.lastUpdated` as text and as time.

    The two differ where times of several offsets are compared as text.
    """

    rows: int = 0
    newest: str = ""
    newest_at: str = ""


@dataclass
class LastBuild:
    """What a table was built from: `versions` of each table read, the `patients_snapshot` whose row keys it took."""

    sql: str
    snapshot: str
    rows: int
    versions: dict[str, str]
    patients_snapshot: str = ""
    watermarks: dict[str, Watermark] = field(default_factory=dict)


@dataclass
class Changes:
    """What a build has to do: sources with new rows, as SQL; whether row keys of patients changed since `patients`.

    `keys` is SQL of the first keys concerned, None where no source has new rows; `filters` holds, per driving source,
    the condition on its rows.
    """

    keys: str | None
    filters: dict[str, str]
    patients: str | None
    watermarks: dict[str, Watermark]


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


def read_last_build(table: Table) -> LastBuild | None:
    """What the table says it was built from, if nobody has written to it since."""
    text = table.properties.get(PROPERTY)
    snapshot = table.current_snapshot()
    if text is None:
        return None
    content: dict[str, Any] = orjson.loads(text)
    if content["snapshot"] != (str(snapshot.snapshot_id) if snapshot else ""):
        return None
    watermarks = {name: Watermark(**entry) for name, entry in content.pop("watermarks").items()}
    return LastBuild(**content, watermarks=watermarks)


def write_last_build(table: Table, last_build: LastBuild) -> None:
    """Leave it with the table; an interrupted build leaves the one before, whose snapshot no longer fits."""
    with table.transaction() as transaction:
        transaction.set_properties({PROPERTY: orjson.dumps(last_build).decode()})


@dataclass
class SourceWatermarks:
    """How far the sources go now, each asked once a refresh: several tables are made of one source."""

    session: Session
    answers: dict[tuple[str, str, int], tuple[Watermark, int | None]] = field(default_factory=dict)

    def read(self, source: Source, before: Watermark | None) -> tuple[Watermark, int | None]:
        """The source now, and how many of its rows are new; None where that cannot be told exactly."""
        since = before or Watermark()
        key = (source.table, since.newest, since.rows)
        if key not in self.answers:
            self.answers[key] = self._query(source, since)
        return self.answers[key]

    def _query(self, source: Source, since: Watermark) -> tuple[Watermark, int | None]:
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
        watermarks = Watermark(n_rows, newest or since.newest, newest_at or since.newest_at)
        is_exact = n_later == n_new and since.rows + n_new == n_rows
        return watermarks, n_new if is_exact else None


def quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def window(source: Source, before: Watermark | None) -> str:
    """The condition on a source's new rows."""
    return f"meta.lastupdated > {quote(before.newest if before else '')}"


def concerned(source: Source, before: Watermark | None) -> str:
    """SQL of the values of `column` that a source's new rows concern."""
    new = f"SELECT id FROM {quoted_source(source)} WHERE {window(source, before)}"
    if source.patient:
        return f"""SELECT regexp_extract({source.patient}, {PATIENT_REFERENCE}, 1) AS key
            FROM {quoted_source(source)} WHERE id IN ({new})"""
    return f"SELECT {quote(source.prefix)} || id AS key FROM {quoted_source(source)} WHERE {window(source, before)}"


def changes_of_sources(
    watermarks_now: SourceWatermarks, table: GovernedTable, last_build: LastBuild, changed: set[str]
) -> Changes | None:
    """What to merge, given the names of the tables read whose version changed. None: rebuild."""
    sources = table.kept_current_by
    names = {source.table for source in sources}
    if (
        not sources
        or changed - names - {PATIENTS, IDENTIFIERS}
        or (PATIENTS in changed and not last_build.patients_snapshot)
    ):
        return None
    watermarks, touched = dict(last_build.watermarks), []
    for source in sources:
        if source.table in changed:
            now, n_new = watermarks_now.read(source, last_build.watermarks.get(source.table))
            if n_new is None:
                return None
            watermarks[source.table] = now
            if n_new:
                touched.append(source)
    if IDENTIFIERS in changed and depends_on_identifiers(watermarks_now.session, table):
        return None
    keys, filters = narrowed(watermarks_now.session, touched, table, last_build)
    return Changes(keys, filters, last_build.patients_snapshot if PATIENTS in changed else None, watermarks)


def depends_on_identifiers(session: Session, table: GovernedTable) -> bool:
    """Whether any row names its patient by identifier: those may lead elsewhere now."""
    if "patient_link" not in [column.name for column in table.columns]:
        return True
    words = "patient_link IN ('identifier', 'unmatched')"
    return bool(run(session, f'SELECT count(*) FROM {table.room}."{table.name}" WHERE {words}').rows[0][0])


def narrowed(
    session: Session, touched: list[Source], table: GovernedTable, last_build: LastBuild
) -> tuple[str | None, dict[str, str]]:
    """SQL of the first keys concerned, and the condition on each driving source."""
    driving = drivers(table)
    own = [concerned(source, last_build.watermarks.get(source.table)) for source in touched if source in driving]
    looked_up = [looked_up_keys(source, table, last_build) for source in touched if source not in driving]
    filters = {source.table: window(source, last_build.watermarks.get(source.table)) for source in driving}
    elsewhere = " UNION ".join(looked_up)
    if elsewhere and reaches_further(session, elsewhere, own):
        everything = " UNION ".join([*own, *looked_up])
        return everything, {name: f"id IN ({everything})" for name in filters}
    return " UNION ".join(own) or None, filters


def looked_up_keys(source: Source, table: GovernedTable, last_build: LastBuild) -> str:
    """First keys of the rows that a looked-up source's new rows concern."""
    values = concerned(source, last_build.watermarks.get(source.table))
    if source.column == table.key[0]:
        return values
    return f'SELECT "{table.key[0]}" AS key FROM {table.room}."{table.name}" WHERE "{source.column}" IN ({values})'


def reaches_further(session: Session, elsewhere: str, own: list[str]) -> bool:
    """Whether read-ups concern rows that no new resource replaces anyway."""
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


def patients_with_new_row_keys(session: Session, patients: str) -> str:
    """SQL of (patient_id, row keys) of the patients whose row keys are not what they were at that snapshot."""
    same = " AND ".join(f"old.{key} IS NOT DISTINCT FROM now.{key}" for key in ROW_KEYS)
    return f"""
        SELECT coalesce(now.patient_id, old.patient_id) AS patient_id, now.site_id,
            {", ".join(f"coalesce(now.{key}, FALSE) AS {key}" for key in ROW_KEYS[1:])}
        FROM {PATIENTS} AS now
        FULL OUTER JOIN (SELECT patient_id, {", ".join(ROW_KEYS)} FROM {PATIENTS} FOR VERSION AS OF {patients}) AS old
            ON now.patient_id = old.patient_id
        WHERE now.patient_id IS NULL OR old.patient_id IS NULL OR NOT ({same})
    """


# What follows another table (`follows` in the contract): a load of one sample into a store of thousands is merged by
# reading that sample's rows alone. Exact as long as the followed table tells of every change of the raw tables that are
# read: a load gives a sample a new load id, whatever it brings or takes away.


def changes_of_followed(
    session: Session, relation: Relation, table: GovernedTable, last_build: LastBuild, changed: set[str]
) -> Changes | None:
    """What to merge into a table that follows another; None for any other table, and where it must be rebuilt."""
    follows = table.follows
    if follows is None or follows.table not in last_build.watermarks:
        return None
    if changed - relation_sources(relation) - {follows.table}:
        return None
    keys = changed_keys(session, follows, last_build.watermarks[follows.table].newest)
    if keys is None:
        return None
    if not keys:
        return Changes(None, {}, None, dict(last_build.watermarks))
    listed, values = ", ".join(map(quote, keys)), ", ".join(f"({quote(key)})" for key in keys)
    filters = {name: f"{follows.raw_column or follows.column} IN ({listed})" for name in relation_sources(relation)}
    return Changes(f"SELECT key FROM (VALUES {values}) AS listed (key)", filters, None, dict(last_build.watermarks))


def followed_watermark(session: Session, table: GovernedTable) -> dict[str, Watermark]:
    """What a build of a table that follows another has to remember; nothing for any other table."""
    if table.follows is None:
        return {}
    return {table.follows.table: Watermark(newest=snapshot_of(session, table.follows.table))}


def relation_sources(relation: Relation) -> set[str]:
    """The raw tables that it reads: those whose changes the followed table tells of."""
    return {name for name in relation.reads if name.split(".")[0].endswith("_store")}


def snapshot_of(session: Session, name: str) -> str:
    """The id of the table's snapshot as it is; empty when nothing was written yet."""
    snapshot = open_table(session, name).current_snapshot()
    return str(snapshot.snapshot_id) if snapshot else ""


def changed_keys(session: Session, follows: Follows, before: str) -> list[str] | None:
    """Keys whose rows are not what they were at that snapshot; None where it cannot be asked, or they are too many."""
    followed = open_table(session, follows.table)
    snapshot = followed.snapshot_by_id(int(before)) if before else None
    # EXCEPT wants the same columns on both sides, and a snapshot is read with the schema of its time.
    if snapshot is None or snapshot.schema_id not in (None, followed.schema().schema_id):
        return None
    columns = ", ".join(f'"{column.name}"' for column in load_contract()[follows.table].columns)
    only = " AND ".join(f'"{column}" = {quote(value)}' for column, value in follows.only.items()) or "TRUE"
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


def version_of(session: Session, name: str) -> str:
    """Where the catalogue says the table's metadata lie: another place, another version. Empty where nothing tells.

    A view (`genomic_backend = "healthomics"`) has those of our registers that it reads, and its own text. The shared
    table beside them has none, and needs none: its rows stay as they were imported, under names that are never used
    again, and which of them count, the register says.
    """
    room, table = name.split(".")
    described = described_table(session, database_name(session, room), table)
    if described.get("TableType") != "VIRTUAL_VIEW":
        return metadata_of(described)
    text = view_text(described)
    registers = [
        metadata_of(described_table(session, node.db, node.name))
        for node in sorted(parse(text, source=name).find_all(exp.Table), key=lambda node: node.name)
        if node.db == described["DatabaseName"]
    ]
    if not registers or not all(registers):
        return ""
    return " ".join([hashlib.sha256(text.encode()).hexdigest()[:16], *dict.fromkeys(registers)])


def described_table(session: Session, database: str | None, table: str) -> dict[str, Any]:
    description: dict[str, Any] = session.client("glue").get_table(DatabaseName=database, Name=table)["Table"]
    return description


def metadata_of(described: dict[str, Any]) -> str:
    return str(described.get("Parameters", {}).get("metadata_location", ""))


def view_text(described: dict[str, Any]) -> str:
    """The SELECT of a view, as Athena keeps it in the catalogue."""
    match = PRESTO_VIEW.search(described.get("ViewOriginalText", ""))
    return str(orjson.loads(base64.b64decode(match[1]))["originalSql"]) if match else ""

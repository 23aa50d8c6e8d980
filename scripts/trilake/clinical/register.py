"""The register of one load: every record, its place, its key, and what becomes of it.

A SQLite file in the run's work folder, so that memory does not grow with the load; the lines to stage lie beside it.
Of several records with one key, the newest by meta.lastUpdated wins where all have one, else the highest versionId
where all have a number, else the last read; equal content is a duplicate, other content is superseded. The same holds
against what the store has (`clinical.held`).

Example: with Register(run.work_dir) as register: register.add(register.add_file(file), checked)
"""

import re
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType

from trilake.clinical.preflight import Checked
from trilake.core.importer import SourceFile
from trilake.core.ledger import FileOutcome, Reason

SCHEMA = """
CREATE TABLE record (
  seq INTEGER PRIMARY KEY, file INTEGER NOT NULL, line INTEGER, entry INTEGER, type TEXT, id TEXT, sha BLOB,
  updated TEXT, version INTEGER, start INTEGER, length INTEGER, is_pending INTEGER, fate TEXT NOT NULL
);
CREATE TABLE reason (
  seq INTEGER NOT NULL, code TEXT, path TEXT, found TEXT, expected TEXT, item TEXT, is_warning INTEGER
);
CREATE TABLE target (reference BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE mapped (type TEXT, given TEXT, loaded_as TEXT);
CREATE TABLE held (type TEXT, id TEXT, sha BLOB, updated TEXT, version INTEGER, PRIMARY KEY (type, id));
"""
INDEXES = """
CREATE INDEX IF NOT EXISTS record_key ON record (type, id);
CREATE INDEX IF NOT EXISTS reason_seq ON reason (seq);
"""
DECIDE = """
WITH shared AS (
  SELECT type, id FROM record WHERE fate = 'accepted' GROUP BY type, id HAVING count(*) > 1
), ranked AS (
  SELECT seq, sha, row_number() OVER newest AS place, first_value(sha) OVER newest AS winner
  FROM (
    SELECT seq, type, id, sha,
      CASE WHEN count(updated) OVER same = count(*) OVER same THEN updated ELSE '' END AS dated,
      CASE WHEN count(version) OVER same = count(*) OVER same THEN version ELSE 0 END AS numbered
    FROM record JOIN shared USING (type, id) WHERE fate = 'accepted'
    WINDOW same AS (PARTITION BY type, id)
  )
  WINDOW newest AS (PARTITION BY type, id ORDER BY dated DESC, numbered DESC, seq DESC)
)
UPDATE record SET fate = CASE WHEN ranked.sha = ranked.winner THEN 'duplicate' ELSE 'superseded' END
FROM ranked WHERE ranked.seq = record.seq AND ranked.place > 1
"""
HOLD = "INSERT OR REPLACE INTO held VALUES (?, ?, ?, ?, ?)"
MEET = """
UPDATE record SET fate = CASE WHEN record.sha = held.sha THEN 'duplicate' ELSE 'superseded' END
FROM held WHERE held.type = record.type AND held.id = record.id AND record.fate = 'accepted'
  AND (record.sha = held.sha OR record.updated < held.updated
    OR (record.updated IS NULL AND held.updated IS NULL AND record.version < held.version))
"""
REASONS = """
SELECT file, code, expected, found, line, path, item, is_warning FROM reason JOIN record USING (seq)
WHERE CASE WHEN is_warning THEN fate IN ('accepted', 'loaded') ELSE fate = 'quarantined' END ORDER BY seq
"""
ABSENT = """
SELECT reference FROM target
WHERE instr(reference, '/') > 0 AND NOT EXISTS (
  SELECT 1 FROM record WHERE record.fate <> 'quarantined'
  AND record.type = substr(CAST(reference AS TEXT), 1, instr(CAST(reference AS TEXT), '/') - 1)
  AND record.id = substr(CAST(reference AS TEXT), instr(CAST(reference AS TEXT), '/') + 1)
)
"""
LOCAL = re.compile(rb"[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}")
INSERT = f"INSERT INTO record VALUES ({', '.join('?' * 13)})"
Held = tuple[str, str, bytes, str | None, int | None]


class Register:
    """See the module. Fates: accepted (to be staged), loaded, duplicate, superseded, quarantined."""

    def __init__(self, folder: Path) -> None:
        self.lines_path = folder / "accepted.ndjson"
        self.database = sqlite3.connect(folder / "register.sqlite", isolation_level=None)
        self.database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + SCHEMA)
        self.files: list[SourceFile] = []
        self.n_records = 0

    def __enter__(self) -> "Register":
        self.lines = self.lines_path.open("w+b")
        self.database.execute("BEGIN")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.lines.close()
        self.database.close()

    def add_file(self, file: SourceFile) -> int:
        self.files.append(file)
        return len(self.files) - 1

    def add(self, file: int, checked: Checked, *, item: str = "") -> None:
        """Enter one record; with faults it is quarantined under `item`, else accepted and its line kept."""
        self.add_all(file, [checked], {checked.label: item})

    def add_all(self, file: int, found: list[Checked], items: dict[str, str]) -> None:
        """Enter records of one file; `items` are the quarantine items of those with faults, by label."""
        rows, kept = [], []
        start = self.lines.tell()
        for one in found:
            self.n_records += 1
            n_bytes = len(one.data)
            fate = "quarantined" if one.faults else "accepted"
            rows.append((self.n_records, file, one.line or None, one.entry, one.type, one.id, one.sha, one.updated,
                         one.version, start, n_bytes, one.is_pending, fate))  # fmt: skip
            if not one.faults:
                kept.append(one.data)
                start += n_bytes + 1
            if one.faults or one.warnings or one.given_id:
                self.remark(self.n_records, one, items.get(one.label, ""))
        self.database.executemany(INSERT, rows)
        if kept:
            kept.append(b"")
            self.lines.write(b"\n".join(kept))

    def remark(self, seq: int, one: Checked, item: str) -> None:
        rows = [(seq, fault.code, fault.path, fault.found, fault.expected, item, False) for fault in one.faults]
        rows += [(seq, fault.code, fault.path, fault.found, fault.expected, "", True) for fault in one.warnings]
        self.database.executemany("INSERT INTO reason VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        if one.given_id:
            self.database.execute("INSERT INTO mapped VALUES (?, ?, ?)", (one.type, one.given_id, one.id))

    def refer(self, targets: list[bytes]) -> None:
        """Note what the load's records refer to."""
        self.database.executemany("INSERT OR IGNORE INTO target VALUES (?)", zip(targets, strict=True))

    def decide(self) -> None:
        """Settle who wins where records of this load share a key."""
        self.lines.flush()
        self.database.executescript(INDEXES)
        self.database.execute(DECIDE)

    def types(self) -> list[str]:
        """Resource types with records to stage."""
        rows = self.database.execute("SELECT DISTINCT type FROM record WHERE fate = 'accepted' ORDER BY type")
        return [row[0] for row in rows]

    def ids(self, kind: str, most: int) -> Iterator[list[str]]:
        """The ids of one type's records to stage, in lists of at most `most`."""
        found = self.database.execute("SELECT DISTINCT id FROM record WHERE fate = 'accepted' AND type = ?", (kind,))
        while rows := found.fetchmany(most):
            yield [row[0] for row in rows]

    def meet(self, held: Iterable[Held]) -> None:
        """Settle what the store has already: (type, id, sha, updated, version), later loads after earlier ones."""
        self.database.executemany(HOLD, held)
        self.database.execute(MEET)

    def accepted(self, kind: str = "") -> Iterator[tuple[int, str, bytes, bool]]:
        """(record, type, line, whether references are pending) of records to stage, in order read; of a type or all."""
        query = "SELECT seq, type, start, length, is_pending FROM record WHERE fate = 'accepted'"
        found = self.database.execute(
            query + (" AND type = ? ORDER BY seq" if kind else " ORDER BY seq"), (kind,) * bool(kind)
        )
        self.lines.flush()
        with self.lines_path.open("rb") as lines:
            position = 0
            for seq, name, start, length, is_pending in found:
                if start != position:
                    lines.seek(start)
                yield seq, name, lines.read(length), bool(is_pending)
                position = start + length

    def open_targets(self) -> list[str]:
        """The searches by identifier that the load's records refer by."""
        rows = self.database.execute("SELECT reference FROM target WHERE instr(reference, '?') > 0")
        return [row[0].decode("utf-8", "replace") for row in rows]

    def absent_targets(self) -> set[bytes]:
        """References of the form Type/id to nothing in the load."""
        return {row[0] for row in self.database.execute(ABSENT) if LOCAL.fullmatch(row[0])}

    def sound(self, kind: str) -> Iterator[bytes]:
        """The lines of one type, whatever becomes of them but for what is refused."""
        query = "SELECT start, length FROM record WHERE fate <> 'quarantined' AND type = ? ORDER BY seq"
        with self.lines_path.open("rb") as lines:
            for start, length in self.database.execute(query, (kind,)):
                lines.seek(start)
                yield lines.read(length)

    def file_of(self, seq: int) -> int:
        return int(self.database.execute("SELECT file FROM record WHERE seq = ?", (seq,)).fetchone()[0])

    def by_id(self, resource_id: str) -> str | None:
        """`Type/id` of the only type in this load that has an id."""
        self.database.execute("CREATE INDEX IF NOT EXISTS record_id ON record (id)")
        query = "SELECT DISTINCT type FROM record WHERE id = ? AND fate <> 'quarantined' LIMIT 2"
        found = self.database.execute(query, (resource_id,)).fetchall()
        return f"{found[0][0]}/{resource_id}" if len(found) == 1 else None

    def mapped(self) -> Iterator[tuple[str, str, str]]:
        """(type, the id given, the id loaded under) of ids that FHIR does not allow."""
        yield from self.database.execute("SELECT type, given, loaded_as FROM mapped ORDER BY rowid")

    def warn(self, seq: int, code: str, found: str, expected: str, *, path: str = "") -> None:
        row = (seq, code, path, found, expected)
        self.database.execute("INSERT INTO reason VALUES (?, ?, ?, ?, ?, '', 1)", row)

    def place(self, seq: int) -> tuple[SourceFile, str]:
        """The source file and label of a record."""
        query = "SELECT file, line, entry FROM record WHERE seq = ?"
        file, line, entry = self.database.execute(query, (seq,)).fetchone()
        return self.files[file], Checked(line or 0, entry).label

    def refuse(self, seq: int, reason: Reason) -> None:
        """Quarantine a record that had been accepted."""
        self.database.execute("UPDATE record SET fate = 'quarantined' WHERE seq = ?", (seq,))
        row = (seq, reason.code, reason.path, reason.found, reason.expected, reason.item)
        self.database.execute("INSERT INTO reason VALUES (?, ?, ?, ?, ?, ?, 0)", row)

    def line_of(self, seq: int) -> bytes:
        start, length = self.database.execute("SELECT start, length FROM record WHERE seq = ?", (seq,)).fetchone()
        with self.lines_path.open("rb") as lines:
            lines.seek(start)
            return lines.read(length)

    def settle(self) -> None:
        """What was staged and not refused is loaded."""
        self.database.execute("UPDATE record SET fate = 'loaded' WHERE fate = 'accepted'")

    def loaded(self, kind: str) -> Iterator[tuple[str, bytes, str | None, int | None]]:
        query = "SELECT id, sha, updated, version FROM record WHERE fate = 'loaded' AND type = ?"
        yield from self.database.execute(query, (kind,))

    def outcomes(self) -> list[FileOutcome]:
        """One per file, counts and reasons."""
        found = [file.outcome() for file in self.files]
        for file, fate, count in self.database.execute("SELECT file, fate, count(*) FROM record GROUP BY file, fate"):
            field = "loaded" if fate == "accepted" else fate
            setattr(found[file], field, getattr(found[file], field) + count)
            found[file].records_in += count
        for file, code, expected, text, line, path, item, is_warning in self.database.execute(REASONS):
            found[file].reasons.append(Reason(code, expected, text, line, path, item, bool(is_warning)))
        return found

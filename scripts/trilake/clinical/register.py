"""The register of one load: every record, its place, its key, and what becomes of it.

A SQLite file in the run's work folder, so that memory does not grow with the load; the lines to stage lie beside it.
Of several records with one key, the newest by meta.lastUpdated wins where all have one, else the last read; equal
content is a duplicate, other content is superseded. The same holds against what the store has (`clinical.held`).

Example: with Register(run.work_dir) as register: register.add(register.add_file(file), checked)
"""

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType

from trilake.clinical.bundles import identifiers
from trilake.clinical.preflight import Checked
from trilake.core.importer import SourceFile
from trilake.core.ledger import FileOutcome, Reason

SCHEMA = """
CREATE TABLE record (
  seq INTEGER PRIMARY KEY, file INTEGER NOT NULL, line INTEGER, label TEXT NOT NULL, type TEXT, id TEXT, sha BLOB,
  updated TEXT, start INTEGER, length INTEGER, is_pending INTEGER, fate TEXT NOT NULL, staged TEXT, staged_line INTEGER
);
CREATE TABLE reason (
  seq INTEGER NOT NULL, code TEXT, path TEXT, found TEXT, expected TEXT, item TEXT, is_warning INTEGER
);
CREATE TABLE identifier (type TEXT, token TEXT, id TEXT);
CREATE TABLE held (type TEXT, id TEXT, sha BLOB, updated TEXT, PRIMARY KEY (type, id));
"""
INDEXES = """
CREATE INDEX record_key ON record (type, id);
CREATE INDEX record_id ON record (id);
CREATE INDEX record_staged ON record (staged, staged_line);
CREATE INDEX reason_seq ON reason (seq);
CREATE INDEX identifier_token ON identifier (type, token);
"""
DECIDE = """
WITH ranked AS (
  SELECT seq, sha, row_number() OVER newest AS place, first_value(sha) OVER newest AS winner
  FROM (
    SELECT seq, type, id, sha,
      CASE WHEN count(updated) OVER (PARTITION BY type, id) = count(*) OVER (PARTITION BY type, id)
        THEN updated ELSE '' END AS dated
    FROM record WHERE fate = 'accepted'
  )
  WINDOW newest AS (PARTITION BY type, id ORDER BY dated DESC, seq DESC)
)
UPDATE record SET fate = CASE WHEN ranked.sha = ranked.winner THEN 'duplicate' ELSE 'superseded' END
FROM ranked WHERE ranked.seq = record.seq AND ranked.place > 1
"""
HOLD = "INSERT OR REPLACE INTO held VALUES (?, ?, ?, ?)"
MEET = """
UPDATE record SET fate = CASE WHEN record.sha = held.sha THEN 'duplicate' ELSE 'superseded' END
FROM held WHERE held.type = record.type AND held.id = record.id AND record.fate = 'accepted'
  AND (record.sha = held.sha OR record.updated < held.updated)
"""
REASONS = """
SELECT file, code, expected, found, line, path, item, is_warning FROM reason JOIN record USING (seq)
WHERE CASE WHEN is_warning THEN fate IN ('accepted', 'loaded') ELSE fate = 'quarantined' END ORDER BY seq
"""


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
        """Enter a record; with faults it is quarantined under `item`, else accepted and its line kept."""
        self.n_records += 1
        record, accepted = checked.record, not checked.faults
        start = self.lines.tell() if accepted else None
        row = (
            self.n_records, file, record.line, record.label, checked.type, checked.id, checked.sha, checked.updated,
            start, len(checked.data), checked.pending, "accepted" if accepted else "quarantined",
        )  # fmt: skip
        self.database.execute(f"INSERT INTO record VALUES ({'?, ' * 12} NULL, NULL)", row)
        if accepted:
            self.lines.write(checked.data)
            self.lines.write(b"\n")
            tokens = [(checked.type, token, checked.id) for token in identifiers(record.resource or {})]
            self.database.executemany("INSERT INTO identifier VALUES (?, ?, ?)", tokens)
        for is_warning, faults in ((False, checked.faults), (True, checked.warnings)):
            for fault in faults:
                reason = (fault.code, fault.path, fault.found, fault.expected, "" if is_warning else item, is_warning)
                self.database.execute("INSERT INTO reason VALUES (?, ?, ?, ?, ?, ?, ?)", (self.n_records, *reason))

    def decide(self) -> None:
        """Settle who wins where records of this load share a key."""
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

    def meet(self, held: Iterable[tuple[str, str, bytes, str | None]]) -> None:
        """Settle what the store has already: (type, id, sha, updated), later loads after earlier ones."""
        self.database.executemany(HOLD, held)
        self.database.execute(MEET)

    def accepted(self, kind: str) -> Iterator[tuple[int, bytes, bool]]:
        """(record, line, whether references are pending) of every record of one type to stage, in order read."""
        query = "SELECT seq, start, length, is_pending FROM record WHERE fate = 'accepted' AND type = ? ORDER BY seq"
        self.lines.flush()
        with self.lines_path.open("rb") as lines:
            for seq, start, length, is_pending in self.database.execute(query, (kind,)):
                lines.seek(start)
                yield seq, lines.read(length), bool(is_pending)

    def by_identifier(self, kind: str, token: str) -> str | None:
        """The only id of this load that has an identifier; None for none or several."""
        query = "SELECT DISTINCT id FROM identifier WHERE type = ? AND token = ? LIMIT 2"
        found = self.database.execute(query, (kind, token)).fetchall()
        return str(found[0][0]) if len(found) == 1 else None

    def by_id(self, resource_id: str) -> str | None:
        """`Type/id` of the only type in this load that has an id."""
        query = "SELECT DISTINCT type FROM record WHERE id = ? AND fate <> 'quarantined' LIMIT 2"
        found = self.database.execute(query, (resource_id,)).fetchall()
        return f"{found[0][0]}/{resource_id}" if len(found) == 1 else None

    def staged(self, places: list[tuple[str, int, int]]) -> None:
        """Note where records were staged: (file, line, record)."""
        self.database.executemany("UPDATE record SET staged = ?, staged_line = ? WHERE seq = ?", places)

    def warn(self, seq: int, code: str, found: str, expected: str) -> None:
        self.database.execute("INSERT INTO reason VALUES (?, ?, '', ?, ?, '', 1)", (seq, code, found, expected))

    def at(self, staged: str, line: int) -> tuple[int, SourceFile, str] | None:
        """The record at a line of a staged file, its source file and label; None when there is none."""
        query = "SELECT seq, file, label FROM record WHERE staged = ? AND staged_line = ?"
        row = self.database.execute(query, (staged, line)).fetchone()
        return (row[0], self.files[row[1]], row[2]) if row else None

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

    def loaded(self, kind: str) -> Iterator[tuple[str, bytes, str | None]]:
        query = "SELECT id, sha, updated FROM record WHERE fate = 'loaded' AND type = ?"
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
